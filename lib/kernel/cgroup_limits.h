/* linux.resources: applied to a cgroup's control files. Shared by kernel/cgroup*.c only. */
#ifndef KERNEL_CGROUP_LIMITS_H
#define KERNEL_CGROUP_LIMITS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* Whether resources ask for anything that needs a cgroup. */
bool cgroup_limits_asked(const struct json_object *resources);

/* Applies resources to the directories of the record; update: to a container that runs. */
int cgroup_limits_apply(const struct json_object *record, const struct json_object *resources,
			bool update, struct oci_err *err);

#endif
