/*
 * Purpose: change the limits of a container that exists.
 * Runs in: the runtime's namespaces; touches its cgroup and the snapshot of its config.json.
 * Should: tell apart what is to stay as it is from what is 0; keep what holds now in the
 *   snapshot, for exec, verify and the next update.
 * Mustn't: leave some limits new and some old.
 * Undo: cgroup_update() puts back what it wrote.
 */
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "lifecycle/lifecycle.h"
#include "oci/resources.h"

static const char in_config[] = "/linux/resources";

/* The pointer of an error, as one into the document. */
static int at_document(struct oci_err *err)
{
	size_t len = sizeof in_config - 1;

	if (err->pointer && strncmp(err->pointer, in_config, len) == 0)
		memmove(err->pointer, err->pointer + len, strlen(err->pointer + len) + 1);
	return -1;
}

/* linux.resources of the snapshot, made if there is none; never NULL. */
static struct json_object *object_in(struct json_object *parent, const char *key)
{
	struct json_object *object = json_member(parent, key);

	if (object)
		return object;
	object = json_object_new_object();
	json_object_object_add(parent, key, object);
	return object;
}

/* memory.checkBeforeUpdate holds for later updates as well. */
static void inherit_check(struct json_object *change, const struct json_object *before)
{
	static const char key[] = "checkBeforeUpdate";
	struct json_object *memory = json_member(change, "memory");

	if (memory && !json_has(memory, key) && json_true(json_member(before, "memory"), key))
		json_object_object_add(memory, key, json_object_new_boolean(true));
}

static void warn(struct container *c, const struct json_object *change)
{
	own_json struct json_object *lines = json_object_new_array();

	cgroup_warnings(c->state->cgroup, change, lines);
	for (size_t i = 0; i < json_length(lines); i++)
		container_warn(c, "%s", json_item_string(lines, i) + sizeof in_config - 1);
}

static int keep(struct container *c, const struct json_object *change, struct oci_err *err)
{
	struct json_object *platform = object_in(c->config, "linux");

	json_object_object_add(platform, "resources",
			       resources_merge(json_member(platform, "resources"), change,
					       cgroup_swap_alone(c->state->cgroup)));
	return container_replace_config(c, c->config, err);
}

int lifecycle_update(struct container *c, const struct json_object *resources, struct oci_err *err)
{
	own_json struct json_object *change = resources_normal(resources);
	enum oci_status status = lifecycle_status(c);
	const struct json_object *before;

	if (status != STATUS_CREATED && status != STATUS_RUNNING && status != STATUS_PAUSED)
		return err_set(err, FAULT_STATE, "cannot update container \"%s\": it is %s", c->id,
			       status_name(status));
	if (container_load_config(c, err) < 0)
		return -1;
	before = json_path(c->config, "linux", "resources", NULL);
	inherit_check(change, before);
	if (cgroup_update(c->state->cgroup, before, change, err) < 0)
		return at_document(err);
	warn(c, change);
	return keep(c, change, err);
}
