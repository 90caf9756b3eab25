/*
 * Purpose: run a command of the caller's in a container's namespaces.
 * Runs in: a child that has joined them (kernel/joined.h), and a child of that
 *   one, which is in the pid namespace too and becomes the command.
 * Should: open everything that belongs to the host before joining; keep no
 *   descriptor but the standard streams; drop what the container may not have
 *   before a program of the container runs, and be in its cgroup, whose device rules
 *   are what keeps a node of the image from being a disk of the host.
 * Mustn't: write a log, or anything else, after joining; exec one of our own files.
 * Undo: nothing; the command ends with this process.
 */
#include "lifecycle/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/caps.h"
#include "kernel/cgroup_further.h"
#include "kernel/joined.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"

enum { CGROUPS_MAX = 32 };

struct entering {
	const struct container *c;
	const struct enter *enter;
	char *const *argv;
	bool pivoted;
	int root;  /* of the container's process, if it is not that of its mount namespace; or -1 */
	int pidfd; /* of the container's process */
	int inner_pidfd; /* the same, in the children */
	bool joins_time;
	uint64_t bounding;
	pid_t parent;
	int status;
};

/* Writes "0" to it; 0, or the errno. */
static int enter_cgroup(int fd)
{
	return write(fd, "0", 1) < 0 ? errno : 0;
}

