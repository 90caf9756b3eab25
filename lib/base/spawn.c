#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"

/* How long the watcher waits for a killed program to go: it may hang in the kernel. */
enum { GRACE_MS = 2000 };

/* What the watcher and the program say to the caller; smaller than PIPE_BUF, so never torn. */
struct report {
	enum { REPORT_FAILED, REPORT_ENDED } kind;
	int value;	  /* errno, or the status */
	const char *what; /* static text: the address is the same in a forked child */
};

volatile sig_atomic_t spawn_stop;

static const char *const no_strings[] = {NULL};

static void __attribute__((noreturn)) fail(int report_fd, const char *what, int errnum)
{
	struct report r = {.kind = REPORT_FAILED, .value = errnum, .what = what};

	fd_write_all(report_fd, &r, sizeof r);
	_exit(127);
}

/* ---- In the program's process -------------------------------------------------------------- */

/* What is ignored stays so through an exec. */
static void reset_signals(void)
{
	/* The kernel's struct sigaction, all of it zero (SIG_DFL) on every architecture. */
	static const unsigned long standard[8];
	sigset_t none;

	/* Not sigaction(3): it refuses two signals that the C library keeps for itself, and a
	 * program that is written in another language may have left them ignored. SIGKILL and
	 * SIGSTOP fail in silence. */
	for (int s = 1; s < NSIG; s++)
		syscall(SYS_rt_sigaction, s, standard, NULL, (size_t)(NSIG - 1) / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * A copy of fd (or of /dev/null) that is none of 0, 1 and 2, so that putting
 * one in its place cannot overwrite another.
 */
static int lifted(int fd, int report_fd)
{
	own_fd int null = fd < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
	int copy = fcntl(fd < 0 ? null : fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		fail(report_fd, "cannot give it its standard descriptors", errno);
	return copy;
}

static void set_descriptors(const struct spawn *s, int stderr_fd, int report_fd)
{
	int fds[3] = {lifted(s->stdin_fd, report_fd), lifted(s->stdout_fd, report_fd),
		      lifted(stderr_fd, report_fd)};

	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			fail(report_fd, "cannot give it its standard descriptors", errno);
	if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		fail(report_fd, "cannot close descriptors", errno);
}

/*
 * The kernel hands a script to its interpreter by name, and a close-on-exec
 * descriptor has none (ENOENT). The path serves if it means the same file here.
 */
static void execute_by_descriptor(const struct spawn *s, char *const *argv, char *const *envp)
{
	struct stat opened, named;

	syscall(SYS_execveat, s->program_fd, "", argv, envp, AT_EMPTY_PATH);
	if (errno != ENOENT)
		return;
	if (fstat(s->program_fd, &opened) < 0 || stat(s->path, &named) < 0 ||
	    opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
		errno = ESTALE;
		return;
	}
	execve(s->path, argv, envp);
}

static void __attribute__((noreturn)) execute(const struct spawn *s, int stderr_fd, int report_fd)
{
	const char *const path_only[] = {s->path, NULL};
	/* exec's prototype lacks the const for reasons of history: it changes nothing. */
	char *const *argv = (char *const *)(uintptr_t)(s->argv ? s->argv : path_only);
	char *const *envp = (char *const *)(uintptr_t)(s->envp ? s->envp : no_strings);

	setsid();
	set_descriptors(s, stderr_fd, report_fd);
	umask(022);
	if (chdir(s->cwd ? s->cwd : "/") < 0)
		fail(report_fd, "cannot change to its working directory", errno);
	reset_signals();
	if (s->join && s->program_fd >= 0)
		execute_by_descriptor(s, argv, envp);
	else
		execve(s->path, argv, envp);
	fail(report_fd, "cannot execute it", errno);
}

/* ---- In the watcher ------------------------------------------------------------------------ */

static pid_t fork_with_pidfd(int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	return sys_clone3(&args);
}

/* Everything but these two: among the rest are the caller's locks and leashes. */
static void close_all_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, UINT_MAX, 0);
}

static bool ends_in(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) == 1;
}

static void __attribute__((noreturn)) watch(const struct spawn *s, int stderr_fd, int report_fd)
{
	struct report report = {.kind = REPORT_ENDED};
	const char *what = NULL;
	struct pollfd p[2];
	sigset_t all;
	int pidfd;
	pid_t pid;

	/* Inherited as ignored, it would throw the status away. */
	signal(SIGCHLD, SIG_DFL);
	/* A Ctrl-C is for the caller; the watcher must live to see that it is gone. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (s->join && s->join(s->join_arg, &what) < 0)
		fail(report_fd, what, errno);
	pid = fork_with_pidfd(&pidfd);
	if (pid < 0)
		fail(report_fd, "cannot fork", errno);
	if (pid == 0)
		execute(s, stderr_fd, report_fd);
	close_all_but(report_fd, pidfd);
	p[0] = (struct pollfd){.fd = pidfd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = report_fd}; /* POLLERR: nobody reads it any more */
	while (poll(p, 2, -1) < 0)
		;
	if (!p[0].revents) {
		/* Not waited for yet, so neither its number nor its group's is another's. */
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL); /* before its setsid() there is no such group */
		ends_in(pidfd, GRACE_MS);
		kill(-pid, SIGKILL); /* a child that it forked in between */
		_exit(0);
	}
	waitpid(pid, &report.value, 0);
	fd_write_all(report_fd, &report, sizeof report);
	_exit(0);
}

