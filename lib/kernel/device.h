/*
 * The files of /dev: default devices, linux.devices, the usual links, and the
 * place where the console will be.
 *
 * The image is hostile: /dev may be a link, or full of links. /dev itself must
 * be a directory that is reached without a link (CVE-2026-41579); every node
 * is made by mknodat(2) in its parent's descriptor; what is there already is
 * looked at without following a link, and must be the very device. Nothing
 * that the image brought is opened, changed or given to anybody.
 *
 * Where mknod(2) is not allowed (a user namespace), the node that the host has made for
 * it is bound instead (kernel/device_nodes.h), or else the host's own device, after a look
 * whether it is the device, with the mode and owner that were asked for.
 */
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include "base/err.h"
#include "base/json.h"
#include "kernel/device_list.h"

/*
 * Makes all of them beneath root_fd. In the container's mount namespace, after
 * its mounts and before the pivot, with umask 0. If mounts[] binds something to
 * /dev, that is taken as it is: only devices elsewhere are made.
 */
int device_make_all(const struct json_object *config, const struct device_list *list, int root_fd,
		    struct oci_err *err);

#endif
