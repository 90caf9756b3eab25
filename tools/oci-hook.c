/* oci-hook: run the hooks of a creation. */
#include <stdio.h>

#include "base/nearest.h"
#include "base/own.h"
#include "stage/stage.h"
#include "tool.h"

static const struct opt options[] = {OPT_END};

static const struct command command = {
	.name = "oci-hook",
	.operands = "CONTAINER-ID KIND...",
	.purpose = "Stage: run hooks, before the pivot.",
	.details = "KIND is prestart or createRuntime, which run in the caller's namespaces, or\n"
		   "createContainer, which run in the container's.",
	.example = "oci-hook web prestart createRuntime",
	.min_operands = 2,
	.max_operands = -1,
	.options = options,
};

static const char *const kinds[] = {"prestart", "createRuntime", "createContainer", NULL};

static const struct stage *find(const char *kind, struct oci_err *err)
{
	own_ptr char *name = NULL;
	const struct stage *stage = NULL;
	const char *near = nearest(kind, kinds);

	if (asprintf(&name, "hook %s", kind) >= 0)
		stage = stage_find(name);
	if (stage)
		return stage;
	err_set(err, FAULT_USAGE, "unknown kind of hooks \"%s\"", kind);
	err_hint(err, near ? "did you mean \"%s\"?" : "prestart, createRuntime or createContainer",
		 near);
	return NULL;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	bool done_before;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	for (int i = 1; i < argc; i++)
		if (!find(argv[i], &err))
			return tool_fail(&err);
	c = tool_open(argv[0], LOCK_TRY, &err);
	if (!c)
		return tool_fail(&err);
	for (int i = 1; i < argc; i++) {
		if (stage_run(find(argv[i], &err), c, &done_before, &err) < 0)
			return tool_fail_at(&err, c);
		if (done_before)
			dprintf(2, "oci-hook: %s hooks have been run before, nothing to do\n",
				argv[i]);
	}
	return 0;
}
