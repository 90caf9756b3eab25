/* Makes the root file system the container's /, and has its first process get ready. */
#include "tool.h"

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
};

int main(int argc, char **argv)
{
	return tool_stage("pivot", &command, argc, argv);
}
