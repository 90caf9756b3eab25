/* oci-delete: remove a container. */
#include <errno.h>

#include "lifecycle/lifecycle.h"
#include "tool.h"

static bool force;

static const struct opt options[] = {
	{'f', "force", NULL, OPT_FLAG, &force, "end it if it runs; no error if there is none"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-delete",
	.operands = "CONTAINER-ID",
	.purpose = "Remove a container and everything that its creation made.",
	.details =
		"A container that is created but not started is ended, and so is what is left of\n"
		"a creation that was stopped or killed at any point. Then the poststop hooks run.",
	.example = "oci-delete --force web",
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
	c = lifecycle_open_to_delete(tool.root, argv[0], force, tool.lock_fd, &err);
	/* Engines do this after every failed create. */
	if (!c && force && err.errnum == ENOENT)
		return 0;
	if (!c || lifecycle_delete(c, force, &err) < 0)
		return tool_fail_at(&err, c);
	tool_warn(c);
	return 0;
}
