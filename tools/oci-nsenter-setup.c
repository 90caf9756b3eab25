/* oci-nsenter-setup(1): the namespaces, and the container's first process. */
#include <unistd.h>

#include "base/own.h"
#include "stage/stage.h"
#include "tool.h"

static int leash_fd = -1;

static const struct opt options[] = {
	{0, "leash-fd", "FD", OPT_FD, &leash_fd, "init ends with the writer of this pipe"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-nsenter-setup",
	.operands = "CONTAINER-ID",
	.purpose = "make or join the namespaces, with init in them",
	.details = "Clones the container's first process into its cgroup and namespaces,\n"
		   "maps its ids, sets hostname, domainname and time offsets. Init then waits\n"
		   "on ROOT/ID/init.sock; a byte 'C' on the pipe of --leash-fd sets it free.",
	.example = "oci-nsenter-setup web",
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
	return tool_run_stage(&command, "nsenter-setup", c);
}
