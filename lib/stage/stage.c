#include "stage/stage.h"

#include <string.h>
#include <time.h>

#include "base/own.h"
#include "kernel/netdev.h"

const struct stage stages[] = {
	{"validate", "oci-validate", SIDE_RUNTIME, NULL, false, NULL, describe_validate},
	{"seccomp", "oci-seccomp", SIDE_RUNTIME, "validate", true, stage_seccomp, describe_seccomp},
	{"cgroup", "oci-cgroup", SIDE_RUNTIME, "validate", false, stage_cgroup, describe_cgroup},
	{"nsenter-setup", "oci-nsenter-setup", SIDE_RUNTIME, "cgroup", false, stage_nsenter_setup,
	 describe_nsenter_setup},
	{"prepare-root", "oci-prepare-root", SIDE_CONTAINER, "nsenter-setup", false,
	 stage_prepare_root, describe_prepare_root},
	{"mount", "oci-mount", SIDE_CONTAINER, "prepare-root", false, stage_mount, describe_mount},
	{"hook prestart", "oci-hook", SIDE_RUNTIME, "mount", true, stage_hook_prestart,
	 describe_hook_prestart},
	{"hook createRuntime", "oci-hook", SIDE_RUNTIME, "mount", true, stage_hook_create_runtime,
	 describe_hook_create_runtime},
	{"hook createContainer", "oci-hook", SIDE_CONTAINER, "mount", true,
	 stage_hook_create_container, describe_hook_create_container},
	{"pivot", "oci-pivot", SIDE_CONTAINER, "mount", false, stage_pivot, describe_pivot},
};

const unsigned n_stages = ARRAY_SIZE(stages);

const struct stage *stage_find(const char *name)
{
	for (unsigned i = 0; i < n_stages; i++)
		if (strcmp(stages[i].name, name) == 0)
			return &stages[i];
	return NULL;
}

static const char hook_prefix[] = "hook ";

static const char *hook_of(const struct stage *stage)
{
	const size_t len = strlen(hook_prefix);

	return strncmp(stage->name, hook_prefix, len) == 0 ? stage->name + len : NULL;
}

bool stage_is_asked_for(const struct stage *stage, const struct json_object *config)
{
	const char *hook = hook_of(stage);

	if (!stage->optional)
		return true;
	if (hook)
		return json_length(json_path(config, "hooks", hook, NULL)) > 0;
	return json_path(config, "linux", stage->name, NULL) != NULL;
}

/* What the config asks for and nobody has done would be skipped silently. */
static int check_optional(const struct container *c, struct oci_err *err)
{
	for (unsigned i = 0; i < n_stages; i++) {
		const struct stage *s = &stages[i];
		const char *hook = hook_of(s);

		if (!s->optional || state_stage(c->state, s->name) ||
		    !stage_is_asked_for(s, c->config))
			continue;
		if (hook)
			err_set(err, FAULT_STATE, "the %s hooks of config.json have not been run",
				hook);
		else
			err_set(err, FAULT_STATE, "the stage \"%s\" has not been done", s->name);
		return err_hint(err, "run first: %s %s%s%s", s->command, c->id, hook ? " " : "",
				hook ? hook : "");
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
	return strcmp(stage->name, "pivot") == 0 ? check_optional(c, err) : 0;
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
	if (c->driven)
		return 0;
	if (container_save(c, err) < 0)
		return -1;
	if (c->state->status == STATUS_CREATED && c->state->net_devices)
		netdev_release(c);
	return 0;
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
