/*
 * User namespaces that stand for an id mapping, for id-mapped mounts
 * (mount_setattr(2), MOUNT_ATTR_IDMAP; Linux 5.12).
 *
 * The kernel takes a mapping only as the descriptor of a user namespace that
 * has it: a child is cloned into a new one, its maps are written, the
 * namespace is opened, the child ends.
 */
#ifndef KERNEL_IDMAP_H
#define KERNEL_IDMAP_H

#include "base/err.h"
#include "base/json.h"
#include "oci/state.h"

/*
 * One namespace for each different mapping: a config with the same mapping at
 * twenty mounts costs one child. Zero it before use.
 */
struct idmap_cache {
	struct idmap {
		const struct json_object *uids, *gids;
		int fd;
	} * items;
	size_t n;
};

/*
 * The namespace with these mappings (arrays of containerID, hostID, size; borrowed until
 * idmap_free()). The descriptor belongs to the cache. -1 with *err.
 */
int idmap_get(struct idmap_cache *cache, const struct json_object *uids,
	      const struct json_object *gids, struct oci_err *err);

/* The user namespace of a process, in the same cache. */
int idmap_of_process(struct idmap_cache *cache, const struct proc_id *process, struct oci_err *err);

void idmap_free(struct idmap_cache *cache);

#endif
