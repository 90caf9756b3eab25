/*
 * A step inside the container's namespaces: the container-side half of a stage.
 *
 * Purpose: run one function in the namespaces of the container's init.
 * Runs in: a child that shares the caller's memory (as vfork does; the caller
 *   sleeps meanwhile), so that results and errors are simply there afterwards,
 *   and that has descriptors, working directory, root and namespaces of its own.
 * Should: be non-dumpable before it joins (a process of the container that
 *   could ptrace it would have its descriptors and its host privileges); join
 *   with one setns(2) on init's pidfd; check that it is where it should be.
 * Mustn't: exec, resolve users, load libraries or locales after joining; keep
 *   running when the caller dies. It never joins the pid namespace: a
 *   superblock that it makes of proc or sysfs would be the host's. Such
 *   superblocks are made by init (kernel/init.h).
 * Undo: nothing; it ends with the function.
 */
#ifndef KERNEL_JOINED_H
#define KERNEL_JOINED_H

#include <sched.h>

#include "base/err.h"
#include "oci/container.h"

/* Of setns(2); a time namespace needs a way of its own, and the user namespace is joined anyway. */
enum {
	JOINED_ALL = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		     CLONE_NEWCGROUP,
};

/*
 * Of the flags, which may have CLONE_NEWTIME and CLONE_NEWUSER too, those of the namespaces that
 * the process does not share with the caller; -1 with *err.
 */
int joined_differing(pid_t pid, int flags, struct oci_err *err);

/* The flags, with CLONE_NEWUSER if the container has a user namespace of its own; -1 with *err. */
int joined_flags(const struct container *c, int flags, struct oci_err *err);

/*
 * Calls inside(arg, err) in the namespaces `flags` (CLONE_NEW* bits of
 * setns(2), those of them that the container does not share with the caller)
 * of the container's init and returns what it returns. The user namespace is
 * joined whenever the container has one. CLONE_NEWNS is refused with
 * FAULT_STATE if the container has no mount namespace of its own.
 */
int joined_run(const struct container *c, int flags, int (*inside)(void *arg, struct oci_err *err),
	       void *arg, struct oci_err *err);

/*
 * The same, but before that calls outside(arg, err) in the container's mount namespace with the
 * caller's rights still, if it has a user namespace of its own and the caller may join one without
 * the other. It may leave descriptors for inside(). joined_root() is open then.
 */
int joined_run_prepared(const struct container *c, int flags,
			int (*outside)(void *arg, struct oci_err *err),
			int (*inside)(void *arg, struct oci_err *err), void *arg,
			struct oci_err *err);

/*
 * Inside only: the root filesystem's directory, O_PATH, opened on the way
 * before the rights of the user namespace replaced the caller's; or -1, then it can be
 * opened by its path. For rootfs_open() (kernel/mount.h), which checks it.
 */
int joined_root(void);

#endif
