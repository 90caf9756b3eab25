/* oci-resume: thaw a container. */
#include "lifecycle/lifecycle.h"
#include "tool.h"

static const struct opt options[] = {OPT_END};

static const struct command command = {
	.name = "oci-resume",
	.operands = "CONTAINER-ID",
	.purpose = "Let a paused container go on.",
	.example = "oci-resume web",
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
	if (!c || lifecycle_resume(c, &err) < 0)
		return tool_fail_at(&err, c);
	return 0;
}
