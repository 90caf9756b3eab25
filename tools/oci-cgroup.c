/* oci-cgroup(1): the cgroup and its limits. */
#include "tool.h"

static const struct command command = {
	.name = "oci-cgroup",
	.operands = "CONTAINER-ID",
	.purpose = "make the container's cgroup and apply its limits",
	.details = "Makes linux.cgroupsPath in each hierarchy and applies linux.resources.",
	.example = "oci-cgroup web",
	.min_operands = 1,
	.max_operands = 1,
};

int main(int argc, char **argv)
{
	return tool_stage("cgroup", &command, argc, argv);
}
