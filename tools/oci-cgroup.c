/* oci-cgroup(1): the cgroup and its limits. */
#include "base/own.h"
#include "tool.h"

static int leash_fd = -1;

static const struct opt options[] = {
	{0, "leash-fd", "FD", OPT_FD, &leash_fd,
	 "a scope of systemd ends with the writer of this pipe"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-cgroup",
	.operands = "CONTAINER-ID",
	.purpose = "make the container's cgroup and apply its limits",
	.details = "Makes linux.cgroupsPath in each hierarchy and applies linux.resources.\n"
		   "With --systemd-cgroup (of oci-validate) it is systemd's; a scope then ends\n"
		   "with the writer of the pipe of --leash-fd, unless a byte 'C' came, or init.",
	.example = "oci-cgroup web",
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
	c->leash_fd = leash_fd;
	return tool_run_stage(&command, "cgroup", c);
}