static int enter_v1_cgroups(const struct cgroup_further *f, struct oci_err *err)
{
	int fds[CGROUPS_MAX], e = 0;
	size_t n = CGROUPS_MAX;

	if (cgroup_further_open_v1(f, fds, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		e = e ? e : enter_cgroup(fds[i]);
		own_close_fd(&fds[i]);
	}
	return e ? err_sys(err, e, "cannot enter a v1 cgroup of the container") : 0;
}

static int enter_directory(int dir)
{
	own_fd int procs = openat(dir, "cgroup.procs", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return procs < 0 ? errno : enter_cgroup(procs);
}

static int enter_v2_cgroup(const struct cgroup_further *f, pid_t init, struct oci_err *err)
{
	own_fd int dir = cgroup_further_open_v2(f, err), beside = -1;
	int e;

	if (dir < 0)
		return err->fault ? -1 : 0;
	e = enter_directory(dir);
	/* It has become one for others only; its first process has found a place below it. */
	if (e == EBUSY) {
		beside = cgroup_further_open_beside(f, init, err);
		if (beside < 0)
			return -1;
		e = enter_directory(beside);
	}
	return e ? err_sys(err, e, "cannot enter the cgroup of the container") : 0;
}

/*
 * We ourselves, before anything is joined: what we start is born there. Who may not is not root of
 * the machine, and can give nobody a device.
 */
static int enter_cgroups(const struct container *c, struct oci_err *err)
{
	const struct cgroup_further f = {.record = c->state->cgroup};

	if (lifecycle_status(c) == STATUS_PAUSED) {
		err_set(err, FAULT_STATE, "cannot enter the paused container \"%s\"", c->id);
		return err_hint(err,
				"oci-resume %s, or --privileged: the command is not in the "
				"container's cgroup then",
				c->id);
	}
	if (enter_v1_cgroups(&f, err) == 0 && enter_v2_cgroup(&f, c->state->init.pid, err) == 0)
		return 0;
	if (err->errnum != EACCES && err->errnum != EPERM)
		return -1;
	err_clear(err);
	return 0;
}

static int prepare(struct entering *e, struct oci_err *err)
{
	const struct json_object *process = json_member(e->c->config, "process");
	uint64_t listed = ns_listed(e->c->config);
	struct caps held;

	e->pidfd = proc_open(&e->c->state->init, err);
	if (e->pidfd < 0)
		return -1;
	/* In a user namespace there is what is not held out here. */
	if (listed & CLONE_NEWUSER)
		held = caps_all();
	else if (caps_held(&held, err) < 0)
		return -1;
	e->bounding = held.bounding;
	if (e->pivoted && !e->enter->privileged)
		e->bounding =
			caps_parse(json_member(process, "capabilities"), &held, NULL).bounding;
	if (e->pivoted && (e->c->state->options.no_pivot || !(listed & CLONE_NEWNS))) {
		e->root = proc_open_root(&e->c->state->init, err);
		if (e->root < 0)
			return -1;
	}
	e->joins_time = listed & CLONE_NEWTIME;
	return e->pivoted && !e->enter->privileged ? enter_cgroups(e->c, err) : 0;
}

/* Before the pivot the root file system is where the host has it; afterwards it is the namespace's.
 */
static int change_directory(const struct entering *e, struct oci_err *err)
{
	const char *dir = e->pivoted ? "/" : e->c->state->rootfs;
	bool chroots = e->root >= 0 || (!e->pivoted && e->enter->chroot);

	if ((e->root >= 0 ? fchdir(e->root) : chdir(dir)) < 0)
		return err_sys(err, errno, "cannot change to the container's root directory");
	if (chroots && chroot(".") < 0)
		return err_sys(err, errno, "cannot make it the root directory");
	return 0;
}

static int limit_capabilities(uint64_t bounding)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(bounding >> cap & 1) && prctl(PR_CAPBSET_DROP, cap) < 0)
			return -1;
	if (caps_clear_inheritable() < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void set_environment(const struct entering *e)
{
	const struct json_object *env = json_path(e->c->config, "process", "env", NULL);
	const char *term = getenv("TERM");
	own_ptr char *kept = term ? strdup(term) : NULL;

	if (!e->pivoted) {
		setenv("OCI_ROOTFS", e->c->state->rootfs, 1);
		return;
	}
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	for (size_t i = 0; i < json_length(env); i++) {
		const char *text = json_item_string(env, i), *value = strchr(text, '=');
		own_ptr char *name = value ? strndup(text, (size_t)(value - text)) : NULL;

		if (name && *name)
			setenv(name, value + 1, 1);
	}
	if (kept)
		setenv("TERM", kept, 1);
}

/* What became of a command that could not be run. */
struct failure {
	int errnum;
	char what[48];
};

/* Its exit status. */
static int fail(int report, const char *what)
{
	struct failure f = {.errnum = errno};

	snprintf(f.what, sizeof f.what, "%s", what);
	if (fd_write_all(report, &f, sizeof f) < 0)
		return FAULT_SYSTEM;
	return f.errnum == ENOENT ? 127 : 126;
}

/* Comes back only if it fails. */
static int become_command(const struct entering *e, int report)
{
	static const int handled[] = {SIGINT, SIGQUIT};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
		signal(handled[i], SIG_DFL);
	if (e->joins_time && setns(e->inner_pidfd, CLONE_NEWTIME) < 0)
		return fail(report, "cannot join the time namespace for");
	if (e->pivoted && !e->enter->privileged && limit_capabilities(e->bounding) < 0)
		return fail(report, "cannot drop capabilities for");
	set_environment(e);
	execvp(e->argv[0], e->argv);
	return fail(report, "cannot run");
}

/*
 * What the child has is open to whoever may trace it, and in the container that may be anybody: no
 * directory of the host's. ret_report, a pipe, and the pidfd take the lowest numbers.
 */
static int keep_only(struct entering *e, int ret_report[static 2])
{
	enum { PIDFD = 3, READ, WRITE };
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return -1;
	/* The number is our parent's too, whose memory this is, but not its descriptors. */
	if ((e->inner_pidfd = fcntl(e->pidfd, F_DUPFD_CLOEXEC, WRITE + 1)) < 0 ||
	    (pipe[0] = fcntl(pipe[0], F_DUPFD_CLOEXEC, WRITE + 1)) < 0 ||
	    (pipe[1] = fcntl(pipe[1], F_DUPFD_CLOEXEC, WRITE + 1)) < 0 ||
	    dup3(e->inner_pidfd, PIDFD, O_CLOEXEC) < 0 || dup3(pipe[0], READ, O_CLOEXEC) < 0 ||
	    dup3(pipe[1], WRITE, O_CLOEXEC) < 0 || close_range(WRITE + 1, ~0U, 0) < 0)
		return -1;
	e->inner_pidfd = PIDFD;
	ret_report[0] = READ;
	ret_report[1] = WRITE;
	return 0;
}

/* The pid namespace is that of children only: one more. */
static int inside(void *arg, struct oci_err *err)
{
	struct entering *e = arg;
	struct failure f = {0};
	int report[2];
	ssize_t n;
	pid_t pid;

	if (change_directory(e, err) < 0)
		return -1;
	if (keep_only(e, report) < 0)
		return err_sys(err, errno, "cannot make a pipe of its own");
	pid = _Fork();
	if (pid < 0)
		return err_sys(err, errno, "cannot start \"%s\"", e->argv[0]);
	/* No exit(3) and its kin: this is a stack that they do not know. */
	if (pid == 0)
		syscall(SYS_exit_group, become_command(e, report[1]));
	close(report[1]);
	n = read(report[0], &f, sizeof f);
	close(report[0]);
	while (waitpid(pid, &e->status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot wait for \"%s\"", e->argv[0]);
	return n == sizeof f ? err_sys(err, f.errnum, "%s \"%s\"", f.what, e->argv[0]) : 0;
}

enum { CMDLINE_MAX = 8 << 20 };

/* The strings of the text, and NULL; the caller frees the array. */
static char **split_strings(char *text, size_t len)
{
	char **strings, *end = text + len;
	size_t n = 0;

	for (const char *c = text; c < end; c++)
		n += !*c;
	strings = calloc(n + 1, sizeof *strings);
	for (size_t i = 0; strings && i < n; i++) {
		strings[i] = text;
		text += strlen(text) + 1;
	}
	return strings;
}

int enter_from_memory(struct oci_err *err)
{
	int proc = proc_fd(err);
	own_fd int own = proc < 0 ? -1 : openat(proc, "self/exe", O_RDONLY | O_CLOEXEC), copy = -1;
	own_ptr char *text = NULL;
	own_ptr char **argv = NULL;
	size_t len;

	if (proc < 0)
		return -1;
	if (own >= 0 && fcntl(own, F_GET_SEALS) > 0 && (fcntl(own, F_GET_SEALS) & F_SEAL_WRITE))
		return 0;
	copy = own < 0 ? -1 : fd_memory_copy("oci-nsenter", own);
	if (copy < 0 || fd_read_file(proc, "self/cmdline", CMDLINE_MAX, &text, &len) < 0)
		return err_sys(err, errno, "cannot copy our own program");
	argv = split_strings(text, len);
	if (!argv)
		return err_sys(err, ENOMEM, "cannot copy our own program");
	execveat(copy, "", argv, environ, AT_EMPTY_PATH);
	return err_sys(err, errno, "cannot execute the copy of our own program");
}

static char *shell(bool pivoted)
{
	static char plain[] = "/bin/sh";
	char *own = getenv("SHELL");

	return !pivoted && own && own[0] == '/' ? own : plain;
}

int enter_run(struct container *c, const struct enter *enter, int *ret_status, struct oci_err *err)
{
	char *shell_argv[2] = {NULL, NULL};
	struct entering e = {.c = c, .enter = enter, .argv = enter->argv, .root = -1, .pidfd = -1};
	int flags, result;

	if (!c->state->init.pid) {
		err_set(err, FAULT_STATE, "container \"%s\" has no process yet", c->id);
		return err_hint(err, "make one first: oci-nsenter-setup %s", c->id);
	}
	/* For the error: what is opened by its number below is checked when it is joined. */
	if (!proc_alive(&c->state->init))
		return err_set(err, FAULT_STATE, "the container's process %d has ended",
			       (int)c->state->init.pid);
	if (container_load_config(c, err) < 0)
		return -1;
	e.pivoted = state_stage(c->state, "pivot") != NULL;
	shell_argv[0] = shell(e.pivoted);
	if (!enter->argv[0])
		e.argv = shell_argv;
	/* What it shares with the host need not be joined, and a user may not. */
	flags = JOINED_ALL & (int)ns_listed(c->config);
	result = prepare(&e, err);
	if (result == 0) {
		/* They are for the command, which shares the terminal with us. */
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
		result = joined_run(c, flags, inside, &e, err);
	}
	own_close_fd(&e.root);
	own_close_fd(&e.pidfd);
	*ret_status = e.status;
	return result;
}
