/* linux.resources as properties of systemd's units: systemd.resource-control(5). */
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_systemd.h"

enum {
	QUOTA_STEP_US = 10 * 1000,
	PERIOD_DEFAULT_US = 100 * 1000,
	SECOND_US = 1000 * 1000,
	WEIGHT_DEFAULT = 100,
	WEIGHT_IDLE = 0,
	IDLE_SINCE = 252, /* the version of systemd that has CPUWeight=idle */
};

void cgroup_systemd_add(struct json_object *list, const char *name, const char *signature,
			struct json_object *value)
{
	struct json_object *p = json_object_new_array_ext(3);

	json_object_array_add(p, json_object_new_string(name));
	json_object_array_add(p, json_object_new_string(signature));
	json_object_array_add(p, value);
	json_object_array_add(list, p);
}

void cgroup_systemd_add_number(struct json_object *list, const char *name, uint64_t value)
{
	cgroup_systemd_add(list, name, "t", json_object_new_uint64(value));
}

void cgroup_systemd_since(struct json_object *list, int version)
{
	json_object_array_add(json_item(list, json_length(list) - 1), json_object_new_int(version));
}

/* A limit: -1 is none, 0 is not set. */
static void add_limit(struct json_object *list, const char *name, int64_t value)
{
	if (value)
		cgroup_systemd_add_number(list, name, value < 0 ? UINT64_MAX : (uint64_t)value);
}

/* systemd takes whole hundredths of a CPU: never less than was asked for. */
void cgroup_systemd_add_quota(struct json_object *list, int64_t quota, uint64_t period)
{
	uint64_t per_second = UINT64_MAX;

	if (period)
		cgroup_systemd_add_number(list, "CPUQuotaPeriodUSec", period);
	if (quota > 0) {
		per_second = (uint64_t)((unsigned __int128)quota * SECOND_US /
					(period ? period : PERIOD_DEFAULT_US));
		per_second = (per_second + QUOTA_STEP_US - 1) / QUOTA_STEP_US * QUOTA_STEP_US;
	}
	if (quota)
		cgroup_systemd_add_number(list, "CPUQuotaPerSecUSec", per_second);
}

void cgroup_systemd_add_idle(struct json_object *list)
{
	cgroup_systemd_add_number(list, "CPUWeight", WEIGHT_IDLE);
	cgroup_systemd_since(list, IDLE_SINCE);
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

void cgroup_systemd_add_mask(struct json_object *list, const char *name, const char *text)
{
	struct json_object *mask = text && *text ? cgroup_systemd_mask(text) : NULL;

	if (mask)
		cgroup_systemd_add(list, name, "ay", mask);
}

/* That of v1 includes memory. */
static void add_swap(struct json_object *list, const struct json_object *memory)
{
	int64_t limit = json_int(memory, "limit", 0), swap = json_int(memory, "swap", 0);

	if (swap < 0 || limit < 0)
		cgroup_systemd_add_number(list, "MemorySwapMax", UINT64_MAX);
	else if (swap && limit && swap >= limit)
		cgroup_systemd_add_number(list, "MemorySwapMax", (uint64_t)(swap - limit));
}

static void add_memory(struct json_object *list, const struct json_object *change,
		       const struct json_object *whole, bool v2)
{
	add_limit(list, v2 ? "MemoryMax" : "MemoryLimit", json_int(change, "limit", 0));
	if (!v2)
		return;
	add_limit(list, "MemoryLow", json_int(change, "reservation", 0));
	if (json_has(change, "limit") || json_has(change, "swap"))
		add_swap(list, whole);
}

/* Of a group that is idle, shares are only what it had before. */
static void add_weight(struct json_object *list, const struct json_object *change,
		       const struct json_object *whole)
{
	uint64_t shares = json_uint(whole, "shares", 0);
	bool idle = json_int(whole, "idle", 0) == 1;

	if (idle)
		cgroup_systemd_add_idle(list);
	else if (shares)
		cgroup_systemd_add_number(list, "CPUWeight", cgroup_weight_of_shares(shares));
	else if (json_has(change, "idle"))
		cgroup_systemd_add_number(list, "CPUWeight", WEIGHT_DEFAULT);
}

static void add_cpu(struct json_object *list, const struct json_object *change,
		    const struct json_object *whole, bool v2)
{
	if (v2 && (json_int(change, "shares", 0) || json_has(change, "idle")))
		add_weight(list, change, whole);
	if (!v2 && json_uint(change, "shares", 0))
		cgroup_systemd_add_number(list, "CPUShares", json_uint(change, "shares", 0));
	if (json_int(change, "quota", 0) || json_uint(change, "period", 0))
		cgroup_systemd_add_quota(list, json_int(whole, "quota", 0),
					 json_uint(whole, "period", 0));
	if (!v2)
		return;
	cgroup_systemd_add_mask(list, "AllowedCPUs", json_string(change, "cpus"));
	cgroup_systemd_add_mask(list, "AllowedMemoryNodes", json_string(change, "mems"));
}

/* What had to wait until the placeholder was gone: a limit of 0 or 1. systemd knows no 0. */
static void add_tasks(struct json_object *list, const struct json_object *pids,
		      enum cgroup_phase phase)
{
	int64_t limit = json_int(pids, "limit", -1);
	bool late = limit == 0 || limit == 1;

	if (!json_has(pids, "limit") || (phase != PHASE_UPDATE && late != (phase == PHASE_SETTLE)))
		return;
	cgroup_systemd_add_number(list, "TasksMax",
				  limit < 0 ? UINT64_MAX
				  : limit   ? (uint64_t)limit
					    : 1);
}

void cgroup_systemd_limits(const struct json_object *change, const struct json_object *whole,
			   bool v2, enum cgroup_phase phase, struct json_object *properties)
{
	add_tasks(properties, json_member(change, "pids"), phase);
	if (phase == PHASE_SETTLE)
		return;
	add_memory(properties, json_member(change, "memory"), json_member(whole, "memory"), v2);
	add_cpu(properties, json_member(change, "cpu"), json_member(whole, "cpu"), v2);
	cgroup_systemd_io(json_member(change, "blockIO"), v2, properties);
	if (v2)
		cgroup_systemd_unified(json_member(change, "unified"), properties);
}
