/* The record of a container that has no cgroup, because its creator wants none. */
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_limits.h"
#include "kernel/cgroup_tree.h"

/* What mounts of cgroups in the container show depends on the machine all the same. */
static const char *machine_mode(void)
{
	struct statfs fs;

	if (statfs(CGROUP_MOUNT, &fs) < 0)
		return "none";
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return "unified";
	return fs.f_type == TMPFS_MAGIC ? "legacy" : "none";
}

int cgroup_plan_none(const struct json_object *resources, struct json_object **ret_record,
		     struct oci_err *err)
{
	struct json_object *record;

	if (cgroup_limits_asked(resources)) {
		err_set(err, FAULT_CONFIG, "there are limits, and --cgroup-manager=disabled");
		return err_at(err, "/linux/resources");
	}
	record = json_object_new_object();
	json_object_object_add(record, "hierarchies", json_object_new_array());
	json_object_object_add(record, "mode", json_object_new_string(machine_mode()));
	*ret_record = record;
	return 0;
}
