/*
 * Paths that the container's program must not read, or not write:
 * linux.maskedPaths, linux.readonlyPaths, root.readonly.
 *
 * A masked file is covered by the host's /dev/null, never by the container's
 * (CVE-2025-31133), a masked directory by an empty, read-only tmpfs. Both exist once:
 * every further mask is a clone of the first, which costs a tenth of a mount of its own.
 *
 *	before joining:		fd = mask_open_null(err)
 *	inside, in the end:	mask_paths(root_fd, paths, fd, err)
 *				read_only_paths(root_fd, paths, err)
 *				read_only_root(root_fd, err)
 *
 * root_fd is the container's root in its mount namespace, before or after the
 * pivot. A path that is not there is skipped; only the lookup of the path
 * itself can say so, no later step. A path in /proc or /sys is looked for in the mount
 * that config.json has there, and not through the root filesystem: another container with the same
 * root could have exchanged the mount point for a moment.
 */
#ifndef KERNEL_MASK_H
#define KERNEL_MASK_H

#include "base/err.h"
#include "base/json.h"

/*
 * A detached, read-only mount of the host's /dev/null, checked to be the
 * device. -1 with *err; its errnum is EPERM for a user without privilege, who may do it
 * inside, before the pivot.
 */
int mask_open_null(struct oci_err *err);

/* linux.maskedPaths. null_mount: from mask_open_null(); it is used up. */
int mask_paths(int root_fd, const struct json_object *config, int null_mount, struct oci_err *err);

/* linux.readonlyPaths, each with all the mounts beneath it. */
int read_only_paths(int root_fd, const struct json_object *config, struct oci_err *err);

int read_only_root(int root_fd, struct oci_err *err);

#endif
