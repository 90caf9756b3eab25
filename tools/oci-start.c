/* oci-start: run the user's program in a created container. */
#include "base/activation.h"
#include "base/own.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/notify.h"
#include "tool.h"

static const struct opt options[] = {OPT_END};

static const struct command command = {
	.name = "oci-start",
	.operands = "CONTAINER-ID",
	.purpose = "Start the program of a created container.",
	.details = "Returns when the program runs, and after the poststart hooks. If the program\n"
		   "cannot be executed, that is the error, and the container is stopped.\n"
		   "With NOTIFY_SOCKET, returns when the program has said that it is ready.",
	.example = "oci-start web",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

static int start(struct container *c, struct notify *notify, int *ret_pidfd, struct oci_err *err)
{
	if (notify_open(notify, c, activation_notify(), err) < 0)
		return -1;
	if (notify->fd >= 0) {
		*ret_pidfd = proc_open(&c->state->init, err);
		if (*ret_pidfd < 0)
			return -1;
	}
	return lifecycle_start(c, err);
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_notify struct notify notify = NOTIFY_INIT;
	own_fd int pidfd = -1;
	pid_t pid;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_WAIT, &err);
	if (!c)
		return tool_fail(&err);
	if (start(c, &notify, &pidfd, &err) < 0) {
		tool_warn(c);
		return tool_fail_at(&err, c);
	}
	pid = c->state->init.pid;
	/* The lock is not held while the program gets ready. */
	container_close(c);
	c = NULL;
	notify_wait(&notify, pidfd, pid);
	return 0;
}
