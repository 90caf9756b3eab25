/*
 * --no-pivot: the host's mounts stay in the container's mount namespace, beneath a root
 * that cannot be left.
 */
#ifndef KERNEL_MOUNT_HIDE_H
#define KERNEL_MOUNT_HIDE_H

#include "base/err.h"

/*
 * Takes away every procfs and sysfs that is not beneath rootfs, a path in the mount namespace that
 * we are in. As long as one is there without masks, the kernel lets a user namespace of the
 * container's mount another without masks. What cannot be unmounted, since it
 * belongs to a user namespace above, is covered.
 */
int mount_hide_host(const char *rootfs, struct oci_err *err);

#endif
