/*
 * linux.resources.devices as DeviceAllow= of systemd's units, for v1 only: there systemd writes its
 * own idea of the devices to the control files that hold ours, whenever it applies the unit's
 * properties anew. On v2 its eBPF program and ours are two, and both must allow.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/own.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/device_cgroup.h"

static struct json_object *property(const char *name, const char *signature,
				    struct json_object *value)
{
	struct json_object *p = json_object_new_array_ext(3);

	json_object_array_add(p, json_object_new_string(name));
	json_object_array_add(p, json_object_new_string(signature));
	json_object_array_add(p, value);
	return p;
}

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

void cgroup_systemd_devices(const struct json_object *resources, struct json_object *properties)
{
	own_json struct json_object *list = json_object_new_array();
	own_err struct oci_err ignored = ERR_INIT;
	own_ptr struct device_rule *items = NULL;
	struct device_rules rules;
	char name[64];

	/* What is wrong with them is said when they are applied. */
	if (device_rules_make(resources, &rules, &ignored) < 0)
		return;
	items = rules.items;
	for (size_t i = 0; i < rules.n; i++) {
		if (i == 0 && rules.items[i].type == 'a' && !rules.items[i].allow)
			continue;
		/* An exception that systemd cannot say: then it shall say nothing. */
		if (!rules.items[i].allow || rules.items[i].type == 'a' ||
		    !device_name(&rules.items[i], name, sizeof name))
			return;
		add_rule(list, name, rules.items[i].access);
	}
	json_object_array_add(properties,
			      property("DevicePolicy", "s", json_object_new_string("strict")));
	json_object_array_add(properties, property("DeviceAllow", "a(ss)", json_object_get(list)));
}
