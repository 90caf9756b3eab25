/* oci-nsenter: a look into a container. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "lifecycle/enter.h"
#include "tool.h"

static struct enter enter;

static const struct opt options[] = {
	{'r', "chroot", NULL, OPT_FLAG, &enter.chroot,
	 "its root file system as /, before the pivot too"},
	{0, "privileged", NULL, OPT_FLAG, &enter.privileged,
	 "keep the capabilities and cgroup of the caller"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-nsenter",
	.operands = "CONTAINER-ID [--] [COMMAND [ARGUMENT...]]",
	.purpose = "run a command, default a shell, in a container's namespaces",
	.details = "Also in a half-made one. Before oci-pivot the host's files are still there and "
		   "the\n"
		   "command is the host's; it begins in the root file system ($OCI_ROOTFS), where "
		   "the\n"
		   "container's mounts are. Afterwards the command is the container's.\n"
		   "Exits as the command does; 127 if it does not exist.",
	.example = "oci-create --until mount web ./web && oci-nsenter web -- findmnt",
	.min_operands = 1,
	.max_operands = -1,
	.stop_at_operand = true,
	.options = options,
};

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	int status = 0;

	if (tool_begin(&command, &argc, &argv, &err) < 0 || enter_from_memory(&err) < 0)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c)
		return tool_fail(&err);
	enter.argv = argv + 1;
	if (argc > 1 && strcmp(argv[1], "--") == 0)
		enter.argv++;
	if (enter_run(c, &enter, &status, &err) < 0) {
		int code = tool_fail_at(&err, c);

		return status ? WEXITSTATUS(status) : code;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
