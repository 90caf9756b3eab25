/* process.scheduler, process.ioPriority, linux.personality, linux.memoryPolicy. */
#include <errno.h>
#include <inttypes.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
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

static void compare_memory_policy(struct verify *v)
{
	const char *mode = json_string(json_member(v->lnx, "memoryPolicy"), "mode");
	const char *nodes = json_string(json_member(v->lnx, "memoryPolicy"), "nodes");
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
	snprintf(found, sizeof found, "%.*s", (int)strcspn(word, ":=\n"), word);
	/* "default file=/bin/sh ..." */
	if (strncmp(word, want, strlen(want)) == 0 && strchr(" :=\n", word[strlen(want)]))
		snprintf(found, sizeof found, "%s", want);
	verify_text(v, "/linux/memoryPolicy/mode", place, want, found);
	if (nodes && *nodes)
		verify_hidden(v, "/linux/memoryPolicy/nodes", "the kernel renumbers the nodes");
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
