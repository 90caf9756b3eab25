/* Namespaces and what needs them: names, id mappings, clocks, kernel parameters, devices. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "oci/spec.h"
#include "oci/validate.h"
#include "oci/validate_rules.h"

/* The kernel's UID_GID_MAP_MAX_EXTENTS (Linux 4.15). */
enum { ID_MAPPINGS_MAX = 340 };

/* ---- Namespaces ------------------------------------------------------------------------------ */

static int find_type(const char *name)
{
	const char *const *types = spec_words("namespaces");

	for (int i = 0; name && types[i]; i++)
		if (strcmp(types[i], name) == 0)
			return i;
	return -1;
}

void rules_namespaces(struct rules *r)
{
	const struct json_object *list = json_member(r->platform, "namespaces");
	size_t first[NS_TYPES] = {0};

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *ns = json_item(list, i);
		int type = find_type(json_string(ns, "type"));
		const char *path = json_string(ns, "path");

		if (type < 0)
			continue;
		if (r->listed[type])
			rules_error(r, AT_VALUE, rules_at(r, "/linux/namespaces/%zu/type", i),
				    "\"%s\" is there twice: first in /linux/namespaces/%zu",
				    json_string(ns, "type"), first[type]);
		else
			first[type] = i;
		r->listed[type] = true;
		r->joined[type] = r->joined[type] || (path && *path);
	}
}

static void needs_uts(struct rules *r, const char *key, const char *pointer)
{
	const char *name = json_string(r->config, key);

	if (!name || !*name || r->listed[NS_UTS])
		return;
	finding_hint(rules_error(r, AT_KEY, pointer, "set, but the container has no UTS namespace"),
		     "add {\"type\": \"uts\"} to /linux/namespaces");
}

/* ---- Id mappings ----------------------------------------------------------------------------- */

struct range {
	uint64_t from, size;
};

static bool overlap(struct range a, struct range b)
{
	return a.size && b.size && a.from < b.from + b.size && b.from < a.from + a.size;
}

static struct range range_of(const struct json_object *mapping, const char *key)
{
	return (struct range){json_uint(mapping, key, 0), json_uint(mapping, "size", 0)};
}

static void check_overlap(struct rules *r, const struct json_object *mappings, size_t i,
			  const char *key, const char *pointer)
{
	struct range range = range_of(json_item(mappings, i), key);
	char at[128];

	snprintf(at, sizeof at, "%s/%zu/%s", pointer, i, key);
	if (range.from + range.size > (uint64_t)UINT32_MAX + 1)
		rules_error(r, AT_VALUE, at, "the range from here ends beyond the largest id");
	for (size_t j = 0; j < i; j++)
		if (overlap(range, range_of(json_item(mappings, j), key))) {
			rules_error(r, AT_VALUE, at, "the range from here overlaps that of %s/%zu",
				    pointer, j);
			return;
		}
}

