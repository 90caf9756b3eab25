/* linux.resources as properties of systemd's units: systemd.resource-control(5). */
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_systemd.h"

enum { QUOTA_STEP_US = 10 * 1000, PERIOD_DEFAULT_US = 100 * 1000, SECOND_US = 1000 * 1000 };

static void add(struct json_object *list, const char *name, const char *signature,
		struct json_object *value)
{
	struct json_object *p = json_object_new_array_ext(3);

	json_object_array_add(p, json_object_new_string(name));
	json_object_array_add(p, json_object_new_string(signature));
	json_object_array_add(p, value);
	json_object_array_add(list, p);
}

static void add_number(struct json_object *list, const char *name, uint64_t value)
{
	add(list, name, "t", json_object_new_uint64(value));
}

/* A limit: -1 is none, 0 is not set. */
static void add_limit(struct json_object *list, const char *name, int64_t value)
{
	if (value)
		add_number(list, name, value < 0 ? UINT64_MAX : (uint64_t)value);
}

/* systemd takes whole hundredths of a CPU: never less than was asked for. */
static void add_quota(struct json_object *list, int64_t quota, uint64_t period)
{
	uint64_t per_second = UINT64_MAX;

	if (period)
		add_number(list, "CPUQuotaPeriodUSec", period);
	if (quota > 0) {
		per_second = (uint64_t)((unsigned __int128)quota * SECOND_US /
					(period ? period : PERIOD_DEFAULT_US));
		per_second = (per_second + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
	}
	if (quota)
		add_number(list, "CPUQuotaPerSecUSec", per_second);
}

struct json_object *cgroup_systemd_mask(const char *list)
{
	struct json_object *bytes;
	struct cgroup_set set;
	unsigned last = 0;

	if (!cgroup_parse_list(list, &set))
		return NULL;
	for (unsigned i = 0; i < CGROUP_LIST_MAX; i++)
		if (set.bits[i / 64] >> (i % 64) & 1)
			last = i / 8;
	bytes = json_object_new_array();
	for (unsigned i = 0; i <= last; i++)
		json_object_array_add(
			bytes, json_object_new_int((int)(set.bits[i / 8] >> (i % 8 * 8) & 255)));
	return bytes;
}

static void add_mask(struct json_object *list, const char *name, const char *text)
{
	struct json_object *mask = text && *text ? cgroup_systemd_mask(text) : NULL;

	if (mask)
		add(list, name, "ay", mask);
}

static void add_memory(struct json_object *list, const struct json_object *memory, bool v2)
{
	int64_t limit = json_int(memory, "limit", 0), swap = json_int(memory, "swap", 0);

	add_limit(list, v2 ? "MemoryMax" : "MemoryLimit", limit);
	if (!v2)
		return;
	add_limit(list, "MemoryLow", json_int(memory, "reservation", 0));
	/* That of v1 includes memory. */
	if (swap < 0 || limit < 0)
		add_number(list, "MemorySwapMax", UINT64_MAX);
	else if (swap && limit && swap >= limit)
		add_number(list, "MemorySwapMax", (uint64_t)(swap - limit));
}

static void add_cpu(struct json_object *list, const struct json_object *cpu, bool v2)
{
	uint64_t shares = json_uint(cpu, "shares", 0);

	if (shares && v2)
		add_number(list, "CPUWeight", cgroup_weight_of_shares(shares));
	else if (shares)
		add_number(list, "CPUShares", shares);
	add_quota(list, json_int(cpu, "quota", 0), json_uint(cpu, "period", 0));
	if (!v2)
		return;
	add_mask(list, "AllowedCPUs", json_string(cpu, "cpus"));
	add_mask(list, "AllowedMemoryNodes", json_string(cpu, "mems"));
}

/* What had to wait until the placeholder was gone: a limit of 0 or 1. systemd knows no 0. */
static void add_tasks(struct json_object *list, const struct json_object *pids,
		      enum cgroup_phase phase)
{
	int64_t limit = json_int(pids, "limit", -1);
	bool late = limit == 0 || limit == 1;

	if (!json_has(pids, "limit") || (phase != PHASE_UPDATE && late != (phase == PHASE_SETTLE)))
		return;
	add_number(list, "TasksMax", limit < 0 ? UINT64_MAX : limit ? (uint64_t)limit : 1);
}

/* "max" or a number, as the first word of the text; false for anything else. */
static bool number_of(const char *text, uint64_t *ret)
{
	size_t n = strcspn(text, " \n");
	own_ptr char *word = strndup(text, n);

	*ret = UINT64_MAX;
	return word && (strcmp(word, "max") == 0 || num_uint(word, 0, UINT64_MAX, ret));
}

/* unified: files whose values systemd would otherwise put back. */
static void add_unified(struct json_object *list, const char *file, const char *text)
{
	static const struct {
		const char *file, *property;
	} same[] = {
		{"cpu.weight", "CPUWeight"},	      {"io.weight", "IOWeight"},
		{"memory.high", "MemoryHigh"},	      {"memory.low", "MemoryLow"},
		{"memory.max", "MemoryMax"},	      {"memory.min", "MemoryMin"},
		{"memory.swap.max", "MemorySwapMax"}, {"pids.max", "TasksMax"},
	};
	uint64_t value, period = PERIOD_DEFAULT_US;
	const char *second;

	if (strcmp(file, "cpuset.cpus") == 0)
		add_mask(list, "AllowedCPUs", text);
	if (strcmp(file, "cpuset.mems") == 0)
		add_mask(list, "AllowedMemoryNodes", text);
	if (strncmp(text, "default ", 8) == 0)
		text += 8;
	if (!number_of(text, &value))
		return;
	if (strcmp(file, "cpu.max") == 0) {
		second = strchr(text, ' ');
		if (second && !number_of(second + 1, &period))
			return;
		add_quota(list, value == UINT64_MAX ? -1 : (int64_t)value, period);
	}
	for (unsigned i = 0; i < sizeof same / sizeof *same; i++)
		if (strcmp(same[i].file, file) == 0)
			add_number(list, same[i].property, value);
}

void cgroup_systemd_limits(const struct json_object *resources, bool v2, enum cgroup_phase phase,
			   struct json_object *properties)
{
	struct json_object *unified = json_member(resources, "unified");
	uint64_t weight = json_uint(json_member(resources, "blockIO"), "weight", 0);

	add_tasks(properties, json_member(resources, "pids"), phase);
	if (phase == PHASE_SETTLE)
		return;
	add_memory(properties, json_member(resources, "memory"), v2);
	add_cpu(properties, json_member(resources, "cpu"), v2);
	if (weight && v2)
		add_number(properties, "IOWeight", cgroup_io_weight(weight));
	else if (weight)
		add_number(properties, "BlockIOWeight", weight);
	if (!v2 || !unified)
		return;
	json_object_object_foreach (unified, key, value)
		if (json_object_is_type(value, json_type_string))
			add_unified(properties, key, json_object_get_string(value));
}
