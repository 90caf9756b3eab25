/* Ending a container's processes: what start's failures and delete have in common. */
#ifndef LIFECYCLE_END_H
#define LIFECYCLE_END_H

#include "oci/container.h"

/*
 * Kills init, if it is alive, and waits until it is gone, and with it its pid
 * namespace. What shares a pid namespace is left to cgroup_remove().
 */
int end_processes(const struct container *c, struct oci_err *err);

#endif
