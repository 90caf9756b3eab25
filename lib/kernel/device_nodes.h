/*
 * Device nodes for a container whose user namespace may make none: mknod(2) there is EPERM, and
 * the nodes of a filesystem of its own cannot be opened. So the host makes them, with the mode
 * and the owner that config.json says, in a tmpfs that nobody sees; each becomes a mount, and is
 * attached in the container in place of a node.
 *
 *	device_nodes_make()	before joining
 *	device_nodes_clone()	in the container's mount namespace, with the caller's rights
 *
 * A caller without CAP_MKNOD on the host (who is root in a user namespace, say) has none of that:
 * the host's devices are bound as they are (kernel/device.h).
 */
#ifndef KERNEL_DEVICE_NODES_H
#define KERNEL_DEVICE_NODES_H

#include "base/err.h"
#include "kernel/device_list.h"
#include "oci/container.h"

/*
 * *ret_nodes: a detached tmpfs with a node for each device of the list, which the caller closes;
 * or -1: the container has no user namespace of its own, or the caller may not do it. FAULT_CONFIG
 * if an owner is not mapped in the container's user namespace.
 */
int device_nodes_make(const struct container *c, const struct device_list *list, int *ret_nodes,
		      struct oci_err *err);

/*
 * Makes each node a detached mount, in the tree of its device. root_fd: a directory that mounts can
 * be attached to for a moment (Linux before 6.15 clones no detached mount).
 */
int device_nodes_clone(int nodes, int root_fd, struct device_list *list, struct oci_err *err);

#endif
