/* The process: limits, scheduling, the terminal. */
#include <string.h>

#include "base/own.h"
#include "oci/validate_rules.h"

/* A struct winsize has 16 bits for each. The kernel's DL_SCALE: a shorter runtime is none to it. */
enum { CONSOLE_MAX = 65535, GROUPS_MAX = 65536, RUNTIME_MIN = 1024 };

static void check_args(struct rules *r, const struct json_object *process)
{
	const struct json_object *args = json_member(process, "args");

	if (json_length(args) && json_object_is_type(json_item(args, 0), json_type_string) &&
	    !*json_item_string(args, 0))
		rules_error(r, AT_VALUE, "/process/args/0", "the program's name is empty");
}

static void check_console(struct rules *r, const struct json_object *process)
{
	static const char *const keys[] = {"height", "width"};

	/* Without a terminal it must be ignored. */
	if (!json_true(process, "terminal"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_uint(json_member(process, "consoleSize"), keys[i], 0) > CONSOLE_MAX)
			rules_error(r, AT_VALUE, rules_at(r, "/process/consoleSize/%s", keys[i]),
				    "is out of range: 0 to %d", CONSOLE_MAX);
}

static void check_rlimits(struct rules *r, const struct json_object *process)
{
	const struct json_object *list = json_member(process, "rlimits");

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *limit = json_item(list, i);
		const char *type = json_string(limit, "type");

		if (json_uint(limit, "soft", 0) > json_uint(limit, "hard", UINT64_MAX))
			rules_error(r, AT_VALUE, rules_at(r, "/process/rlimits/%zu/soft", i),
				    "is above the hard limit");
		for (size_t j = 0; type && j < i; j++) {
			const char *other = json_string(json_item(list, j), "type");

			if (!other || strcmp(other, type) != 0)
				continue;
			rules_error(r, AT_VALUE, rules_at(r, "/process/rlimits/%zu/type", i),
				    "\"%.40s\" is there twice: first in /process/rlimits/%zu", type,
				    j);
			break;
		}
	}
}

static bool is_one_of(const char *name, const char *a, const char *b)
{
	return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

/* Flags with which sched_setattr(2) succeeds, and does not do what the rest of the object says. */
static void check_scheduler_flags(struct rules *r, const struct json_object *scheduler,
				  const char *policy)
{
	const struct json_object *flags = json_member(scheduler, "flags");
	bool other = strcmp(policy, "SCHED_OTHER") == 0;
	bool parameters = json_int(scheduler, "nice", 0) || json_int(scheduler, "priority", 0);

	for (size_t i = 0; i < json_length(flags); i++) {
		const char *at = rules_at(r, "/process/scheduler/flags/%zu", i);
		const char *flag = json_item_string(flags, i);

		if (!flag)
			continue;
		if (is_one_of(flag, "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN") &&
		    strcmp(policy, "SCHED_DEADLINE") != 0)
			rules_error(r, AT_VALUE, at, "%s is for SCHED_DEADLINE, not %s", flag,
				    policy);
		if (is_one_of(flag, "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS") && !other)
			rules_error(r, AT_VALUE, at,
				    "%s keeps the policy of who creates the container, so %s would "
				    "not be set",
				    flag, policy);
		else if (strcmp(flag, "SCHED_FLAG_KEEP_PARAMS") == 0 && parameters)
			rules_error(r, AT_VALUE, at,
				    "%s keeps the priority of who creates the container, so that "
				    "of /process/scheduler would not be set",
				    flag);
	}
}

static void check_deadline(struct rules *r, const struct json_object *scheduler)
{
	uint64_t runtime = json_uint(scheduler, "runtime", 0);
	uint64_t limit = json_uint(scheduler, "deadline", 0);
	uint64_t period = json_uint(scheduler, "period", limit);

	if (runtime < RUNTIME_MIN || runtime > limit || (period && limit > period) ||
	    limit > INT64_MAX || period > INT64_MAX)
		rules_error(r, AT_VALUE, "/process/scheduler",
			    "SCHED_DEADLINE needs %d <= runtime <= deadline <= period < 2^63 (ns)",
			    RUNTIME_MIN);
}

/* What each policy needs and takes: sched_setattr(2) would refuse the rest without a reason. */
static void check_scheduler(struct rules *r, const struct json_object *process)
{
	const struct json_object *scheduler = json_member(process, "scheduler");
	const char *policy = json_string(scheduler, "policy");
	int64_t priority = json_int(scheduler, "priority", 0);
	bool real_time, deadline;

	if (!policy)
		return;
	real_time = strcmp(policy, "SCHED_FIFO") == 0 || strcmp(policy, "SCHED_RR") == 0;
	deadline = strcmp(policy, "SCHED_DEADLINE") == 0;
	if (strcmp(policy, "SCHED_ISO") == 0)
		rules_error(r, AT_VALUE, "/process/scheduler/policy",
			    "SCHED_ISO is reserved: no Linux kernel has it");
	if (real_time && priority == 0)
		rules_error(r, AT_VALUE, "/process/scheduler/priority", "must be 1 to 99 for %s",
			    policy);
	if (!real_time && priority != 0)
		rules_error(r, AT_VALUE, "/process/scheduler/priority", "must be 0 for %s", policy);
	check_scheduler_flags(r, scheduler, policy);
	if (deadline) {
		check_deadline(r, scheduler);
	} else if (json_uint(scheduler, "runtime", 0) || json_uint(scheduler, "deadline", 0) ||
		   json_uint(scheduler, "period", 0)) {
		rules_error(r, AT_VALUE, "/process/scheduler",
			    "runtime, deadline and period are for SCHED_DEADLINE, not %s", policy);
	}
}

void rules_process(struct rules *r)
{
	const struct json_object *process = json_member(r->config, "process");
	size_t groups = json_length(json_path(process, "user", "additionalGids", NULL));

	check_args(r, process);
	check_console(r, process);
	check_rlimits(r, process);
	check_scheduler(r, process);
	if (groups > GROUPS_MAX)
		rules_error(r, AT_VALUE, "/process/user/additionalGids",
			    "%zu groups, but the kernel takes at most %d", groups, GROUPS_MAX);
}
