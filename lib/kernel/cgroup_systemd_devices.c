/*
 * linux.resources.devices as DeviceAllow= of systemd's units. On v1 systemd writes its own idea of
 * the devices to the control files that hold ours, whenever it applies the unit's properties anew.
 * On v2 its eBPF program and ours are two, and both must allow.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/own.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/device_cgroup.h"

/* systemd's name of the devices of a rule; false for "any major with this minor". */
static bool device_name(const struct device_rule *rule, char *text, size_t size)
{
	const char *kind = rule->type == 'b' ? "block" : "char";

	if (rule->major == DEVICE_ANY && rule->minor == DEVICE_ANY)
		snprintf(text, size, "%s-*", kind);
	else if (rule->minor == DEVICE_ANY)
		snprintf(text, size, "%s-%" PRId64, kind, rule->major);
	else if (rule->major != DEVICE_ANY)
		snprintf(text, size, "/dev/%s/%" PRId64 ":%" PRId64, kind, rule->major,
			 rule->minor);
	else
		return false;
	return true;
}

static void add_rule(struct json_object *list, const char *name, unsigned access)
{
	struct json_object *pair = json_object_new_array_ext(2);
	char words[4] = "";
	size_t n = 0;

	if (access & BPF_DEVCG_ACC_READ)
		words[n++] = 'r';
	if (access & BPF_DEVCG_ACC_WRITE)
		words[n++] = 'w';
	if (access & BPF_DEVCG_ACC_MKNOD)
		words[n++] = 'm';
	json_object_array_add(pair, json_object_new_string(name));
	json_object_array_add(pair, json_object_new_string(words));
	json_object_array_add(list, pair);
}

/* The exceptions from "none"; false: systemd cannot say it. */
static bool add_rules(struct json_object *list, const struct device_rules *rules)
{
	char name[64];

	for (size_t i = 0; i < rules->n; i++) {
		const struct device_rule *rule = &rules->items[i];

		if (i == 0 && rule->type == 'a' && !rule->allow)
			continue;
		if (!rule->allow || rule->type == 'a' || !device_name(rule, name, sizeof name))
			return false;
		add_rule(list, name, rule->access);
	}
	return true;
}

void cgroup_systemd_devices(const struct json_object *resources, bool again,
			    struct json_object *properties)
{
	own_json struct json_object *list = json_object_new_array();
	own_err struct oci_err ignored = ERR_INIT;
	own_ptr struct device_rule *items = NULL;
	struct device_rules rules;
	bool said;

	/* What is wrong with them is said when they are applied. */
	if (device_rules_make(resources, &rules, &ignored) < 0)
		return;
	items = rules.items;
	said = add_rules(list, &rules);
	/* Then it shall say nothing. */
	if (!said && !again)
		return;
	cgroup_systemd_add(properties, "DevicePolicy", "s",
			   json_object_new_string(said ? "strict" : "auto"));
	/* An empty list takes away what there is; another one is added to it. */
	if (again)
		cgroup_systemd_add(properties, "DeviceAllow", "a(ss)", json_object_new_array());
	if (said)
		cgroup_systemd_add(properties, "DeviceAllow", "a(ss)", json_object_get(list));
}
