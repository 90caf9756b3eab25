/* The processes of one hierarchy's directory. Shared by kernel/cgroup*.c only. */
#ifndef KERNEL_CGROUP_PROCS_H
#define KERNEL_CGROUP_PROCS_H

#include <stddef.h>
#include <sys/types.h>

#include "kernel/cgroup_tree.h"

/* The processes in it and below; the caller frees *ret_pids. None if it is gone. */
int cgroup_pids_at(const struct cgroup_hierarchy *h, pid_t **ret_pids, size_t *ret_n,
		   struct oci_err *err);

/* Sends SIGKILL to all of them, once; does not wait. */
int cgroup_kill_at(const struct cgroup_hierarchy *h, struct oci_err *err);

#endif
