/* linux.cgroupsPath and linux.resources. */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup_compare.h"
#include "kernel/ns.h"
#include "verify/area.h"

static void compared(void *arg, const char *pointer, const char *file, const char *wanted,
		     const char *found, bool same)
{
	struct verify *v = arg;

	verify_compared(v);
	if (!same)
		verify_differs(v, pointer, file, wanted,
			       found ? found : "nothing that can be read");
}

int verify_cgroup(struct verify *v, struct oci_err *err)
{
	own_ptr char *text = verify_read(v, "cgroup", NULL);
	char place[64];

	if (!v->c->state->cgroup)
		return 0;
	verify_place(v, "cgroup", place);
	if (text)
		cgroup_compare_places(v->c->state->cgroup, text, place, compared, v);
	return cgroup_compare_limits(v->c->state->cgroup, json_member(v->lnx, "resources"),
				     compared, v, err);
}

int verify_device_rules(struct verify *v, struct oci_err *err)
{
	const struct json_object *resources = json_member(v->lnx, "resources");

	if (!v->c->state->cgroup)
		return 0;
	/* Who may not limit devices does not have to: a node that such a user makes opens nothing.
	 */
	if (v->namespaces & CLONE_NEWUSER && v->c->state->owner != 0) {
		verify_hidden(v, "/linux/resources/devices", "the user may not limit devices");
		return 0;
	}
	return cgroup_compare_devices(v->c->state->cgroup, resources, compared, v, err);
}
