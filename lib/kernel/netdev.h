/*
 * linux.netDevices (config-linux.md, "Network Devices"), by the helper program
 * oci-netdev, which knows netlink.
 *
 * A device that is moved keeps its permanent global addresses and is set up. As the
 * specification has it, it is the namespace's from then on: when the namespace ends,
 * the kernel gives a physical device back and destroys a virtual one. Only a creation that
 * fails, is given up or is killed puts them back, with names, addresses and state as before.
 */
#ifndef KERNEL_NETDEV_H
#define KERNEL_NETDEV_H

#include "base/err.h"
#include "oci/container.h"

/*
 * Moves all devices into the network namespace of the container's init, or none. The record is put
 * into c->state->net_devices. FAULT_CONFIG: no such device, the name is taken.
 */
int netdev_move(struct container *c, struct oci_err *err);

/*
 * The namespace that they are in, for who may outlive init; the caller closes it. -1: nothing was
 * moved, or the namespace is gone. As long as the creation lasts, and until whoever clears a killed
 * one has put back what it took, it is held by a mount at ROOT/ID/netns.
 */
int netdev_hold(const struct container *c);

/*
 * Puts back what the record says; nothing if there is no record. namespace: from netdev_hold(), or
 * -1: that of init, if it lives.
 */
int netdev_put_back(const struct container *c, int namespace, struct oci_err *err);

/* Lets go of the namespace, when the container is created or cleared: it ends with its processes.
 */
void netdev_release(const struct container *c);

#endif
