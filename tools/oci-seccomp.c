/* oci-seccomp(1): the filter of system calls. */
#include "tool.h"

static const struct command command = {
	.name = "oci-seccomp",
	.operands = "CONTAINER-ID",
	.purpose = "compile the filter of system calls",
	.details = "Makes linux.seccomp a program for the kernel, in the container's state "
		   "directory,\n"
		   "or takes it from those that were compiled before. Init installs it.",
	.example = "oci-seccomp web",
	.min_operands = 1,
	.max_operands = 1,
};

int main(int argc, char **argv)
{
	return tool_stage("seccomp", &command, argc, argv);
}
