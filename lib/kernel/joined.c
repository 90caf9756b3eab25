#include "kernel/joined.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/ns.h"
#include "kernel/proc.h"

enum { STACK_SIZE = 512 << 10 };

struct task {
	const struct container *c;
	int pidfd, flags;
	pid_t parent;
	uint64_t host_root_mount;			/* the mount id of "/" before the join */
	int (*outside)(void *arg, struct oci_err *err); /* or NULL */
	int (*inside)(void *arg, struct oci_err *err);
	void *arg;
	struct oci_err *err;
	int result;
};

/*
 * The id of the mount that "/" is. A mount namespace consists of mounts of its
 * own, so the id differs in every other namespace.
 */
static int root_mount_id(uint64_t *ret_id)
{
	struct statx st;

	if (statx(AT_FDCWD, "/", AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) < 0)
		return -1;
	*ret_id = st.stx_mnt_id;
	return 0;
}

/* See joined_root(). Written by the child, whose memory is ours, and reset when it has ended. */
static int root_fd = -1;

int joined_root(void)
{
	return root_fd;
}

/*
 * The mount namespace first, with the caller's rights, if the rest brings others: the root
 * of the container's user namespace need not be able to reach its root filesystem.
 */
static int enter_mounts(struct task *t)
{
	const struct oci_state *state = t->c->state;

	if (~t->flags & (CLONE_NEWNS | CLONE_NEWUSER) || state->status != STATUS_CREATING ||
	    setns(t->pidfd, CLONE_NEWNS) < 0)
		return 0;
	root_fd = sys_openat2(AT_FDCWD, state->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			      RESOLVE_NO_SYMLINKS);
	return root_fd >= 0 && t->outside ? t->outside(t->arg, t->err) : 0;
}

static int enter(struct task *t)
{
	uint64_t root_mount;

	if (enter_mounts(t) < 0)
		return -1;
	if (t->flags && setns(t->pidfd, t->flags) < 0)
		return err_sys(t->err, errno, "cannot join the container's namespaces");
	/*
	 * Its root, not the caller's user, which has no id there: what is made belongs to the
	 * container (EOVERFLOW otherwise). System calls, since libc's functions speak for all
	 * threads.
	 */
	if ((t->flags & CLONE_NEWUSER) &&
	    (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0) &&
	    errno != EINVAL)
		return err_sys(t->err, errno,
			       "cannot become root of the container's user namespace");
	/* A setns that lies, or a pidfd that is not the container's, must not let us mount on the
	 * host. */
	if (t->flags & CLONE_NEWNS) {
		if (root_mount_id(&root_mount) < 0)
			return err_sys(t->err, errno, "cannot look at the container's root");
		if (root_mount == t->host_root_mount)
			return err_set(t->err, FAULT_SYSTEM,
				       "after joining, the mount namespace is still the caller's: "
				       "nothing was done");
	}
	return 0;
}

/* Returning ends the child, and only it: clone(2). */
static int run(void *arg)
{
	struct task *t = arg;

	if (prctl(PR_SET_DUMPABLE, 0) < 0) {
		err_sys(t->err, errno, "cannot become non-dumpable");
		return 1;
	}
	if (enter(t) < 0)
		return 1;
	/* After the join: a change of credentials clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != t->parent)
		return 1;
	t->result = t->inside(t->arg, t->err);
	return t->result < 0;
}

/* Whether the process has a namespace of this type that it does not share with us. */
static int differs(pid_t pid, const char *file, struct oci_err *err)
{
	struct stat theirs, ours;
	char path[64];
	int proc = proc_fd(err);

	if (proc < 0)
		return -1;
	snprintf(path, sizeof path, "%d/ns/%s", (int)pid, file);
	if (fstatat(proc, path, &theirs, 0) < 0)
		return err_sys(err, errno, "cannot look at the namespaces of process %d", (int)pid);
	snprintf(path, sizeof path, "self/ns/%s", file);
	if (fstatat(proc, path, &ours, 0) < 0)
		return err_sys(err, errno, "cannot look at our own namespaces");
	return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

int joined_flags(const struct container *c, int flags, struct oci_err *err)
{
	int other = differs(c->state->init.pid, "user", err);

	if (other < 0)
		return -1;
	return other ? flags | CLONE_NEWUSER : flags;
}

int joined_differing(pid_t pid, int flags, struct oci_err *err)
{
	int result = 0;

	for (size_t i = 0; i < n_ns_types; i++) {
		int other = flags & (int)ns_types[i].flag ? differs(pid, ns_types[i].file, err) : 0;

		if (other < 0)
			return -1;
		if (other)
			result |= (int)ns_types[i].flag;
	}
	return result;
}

/* A task that shares memory must have a stack of its own; kept for the next one. */
static void *stack_top(struct oci_err *err)
{
	static char *stack;

	if (!stack) {
		stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
		if (stack == MAP_FAILED) {
			stack = NULL;
			err_sys(err, errno, "cannot map a stack");
			return NULL;
		}
	}
	return stack + STACK_SIZE;
}

static int run_and_wait(struct task *t)
{
	void *top = stack_top(t->err);
	int status;
	pid_t pid;

	if (!top)
		return -1;
	pid = clone(run, top, CLONE_VM | CLONE_VFORK | SIGCHLD, t);
	if (pid < 0)
		return err_sys(t->err, errno, "cannot start a process for the stage");
	root_fd = -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(t->err, errno, "cannot wait for the stage's process");
	if (WIFSIGNALED(status))
		return err_set(
			t->err, FAULT_SYSTEM,
			"the stage's process in the container's namespaces was killed by signal %d",
			WTERMSIG(status));
	if (t->result < 0 && !t->err->message)
		return err_set(t->err, FAULT_SYSTEM, "the stage's process ended early");
	return t->result;
}

int joined_run(const struct container *c, int flags, int (*inside)(void *arg, struct oci_err *err),
	       void *arg, struct oci_err *err)
{
	return joined_run_prepared(c, flags, NULL, inside, arg, err);
}

int joined_run_prepared(const struct container *c, int flags,
			int (*outside)(void *arg, struct oci_err *err),
			int (*inside)(void *arg, struct oci_err *err), void *arg,
			struct oci_err *err)
{
	own_fd int pidfd = proc_open(&c->state->init, err);
	struct task t = {
		.c = c,
		.pidfd = pidfd,
		.parent = getpid(),
		.outside = outside,
		.inside = inside,
		.arg = arg,
		.err = err,
		.result = -1,
	};
	int other;

	if (pidfd < 0)
		return -1;
	t.flags = joined_flags(c, flags, err);
	if (t.flags < 0)
		return -1;
	if (flags & CLONE_NEWNS) {
		other = differs(c->state->init.pid, "mnt", err);
		if (other < 0)
			return -1;
		if (!other)
			return err_set(err, FAULT_STATE,
				       "the container has no mount namespace of its own");
		if (root_mount_id(&t.host_root_mount) < 0)
			return err_sys(err, errno, "cannot look at \"/\"");
	}
	return run_and_wait(&t);
}
