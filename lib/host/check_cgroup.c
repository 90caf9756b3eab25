/* Purpose: whether the cgroup could be made, and the controllers of all limits are there. */
#include "base/own.h"
#include "host/check.h"
#include "host/host.h"
#include "kernel/cgroup.h"

static void check_controller(struct host_check *check, const struct json_object *need)
{
	struct json_object *r = host_require(check->report, "%s", json_string(need, "pointer"));
	const char *missing = json_string(need, "missing");

	host_what(r, "%s controller", json_string(need, "controller"));
	host_probe(r, "%s", json_string(need, "where"));
	host_result(r, missing ? HOST_FAIL : HOST_OK, "%s", missing ? missing : "there");
}

void host_check_cgroup(struct host_check *check)
{
	const struct json_object *resources = json_member(check->platform, "resources");
	const char *path = json_string(check->platform, "cgroupsPath");
	own_json struct json_object *record = NULL, *needs = NULL;
	struct json_object *r = host_require(check->report, "/linux/cgroupsPath");
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *where = NULL;

	host_what(r, "cgroup");
	host_probe(r, "/sys/fs/cgroup");
	if (check->bundle->systemd) {
		own_json struct json_object *unit = NULL;

		if (cgroup_plan_systemd("oci-validate", path,
					json_member(check->config, "annotations"), &unit,
					&err) < 0) {
			host_result(r, HOST_FAIL, "%s", err.message);
			return;
		}
		path = NULL;
	}
	if (cgroup_plan("oci-validate", path, resources, &record, &err) < 0) {
		host_result(r, HOST_FAIL, "%s", err.message);
		return;
	}
	where = cgroup_describe(record);
	if (json_length(json_member(record, "hierarchies")) || check->bundle->systemd)
		host_result(r, HOST_OK, "%s", where ? where : "");
	else
		host_result(r, HOST_DEGRADED, "none can be made: no statistics, no pause");
	needs = cgroup_needs(record, resources, &err);
	if (!needs) {
		r = host_require(check->report, "%s",
				 err.pointer ? err.pointer : "/linux/resources");
		host_what(r, "limits");
		host_probe(r, "none");
		host_result(r, HOST_FAIL, "%s", err.message);
	}
	for (size_t i = 0; i < json_length(needs); i++)
		check_controller(check, json_item(needs, i));
}
