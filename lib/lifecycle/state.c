/* What a container is doing, and how that is told. */
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/init.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"

static enum oci_status of_process(const struct container *c)
{
	const struct oci_state *s = c->state;

	if (proc_other_boot(s->boot_id))
		return STATUS_STOPPED;
	/* Its init ends with the driver, or is about to. */
	if (s->creator.pid && !proc_alive(&s->creator))
		return STATUS_STOPPED;
	if (s->status == STATUS_CREATING && !s->init.pid)
		return STATUS_CREATING;
	/* To ask it wakes it, and that takes longer than all else together. */
	if (s->status == STATUS_CREATED &&
	    ((!c->start_begun && proc_alive(&s->init)) || init_listens(c)))
		return STATUS_CREATED;
	if (!proc_alive(&s->init))
		return STATUS_STOPPED;
	/* A start that was killed before it could record what it had done. */
	return s->status == STATUS_CREATED ? STATUS_RUNNING : s->status;
}

enum oci_status lifecycle_status(const struct container *c)
{
	enum oci_status status = of_process(c);

	if ((status == STATUS_CREATED || status == STATUS_RUNNING) && c->state->cgroup &&
	    cgroup_is_frozen(c->state->cgroup))
		return STATUS_PAUSED;
	return status;
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

struct json_object *lifecycle_state(const struct oci_state *s, enum oci_status status)
{
	struct json_object *json = json_object_new_object();
	char owner[STATE_OWNER_SIZE];

	state_owner(s, owner);
	add_string(json, "ociVersion", s->oci_version);
	add_string(json, "id", s->id);
	json_object_object_add(json, "pid",
			       json_object_new_int(status == STATUS_STOPPED ? 0 : s->init.pid));
	add_string(json, "status", status_name(status));
	add_string(json, "bundle", s->bundle);
	add_string(json, "rootfs", s->rootfs);
	add_string(json, "created", s->created);
	if (s->annotations)
		json_object_object_add(json, "annotations", json_object_get(s->annotations));
	add_string(json, "owner", owner);
	return json;
}
