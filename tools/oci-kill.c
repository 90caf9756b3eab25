/* oci-kill: signal a container. */
#include <signal.h>

#include "lifecycle/lifecycle.h"
#include "oci/signal.h"
#include "tool.h"

static bool all;

static const struct opt options[] = {
	{'a', "all", NULL, OPT_FLAG, &all, "signal every process of the container"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-kill",
	.operands = "CONTAINER-ID [SIGNAL]",
	.purpose = "Send a signal to a container's process.",
	.details = "SIGNAL is a name with or without SIG, or a number; SIGTERM if there is none.",
	.example = "oci-kill web KILL",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
};

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	int signal;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	signal = signal_parse(argc > 1 ? argv[1] : "TERM", &err);
	if (signal < 0)
		return tool_fail(&err);
	/* No lock: what hangs must be killable. */
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c)
		return tool_fail(&err);
	/* Whether its pid namespace is its own; without an answer all are ended. */
	if (signal == SIGKILL && container_load_config(c, &err) < 0)
		err_clear(&err);
	/* Nothing is left to signal: with --all that is no error, engines clean up with it. */
	if (lifecycle_kill(c, signal, all, &err) < 0 &&
	    !(all && err.fault == FAULT_STATE && lifecycle_status(c) == STATUS_STOPPED))
		return tool_fail_at(&err, c);
	return 0;
}
