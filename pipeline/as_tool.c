/*
 * --exec: a stage as its tool, a process of its own.
 *
 * Purpose: the same creation, from separate programs.
 * Should: run this very executable under the tool's name, never one that a
 *   PATH leads to; hand on nothing but the lock, the leash, the file for the error,
 *   the standard streams and --preserve-fds; have the tool end with the driver.
 * Mustn't: believe its own copy of the state afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "driver.h"
#include "kernel/proc.h"
#include "tool.h"

enum { ARGS_MAX = 28, ERROR_SIZE_MAX = 1 << 20 };

struct tool_call {
	const struct stage *stage;
	const char *argv[ARGS_MAX + 1];
	size_t n;
	char numbers[3][16], preserve[16];
	int keep[3]; /* descriptors to hand on, with their numbers */
	size_t n_keep;
	unsigned preserve_fds;
	int error_fd;
};

static void add(struct tool_call *call, const char *arg)
{
	if (arg && call->n < ARGS_MAX)
		call->argv[call->n++] = arg;
}

static void add_fd(struct tool_call *call, const char *option, int fd)
{
	char *number = call->numbers[call->n_keep];

	snprintf(number, sizeof call->numbers[0], "%d", fd);
	call->keep[call->n_keep++] = fd;
	add(call, option);
	add(call, number);
}

static void add_create_options(struct tool_call *call, const struct create_request *r)
{
	const struct create_options *o = &r->options;

	snprintf(call->preserve, sizeof call->preserve, "%u", o->preserve_fds);
	add(call, "--bundle");
	add(call, r->bundle);
	add(call, o->config_file ? "--config" : NULL);
	add(call, o->config_file);
	add(call, "--preserve-fds");
	add(call, call->preserve);
	add(call, o->console_socket ? "--console-socket" : NULL);
	add(call, o->console_socket);
	add(call, o->pid_file ? "--pid-file" : NULL);
	add(call, o->pid_file);
	add(call, o->no_pivot ? "--no-pivot" : NULL);
	add(call, o->no_new_keyring ? "--no-new-keyring" : NULL);
	add(call, o->systemd_cgroup ? "--systemd-cgroup" : NULL);
	add(call, o->no_cgroup ? "--cgroup-manager=disabled" : NULL);
}

static void fill(struct tool_call *call, const struct creation *cr)
{
	const struct create_request *r = cr->request;
	const char *name = call->stage->name;

	add(call, call->stage->command);
	add(call, "--root");
	add(call, r->root);
	add_fd(call, "--error-fd", call->error_fd);
	if (!call->stage->run) {
		add_create_options(call, r);
	} else {
		add_fd(call, "--lock-fd", cr->c->dir_fd);
	}
	if ((call->stage->run == stage_cgroup || call->stage->run == stage_nsenter_setup) &&
	    cr->c->leash_fd >= 0)
		add_fd(call, "--leash-fd", cr->c->leash_fd);
	if (call->stage->run == stage_nsenter_setup)
		call->preserve_fds = r->options.preserve_fds;
	if (call->stage->run == stage_pivot && r->console_fd >= 0)
		add_fd(call, "--console-fd", r->console_fd);
	add(call, r->id);
	if (strncmp(name, "hook ", 5) == 0)
		add(call, name + 5);
}

