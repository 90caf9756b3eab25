/*
 * The mounts of a container that come from outside it, as criu has to be told
 * of them: bind mounts, cgroups, masked files. Shared by checkpoint.c and restore.c only.
 */
#ifndef LIFECYCLE_CRIU_MOUNTS_H
#define LIFECYCLE_CRIU_MOUNTS_H

#include "lifecycle/criu_request.h"
#include "oci/container.h"

/*
 * Of a running container: where each is, and its name. A mount point that shows something
 * else than its source is an error: its processes may have moved links about.
 */
int criu_mounts_saved(const struct container *c, struct criu_request *r, struct oci_err *err);

/*
 * For one that is to be restored: each name's source. Mount points that the root filesystem
 * does not have are made in it.
 */
int criu_mounts_restored(const struct container *c, struct criu_request *r, struct oci_err *err);

/*
 * After criu has mounted them, before a process runs: gives every mount of the config the
 * attributes that it says, and masked files theirs. criu forgets "ro" of a second bind of one file.
 */
int criu_mounts_protect(const struct container *c, struct oci_err *err);

/* The mountinfo of the container's process; the caller frees it. NULL with *err. */
char *criu_mounts_text(const struct container *c, struct oci_err *err);

#endif
