/*
 * oci-run: create, start, wait, delete.
 *
 * Purpose: a container as one command, with its program in the foreground.
 * Runs in: the runtime's namespaces; the parent of init, so that it alone learns its exit status.
 * Should: leave nothing, however the program ends; put the terminal back.
 * Mustn't: hold the container's lock while the program runs; delete a container that somebody
 *   else has made under this id meanwhile.
 * Undo: oci-delete, also if this process is killed.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/activation.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/relay.h"
#include "base/spawn.h"
#include "base/terminal.h"
#include "creation_options.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/notify.h"
#include "tool.h"

static bool detach, keep, no_subreaper;

static const struct opt options[] = {
	CREATION_OPTIONS,
	{'d', "detach", NULL, OPT_FLAG, &detach, "do not wait for the program"},
	{0, "keep", NULL, OPT_FLAG, &keep, "do not delete the container"},
	{0, "no-subreaper", NULL, OPT_FLAG, &no_subreaper, "leave orphans to another process"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-run",
	.operands = "CONTAINER-ID [BUNDLE]",
	.purpose = "Create a container, start it, wait for its program, delete it.",
	.details = "Exits as the program does: with its status, or 128 and the number of the\n"
		   "signal that killed it.",
	.example = "oci-run web ./web",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
};

/* One container from its creation to its end. */
struct run {
	struct create_request request;
	struct container *c; /* until it is started */
	struct proc_id init;
	int pidfd;	/* of init */
	int console[2]; /* socket pair: ours, and the one that the terminal is sent to */
	int master;	/* of the terminal; or -1 */
	struct notify notify;
};

static void close_run(struct run *run)
{
	container_close(run->c);
	pipeline_free((struct pipeline *)(uintptr_t)run->request.pipeline);
	own_close_fd(&run->pidfd);
	own_close_fd(&run->console[0]);
	own_close_fd(&run->console[1]);
	own_close_fd(&run->master);
	notify_close(&run->notify);
}

static int check(const struct run *run, struct oci_err *err)
{
	if (!detach && run->request.options.console_socket)
		return err_set(err, FAULT_USAGE,
			       "cannot use console socket if oci will not detach or allocate tty: "
			       "--console-socket needs --detach");
	if (!detach && no_subreaper && asked.as_tools)
		return err_set(err, FAULT_USAGE,
			       "--no-subreaper and --exec: the container's process would be "
			       "another's child, and its exit status unknown; use --detach");
	return 0;
}

/*
 * They are kept for the program, which may run before the relay does; but for those that undo a
 * creation until then.
 */
static void keep_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGINT);
	sigdelset(&set, SIGTERM);
	sigdelset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Before anything is made. */
static int prepare(struct run *run, struct oci_err *err)
{
	if (check(run, err) < 0)
		return -1;
	/* Ignored, a child's exit status would be thrown away. */
	signal(SIGCHLD, SIG_DFL);
	if (detach)
		return 0;
	if (!no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, errno, "cannot become a subreaper");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->console) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	run->request.console_fd = run->console[1];
	keep_signals();
	return 0;
}

/* If the container has one. Init has sent it by now, or never will. */
static int take_terminal(struct run *run, struct oci_err *err)
{
	char name[64];
	size_t n = 1;
	ssize_t len;

	if (detach)
		return 0;
	close(run->console[1]);
	run->console[1] = -1;
	len = fd_receive(run->console[0], name, sizeof name, &run->master, &n);
	if (len < 0)
		return err_sys(err, errno, "cannot receive the container's terminal");
	if (len == 0 || n == 0) {
		run->master = -1;
		return 0;
	}
	terminal_prepare(run->master);
	return 0;
}

/*
 * Removes the container if it is still the one that was made here. What goes wrong is reported
 * at once: there may be an exit status to pass on.
 */
static int delete (const struct run *run)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;

	/* A signal that has ended a hook is not for the poststop hooks. */
	spawn_stop = 0;
	c = lifecycle_open_to_delete(run->request.root, run->request.id, true, -1, &err);
	if (!c)
		return err.errnum == ENOENT ? 0 : tool_fail(&err);
	if (c->state && (c->state->init.pid != run->init.pid ||
			 c->state->init.start_time != run->init.start_time))
		return 0;
	if (lifecycle_delete(c, true, &err) < 0)
		return tool_fail_at(&err, c);
	tool_warn(c);
	return 0;
}

static void release(struct run *run)
{
	container_close(run->c);
	run->c = NULL;
}

/* After an error that is still to be reported, for which the config is needed. */
static int give_up(struct run *run, struct oci_err *err)
{
	int code = tool_fail_at(err, run->c);

	release(run);
	if (!keep)
		delete (run);
	return code;
}

/* A signal that comes now ends hooks that hang; if the program runs all the same, it is for it. */
static int start(struct run *run, struct oci_err *err)
{
	run->init = run->c->state->init;
	run->pidfd = proc_open(&run->init, err);
	if (run->pidfd < 0 || take_terminal(run, err) < 0 ||
	    notify_open(&run->notify, run->c, activation_notify(), err) < 0)
		return -1;
	if (interrupt_signal())
		return err_set(err, FAULT_SYSTEM, "interrupted");
	return lifecycle_start(run->c, err);
}

/* To the manager the container is we, as long as we wait for it. */
static void pass_ready(void *arg)
{
	notify_pass(arg, getpid());
}

static int background(struct run *run)
{
	release(run);
	notify_wait(&run->notify, run->pidfd, run->init.pid);
	return 0;
}

static int foreground(struct run *run)
{
	static struct relay relay;
	own_err struct oci_err err = ERR_INIT;
	int code = 0;

	if (relay_open(&relay, steal_fd(&run->master), &err) < 0)
		return give_up(run, &err);
	release(run);
	if (interrupt_signal())
		pidfd_send_signal(run->pidfd, interrupt_signal(), NULL, 0);
	relay.watch.fd = run->notify.fd;
	relay.watch.ready = pass_ready;
	relay.watch.arg = &run->notify;
	if (relay_run(&relay, run->pidfd, &code, &err) < 0) {
		relay_close(&relay);
		code = tool_fail(&err);
	}
	if (!keep) {
		int failed = delete (run);

		code = code ? code : failed;
	}
	return code;
}

static int run_container(struct run *run, struct oci_err *err)
{
	bool stopped;
	int code, result = creation_run(&run->request, &run->c, &stopped, err);

	code = creation_report(&run->request, run->c, result, err);
	if (result < 0) {
		if (interrupt_signal())
			interrupt_die();
		return code;
	}
	if (start(run, err) < 0) {
		code = give_up(run, err);
		if (interrupt_signal())
			interrupt_die();
		return code;
	}
	return detach ? background(run) : foreground(run);
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *bundle = NULL;
	__attribute__((cleanup(close_run))) struct run run = {.request.console_fd = -1,
							      .pidfd = -1,
							      .console = {-1, -1},
							      .master = -1,
							      .notify = NOTIFY_INIT};
	struct create_request *r = &run.request;

	if (tool_begin(&command, &argc, &argv, &err) < 0 ||
	    creation_find_bundle(argc, argv, &bundle, &err) < 0 ||
	    creation_fill_options(&r->options, &err) < 0)
		return tool_fail(&err);
	r->pipeline = creation_load_pipeline(&err);
	if (!r->pipeline || prepare(&run, &err) < 0)
		return tool_fail(&err);
	r->root = tool.root;
	r->id = argv[0];
	r->bundle = bundle;
	r->as_tools = asked.as_tools;
	return run_container(&run, &err);
}
