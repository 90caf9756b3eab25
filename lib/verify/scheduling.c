/* process.scheduler, process.ioPriority, linux.personality, linux.memoryPolicy. */
#include <errno.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/scheduling.h"
#include "verify/area.h"

/* They say how the call is meant; the kernel does not keep them. */
static const uint64_t call_flags = SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS |
				   SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;

static void compare_scheduler(struct verify *v, const struct plan *plan)
{
	static const char place[] = "sched_getattr(2)";
	const struct plan_sched_attr *want = &plan->scheduler;
	struct plan_sched_attr found = {.size = sizeof found};

	if (!(plan->flags & PLAN_SCHEDULER))
		return;
	if (syscall(SYS_sched_getattr, v->pid, &found, sizeof found, 0) < 0) {
		verify_hidden(v, "/process/scheduler", "sched_getattr(2): %s", err_name(errno));
		return;
	}
	verify_number(v, "/process/scheduler/policy", place, want->policy, found.policy);
	if (want->policy != found.policy)
		return;
	if (!(want->flags & SCHED_FLAG_KEEP_PARAMS)) {
		/* The kernel gives 20 less the value. */
		verify_number(v, "/process/scheduler/nice", "getpriority(2)", want->nice,
			      20 - syscall(SYS_getpriority, PRIO_PROCESS, v->pid));
		verify_number(v, "/process/scheduler/priority", place, want->priority,
			      found.priority);
	}
	verify_number(v, "/process/scheduler/flags", place, (int64_t)(want->flags & ~call_flags),
		      (int64_t)(found.flags & ~call_flags));
	if (want->policy != SCHED_DEADLINE)
		return;
	verify_number(v, "/process/scheduler/runtime", place, (int64_t)want->runtime,
		      (int64_t)found.runtime);
	verify_number(v, "/process/scheduler/deadline", place, (int64_t)want->deadline,
		      (int64_t)found.deadline);
	/* 0 means: as the deadline. */
	verify_number(v, "/process/scheduler/period", place,
		      (int64_t)(want->period ? want->period : want->deadline),
		      (int64_t)found.period);
}

static void compare_io_priority(struct verify *v, const struct plan *plan)
{
	static const char place[] = "ioprio_get(2)";
	long found;

	if (!(plan->flags & PLAN_IOPRIO))
		return;
	found = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, v->pid);
	if (found < 0) {
		verify_hidden(v, "/process/ioPriority", "ioprio_get(2): %s", err_name(errno));
		return;
	}
	verify_number(v, "/process/ioPriority/class", place, IOPRIO_PRIO_CLASS(plan->ioprio),
		      IOPRIO_PRIO_CLASS(found));
	verify_number(v, "/process/ioPriority/priority", place, IOPRIO_PRIO_DATA(plan->ioprio),
		      IOPRIO_PRIO_DATA(found));
}

static void compare_personality(struct verify *v, const struct plan *plan)
{
	own_ptr char *text = NULL;
	char place[64], want[24];

	if (!(plan->flags & PLAN_PERSONALITY))
		return;
	text = verify_read(v, "personality", NULL);
	if (!text) {
		verify_hidden(v, "/linux/personality", "it cannot be read");
		return;
	}
	verify_place(v, "personality", place);
	snprintf(want, sizeof want, "%08" PRIx64, plan->personality);
	verify_text(v, "/linux/personality/domain", place, want, text);
}

/* As /proc/PID/numa_maps has them, for memory that has no policy of its own. */
static const struct {
	const char *mode, *shown;
} policies[] = {
	{"MPOL_DEFAULT", "default"},	   {"MPOL_BIND", "bind"},
	{"MPOL_INTERLEAVE", "interleave"}, {"MPOL_WEIGHTED_INTERLEAVE", "weighted interleave"},
	{"MPOL_PREFERRED", "prefer"},	   {"MPOL_PREFERRED_MANY", "prefer (many)"},
	{"MPOL_LOCAL", "local"},
};

