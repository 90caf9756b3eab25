/* oci-mount(1): what is mounted in the container, and its devices. */
#include "tool.h"

static const struct command command = {
	.name = "oci-mount",
	.operands = "CONTAINER-ID",
	.purpose = "mount what config.json lists, and make the devices",
	.details = "Does mounts[] in order, then linux.devices, the default devices and the\n"
		   "links in /dev, all beneath the root filesystem and before the pivot.",
	.example = "oci-mount web",
	.min_operands = 1,
	.max_operands = 1,
};

int main(int argc, char **argv)
{
	return tool_stage("mount", &command, argc, argv);
}
