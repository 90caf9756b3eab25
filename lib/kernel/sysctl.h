/*
 * Kernel parameters of the container's namespaces (config-linux.md, "Sysctl").
 *
 * Which parameters belong to a namespace is validation's business; here they
 * are written, through a procfs instance of our own that nobody else can reach,
 * by a process that has joined the namespaces: procfs shows net.*, kernel.shm*
 * and the like of the namespaces of whoever looks.
 */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

#include "base/err.h"
#include "base/json.h"

/* The file of a parameter beneath a procfs: "sys/net/ipv4/ip_forward"; the caller frees it. */
char *sysctl_file(const char *key);

/*
 * Opens the root of such an instance, before joining; -1 with *err. Where the
 * kernel refuses one (an unprivileged user), it is /proc after a check.
 */
int sysctl_open(struct oci_err *err);

/*
 * Writes all of the object {"net.ipv4.ip_forward": "1", ...}, after joining.
 * The first of '.' and '/' in a key is its separator (sysctl.d(5)):
 * "net/ipv4/conf/eth0.1/forwarding". The error's pointer names the key.
 */
int sysctl_write(int proc, const struct json_object *sysctl, struct oci_err *err);

#endif