static void run_child(const struct tool_call *call, int self, pid_t parent)
{
	union {
		const char *const *in;
		char *const *out;
	} argv = {.in = call->argv};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(FAULT_SYSTEM);
	for (unsigned i = 0; i < call->preserve_fds; i++)
		fcntl(3 + (int)i, F_SETFD, 0);
	for (size_t i = 0; i < call->n_keep; i++)
		fcntl(call->keep[i], F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execveat(self, "", argv.out, environ, AT_EMPTY_PATH);
	_exit(FAULT_SYSTEM);
}

/* The error that the tool has written; none means that it never got so far. */
static int take_error(const struct tool_call *call, int status, struct oci_err *err)
{
	own_ptr char *text = NULL;
	size_t len;

	if (WIFSIGNALED(status))
		err_set(err, FAULT_SYSTEM, "%s was killed by SIG%s", call->stage->command,
			sigabbrev_np(WTERMSIG(status)));
	else if (lseek(call->error_fd, 0, SEEK_SET) < 0 ||
		 fd_read_all(call->error_fd, ERROR_SIZE_MAX, &text, &len) < 0 || len == 0 ||
		 !tool_read_error(text, len, err))
		err_set(err, FAULT_SYSTEM, "%s ended with exit status %d", call->stage->command,
			WEXITSTATUS(status));
	err->stage = call->stage->name;
	return -1;
}

static int run_tool(struct creation *cr, struct tool_call *call, struct oci_err *err)
{
	pid_t parent = getpid(), pid;
	int status;

	if (cr->self < 0)
		cr->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (cr->self < 0)
		return err_sys(err, errno, "cannot open this executable");
	fill(call, cr);
	pid = fork();
	if (pid < 0)
		return err_sys(err, errno, "cannot start %s", call->stage->command);
	if (pid == 0)
		run_child(call, cr->self, parent);
	interrupt_tool(pid);
	/* Not reaped before it is forgotten: its number stays its own. */
	while (waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	interrupt_tool(0);
	if (waitpid(pid, &status, 0) < 0)
		return err_sys(err, errno, "cannot wait for %s", call->stage->command);
	return status == 0 ? 0 : take_error(call, status, err);
}

static int copy_option(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -1 : 0;
}

/* oci-validate has made the container as if by hand; now it is this driver's. */
static int adopt(struct creation *cr, struct oci_err *err)
{
	const struct create_request *r = cr->request;

	cr->c = container_open(r->root, r->id, LOCK_TRY, -1, err);
	if (!cr->c)
		return -1;
	cr->c->state->creator = proc_identify(getpid());
	/* What no option of oci-validate says. */
	cr->c->state->options.listen_fds = r->options.listen_fds;
	cr->c->state->options.notify = r->options.notify;
	if (copy_option(r->options.pipeline, &cr->c->state->options.pipeline) < 0 ||
	    copy_option(r->options.listen_names, &cr->c->state->options.listen_names) < 0 ||
	    copy_option(r->options.pidfd_socket, &cr->c->state->options.pidfd_socket) < 0)
		return err_sys(err, ENOMEM, "cannot keep the options");
	cr->c->driven = true;
	return container_save(cr->c, err);
}

static int read_again(struct creation *cr, struct oci_err *err)
{
	const struct create_request *r = cr->request;
	struct container *fresh = container_open(r->root, r->id, LOCK_TRY, cr->c->dir_fd, err);

	if (!fresh)
		return -1;
	fresh->leash_fd = cr->c->leash_fd;
	fresh->driven = true;
	container_close(cr->c);
	cr->c = fresh;
	return 0;
}

int as_tool_run(struct creation *cr, const struct stage *stage, struct oci_err *err)
{
	own_fd int error_fd = memfd_create("error", MFD_CLOEXEC);
	struct tool_call call = {.stage = stage, .error_fd = error_fd};

	if (error_fd < 0)
		return err_sys(err, errno, "cannot make a memory file");
	/* The tool reads what programs of the pipeline and we have changed. */
	if (cr->c && container_save(cr->c, err) < 0)
		return -1;
	if (run_tool(cr, &call, err) < 0) {
		own_err struct oci_err ignored = ERR_INIT;

		/* What it has made before it failed is to be undone. The config is for the error.
		 */
		if (cr->c && read_again(cr, &ignored) == 0 && err->pointer)
			container_load_config(cr->c, &ignored);
		return -1;
	}
	return cr->c ? read_again(cr, err) : adopt(cr, err);
}
