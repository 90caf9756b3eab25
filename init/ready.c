/*
 * Purpose: turn init into a process that differs from the user's program only
 *   in what it executes: everything of "process" that a process can do to itself.
 * Runs in: the container, after the pivot, with all rights at the beginning
 *   and with the configured ones at the end. It may then wait for ever.
 * Should: do what needs rights first; check what the container controls.
 * Mustn't: follow a magic link of a procfs, keep a descriptor of the host,
 *   keep a right that the program will not have.
 * Undo: none. After an error init ends.
 * Specification: config.md, "Process"; runtime.md, "Lifecycle" 3 and "Start".
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, SIGNAL_MAX = 64 };

/* Without a mount namespace of its own the container is confined by its root directory only. */
static int enter_root(int root_fd, struct init_reply *reply)
{
	if (root_fd < 0)
		return 0;
	if (fchdir(root_fd) < 0 || chroot(".") < 0)
		return reply_error_at(reply, "/root/path", errno,
				      "cannot change the root directory");
	close(root_fd);
	return 0;
}

/* Away from the caller's terminal: whoever reaches it could type into it (TIOCSTI). */
static int start_session(const struct plan *plan, struct init_reply *reply)
{
	(void)plan;
	if (setsid() < 0 && getsid(0) != getpid())
		return reply_error(reply, errno, "cannot start a session");
	return 0;
}

static int join_keyring(const struct plan *plan, struct init_reply *reply)
{
	if (!(plan->flags & PLAN_KEYRING) ||
	    /* Its serial number, which is never 0. */
	    syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) > 0 || errno == ENOSYS)
		return 0;
	if (errno == EDQUOT)
		return reply_error(reply, errno,
				   "cannot make a session keyring: the quota of keys is used up "
				   "(raise kernel.keys.maxkeys, or use --no-new-keyring)");
	return reply_error(reply, errno, "cannot make a session keyring");
}

/* What the caller ignored or blocked is not for the program to inherit (CLI tools ignore SIGPIPE).
 */
static int reset_signals(const struct plan *plan, struct init_reply *reply)
{
	/* Not sigaction(3): the C library keeps some signals for itself. All zero is SIG_DFL. */
	static const unsigned long by_default[4];
	static const uint64_t none;
	unsigned long old[4] = {0};

	(void)plan;
	/* Handlers end with the exec; until then they end init, which is deaf without (setup.c). */
	for (int i = 1; i <= SIGNAL_MAX; i++)
		if (syscall(SYS_rt_sigaction, i, NULL, old, sizeof none) == 0 &&
		    old[0] == (unsigned long)(uintptr_t)SIG_IGN)
			syscall(SYS_rt_sigaction, i, by_default, NULL, sizeof none);
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) < 0)
		return reply_error(reply, errno, "cannot unblock signals");
	return 0;
}

static int set_umask(const struct plan *plan, struct init_reply *reply)
{
	(void)reply;
	umask(plan->umask);
	return 0;
}

/*
 * CVE-2024-21626: a directory outside of the root that somebody left open must
 * not become the working directory. A path through /proc/PID/fd is refused, and
 * whatever else there may be shows in getcwd(2): "(unreachable)/...".
 */
static int change_directory(const char *cwd)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	char path[PATH_SIZE];
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, cwd, &how, sizeof how), result;

	if (fd < 0)
		return -1;
	result = fchdir(fd);
	if (result < 0)
		result = -errno;
	close(fd);
	if (result < 0) {
		errno = -result;
		return -1;
	}
	if (syscall(SYS_getcwd, path, sizeof path) < 0)
		return -1;
	if (path[0] != '/') {
		errno = EXDEV;
		return -1;
	}
	return 0;
}

static int fail_directory(const struct plan *plan, struct init_reply *reply)
{
	return reply_error_at(reply, "/process/cwd", errno, "cannot change to directory \"%s\"%s",
			      (const char *)plan_at(plan, plan->cwd),
			      errno == EXDEV ? ", which is outside of the container" : "");
}

/* The first attempt is root's, the second the user's: each may enter what the other may not (NFS).
 */
static int retry_directory;

static int enter_directory(const struct plan *plan, struct init_reply *reply)
{
	if (plan->flags & PLAN_NO_PROCESS)
		return 0;
	retry_directory = 0;
	if (change_directory(plan_at(plan, plan->cwd)) == 0)
		return 0;
	if (errno != EACCES && errno != EPERM)
		return fail_directory(plan, reply);
	retry_directory = 1;
	return 0;
}

static int enter_directory_as_user(const struct plan *plan, struct init_reply *reply)
{
	if (retry_directory && change_directory(plan_at(plan, plan->cwd)) < 0)
		return fail_directory(plan, reply);
	return 0;
}

/* Each of our descriptors is close-on-exec already; this is for those that the caller had. */
static int seal_descriptors(const struct plan *plan, struct init_reply *reply)
{
	if (syscall(SYS_close_range, 3 + plan->preserve_fds, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return reply_error(reply, errno, "cannot mark descriptors close-on-exec");
	return 0;
}

static int (*const steps[])(const struct plan *plan, struct init_reply *reply) = {
	join_keyring,
	set_scheduling,
	set_label,
	reset_signals,
	set_umask,
	enter_directory,
	set_user,
	enter_directory_as_user,
	find_executable,
	make_vectors,
	check_address_space,
	seal_descriptors,
	finish_rights,
};

int init_ready(const struct plan *plan, const struct ready_fds *fds, struct init_reply *reply)
{
	int own_mounts = fds->root < 0;

	keep_agent(fds->agent);
	keep_hook_programs(fds);
	if (enter_root(fds->root, reply) < 0 || start_session(plan, reply) < 0 ||
	    set_up_streams(plan, fds->console, own_mounts, reply) < 0)
		return -1;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (steps[i](plan, reply) < 0)
			return -1;
	return 0;
}
