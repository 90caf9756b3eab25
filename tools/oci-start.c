/* oci-start: run the user's program in a created container. */
#include "lifecycle/lifecycle.h"
#include "tool.h"

static const struct opt options[] = {OPT_END};

static const struct command command = {
	.name = "oci-start",
	.operands = "CONTAINER-ID",
	.purpose = "Start the program of a created container.",
	.details = "Returns when the program runs, and after the poststart hooks. If the program\n"
		   "cannot be executed, that is the error, and the container is stopped.",
	.example = "oci-start web",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_WAIT, &err);
	if (!c)
		return tool_fail(&err);
	if (lifecycle_start(c, &err) < 0) {
		tool_warn(c);
		return tool_fail_at(&err, c);
	}
	return 0;
}