/* ---- In the caller ------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False at the end of the file. */
static bool read_tail(int fd, struct spawn_result *r)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof text);
	size_t new, keep;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	new = (size_t)n < SPAWN_TAIL_MAX ? (size_t)n : SPAWN_TAIL_MAX;
	keep = r->tail_len < SPAWN_TAIL_MAX - new ? r->tail_len : SPAWN_TAIL_MAX - new;
	memmove(r->tail, r->tail + r->tail_len - keep, keep);
	memcpy(r->tail + keep, text + n - new, new);
	r->tail_len = keep + new;
	return true;
}

/* 1: it has ended; 0: nothing yet; -1: it could not be run. */
static int read_report(int fd, struct spawn_result *r, struct oci_err *err)
{
	struct report report;
	ssize_t n = read(fd, &report, sizeof report);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n != sizeof report)
		return err_set(err, FAULT_SYSTEM, "its watcher was killed");
	if (report.kind == REPORT_FAILED)
		return err_sys(err, report.value, "%s", report.what);
	r->status = report.value;
	return 1;
}

/* signals: what is blocked while nothing waits, so that none is missed between a look and a wait.
 */
static int listen_to(const struct spawn *s, int report_fd, int stderr_fd, const sigset_t *signals,
		     struct spawn_result *r, struct oci_err *err)
{
	int64_t deadline = s->timeout_ms ? now_ms() + s->timeout_ms : INT64_MAX;

	for (;;) {
		struct pollfd p[2] = {
			{.fd = report_fd, .events = POLLIN},
			{.fd = stderr_fd, .events = POLLIN},
		};
		int64_t left = deadline - now_ms();
		struct timespec wait = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
		int result = 0;

		if (left <= 0) {
			r->timed_out = true;
			break;
		}
		if (spawn_stop) {
			r->interrupted = true;
			break;
		}
		if (ppoll(p, 2, s->timeout_ms ? &wait : NULL, signals) < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for it");
		if (p[1].revents && !read_tail(stderr_fd, r))
			stderr_fd = -1;
		if (p[0].revents)
			result = read_report(report_fd, r, err);
		if (result < 0)
			return -1;
		if (result > 0)
			break;
	}
	/* What is in the pipe by now; a daemon that it left may hold it open for ever. */
	for (struct pollfd p = {.fd = stderr_fd, .events = POLLIN};
	     stderr_fd >= 0 && poll(&p, 1, 0) == 1 && read_tail(stderr_fd, r);)
		;
	r->tail[r->tail_len] = '\0';
	return 0;
}

int spawn_run(const struct spawn *spawn, struct spawn_result *ret_result, struct oci_err *err)
{
	own_fd int report_read = -1, report_write = -1, stderr_read = -1, stderr_write = -1;
	int fds[2], result;
	sigset_t all, before;
	pid_t watcher;

	*ret_result = (struct spawn_result){0};
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	report_read = fds[0];
	report_write = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	stderr_read = fds[0];
	stderr_write = fds[1];
	watcher = fork();
	if (watcher < 0)
		return err_sys(err, errno, "cannot fork");
	if (watcher == 0) {
		close(report_read);
		close(stderr_read);
		watch(spawn, stderr_write, report_write);
	}
	close(steal_fd(&report_write));
	close(steal_fd(&stderr_write));
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	result = listen_to(spawn, report_read, stderr_read, &before, ret_result, err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* Nobody reads it: that is the sign to end what still runs. */
	close(steal_fd(&report_read));
	while (waitpid(watcher, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

/* One line: the reader of the message gets it escaped, and \x0a would be hard to read. */
static void flatten(char *text)
{
	size_t len = strlen(text);

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = '|';
}

char *spawn_explain(const struct spawn *spawn, const struct spawn_result *result)
{
	const char *signal_name = sigabbrev_np(WTERMSIG(result->status));
	own_ptr char *how = NULL;
	char tail[SPAWN_TAIL_MAX + 1], *text = NULL;
	int n;

	if (!result->timed_out && !result->interrupted && result->status == 0)
		return NULL;
	if (result->interrupted)
		n = asprintf(&how, "killed, because we were told to end");
	else if (result->timed_out && spawn->timeout_ms % 1000 == 0)
		n = asprintf(&how, "killed after its timeout of %u s", spawn->timeout_ms / 1000);
	else if (result->timed_out)
		n = asprintf(&how, "killed after its timeout of %u ms", spawn->timeout_ms);
	else if (WIFEXITED(result->status))
		n = asprintf(&how, "exit status %d", WEXITSTATUS(result->status));
	else if (signal_name)
		n = asprintf(&how, "killed by SIG%s", signal_name);
	else
		n = asprintf(&how, "killed by signal %d", WTERMSIG(result->status));
	if (n < 0)
		return NULL;
	memcpy(tail, result->tail, sizeof tail);
	flatten(tail);
	if (!tail[0])
		return steal_ptr(&how);
	return asprintf(&text, "%s, its stderr: %s", how, tail) < 0 ? NULL : text;
}
