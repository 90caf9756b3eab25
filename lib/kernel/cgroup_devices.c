#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_limits.h"
#include "kernel/device_cgroup.h"
#include "kernel/proc.h"

bool cgroup_unprivileged(void)
{
	own_err struct oci_err err = ERR_INIT;
	int proc = geteuid() == 0 ? proc_fd(&err) : -1;
	own_fd int fd = -1;
	char text[256];
	ssize_t n;

	if (proc < 0)
		return true;
	fd = sys_openat2(proc, "self/uid_map", O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	/* user_namespaces(7): the whole range, mapped to itself. */
	return !strstr(text, " 0          0 4294967295");
}

/* Whether a v1 directory allows everything already; a parent that does not would refuse it. */
static bool allows_all(int dir)
{
	own_ptr char *list = NULL;

	return cgroup_read(dir, "devices.list", &list) == 0 && strcmp(list, "a *:* rwm") == 0;
}

static int apply(const struct json_object *record, const struct device_rules *rules,
		 struct oci_err *err)
{
	bool all = device_rules_allow_all(rules);
	struct cgroup_hierarchy h;
	own_fd int dir = -1;
	int result;

	if (cgroup_find_v1(record, "devices", &h) || (!all && cgroup_find_v2(record, &h)))
		dir = cgroup_open_leaf(&h, err);
	else if (all)
		return 0;
	else
		return err_set(err, FAULT_UNSUPPORTED,
			       "devices cannot be denied: the devices controller is not available");
	if (dir < 0 && err->fault == FAULT_NONE)
		return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone",
			       h.mount, h.path);
	if (dir < 0)
		return -1;
	if (h.v2)
		result = device_cgroup_v2(dir, rules, err);
	else
		result = all && allows_all(dir) ? 0 : device_cgroup_v1(dir, rules, err);
	return result < 0 ? err_wrap(err, "cgroup \"%s%s\"", h.mount, h.path) : 0;
}

bool cgroup_devices_asked(const struct json_object *resources)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr struct device_rule *items = NULL;
	struct device_rules rules;

	if (json_length(json_member(resources, "devices")) == 0)
		return false;
	if (device_rules_make(resources, &rules, &err) < 0)
		return true;
	items = rules.items;
	return !device_rules_allow_all(&rules) && !cgroup_unprivileged();
}

int cgroup_devices_apply(const struct json_object *record, const struct json_object *resources,
			 struct oci_err *err)
{
	struct device_rules rules;
	own_ptr struct device_rule *items = NULL;

	if (cgroup_count(record) == 0)
		return 0;
	if (device_rules_make(resources, &rules, err) < 0)
		return -1;
	items = rules.items;
	if (apply(record, &rules, err) == 0)
		return 0;
	if ((err->errnum == EPERM || err->errnum == EACCES) && cgroup_unprivileged()) {
		err_clear(err);
		return 0;
	}
	return err_at(err, "/linux/resources/devices");
}

/* From or to "everything is allowed": v1 can only begin anew, unseen by the processes. */
static int begin_anew(const struct json_object *record, int dir, const struct device_rules *rules,
		      struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	bool frozen = cgroup_is_frozen(record);
	int result;

	if (!frozen && cgroup_freeze(record, true, err) < 0)
		return -1;
	result = device_cgroup_v1(dir, rules, err);
	if (!frozen && cgroup_freeze(record, false, result < 0 ? &ignored : err) < 0)
		return -1;
	return result;
}

static int change_v1(const struct json_object *record, int dir, const struct device_rules *before,
		     const struct device_rules *rules, struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	bool all;

	if (device_cgroup_v1_update(dir, before, rules, &all, err) == 0)
		return all ? begin_anew(record, dir, rules, err) : 0;
	(void)device_cgroup_v1_update(dir, rules, before, &all, &ignored);
	return -1;
}

static int change(const struct json_object *record, const struct device_rules *before,
		  const struct device_rules *rules, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	own_fd int dir = -1;
	int result;

	if (!cgroup_find_v1(record, "devices", &h) && !cgroup_find_v2(record, &h))
		return err_set(err, FAULT_UNSUPPORTED,
			       "devices cannot be denied: the devices controller is not available");
	dir = cgroup_open_leaf(&h, err);
	if (dir < 0 && err->fault == FAULT_NONE)
		return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone",
			       h.mount, h.path);
	if (dir < 0)
		return -1;
	result = h.v2 ? device_cgroup_v2_update(dir, rules, err)
		      : change_v1(record, dir, before, rules, err);
	return result < 0 ? err_wrap(err, "cgroup \"%s%s\"", h.mount, h.path) : 0;
}

int cgroup_devices_update(const struct json_object *record, const struct json_object *before,
			  const struct json_object *resources, struct oci_err *err)
{
	struct device_rules old, rules;
	own_ptr struct device_rule *old_items = NULL, *items = NULL;

	if (cgroup_count(record) == 0)
		return 0;
	if (device_rules_make(before, &old, err) < 0)
		return -1;
	old_items = old.items;
	if (device_rules_make(resources, &rules, err) < 0)
		return -1;
	items = rules.items;
	if (device_rules_same(&old, &rules) || change(record, &old, &rules, err) == 0)
		return 0;
	/* As at creation: a node that such a user makes opens nothing. */
	if ((err->errnum == EPERM || err->errnum == EACCES) && cgroup_unprivileged()) {
		err_clear(err);
		return 0;
	}
	return err_at(err, "/linux/resources/devices");
}
