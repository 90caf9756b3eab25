/*
 * What a process is, as the kernel tells others: a second opinion on whether
 * init has become what it was asked to become. A call that was left out, or
 * that a tracer or a filter made succeed without doing anything, shows here.
 */
#ifndef KERNEL_IDENTITY_H
#define KERNEL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "kernel/caps.h"

struct identity {
	bool ids_known; /* uid, gid and groups are as seen in our user namespace */
	uint32_t uid, gid;
	bool groups_known;
	const uint32_t *groups; /* any order */
	size_t n_groups;
	struct caps caps;
	bool no_new_privs;
	bool filtered; /* by seccomp */
	bool session;  /* leads one */
};

/* -1 with *err (FAULT_SYSTEM) that names the first difference. One read of /proc/PID/status. */
int identity_check(pid_t pid, const struct identity *want, struct oci_err *err);

/* The same of the text of such a file; for tests. */
int identity_compare(const char *status, const struct identity *want, struct oci_err *err);

#endif