void rules_id_mappings(struct rules *r, const struct json_object *owner, const char *key,
		       const char *parent)
{
	const struct json_object *mappings = json_member(owner, key);
	size_t n = json_length(mappings);
	char pointer[64];

	if (!n)
		return;
	snprintf(pointer, sizeof pointer, "%s/%s", parent, key);
	if (n > ID_MAPPINGS_MAX) {
		rules_error(r, AT_VALUE, pointer, "%zu mappings, but the kernel takes at most %d",
			    n, ID_MAPPINGS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		check_overlap(r, mappings, i, "containerID", pointer);
		check_overlap(r, mappings, i, "hostID", pointer);
	}
}

static void check_user_namespace(struct rules *r, const char *key, const char *pointer)
{
	const struct json_object *mappings = json_member(r->platform, key);
	size_t n = json_length(mappings);

	if (n && !r->listed[NS_USER])
		finding_hint(rules_error(r, AT_KEY, pointer,
					 "set, but the container has no user namespace"),
			     "add {\"type\": \"user\"} to /linux/namespaces");
	/* Of one that is joined they describe the mapping, for id-mapped mounts. */
	if (!n && rules_new(r, NS_USER))
		rules_error(r, AT_VALUE, pointer, "is required for a new user namespace");
	rules_id_mappings(r, r->platform, key, "/linux");
}

static bool is_mapped(const struct json_object *mappings, uint64_t id)
{
	for (size_t i = 0; i < json_length(mappings); i++) {
		struct range range = range_of(json_item(mappings, i), "containerID");

		if (id >= range.from && id - range.from < range.size)
			return true;
	}
	return false;
}

static void check_mapped(struct rules *r, const struct json_object *value, const char *mappings_key,
			 const char *pointer)
{
	const struct json_object *mappings = json_member(r->platform, mappings_key);

	if (!json_object_is_type(value, json_type_int) || !json_length(mappings) ||
	    is_mapped(mappings, json_object_get_uint64(value)))
		return;
	rules_error(r, AT_VALUE, pointer,
		    "%" PRIu64 " is not mapped into the user namespace by /linux/%s",
		    json_object_get_uint64(value), mappings_key);
}

/* Who the process is to be must exist in a user namespace that is made for it. */
static void check_mapped_user(struct rules *r)
{
	const struct json_object *user = json_path(r->config, "process", "user", NULL);
	const struct json_object *groups = json_member(user, "additionalGids");

	if (!rules_new(r, NS_USER))
		return;
	check_mapped(r, json_member(user, "uid"), "uidMappings", "/process/user/uid");
	check_mapped(r, json_member(user, "gid"), "gidMappings", "/process/user/gid");
	for (size_t i = 0; i < json_length(groups); i++)
		check_mapped(r, json_item(groups, i), "gidMappings",
			     rules_at(r, "/process/user/additionalGids/%zu", i));
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

static void check_time(struct rules *r)
{
	const struct json_object *offsets = json_member(r->platform, "timeOffsets");

	if (!json_object_is_type(offsets, json_type_object) || !json_object_object_length(offsets))
		return;
	if (!r->listed[NS_TIME])
		finding_hint(rules_error(r, AT_KEY, "/linux/timeOffsets",
					 "set, but the container has no time namespace"),
			     "add {\"type\": \"time\"} to /linux/namespaces");
	else if (r->joined[NS_TIME])
		rules_error(r, AT_KEY, "/linux/timeOffsets",
			    "set, but the time namespace is joined: its offsets cannot be changed");
}

/* ---- Kernel parameters ----------------------------------------------------------------------- */

/* A key as a path beneath /proc/sys, as lib/kernel/sysctl.c takes it. */
static char *sysctl_path(const char *key)
{
	char *path = strdup(key);

	if (path && path[strcspn(path, "./")] == '.')
		for (char *c = path; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

/* Everything else is the whole machine's. A name that ends with / stands for what is beneath. */
static const struct {
	const char *name;
	enum rules_ns ns;
	const char *property; /* that says the same */
} sysctls[] = {
	{"net/", NS_NETWORK, NULL},
	{"fs/mqueue/", NS_IPC, NULL},
	{"kernel/msgmax", NS_IPC, NULL},
	{"kernel/msgmnb", NS_IPC, NULL},
	{"kernel/msgmni", NS_IPC, NULL},
	{"kernel/msg_next_id", NS_IPC, NULL},
	{"kernel/sem", NS_IPC, NULL},
	{"kernel/sem_next_id", NS_IPC, NULL},
	{"kernel/shmall", NS_IPC, NULL},
	{"kernel/shmmax", NS_IPC, NULL},
	{"kernel/shmmni", NS_IPC, NULL},
	{"kernel/shm_rmid_forced", NS_IPC, NULL},
	{"kernel/shm_next_id", NS_IPC, NULL},
	{"kernel/domainname", NS_UTS, "domainname"},
	{"kernel/hostname", NS_UTS, "hostname"},
};

static int find_sysctl(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		size_t n = strlen(sysctls[i].name);

		if (sysctls[i].name[n - 1] == '/' ? strncmp(sysctls[i].name, path, n) == 0
						  : strcmp(sysctls[i].name, path) == 0)
			return (int)i;
	}
	return -1;
}

const char *validate_sysctl_namespace(const char *key)
{
	own_ptr char *path = sysctl_path(key);
	int i = path ? find_sysctl(path) : -1;

	return i < 0 ? NULL : spec_words("namespaces")[sysctls[i].ns];
}

static void check_sysctl(struct rules *r, const char *key)
{
	own_ptr char *path = sysctl_path(key), *pointer = json_pointer_to("/linux/sysctl", key);
	int i = path ? find_sysctl(path) : -1;

	if (!path || !pointer)
		return;
	if (i < 0)
		rules_error(r, AT_KEY, pointer,
			    "\"%.200s\" is not a namespace's but the whole machine's", key);
	else if (!r->listed[sysctls[i].ns])
		rules_error(r, AT_KEY, pointer, "\"%.200s\" needs %s %s namespace of the container",
			    key, sysctls[i].ns == NS_IPC ? "an" : "a",
			    spec_words("namespaces")[sysctls[i].ns]);
	else if (sysctls[i].property && json_string(r->config, sysctls[i].property))
		rules_error(r, AT_KEY, pointer, "\"%.200s\" contradicts /%s", key,
			    sysctls[i].property);
}

/* "net.core.somaxconn" and "net/core/somaxconn" are one parameter. */
static void check_spelled_twice(struct rules *r, struct json_object *map, const char *key)
{
	own_ptr char *path = sysctl_path(key), *pointer = json_pointer_to("/linux/sysctl", key);

	json_object_object_foreach (map, other, value) {
		own_ptr char *other_path = NULL;

		(void)value;
		if (strcmp(other, key) == 0)
			return;
		other_path = sysctl_path(other);
		if (path && other_path && pointer && strcmp(path, other_path) == 0) {
			rules_error(r, AT_KEY, pointer, "is there twice: first as \"%.200s\"",
				    other);
			return;
		}
	}
}

static void check_sysctls(struct rules *r)
{
	struct json_object *map = json_member(r->platform, "sysctl");

	if (!map || !json_object_is_type(map, json_type_object))
		return;
	json_object_object_foreach (map, key, value) {
		(void)value;
		check_sysctl(r, key);
		check_spelled_twice(r, map, key);
	}
}

/* ---- Devices --------------------------------------------------------------------------------- */

enum { MAJOR_MAX = 4095, MINOR_MAX = 1048575 };

static void check_number(struct rules *r, const struct json_object *device, size_t i,
			 const char *key, int64_t max)
{
	const char *pointer = rules_at(r, "/linux/devices/%zu/%s", i, key);
	int64_t number = json_int(device, key, 0);

	if (!json_has(device, key))
		rules_error(r, AT_VALUE, pointer,
			    "is required for a device of type \"%s\", but it is not there",
			    json_string(device, "type"));
	else if (number < 0 || number > max)
		rules_error(r, AT_VALUE, pointer, "%" PRId64 " is out of range: 0 to %" PRId64,
			    number, max);
}

static void check_device(struct rules *r, const struct json_object *list, size_t i)
{
	const struct json_object *device = json_item(list, i);
	const char *type = json_string(device, "type"), *path = json_string(device, "path");

	if (type && strcmp(type, "p") != 0) {
		check_number(r, device, i, "major", MAJOR_MAX);
		check_number(r, device, i, "minor", MINOR_MAX);
	}
	if (json_uint(device, "fileMode", 0) > 07777)
		rules_warning(r, AT_VALUE, rules_at(r, "/linux/devices/%zu/fileMode", i),
			      "%#o has more than the permission bits: they are ignored",
			      (unsigned)json_uint(device, "fileMode", 0));
	for (size_t j = 0; path && j < i; j++) {
		const char *other = json_string(json_item(list, j), "path");

		if (other && strcmp(other, path) == 0) {
			rules_error(r, AT_VALUE, rules_at(r, "/linux/devices/%zu/path", i),
				    "\"%.200s\" is there twice: first in /linux/devices/%zu", path,
				    j);
			return;
		}
	}
}

/* ---- Others ---------------------------------------------------------------------------------- */

static void check_memory_policy(struct rules *r)
{
	static const char *const with_nodes[] = {"MPOL_BIND", "MPOL_INTERLEAVE",
						 "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED_MANY"};
	static const char *const without_nodes[] = {"MPOL_DEFAULT", "MPOL_LOCAL"};
	const struct json_object *policy = json_member(r->platform, "memoryPolicy");
	const char *mode = json_string(policy, "mode"), *nodes = json_string(policy, "nodes");
	bool has_nodes = nodes && *nodes;

	if (!mode || (json_has(policy, "nodes") && !nodes))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(with_nodes); i++)
		if (strcmp(mode, with_nodes[i]) == 0 && !has_nodes)
			rules_error(r, AT_VALUE, "/linux/memoryPolicy/nodes",
				    "is required for %s, but it is not there", mode);
	for (size_t i = 0; i < ARRAY_SIZE(without_nodes); i++) {
		if (strcmp(mode, without_nodes[i]) != 0)
			continue;
		if (has_nodes)
			rules_error(r, AT_KEY, "/linux/memoryPolicy/nodes",
				    "set, but %s has no nodes", mode);
		/* The kernel takes some, and forgets them. */
		if (json_length(json_member(policy, "flags")))
			rules_error(r, AT_KEY, "/linux/memoryPolicy/flags",
				    "set, but %s has no flags", mode);
	}
}

static void check_net_devices(struct rules *r)
{
	const struct json_object *devices = json_member(r->platform, "netDevices");

	if (json_object_is_type(devices, json_type_object) && json_object_object_length(devices) &&
	    !r->listed[NS_NETWORK])
		rules_error(r, AT_KEY, "/linux/netDevices",
			    "set, but the container has no network namespace");
}

void rules_linux(struct rules *r)
{
	const struct json_object *devices = json_member(r->platform, "devices");

	needs_uts(r, "hostname", "/hostname");
	needs_uts(r, "domainname", "/domainname");
	check_user_namespace(r, "uidMappings", "/linux/uidMappings");
	check_user_namespace(r, "gidMappings", "/linux/gidMappings");
	check_mapped_user(r);
	check_time(r);
	check_sysctls(r);
	for (size_t i = 0; i < json_length(devices); i++)
		check_device(r, devices, i);
	check_memory_policy(r);
	check_net_devices(r);
}
