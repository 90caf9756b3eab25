/*
 * Purpose: tell what a container has used.
 * Runs in: the runtime's namespaces; reads only.
 * Should: say the same on v1 and v2.
 * Mustn't: fail because a file is not there: kernels have different ones.
 * Undo: nothing to undo.
 */
#include "kernel/cgroup_stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_tree.h"

bool cgroup_stats_number(int dir, const char *file, uint64_t *ret_value)
{
	own_ptr char *text = NULL;

	if (dir < 0 || cgroup_read(dir, file, &text) < 0)
		return false;
	if (strcmp(text, "max") == 0) {
		*ret_value = UINT64_MAX;
		return true;
	}
	return num_uint(text, 0, UINT64_MAX, ret_value);
}

uint64_t cgroup_stats_word(const char *text, const char *word, uint64_t scale)
{
	size_t len = strlen(word);

	for (const char *c = text; c && *c; c += strcspn(c, "\n"), c += *c == '\n') {
		char number[24];
		uint64_t value;
		size_t n;

		if (strncmp(c, word, len) != 0 || c[len] != ' ')
			continue;
		n = strcspn(c + len + 1, "\n");
		if (n >= sizeof number)
			return 0;
		memcpy(number, c + len + 1, n);
		number[n] = '\0';
		return num_uint(number, 0, UINT64_MAX, &value) ? value * scale : 0;
	}
	return 0;
}

void cgroup_stats_add(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static struct json_object *pressure_line(const char *line)
{
	static const char *const keys[] = {"avg10", "avg60", "avg300", "total"};
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *at = strstr(line, keys[i]);
		char number[32];
		size_t n;

		at = at ? at + strlen(keys[i]) : NULL;
		if (!at || *at != '=')
			continue;
		n = strspn(++at, "0123456789.");
		snprintf(number, sizeof number, "%.*s", (int)n, at);
		/* As it stands: 0.00 and 12.50 are JSON. */
		json_object_object_add(object, keys[i], json_tokener_parse(number));
	}
	return object;
}

void cgroup_stats_pressure(struct json_object *object, int dir, const char *file)
{
	struct json_object *psi;
	own_ptr char *text = NULL;
	char *c, *line;

	if (dir < 0 || cgroup_read(dir, file, &text) < 0)
		return;
	psi = json_object_new_object();
	json_object_object_add(object, "psi", psi);
	for (c = text; (line = strsep(&c, "\n"));) {
		if (strncmp(line, "some ", 5) == 0)
			json_object_object_add(psi, "some", pressure_line(line));
		else if (strncmp(line, "full ", 5) == 0)
			json_object_object_add(psi, "full", pressure_line(line));
	}
}

/* The directory of a controller: v1's if there is one. -1 with FAULT_NONE if there is none. */
static int open_controller(const struct json_object *record, const char *name, bool *ret_v2,
			   struct oci_err *err)
{
	struct cgroup_hierarchy h;
	int dir;

	*ret_v2 = !cgroup_find_v1(record, name, &h);
	err_clear(err);
	if (*ret_v2 && !cgroup_find_v2(record, &h))
		return -1;
	dir = cgroup_open_leaf(&h, err);
	if (dir < 0 && err->fault == FAULT_NONE)
		err_set(err, FAULT_STATE, "container not running: its cgroup \"%s%s\" is gone",
			h.mount, h.path);
	return dir;
}

static struct json_object *pids(int dir)
{
	struct json_object *object = json_object_new_object();
	uint64_t value;

	if (cgroup_stats_number(dir, "pids.current", &value))
		cgroup_stats_add(object, "current", value);
	if (cgroup_stats_number(dir, "pids.max", &value) && value != UINT64_MAX)
		cgroup_stats_add(object, "limit", value);
	return object;
}

static struct json_object *pids_stats(int dir, bool v2)
{
	(void)v2;
	return pids(dir);
}

static struct json_object *rdma_stats(int dir, bool v2)
{
	(void)v2;
	return cgroup_stats_rdma(dir);
}

static int add_cpu(struct json_object *stats, const struct json_object *record, struct oci_err *err)
{
	bool v2, acct_v2;
	own_fd int cpu = open_controller(record, "cpu", &v2, err), acct = -1;

	if (cpu < 0 && err->fault != FAULT_NONE)
		return -1;
	acct = open_controller(record, "cpuacct", &acct_v2, err);
	if (acct < 0 && err->fault != FAULT_NONE)
		return -1;
	/* cpu.stat of v2 has the time in any case, also without the controller. */
	json_object_object_add(stats, "cpu", cgroup_stats_cpu(cpu, acct, acct_v2));
	return 0;
}

/* Pressure is told by v2 alone, and by a v2 hierarchy beside v1 too. */
static void add_pressure(struct json_object *stats, const struct json_object *record)
{
	static const struct {
		const char *object, *file;
	} list[] = {
		{"cpu", "cpu.pressure"}, {"memory", "memory.pressure"}, {"blkio", "io.pressure"}};
	own_err struct oci_err ignored = ERR_INIT;
	struct cgroup_hierarchy h;
	own_fd int dir = cgroup_find_v2(record, &h) ? cgroup_open_leaf(&h, &ignored) : -1;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		cgroup_stats_pressure(json_member(stats, list[i].object), dir, list[i].file);
}

struct json_object *cgroup_stats(const struct json_object *record, struct oci_err *err)
{
	static const struct {
		const char *key, *v1;
		struct json_object *(*read)(int dir, bool v2);
	} list[] = {
		{"cpuset", "cpuset", cgroup_stats_cpuset},
		{"memory", "memory", cgroup_stats_memory},
		{"pids", "pids", pids_stats},
		{"blkio", "blkio", cgroup_stats_io},
		{"hugetlb", "hugetlb", cgroup_stats_hugetlb},
		{"rdma", "rdma", rdma_stats},
	};
	own_json struct json_object *stats = json_object_new_object();

	if (add_cpu(stats, record, err) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		bool v2;
		own_fd int dir = open_controller(record, list[i].v1, &v2, err);
		struct json_object *object;

		if (dir < 0 && err->fault != FAULT_NONE)
			return NULL;
		object = list[i].read(dir, v2);
		if (object)
			json_object_object_add(stats, list[i].key, object);
	}
	add_pressure(stats, record);
	return steal_ptr(&stats);
}
