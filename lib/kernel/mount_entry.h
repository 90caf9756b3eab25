/*
 * The members of config.json's mounts, on their way into the container.
 *
 *	mount_list_parse()	anywhere
 *	mount_entry_prepare()	before joining: what needs the host's rights and paths, or init
 *	mount_entry_attach()	inside
 *	mount_entry_finish()	inside, after everything beneath has been mounted
 *	mount_list_free()	where it was prepared
 *
 * All errors point to /mounts/N.
 */
#ifndef KERNEL_MOUNT_ENTRY_H
#define KERNEL_MOUNT_ENTRY_H

#include "base/err.h"
#include "kernel/mount_target.h"
#include "oci/container.h"
#include "oci/mountopt.h"

struct mount_entry {
	size_t index;	   /* in /mounts */
	char *destination; /* owned */
	const char *type;  /* "none" if config.json has none; borrowed */
	char *source;	   /* owned: of a bind mount an absolute path, else as it is, or NULL */
	char *link;	   /* owned: no mount, but a symbolic link to this; else NULL */
	struct mountopt opt;
	const struct json_object *uids, *gids; /* of an id-mapped mount, or NULL */
	struct json_object *maps; /* owned: where they are from if an option has them, or NULL */
	/*
	 * Detached, or -1: the clone of a bind mount's source, or what init has made.
	 * Clones that are made inside are descriptors of the inside's, and not kept here.
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

/*
 * All of config.json's mounts. One of a cgroup filesystem becomes several entries,
 * if that is what the machine's hierarchies need (kernel/cgroup_mount.h).
 */
struct mount_list {
	struct mount_entry *entries;
	size_t n;
	struct json_object *notify;	 /* a mount as in config.json, of our own; or NULL */
	struct cgroup_mount_plan *plans; /* the entries borrow from them */
	size_t n_plans;
};

/* An empty entry at the end, or NULL with *err. Pointers to other entries end here. */
struct mount_entry *mount_list_add(struct mount_list *list, size_t index, struct oci_err *err);

/* Puts what entry, of type cgroup or cgroup2, stands for into the list. */
int mount_cgroup_expand(struct mount_list *list, const struct mount_entry *entry,
			const struct container *c, struct oci_err *err);

int mount_list_parse(struct mount_list *list, const struct container *c, struct oci_err *err);
void mount_list_free(struct mount_list *list);

int mount_entry_prepare(struct mount_entry *entry, struct mount_context *context,
			struct oci_err *err);
int mount_entry_attach(struct mount_entry *entry, const struct mount_context *context,
		       const struct mount_root *root, struct oci_err *err);
int mount_entry_finish(struct mount_entry *entry, struct oci_err *err);

#endif
