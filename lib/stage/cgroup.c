/*
 * Purpose: the stage "cgroup": the container's cgroup and its limits.
 * Runs in: the runtime's namespaces.
 * Should: save the plan before anything is made.
 * Mustn't: put a process into the cgroup; that is the next stage's.
 * Undo: cgroup_remove(), by a failing stage itself, and by oci-delete.
 * Specification: config-linux.md, "Control groups".
 */
#include "kernel/cgroup.h"

#include <sched.h>
#include <string.h>

#include "base/own.h"
#include "kernel/ns.h"
#include "stage/stage.h"

static bool is_writable(const struct json_object *mount)
{
	const struct json_object *options = json_member(mount, "options");

	for (size_t i = 0; i < json_length(options); i++)
		if (strcmp(json_item_string(options, i), "ro") == 0)
			return false;
	return true;
}

/* Whether the container gets its cgroup to write to; the three conditions of the specification. */
static bool has_writable_mount(const struct json_object *config)
{
	const struct json_object *list = json_member(config, "mounts");

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *mount = json_item(list, i);
		const char *source = json_string(mount, "source");
		const char *destination = json_string(mount, "destination");

		if (source && strcmp(source, "cgroup") == 0 && destination &&
		    strcmp(destination, "/sys/fs/cgroup") == 0 && is_writable(mount))
			return true;
	}
	return false;
}

/* The host's uid of process.user; false if it is not mapped, or if there is no process. */
static bool host_uid(const struct json_object *config, uid_t *ret_uid)
{
	const struct json_object *maps = json_path(config, "linux", "uidMappings", NULL);
	uint64_t uid = json_uint(json_path(config, "process", "user", NULL), "uid", 0);

	if (!json_has(config, "process"))
		return false;
	*ret_uid = (uid_t)uid;
	for (size_t i = 0; i < json_length(maps); i++) {
		const struct json_object *map = json_item(maps, i);
		uint64_t first = json_uint(map, "containerID", 0);

		if (uid < first || uid - first >= json_uint(map, "size", 0))
			continue;
		*ret_uid = (uid_t)(json_uint(map, "hostID", 0) + uid - first);
		return true;
	}
	return json_length(maps) == 0;
}

static int delegate(const struct container *c, struct oci_err *err)
{
	uid_t owner;

	if (!(ns_new(c->config) & CLONE_NEWCGROUP) || !has_writable_mount(c->config) ||
	    !host_uid(c->config, &owner) || owner == 0)
		return 0;
	return cgroup_delegate(c->state->cgroup, owner, err);
}

static int plan_cgroup(struct container *c, const struct json_object *resources,
		       struct oci_err *err)
{
	const char *path = json_string(json_member(c->config, "linux"), "cgroupsPath");

	if (c->state->options.no_cgroup)
		return cgroup_plan_none(resources, &c->state->cgroup, err);
	if (c->state->options.systemd_cgroup)
		return cgroup_plan_systemd(c->id, path, json_member(c->config, "annotations"),
					   &c->state->cgroup, err);
	return cgroup_plan(c->id, path, resources, &c->state->cgroup, err);
}

static int make_cgroup(struct container *c, struct oci_err *err)
{
	const struct json_object *resources = json_path(c->config, "linux", "resources", NULL);

	if (plan_cgroup(c, resources, err) < 0 || container_save(c, err) < 0)
		return -1;
	if (c->state->options.no_cgroup)
		return 0;
	if (cgroup_create(c->state->cgroup, resources, c->leash_fd, err) < 0)
		return -1;
	return delegate(c, err);
}

static void warn(struct container *c)
{
	own_json struct json_object *lines = json_object_new_array();

	cgroup_warnings(c->state->cgroup, json_path(c->config, "linux", "resources", NULL), lines);
	for (size_t i = 0; i < json_length(lines); i++)
		container_warn(c, "%s", json_item_string(lines, i));
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
	if (make_cgroup(c, err) == 0) {
		warn(c);
		return 0;
	}
	if (c->state->cgroup)
		drop_cgroup(c, &ignored);
	return -1;
}

char *describe_cgroup(const struct container *c)
{
	return cgroup_describe(c->state->cgroup);
}
