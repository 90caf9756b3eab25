/*
 * Purpose: change the limits of a container that exists.
 * Runs in: the runtime's namespaces; touches its cgroup, its group of resctrl and the snapshot of
 * its config.json. Should: tell apart what is to stay as it is from what is 0; keep what holds now
 * in the snapshot, for exec, verify and the next update. Mustn't: leave some limits new and some
 * old. Undo: cgroup_update() puts back what it wrote.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/rdt.h"
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

/* An object that is a member, made if there is none; never NULL. */
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

/* What config says as the text of a snapshot; the caller frees it. NULL with *err. */
static char *snapshot_text(struct json_object *config, size_t *ret_len, struct oci_err *err)
{
	const char *text = json_object_to_json_string_length(
		config, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE, ret_len);
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		err_sys(err, ENOMEM, "cannot write the new snapshot of config.json");
	return copy;
}

/* A change of the kernel's side: of what config.json says before to what it says after. */
struct change {
	int (*apply)(struct container *c, const struct change *change, struct oci_err *err);
	struct cgroup_change limits;
	const char *l3_cache, *mem_bw;
};

/*
 * Takes over the new config and makes the change. The snapshot is written first: if it cannot be
 * (a full disk), nothing is changed.
 */
static int make_change(struct container *c, struct json_object *config, const struct change *change,
		       struct oci_err *err)
{
	own_json struct json_object *after = config;
	own_err struct oci_err ignored = ERR_INIT;
	size_t len;
	own_ptr char *text = snapshot_text(after, &len, err);

	if (!text || container_replace_config(c, text, len, err) < 0)
		return -1;
	if (change->apply(c, change, err) < 0) {
		if (container_replace_config(c, c->config_text, c->config_len, &ignored) < 0)
			err_wrap(err, "%s", ignored.message);
		return -1;
	}
	json_object_put(c->config);
	free(c->config_text);
	c->config = steal_ptr(&after);
	c->config_text = steal_ptr(&text);
	c->config_len = len;
	return 0;
}

static int apply_resources(struct container *c, const struct change *change, struct oci_err *err)
{
	if (cgroup_update(c->state->cgroup, &change->limits, err) < 0)
		return at_document(err);
	return 0;
}

static int apply_rdt(struct container *c, const struct change *change, struct oci_err *err)
{
	return rdt_update(c, change->l3_cache, change->mem_bw, err);
}

/* A copy of the container's config, to be changed; the caller puts it. NULL with *err. */
static struct json_object *copy_config(struct container *c, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);
	struct json_object *copy = NULL;

	if (status != STATUS_CREATED && status != STATUS_RUNNING && status != STATUS_PAUSED) {
		err_set(err, FAULT_STATE, "cannot update container \"%s\": it is %s", c->id,
			status_name(status));
		return NULL;
	}
	if (container_load_config(c, err) < 0)
		return NULL;
	if (json_object_deep_copy(c->config, &copy, NULL) < 0)
		err_sys(err, ENOMEM, "cannot plan the update");
	return copy;
}

int lifecycle_update(struct container *c, const struct json_object *resources, struct oci_err *err)
{
	own_json struct json_object *normal = resources_normal(resources);
	struct change change = {.apply = apply_resources, .limits.resources = normal};
	struct json_object *config = copy_config(c, err), *platform, *after;

	if (!config)
		return -1;
	inherit_check(normal, json_path(config, "linux", "resources", NULL));
	platform = object_in(config, "linux");
	after = resources_merge(json_member(platform, "resources"), normal,
				cgroup_swap_alone(c->state->cgroup));
	json_object_object_add(platform, "resources", after);
	change.limits.before = json_path(c->config, "linux", "resources", NULL);
	change.limits.after = after;
	if (make_change(c, config, &change, err) < 0)
		return -1;
	warn(c, normal);
	return 0;
}

int lifecycle_update_rdt(struct container *c, const char *l3_cache, const char *mem_bw,
			 struct oci_err *err)
{
	struct change change = {.apply = apply_rdt, .l3_cache = l3_cache, .mem_bw = mem_bw};
	struct json_object *config = copy_config(c, err), *rdt;

	if (!config)
		return -1;
	rdt = object_in(object_in(config, "linux"), "intelRdt");
	if (l3_cache)
		json_object_object_add(rdt, "l3CacheSchema", json_object_new_string(l3_cache));
	if (mem_bw)
		json_object_object_add(rdt, "memBwSchema", json_object_new_string(mem_bw));
	return make_change(c, config, &change, err);
}
