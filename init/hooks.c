/*
 * Purpose: run the startContainer hooks, one after the other, up to the first
 *   that fails.
 * Runs in: the container, as the user, with the user's rights.
 * Should: give a hook its own environment, the seccomp filter of the process, the
 *   state on standard input, "/", no terminal, and none of our descriptors; end it
 *   with its process group when its time is up.
 * Undo: a hook's deeds are its author's to undo.
 * Specification: config.md, "StartContainer Hooks"; runtime.md, "Lifecycle" 7.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TAIL_SIZE = 512,
	EXIT_NOT_RUN = 127,
	DRAIN_MAX = 128, /* reads after its end: what a pipe holds */
};

struct run {
	const struct plan *plan;
	const struct plan_hook *hook;
	int index;
	struct init_reply *reply;
	const char **vectors; /* args, NULL, env, NULL */
	size_t vectors_size;
	int state, out[2]; /* memory file; pipe of its standard output and error */
	pid_t pid;
	int pidfd;
	int exec_errno; /* written by the child, which shares our memory until it execs */
	int timed_out;
	char tail[TAIL_SIZE];
	size_t tail_len;
};

static int programs[64];
static uint64_t with_program; /* bit n: programs[n] is one */

void keep_hook_programs(const struct ready_fds *fds)
{
	int next = 0;

	for (int i = 0; i < 64 && next < INIT_HOOK_PROGRAMS_MAX; i++)
		if (fds->hooks >> i & 1 && fds->programs[next] >= 0) {
			with_program |= (uint64_t)1 << i;
			programs[i] = fds->programs[next++];
		}
}

static const char *path_of(const struct run *r)
{
	return plan_at(r->plan, r->hook->path);
}

static int fail(struct run *r, int errnum, const char *what)
{
	r->reply->flags |= INIT_HOOK_ERROR;
	reply_error(r->reply, errnum,
		    "error running startContainer hook #%d: \"%s\" did not run: %s", r->index,
		    path_of(r), what);
	return reply_point(r->reply, "/hooks/startContainer/%d", r->index);
}

/* ---- In the hook's process ------------------------------------------------------------------ */

/* The container's own file of that name comes first. */
static void execute_hook(const volatile struct run *r, char *const *argv, char *const *envp)
{
	execve(plan_at(r->plan, r->hook->path), argv, envp);
	if (errno == ENOENT && r->index < 64 && with_program >> r->index & 1)
		syscall(SYS_execveat, programs[r->index], "", argv, envp, AT_EMPTY_PATH);
}

static __attribute__((noinline)) void become_hook(volatile struct run *r)
{
	const char **vectors = r->vectors, **env = vectors + r->hook->args.n + 1;

	setsid();
	umask(022);
	if (dup2(r->state, 0) >= 0 && dup2(r->out[1], 1) >= 0 && dup2(r->out[1], 2) >= 0 &&
	    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) >= 0 && chdir("/") >= 0 &&
	    install_hook_filter(r->plan) >= 0)
		execute_hook(r, (char *const *)(uintptr_t)vectors, (char *const *)(uintptr_t)env);
	r->exec_errno = errno;
	_exit(EXIT_NOT_RUN);
}

/* ---- In init ------------------------------------------------------------------------------- */

static int make_state(struct run *r)
{
	const char *text = plan_at(r->plan, r->plan->hook_state);
	size_t len = r->plan->hook_state.size;

	/* A memory file: it does not matter whether the hook reads it. */
	r->state = memfd_create("oci-hook-state", MFD_CLOEXEC);
	if (r->state < 0 || write(r->state, text, len) != (ssize_t)len ||
	    lseek(r->state, 0, SEEK_SET) < 0)
		return fail(r, errno, "cannot make the state for it");
	return 0;
}

