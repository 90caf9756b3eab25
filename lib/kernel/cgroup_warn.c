/* What the kernel takes and does not do, so that the user has to be told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_tree.h"

/* Linux 5.16 and newer: what is written is not kept. */
static void warn_kernel(int dir, int64_t limit, struct json_object *warnings)
{
	own_ptr char *text = NULL;
	int64_t now;

	if (cgroup_read(dir, "memory.kmem.limit_in_bytes", &text) < 0 ||
	    !num_int(text, 0, INT64_MAX, &now) || now <= limit)
		return;
	json_object_array_add(
		warnings, json_object_new_string(
				  "/linux/resources/memory/kernel: no effect: this kernel has no "
				  "limit of kernel memory alone any more"));
}

void cgroup_warnings(const struct json_object *record, const struct json_object *resources,
		     struct json_object *warnings)
{
	const struct json_object *memory = json_member(resources, "memory");
	int64_t limit = json_int(memory, "kernel", 0);
	own_err struct oci_err ignored = ERR_INIT;
	struct cgroup_hierarchy h;
	own_fd int dir = -1;

	if (json_has(memory, "useHierarchy") && !json_true(memory, "useHierarchy"))
		json_object_array_add(
			warnings,
			json_object_new_string("/linux/resources/memory/useHierarchy: no effect: "
					       "memory is always counted hierarchically"));
	if (limit <= 0 || !cgroup_find_v1(record, "memory", &h))
		return;
	dir = cgroup_open_leaf(&h, &ignored);
	if (dir >= 0)
		warn_kernel(dir, limit, warnings);
}

bool cgroup_swap_alone(const struct json_object *record)
{
	struct cgroup_hierarchy h;

	return !cgroup_find_v1(record, "memory", &h);
}
