#include "stage/stage.h"

#include <string.h>
#include <time.h>

#include "base/own.h"

const struct stage stages[] = {
	{"validate", "oci-validate", SIDE_RUNTIME, NULL, NULL, describe_validate},
	{"cgroup", "oci-cgroup", SIDE_RUNTIME, "validate", stage_cgroup, describe_cgroup},
	{"nsenter-setup", "oci-nsenter-setup", SIDE_RUNTIME, "cgroup", stage_nsenter_setup,
	 describe_nsenter_setup},
	{"prepare-root", "oci-prepare-root", SIDE_CONTAINER, "nsenter-setup", stage_prepare_root,
	 describe_prepare_root},
	{"mount", "oci-mount", SIDE_CONTAINER, "prepare-root", stage_mount, describe_mount},
	{"hook prestart", "oci-hook", SIDE_RUNTIME, "mount", stage_hook_prestart,
	 describe_hook_prestart},
	{"hook createRuntime", "oci-hook", SIDE_RUNTIME, "mount", stage_hook_create_runtime,
	 describe_hook_create_runtime},
	{"hook createContainer", "oci-hook", SIDE_CONTAINER, "mount", stage_hook_create_container,
	 describe_hook_create_container},
	{"pivot", "oci-pivot", SIDE_CONTAINER, "mount", stage_pivot, describe_pivot},
};

const unsigned n_stages = ARRAY_SIZE(stages);

const struct stage *stage_find(const char *name)
{
	for (unsigned i = 0; i < n_stages; i++)
		if (strcmp(stages[i].name, name) == 0)
			return &stages[i];
	return NULL;
}

/* Hooks that the config asks for and that nobody has run would be skipped silently. */
static int check_hooks(const struct container *c, struct oci_err *err)
{
	static const char prefix[] = "hook ";

	for (unsigned i = 0; i < n_stages; i++) {
		const char *name = stages[i].name;

		if (strncmp(name, prefix, strlen(prefix)) != 0 || state_stage(c->state, name))
			continue;
		if (json_length(json_path(c->config, "hooks", name + strlen(prefix), NULL)) == 0)
			continue;
		err_set(err, FAULT_STATE, "the %s hooks of config.json have not been run",
			name + strlen(prefix));
		return err_hint(err, "run first: oci-hook %s %s", c->id, name + strlen(prefix));
	}
	return 0;
}

static int check_order(const struct stage *stage, const struct container *c, struct oci_err *err)
{
	const struct stage *before = stage->after ? stage_find(stage->after) : NULL;

	if (before && !state_stage(c->state, before->name)) {
		err_set(err, FAULT_STATE, "the stage \"%s\" has not been done", before->name);
		return err_hint(err, "run first: %s %s", before->command, c->id);
	}
	return strcmp(stage->name, "pivot") == 0 ? check_hooks(c, err) : 0;
}

static int64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int run(const struct stage *stage, struct container *c, struct oci_err *err)
{
	int64_t begin = microseconds();

	if (container_load_config(c, err) < 0 || check_order(stage, c, err) < 0)
		return -1;
	if (stage->run(c, err) < 0)
		return -1;
	/* By hand there is nobody to say that the last stage was the last step. */
	if (stage->run == stage_pivot && !c->state->creator.pid)
		c->state->status = STATUS_CREATED;
	state_add_stage(c->state, stage->name, microseconds() - begin);
	return c->driven ? 0 : container_save(c, err);
}

int stage_run(const struct stage *stage, struct container *c, bool *ret_done_before,
	      struct oci_err *err)
{
	bool done = state_stage(c->state, stage->name) != NULL;

	if (c->state->status == STATUS_RUNNING || (c->state->status == STATUS_CREATED && !done)) {
		err->stage = stage->name;
		return err_set(err, FAULT_STATE,
			       "container \"%s\" is %s: a stage of its creation "
			       "cannot be run any more",
			       c->id, status_name(c->state->status));
	}
	if (ret_done_before)
		*ret_done_before = done;
	if (done)
		return 0;
	if (run(stage, c, err) == 0)
		return 0;
	err->stage = stage->name;
	return -1;
}