static int prepare(struct run *r)
{
	size_t n = (size_t)r->hook->args.n + r->hook->env.n + 2;
	void *map = mmap(NULL, n * sizeof *r->vectors, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return fail(r, errno, "cannot map its arguments");
	r->vectors = map;
	r->vectors_size = n * sizeof *r->vectors;
	point_vector(point_vector(map, r->plan, &r->hook->args), r->plan, &r->hook->env);
	if (make_state(r) < 0)
		return -1;
	if (pipe2(r->out, O_CLOEXEC) < 0)
		return fail(r, errno, "cannot make a pipe");
	fcntl(r->out[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static int launch_hook(struct run *r)
{
	pid_t pid = vfork();

	if (pid == 0)
		become_hook(r);
	if (pid < 0)
		return fail(r, errno, "cannot fork");
	r->pid = pid;
	close(r->out[1]);
	r->out[1] = -1;
	if (r->exec_errno) {
		waitpid(pid, NULL, 0);
		return fail(r, r->exec_errno, "cannot execute it");
	}
	r->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (r->pidfd < 0) {
		int e = errno;

		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return fail(r, e, "cannot watch it");
	}
	return 0;
}

/* 0 when nothing more will come. */
static int read_tail(struct run *r)
{
	char text[TAIL_SIZE];
	ssize_t n = read(r->out[0], text, sizeof text);
	size_t keep;

	if (n <= 0)
		return n < 0 && errno == EINTR;
	keep = TAIL_SIZE - (size_t)n < r->tail_len ? TAIL_SIZE - (size_t)n : r->tail_len;
	memmove(r->tail, r->tail + r->tail_len - keep, keep);
	memcpy(r->tail + keep, text, (size_t)n);
	r->tail_len = keep + (size_t)n;
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the hook itself has ended; what it has left in the background may hold the pipe for ever.
 */
static int wait_for_hook(struct run *r)
{
	const int64_t end = now_ms() + r->hook->timeout_ms;
	struct pollfd p[2] = {{.fd = r->pidfd, .events = POLLIN},
			      {.fd = r->out[0], .events = POLLIN}};
	int status = 0;

	while (!p[0].revents) {
		int64_t left = r->hook->timeout_ms ? end - now_ms() : -1;

		if (r->hook->timeout_ms && left <= 0) {
			r->timed_out = 1;
			/* Not waited for yet: neither its number nor its group's is another's. */
			kill(-r->pid, SIGKILL);
			break;
		}
		if (poll(p, 2, (int)left) < 0)
			p[0].revents = p[1].revents = 0;
		if (p[1].revents && !read_tail(r))
			p[1].fd = -1;
	}
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	for (int i = 0; i < DRAIN_MAX && read_tail(r); i++)
		;
	return status;
}

/* One line, as text. */
static const char *flat_tail(struct run *r)
{
	static char text[TAIL_SIZE + 1];
	size_t len = r->tail_len;

	while (len && (r->tail[len - 1] == '\n' || r->tail[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len; i++)
		text[i] = r->tail[i] == '\n' ? '|' : r->tail[i] ? r->tail[i] : '?';
	text[len] = '\0';
	return text;
}

static int explain(struct run *r, int status)
{
	const char *how = WIFEXITED(status) ? "exit status " : "killed by signal ", *unit = "";
	int number = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	const char *tail = flat_tail(r);

	if (r->timed_out) {
		how = "killed after its timeout of ";
		number = (int)(r->hook->timeout_ms / 1000);
		unit = " s";
	} else if (WIFSIGNALED(status) && number == SIGSYS)
		unit = " (bad system call: the seccomp filter does not allow it)";
	r->reply->flags |= INIT_HOOK_ERROR;
	reply_error(r->reply, 0, "error running startContainer hook #%d: \"%s\" failed: %s%d%s%s%s",
		    r->index, path_of(r), how, number, unit, *tail ? ", its output: " : "", tail);
	return reply_point(r->reply, "/hooks/startContainer/%d", r->index);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int run_hook(struct run *r)
{
	int result = prepare(r), status;

	if (result == 0)
		result = launch_hook(r);
	if (result == 0) {
		status = wait_for_hook(r);
		if (r->timed_out || status)
			result = explain(r, status);
	}
	close_fd(r->state);
	close_fd(r->out[0]);
	close_fd(r->out[1]);
	close_fd(r->pidfd);
	if (r->vectors)
		munmap(r->vectors, r->vectors_size);
	return result;
}

int run_hooks(const struct plan *plan, struct init_reply *reply)
{
	const struct plan_hook *hooks = plan_at(plan, plan->hooks);

	for (size_t i = 0; i < plan->hooks.size / sizeof *hooks; i++) {
		struct run r = {
			.plan = plan,
			.hook = &hooks[i],
			.index = (int)i,
			.reply = reply,
			.state = -1,
			.out = {-1, -1},
			.pidfd = -1,
		};

		if (run_hook(&r) < 0)
			return -1;
	}
	return 0;
}
