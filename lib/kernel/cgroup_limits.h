/*
 * linux.resources: applied to the directories of a cgroup. Shared by
 * kernel/cgroup*.c only.
 */
#ifndef KERNEL_CGROUP_LIMITS_H
#define KERNEL_CGROUP_LIMITS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "kernel/cgroup_table.h"
#include "kernel/cgroup_tree.h"

/* Whether resources ask for anything but devices that needs a cgroup. */
bool cgroup_limits_asked(const struct json_object *resources);

/* kernel/cgroup_undo.c: what was in control files before they were written. */
struct cgroup_undo {
	struct cgroup_old {
		int dir; /* a descriptor of its own */
		char *file, *text;
	} * items;
	size_t n;
};

/* Keeps what writing the setting will change. */
int cgroup_undo_note(struct cgroup_undo *undo, const struct cgroup_setting *s, struct oci_err *err);

/* Writes all of it back; what cannot be is added to err, which says why that was tried. */
void cgroup_undo(struct cgroup_undo *undo, struct oci_err *err);

void cgroup_undo_free(struct cgroup_undo *undo);

/*
 * Applies resources, except devices, to the directories of the record: v1 files
 * where a v1 hierarchy has the controller, v2 files otherwise. undo may be NULL.
 */
int cgroup_limits_apply(const struct json_object *record, const struct json_object *resources,
			enum cgroup_phase phase, struct cgroup_undo *undo, struct oci_err *err);

/* kernel/cgroup_devices.c: whether resources deny devices to a container that could use them. */
bool cgroup_devices_asked(const struct json_object *resources);

/*
 * Limits the devices to those that resources (NULL: the defaults alone) allow. A
 * user without the right to do so needs no limit: a node that he makes opens
 * nothing.
 */
int cgroup_devices_apply(const struct json_object *record, const struct json_object *resources,
			 struct oci_err *err);

/* Changes the list of a running container from one to the other; nothing if they say the same. */
int cgroup_devices_update(const struct json_object *record, const struct json_object *before,
			  const struct json_object *resources, struct oci_err *err);

/* kernel/cgroup_enable.c: a set of v2 controllers, by name. */
enum { CGROUP_CONTROLLERS_MAX = 16 };

struct cgroup_wanted {
	char names[CGROUP_CONTROLLERS_MAX][16];
	unsigned n;
};

void cgroup_want(struct cgroup_wanted *wanted, const char *controller);

/*
 * Enables controllers for the container's directory: in the directories above
 * it, from the root down. Those of `needed` that are not available are an error
 * of cgroup_limits_apply(), which knows which property wants them: *ret_missing
 * (may be NULL) is the first of them. Those of `nice` are enabled if that is easy.
 */
int cgroup_enable(const struct cgroup_hierarchy *h, const struct cgroup_wanted *needed,
		  const struct cgroup_wanted *nice, struct cgroup_wanted *ret_missing,
		  struct oci_err *err);

#endif
