/*
 * What the areas of lib/verify share: the container that is looked at, and how
 * a comparison is noted. An area is a function that compares one group of
 * properties; it returns -1 with *err only for what makes the whole
 * comparison impossible. A file of /proc/PID that cannot be read any more is
 * no matter of its own: verify_container() looks in the end whether the
 * process has ended.
 */
#ifndef VERIFY_AREA_H
#define VERIFY_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"
#include "verify/verify.h"

struct verify {
	const struct container *c;
	const struct json_object *config, *process, *lnx; /* "", /process, /linux */
	pid_t pid;
	int proc;	     /* /proc/PID: stays this process's, whoever has the number later */
	int proc_root;	     /* /proc */
	int root;	     /* the container's root directory, O_PATH */
	char *status;	     /* text of /proc/PID/status */
	bool started;	     /* the user's program runs, not init */
	bool same_program;   /* its arguments are those of config.json */
	uint64_t namespaces; /* ns_listed() */
	struct verify_report *report;
};

int verify_namespaces(struct verify *v, struct oci_err *err);
int verify_joined(struct verify *v, struct oci_err *err);
int verify_program(struct verify *v, struct oci_err *err);
int verify_rights(struct verify *v, struct oci_err *err);
int verify_limits(struct verify *v, struct oci_err *err);
int verify_scheduling(struct verify *v, struct oci_err *err);
int verify_security(struct verify *v, struct oci_err *err);
int verify_mounts(struct verify *v, struct oci_err *err);
int verify_devices(struct verify *v, struct oci_err *err);
int verify_cgroup(struct verify *v, struct oci_err *err);
int verify_device_rules(struct verify *v, struct oci_err *err);
int verify_rdt(struct verify *v, struct oci_err *err);

/* Notes a difference. wanted and found are quoted where they are shown, not here. */
void verify_differs(struct verify *v, const char *pointer, const char *where, const char *wanted,
		    const char *found);

/* Compare, and note a difference. found NULL: it could not be read. */
void verify_text(struct verify *v, const char *pointer, const char *where, const char *wanted,
		 const char *found);
void verify_number(struct verify *v, const char *pointer, const char *where, int64_t wanted,
		   int64_t found);
void verify_bool(struct verify *v, const char *pointer, const char *where, bool wanted, bool found);

/* For who compares by himself: one more value was. */
void verify_compared(struct verify *v);

/* Notes what cannot be seen; once for each pointer. */
void verify_hidden(struct verify *v, const char *pointer, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "/mounts/4/options": storage of the caller. */
struct verify_pointer {
	char text[512];
};
struct verify_pointer verify_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The name of a file of /proc/PID, for "where". */
void verify_place(const struct verify *v, const char *file, char text[64]);

/* A file of /proc/PID without the newline at its end; NULL if it cannot be read. The caller frees
 * it. */
char *verify_read(const struct verify *v, const char *file, size_t *ret_len);

/* The value of a line of /proc/PID/status, without the blanks around it; false if there is none. */
bool verify_status(const struct verify *v, const char *name, char *buf, size_t size);

/* The id that config.json's means outside, by the process's own map ("uid_map", "gid_map"). */
bool verify_outer_id(const struct verify *v, const char *map, uint32_t id, uint32_t *ret_id);

#endif