/* "static|balancing", as the kernel writes them. */
static void memory_flags(const struct json_object *policy, char *buf, size_t size)
{
	static const char *const names[][2] = {{"MPOL_F_STATIC_NODES", "static"},
					       {"MPOL_F_RELATIVE_NODES", "relative"},
					       {"MPOL_F_NUMA_BALANCING", "balancing"}};
	const struct json_object *flags = json_member(policy, "flags");
	size_t used = 0;

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t k = 0; k < json_length(flags); k++)
			if (strcmp(json_item_string(flags, k), names[i][0]) == 0) {
				used += (size_t)snprintf(buf + used, size - used, "%s%s",
							 used ? "|" : "", names[i][1]);
				break;
			}
}

/* Of the nodes that are asked for, those that the cpuset allows. Relative ones are counted in it.
 */
static void compare_nodes(struct verify *v, const char *place, const char *wanted,
			  const char *found, const char *flags)
{
	static const char pointer[] = "/linux/memoryPolicy/nodes";
	own_err struct oci_err ignored = ERR_INIT;
	cpu_set_t want, have, allowed;
	bool given, any;
	char list[4096];

	if (strstr(flags, "relative") ||
	    !verify_status(v, "Mems_allowed_list", list, sizeof list) ||
	    scheduling_cpus(list, &allowed, &given, &ignored) < 0 ||
	    scheduling_cpus(wanted, &want, &given, &ignored) < 0 ||
	    scheduling_cpus(found, &have, &any, &ignored) < 0) {
		verify_hidden(v, pointer, "the kernel renumbers the nodes");
		return;
	}
	CPU_AND(&want, &want, &allowed);
	verify_text(v, pointer, place, wanted, any && CPU_EQUAL(&want, &have) ? wanted : found);
}

/* "bind=static:0-1 file=/bin/sh ..."; what is beyond the name of the mode is at rest. */
static void compare_shown_policy(struct verify *v, const struct json_object *policy,
				 const char *place, const char *rest)
{
	const char *nodes = json_string(policy, "nodes");
	char want_flags[64], flags[64] = "", list[1024] = "";

	if (*rest == '=') {
		snprintf(flags, sizeof flags, "%.*s", (int)strcspn(rest + 1, ": \n"), rest + 1);
		rest += 1 + strlen(flags);
	}
	if (*rest == ':')
		snprintf(list, sizeof list, "%.*s", (int)strcspn(rest + 1, " \n"), rest + 1);
	memory_flags(policy, want_flags, sizeof want_flags);
	verify_text(v, "/linux/memoryPolicy/flags", place, want_flags, flags);
	if (nodes && *nodes)
		compare_nodes(v, place, nodes, list, flags);
}

static void compare_memory_policy(struct verify *v)
{
	const struct json_object *policy = json_member(v->lnx, "memoryPolicy");
	const char *mode = json_string(policy, "mode"), *nodes = json_string(policy, "nodes");
	own_ptr char *text = NULL;
	char place[64], found[64] = "";
	const char *want = NULL, *word;

	if (!mode)
		return;
	text = verify_read(v, "numa_maps", NULL);
	word = text ? strchr(text, ' ') : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i].mode, mode) == 0)
			want = policies[i].shown;
	/* Without nodes "prefer" is local. */
	if (strcmp(mode, "MPOL_PREFERRED") == 0 && (!nodes || !*nodes))
		want = "local";
	if (!word || !want) {
		verify_hidden(v, "/linux/memoryPolicy", "this kernel does not show it");
		return;
	}
	verify_place(v, "numa_maps", place);
	word++;
	/* "default file=/bin/sh ...", "prefer (many):0": it may have a blank of its own. */
	if (strncmp(word, want, strlen(want)) == 0 && strchr(" :=\n", word[strlen(want)])) {
		verify_compared(v);
		compare_shown_policy(v, policy, place, word + strlen(want));
		return;
	}
	snprintf(found, sizeof found, "%.*s", (int)strcspn(word, ":=\n"), word);
	verify_text(v, "/linux/memoryPolicy/mode", place, want, found);
}

int verify_scheduling(struct verify *v, struct oci_err *err)
{
	struct memory_nodes nodes = {0};
	struct plan plan = {0};

	if (scheduling_fill(v->config, &plan, &nodes, err) < 0)
		return -1;
	compare_scheduler(v, &plan);
	compare_io_priority(v, &plan);
	compare_personality(v, &plan);
	compare_memory_policy(v);
	return 0;
}
