/*
 * Whether a container's cgroup still is what config.json asks for.
 *
 * What is compared is what cgroup_create() would write, by the same table, with
 * what the control files say. The kernel answers in its own way: it rounds to
 * pages, puts "default" before a number, shows a line for each device.
 */
#ifndef KERNEL_CGROUP_COMPARE_H
#define KERNEL_CGROUP_COMPARE_H

#include "base/err.h"
#include "base/json.h"

/*
 * Called for each value: pointer into config.json, the control file, what it
 * should and does say; found NULL: it cannot be read; same: whether they agree.
 */
typedef void (*cgroup_compare_fn)(void *arg, const char *pointer, const char *file,
				  const char *wanted, const char *found, bool same);

/* linux.resources but for devices. -1 with *err for what cannot be understood. */
int cgroup_compare_limits(const struct json_object *record, const struct json_object *resources,
			  cgroup_compare_fn compared, void *arg, struct oci_err *err);

/* linux.resources.devices: the list of v1, the program of v2. */
int cgroup_compare_devices(const struct json_object *record, const struct json_object *resources,
			   cgroup_compare_fn compared, void *arg, struct oci_err *err);

/*
 * Whether a process is in the container's cgroup in each hierarchy, or in one beneath it. text: its
 * /proc/PID/cgroup.
 */
void cgroup_compare_places(const struct json_object *record, const char *text, const char *file,
			   cgroup_compare_fn compared, void *arg);

/* Whether a control file that says `found` has been told `wanted`. Exported for tests. */
bool cgroup_value_matches(const char *file, const char *wanted, const char *found);

#endif
