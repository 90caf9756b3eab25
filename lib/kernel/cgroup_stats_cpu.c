/* CPU time, throttling, and the CPUs and memory nodes that there are. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_stats.h"
#include "kernel/cgroup_tree.h"

enum { NS_PER_S = 1000000000, NS_PER_US = 1000 };

/* "1 2 3" as an array of numbers. */
static struct json_object *numbers(char *text)
{
	struct json_object *array = json_object_new_array();
	char *word;

	while ((word = strsep(&text, " "))) {
		uint64_t value;

		if (num_uint(word, 0, UINT64_MAX, &value))
			json_object_array_add(array, json_object_new_uint64(value));
	}
	return array;
}

static void add_percpu(struct json_object *usage, int dir, const char *file, const char *key)
{
	own_ptr char *text = NULL;

	if (cgroup_read(dir, file, &text) == 0)
		json_object_object_add(usage, key, numbers(text));
}

static void usage_v1(struct json_object *usage, int dir)
{
	const uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	own_ptr char *text = NULL;
	uint64_t value;

	if (cgroup_stats_number(dir, "cpuacct.usage", &value))
		cgroup_stats_add(usage, "total", value);
	add_percpu(usage, dir, "cpuacct.usage_percpu", "percpu");
	add_percpu(usage, dir, "cpuacct.usage_percpu_sys", "percpu_kernel");
	add_percpu(usage, dir, "cpuacct.usage_percpu_user", "percpu_user");
	if (cgroup_read(dir, "cpuacct.stat", &text) < 0)
		return;
	cgroup_stats_add(usage, "kernel", cgroup_stats_word(text, "system", tick));
	cgroup_stats_add(usage, "user", cgroup_stats_word(text, "user", tick));
}

static void usage_v2(struct json_object *usage, const char *text)
{
	cgroup_stats_add(usage, "total", cgroup_stats_word(text, "usage_usec", NS_PER_US));
	cgroup_stats_add(usage, "kernel", cgroup_stats_word(text, "system_usec", NS_PER_US));
	cgroup_stats_add(usage, "user", cgroup_stats_word(text, "user_usec", NS_PER_US));
}

struct json_object *cgroup_stats_cpu(int cpu, int cpuacct, bool v2)
{
	struct json_object *object = json_object_new_object(), *usage = json_object_new_object(),
			   *throttling = json_object_new_object();
	own_ptr char *text = NULL;
	uint64_t time;

	json_object_object_add(object, "usage", usage);
	json_object_object_add(object, "throttling", throttling);
	if (cpu >= 0)
		(void)cgroup_read(cpu, "cpu.stat", &text);
	time = cgroup_stats_word(text, "throttled_time", 1);
	cgroup_stats_add(throttling, "periods", cgroup_stats_word(text, "nr_periods", 1));
	cgroup_stats_add(throttling, "throttledPeriods",
			 cgroup_stats_word(text, "nr_throttled", 1));
	cgroup_stats_add(throttling, "throttledTime",
			 time ? time : cgroup_stats_word(text, "throttled_usec", NS_PER_US));
	if (!v2)
		usage_v1(usage, cpuacct);
	else
		usage_v2(usage, text);
	return object;
}

/* "0-1,3" as an array. */
static struct json_object *list(const char *text)
{
	struct json_object *array = json_object_new_array();
	struct cgroup_set set;

	if (!cgroup_parse_list(text, &set))
		return array;
	for (int i = 0; i < CGROUP_LIST_MAX; i++)
		if (set.bits[i / 64] >> (i % 64) & 1)
			json_object_array_add(array, json_object_new_int(i));
	return array;
}

static void add_list(struct json_object *object, int dir, const char *file, const char *key)
{
	own_ptr char *text = NULL;

	if (cgroup_read(dir, file, &text) == 0)
		json_object_object_add(object, key, list(text));
}

struct json_object *cgroup_stats_cpuset(int dir, bool v2)
{
	static const struct {
		const char *file, *key;
	} flags[] = {
		{"cpuset.cpu_exclusive", "cpu_exclusive"},
		{"cpuset.mem_hardwall", "mem_hardwall"},
		{"cpuset.mem_exclusive", "mem_exclusive"},
		{"cpuset.memory_migrate", "memory_migrate"},
		{"cpuset.memory_spread_page", "memory_spread_page"},
		{"cpuset.memory_spread_slab", "memory_spread_slab"},
		{"cpuset.memory_pressure", "memory_pressure"},
		{"cpuset.sched_load_balance", "sched_load_balance"},
	};
	struct json_object *object = json_object_new_object();
	own_ptr char *level = NULL;
	int64_t number = 0;

	if (dir < 0)
		return object;
	add_list(object, dir, v2 ? "cpuset.cpus.effective" : "cpuset.cpus", "cpus");
	add_list(object, dir, v2 ? "cpuset.mems.effective" : "cpuset.mems", "mems");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		uint64_t value = 0;

		(void)cgroup_stats_number(dir, flags[i].file, &value);
		cgroup_stats_add(object, flags[i].key, value);
	}
	if (cgroup_read(dir, "cpuset.sched_relax_domain_level", &level) == 0)
		(void)num_int(level, INT64_MIN, INT64_MAX, &number);
	json_object_object_add(object, "sched_relax_domain_level", json_object_new_int64(number));
	return object;
}
