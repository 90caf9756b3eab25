/*
 * process.scheduler, process.ioPriority, linux.memoryPolicy and
 * linux.personality as numbers for init's plan (sched_setattr(2), ioprio_set(2),
 * set_mempolicy(2), personality(2)).
 */
#ifndef KERNEL_SCHEDULING_H
#define KERNEL_SCHEDULING_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "init/plan.h"

enum { MEMORY_NODES_MAX = 1024 }; /* the kernel's own limit is lower */

struct memory_nodes {
	uint64_t bits[MEMORY_NODES_MAX / 64];
	size_t n_words; /* 0: no nodes given */
};

/*
 * Fills the members of the plan that config.json says something about, and
 * their flags. FAULT_CONFIG with the property's pointer for unknown words.
 */
int scheduling_fill(const struct json_object *config, struct plan *plan, struct memory_nodes *nodes,
		    struct oci_err *err);

/*
 * A list of CPUs ("0-3,7") as sched_setaffinity(2) takes it. *ret_given is false, and nothing
 * else done, for NULL and "". FAULT_CONFIG.
 */
int scheduling_cpus(const char *list, cpu_set_t *ret_cpus, bool *ret_given, struct oci_err *err);

/*
 * Lets a process, which is in the container's cgroup already, run on all CPUs of that cgroup,
 * whatever its maker is confined to. No error: where the kernel refuses, it stays confined.
 */
void scheduling_all_cpus(pid_t pid);

#endif
