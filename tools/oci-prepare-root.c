/* oci-prepare-root(1): the root filesystem as a mount of its own. */
#include "tool.h"

static const struct command command = {
	.name = "oci-prepare-root",
	.operands = "CONTAINER-ID",
	.purpose = "make the root filesystem a mount in the container's mount namespace",
	.details = "Cuts the namespace's mounts off from the host's and applies\n"
		   "linux.rootfsPropagation. Afterwards the root can be looked at, and mounted\n"
		   "into, with oci-nsenter.",
	.example = "oci-prepare-root web",
	.min_operands = 1,
	.max_operands = 1,
};

int main(int argc, char **argv)
{
	return tool_stage("prepare-root", &command, argc, argv);
}
