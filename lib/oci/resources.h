/*
 * linux.resources as documents: what an update says, and what holds after it.
 * Touches no kernel object.
 */
#ifndef OCI_RESOURCES_H
#define OCI_RESOURCES_H

#include "base/json.h"

/*
 * The change without what engines write for "leave it as it is": 0 where it is no value of its
 * own, "" for cpus and mems, null, and no devices. The caller puts it.
 */
struct json_object *resources_normal(const struct json_object *change);

/*
 * What holds when the (normal) change has been applied to base (NULL: nothing). Lists go by what
 * their entries are about: a page size, a device, an interface; devices are replaced. swap_alone:
 * the kernel counts swap by itself (cgroup v2), so that a new memory.limit moves memory.swap, which
 * is the sum. The caller puts it.
 */
struct json_object *resources_merge(const struct json_object *base,
				    const struct json_object *change, bool swap_alone);

#endif
