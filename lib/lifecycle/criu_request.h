/*
 * A request to criu, as it is put together by checkpoint.c and restore.c: it
 * owns its strings and lists. Shared by these only.
 *
 *	own_criu_request struct criu_request r;
 *
 *	criu_request_begin(&r, CRIU_TYPE__DUMP, &options, "dump.log", err)
 *	criu_request_mount(&r, key, value, err)
 */
#ifndef LIFECYCLE_CRIU_REQUEST_H
#define LIFECYCLE_CRIU_REQUEST_H

#include "kernel/criu.h"
#include "lifecycle/checkpoint.h"

struct criu_request {
	CriuRequest message;
	CriuOpts opts;
	CriuPageServer page_server;
	int images, work; /* directories */
	const char *image_path, *work_path;
	char **strings; /* what it owns */
	size_t n_strings;
};

/*
 * Makes the directories. The log is in the work directory. Images that are no files are refused:
 * criu would write its log to where a link of that name leads, and read memory from there.
 */
int criu_request_begin(struct criu_request *r, CriuType type, const struct criu_options *options,
		       char *log, struct oci_err *err);

/* Opens the directories once more: in another mount namespace. */
int criu_request_reopen(struct criu_request *r, struct oci_err *err);

/* A copy that lives as long as the request; NULL with *err. */
char *criu_request_string(struct criu_request *r, const char *text, struct oci_err *err);

/*
 * What an administrator has criu do beside: the file that the container's annotation
 * org.criu.config names ("": none), else that of the machine. criu ignores one that is not there.
 */
int criu_request_config(struct criu_request *r, const struct container *c, struct oci_err *err);

/*
 * Adds an external mount. On a dump key is the mount point and value what the images call
 * it; on a restore key is that and value the source. A key that criu would read as
 * more than one is refused (CVE-2026-119101).
 */
int criu_request_mount(struct criu_request *r, const char *key, const char *value,
		       struct oci_err *err);
int criu_request_external(struct criu_request *r, const char *text, struct oci_err *err);
int criu_request_inherit(struct criu_request *r, const char *key, int fd, struct oci_err *err);
int criu_request_join(struct criu_request *r, const char *type, const char *path,
		      struct oci_err *err);
int criu_request_cgroup(struct criu_request *r, const char *controller, const char *path,
			struct oci_err *err);

void criu_request_free(struct criu_request *r);

#define own_criu_request __attribute__((cleanup(criu_request_free)))

#endif
