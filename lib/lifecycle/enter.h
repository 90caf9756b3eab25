/*
 * A look inside: running a command in the namespaces of a container that is
 * half-made, created or running.
 *
 * Before oci-pivot the mount namespace still shows the host's files, with the
 * container's mounts beneath the root file system: the command is one of the
 * host's, has the caller's environment and OCI_ROOTFS, and begins in the root
 * file system. Afterwards the container's files are all there is: the command
 * is one of the container's, has its environment and its cgroup, and no capability beyond its
 * bounding set, since its programs are not to be trusted.
 */
#ifndef LIFECYCLE_ENTER_H
#define LIFECYCLE_ENTER_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"

struct enter {
	char *const *argv; /* NULL-terminated; empty: a shell */
	bool chroot;	   /* the root file system as /, before the pivot too */
	bool privileged;   /* keep the caller's capabilities and cgroup */
};

/*
 * First of all: goes on as a sealed copy of our program in memory, since the container may see a
 * process of it as it becomes the command, and could come to the host's file through /proc/PID/exe
 * (CVE-2019-5736). Does nothing in the copy. -1 with *err.
 */
int enter_from_memory(struct oci_err *err);

/*
 * *ret_status as of waitpid(2). -1 with *err if it could not be run: then
 * *ret_status is an exit with 127 (no such command) or 126, or 0 if it did not
 * get so far. FAULT_STATE if there is no process to join.
 */
int enter_run(struct container *c, const struct enter *enter, int *ret_status, struct oci_err *err);

#endif
