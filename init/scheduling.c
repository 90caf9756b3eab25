/*
 * Purpose: how the kernel schedules the user's program: CPU, input and output,
 *   memory nodes, and the execution domain.
 * Runs in: the container, with all rights (raising a priority needs CAP_SYS_NICE).
 * Specification: config.md, process.scheduler and ioPriority; config-linux.md,
 *   memoryPolicy and personality.
 */
#include "init/init.h"

#include <errno.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { IOPRIO_WHO_PROCESS = 1 };

static int set_memory_policy(const struct plan *plan, struct init_reply *reply)
{
	const uint64_t bits = (uint64_t)plan->mempolicy_nodes.size * 8;

	/* The kernel looks at one bit less than it is told. */
	if (syscall(SYS_set_mempolicy, plan->mempolicy_mode | plan->mempolicy_flags,
		    bits ? plan_at(plan, plan->mempolicy_nodes) : NULL, bits ? bits + 1 : 0) < 0)
		return reply_error_at(
			reply, "/linux/memoryPolicy", errno, "cannot set the memory policy%s",
			errno == EINVAL ? " (mode, flags and nodes do not go together, or "
					  "there is no such node)"
					: "");
	return 0;
}

/*
 * sched_setattr(2) leaves the nice value as it was, unless the policy is SCHED_OTHER or
 * SCHED_BATCH. It counts for SCHED_IDLE, and for the others' children with reset on fork.
 */
static int set_nice(const struct plan_sched_attr *attr, struct init_reply *reply)
{
	const int nice = attr->nice;

	/* The kernel gives 20 less the value, so that no error looks like one. */
	if (attr->policy == SCHED_NORMAL || attr->policy == SCHED_BATCH ||
	    syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20 - nice ||
	    setpriority(PRIO_PROCESS, 0, nice) == 0)
		return 0;
	return reply_error_at(reply, "/process/scheduler/nice", errno, "cannot set the nice value");
}

int set_scheduling(const struct plan *plan, struct init_reply *reply)
{
	/* A copy: the kernel writes the size that it knows into it. */
	struct plan_sched_attr attr = plan->scheduler;

	if ((plan->flags & PLAN_SCHEDULER) && syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		return reply_error_at(
			reply,
			errno == EOPNOTSUPP ? "/process/scheduler/flags" : "/process/scheduler",
			errno, "cannot set the scheduler%s",
			errno == EPERM
				? " (it takes CAP_SYS_NICE, and for a real-time policy a share "
				  "of the cgroup's cpu.rt_runtime_us)"
			: errno == EINVAL && attr.policy == SCHED_DEADLINE
				? " (is the period within sched_deadline_period_min_us and "
				  "sched_deadline_period_max_us of /proc/sys/kernel?)"
			: errno == EOPNOTSUPP
				? " (this kernel has no utilization clamping, which "
				  "SCHED_FLAG_UTIL_CLAMP_MIN and SCHED_FLAG_UTIL_CLAMP_MAX are for)"
				: "");
	if ((plan->flags & PLAN_SCHEDULER) && set_nice(&plan->scheduler, reply) < 0)
		return -1;
	if ((plan->flags & PLAN_IOPRIO) &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, plan->ioprio) < 0)
		return reply_error_at(
			reply, "/process/ioPriority", errno, "cannot set the I/O priority%s",
			errno == EPERM ? " (CAP_SYS_ADMIN or CAP_SYS_NICE is needed)" : "");
	if ((plan->flags & PLAN_PERSONALITY) && syscall(SYS_personality, plan->personality) < 0)
		return reply_error_at(reply, "/linux/personality", errno,
				      "cannot set the personality");
	return (plan->flags & PLAN_MEMPOLICY) ? set_memory_policy(plan, reply) : 0;
}
