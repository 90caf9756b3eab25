/*
 * Purpose: the stage "cgroup": the container's cgroup and its limits.
 * Runs in: the runtime's namespaces.
 * Should: save the plan before anything is made.
 * Mustn't: put a process into the cgroup; that is the next stage's.
 * Undo: cgroup_remove(), by a failing stage itself, and by oci-delete.
 * Specification: config-linux.md, "Control groups".
 */
#include "kernel/cgroup.h"
#include "stage/stage.h"

static int make_cgroup(struct container *c, struct oci_err *err)
{
	const struct json_object *linux_config = json_member(c->config, "linux");
	const struct json_object *resources = json_member(linux_config, "resources");

	if (cgroup_plan(c->id, json_string(linux_config, "cgroupsPath"), resources,
			c->state->options.systemd_cgroup, &c->state->cgroup, err) < 0)
		return -1;
	if (container_save(c, err) < 0)
		return -1;
	return cgroup_create(c->state->cgroup, resources, err);
}

static int drop_cgroup(struct container *c, struct oci_err *err)
{
	if (cgroup_remove(c->state->cgroup, err) < 0)
		return -1;
	json_object_put(c->state->cgroup);
	c->state->cgroup = NULL;
	return 0;
}

int stage_cgroup(struct container *c, struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;

	if (container_load_config(c, err) < 0)
		return -1;
	/* What an attempt before this one, killed in the middle, may have left. */
	if (c->state->cgroup && drop_cgroup(c, err) < 0)
		return -1;
	if (make_cgroup(c, err) == 0)
		return 0;
	if (c->state->cgroup)
		drop_cgroup(c, &ignored);
	return -1;
}

char *describe_cgroup(const struct container *c)
{
	return cgroup_describe(c->state->cgroup);
}
