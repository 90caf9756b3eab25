/*
 * Resource limits (config.md, process.rlimits; prlimit(2)).
 */
#ifndef KERNEL_RLIMIT_H
#define KERNEL_RLIMIT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * Sets the limits of the array (NULL: none) for a process. It needs our user
 * and groups to be the process's, or CAP_SYS_RESOURCE over its user namespace; to
 * raise a hard limit, CAP_SYS_RESOURCE on the machine. A limit that is as
 * wanted already is not touched. FAULT_CONFIG for an unknown or doubled type.
 */
int rlimit_apply(pid_t pid, const struct json_object *rlimits, struct oci_err *err);

/* fs.nr_open, above which nobody can raise RLIMIT_NOFILE; 0 if it is not to be read. */
uint64_t rlimit_most_files(void);

#endif
