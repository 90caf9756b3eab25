/*
 * Purpose: gather what a container has used.
 * Runs in: the runtime's namespaces; reads the cgroup, the host's procfs and resctrl.
 * Should: tell apart "has ended" from a failure.
 * Mustn't: count what is not the container's: interfaces of the host's network namespace.
 * Undo: nothing to undo.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/cgroup_stats.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"

enum { TABLE_MAX = 1 << 20 };

/* The columns of /proc/net/dev that are told. */
static const struct {
	int column;
	const char *key;
} columns[] = {
	{0, "RxBytes"}, {1, "RxPackets"}, {2, "RxErrors"},  {3, "RxDropped"},
	{8, "TxBytes"}, {9, "TxPackets"}, {10, "TxErrors"}, {11, "TxDropped"},
};

/* "  eth0: 1 2 3 ..."; NULL for the two lines of heading, and for lo. */
static struct json_object *interface(char *line)
{
	char *colon = strchr(line, ':'), *name = line + strspn(line, " "), *word, *rest;
	struct json_object *object;
	int column = 0;

	if (!colon || strchr(line, '|'))
		return NULL;
	*colon = '\0';
	if (strcmp(name, "lo") == 0)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "Name", json_object_new_string(name));
	for (rest = colon + 1; (word = strsep(&rest, " "));) {
		uint64_t value;

		if (!num_uint(word, 0, UINT64_MAX, &value))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
			if (columns[i].column == column)
				json_object_object_add(object, columns[i].key,
						       json_object_new_uint64(value));
		column++;
	}
	return object;
}

static void add_interfaces(const struct container *c, struct json_object *list)
{
	own_err struct oci_err ignored = ERR_INIT;
	int proc = proc_fd(&ignored);
	own_ptr char *text = NULL;
	own_fd int fd = -1;
	char path[40], *rest, *line;
	size_t len;

	snprintf(path, sizeof path, "%d/net/dev", (int)c->state->init.pid);
	fd = proc < 0 ? -1 : sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, TABLE_MAX, &text, &len) < 0 || !proc_alive(&c->state->init))
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		struct json_object *entry = interface(line);

		if (entry)
			json_object_array_add(list, entry);
	}
}

/* The lines "L3:..." and "MB:..." of the group's schemata. */
static struct json_object *rdt(const struct container *c)
{
	static const struct {
		const char *begins, *key;
	} lines[] = {{"L3:", "l3_cache_schema"}, {"MB:", "mem_bw_schema"}};
	struct json_object *object = json_object_new_object();
	const char *mount = json_string(c->state->rdt, "mount");
	const char *group = json_string(c->state->rdt, "group");
	own_fd int root = mount ? openat(AT_FDCWD, mount, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	own_ptr char *text = NULL, *path = NULL;
	own_fd int fd = -1;
	char *rest, *line;
	size_t len;

	if (root < 0 || !group || asprintf(&path, "./%s/schemata", group) < 0)
		return object;
	fd = sys_openat2(root, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0 || fd_read_all(fd, TABLE_MAX, &text, &len) < 0)
		return object;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " ");
		for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
			if (strncmp(line, lines[i].begins, 3) == 0)
				json_object_object_add(object, lines[i].key,
						       json_object_new_string(line));
	}
	return object;
}

struct json_object *lifecycle_stats(struct container *c, struct oci_err *err)
{
	struct json_object *stats, *list;

	if (container_load_config(c, err) < 0)
		return NULL;
	stats = cgroup_stats(c->state->cgroup, err);
	if (!stats)
		return NULL;
	json_object_object_add(stats, "intel_rdt", rdt(c));
	list = json_object_new_array();
	json_object_object_add(stats, "network_interfaces", list);
	if (ns_listed(c->config) & CLONE_NEWNET)
		add_interfaces(c, list);
	return stats;
}
