/*
 * One member of config.json's mounts, on its way into the container.
 *
 *	mount_entry_parse()	anywhere
 *	mount_entry_prepare()	before joining: what needs the host's rights and paths, or init
 *	mount_entry_attach()	inside
 *	mount_entry_finish()	inside, after everything beneath has been mounted
 *	mount_entry_free()	where it was prepared
 *
 * All errors point to /mounts/N.
 */
#ifndef KERNEL_MOUNT_ENTRY_H
#define KERNEL_MOUNT_ENTRY_H

#include "base/err.h"
#include "oci/container.h"
#include "oci/mountopt.h"

struct mount_entry {
	size_t index;
	const struct json_object *mount;
	const char *destination, *type; /* type: "none" if config.json has none */
	char *source;			/* of a bind mount: absolute */
	struct mountopt opt;
	/*
	 * Detached, or -1: the clone of a bind mount's source, or what init has made. Made
	 * inside it is a descriptor of the inside's, which is never seen here.
	 */
	int tree;
	int userns;  /* of an id-mapped mount, or -1; owned by the cache it came from */
	bool file;   /* the source of a bind mount is no directory */
	int late_fd; /* inside only: a tmpfs that becomes read-only at the end, or -1 */
};

/* What all the entries share. */
struct mount_context {
	const struct container *c;
	uint64_t host_propagation; /* mount_host_propagation() */
	const char *label;	   /* linux.mountLabel, or NULL */
	int init;		   /* connection to init, or -1: made when it is needed */
	struct idmap_cache *idmaps;
};

int mount_entry_parse(struct mount_entry *entry, const struct container *c, size_t index,
		      struct oci_err *err);
int mount_entry_prepare(struct mount_entry *entry, struct mount_context *context,
			struct oci_err *err);
int mount_entry_attach(struct mount_entry *entry, const struct mount_context *context, int root_fd,
		       struct oci_err *err);
int mount_entry_finish(struct mount_entry *entry, struct oci_err *err);
void mount_entry_free(struct mount_entry *entry);

#endif
