/* The process: limits, scheduling, the terminal. */
#include <string.h>

#include "base/own.h"
#include "oci/validate_rules.h"

/* A struct winsize has 16 bits for each. */
enum { CONSOLE_MAX = 65535, GROUPS_MAX = 65536 };

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
	if (deadline) {
		uint64_t runtime = json_uint(scheduler, "runtime", 0);
		uint64_t limit = json_uint(scheduler, "deadline", 0);
		uint64_t period = json_uint(scheduler, "period", limit);

		if (!runtime || runtime > limit || (period && limit > period))
			rules_error(r, AT_VALUE, "/process/scheduler",
				    "SCHED_DEADLINE needs 0 < runtime <= deadline <= period");
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
