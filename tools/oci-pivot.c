/* Makes the root file system the container's /, and has its first process get ready. */
#include "base/own.h"
#include "tool.h"

static int console_fd = -1;

static const struct opt options[] = {
	{0, "console-fd", "FD", OPT_FD, &console_fd, "send the terminal to this connected socket"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-pivot",
	.operands = "CONTAINER-ID",
	.purpose = "make the root file system the container's /, and get its first process ready",
	.details =
		"Comes last, after oci-mount and oci-hook: pivot_root, masked and read-only "
		"paths,\n"
		"sysctl. Then the first process takes on user, capabilities and limits, and waits\n"
		"for oci-start.",
	.example = "oci-pivot web && oci-start web",
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
	c = tool_open(argv[0], LOCK_TRY, &err);
	if (!c)
		return tool_fail(&err);
	c->console_fd = console_fd;
	return tool_run_stage(&command, "pivot", c);
}
