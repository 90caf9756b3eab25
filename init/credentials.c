/*
 * Purpose: groups, user, capabilities and no_new_privs of the user's program.
 * Runs in: the container; with all capabilities of init's user namespace at first.
 * Should: leave exactly the configured sets. A filter that must be installed
 *   before the rights are gone keeps CAP_SYS_ADMIN until finish_rights().
 * Mustn't: keep the caller's groups, or become dumpable by the change of user.
 * Specification: config.md, "User" and "Linux Process".
 */
#include "init/init.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CAP_BITS = 64 };

static uint64_t bit(int cap)
{
	return (uint64_t)1 << cap;
}

static int drop_bounding(const struct plan *plan, struct init_reply *reply)
{
	for (int cap = 0; cap < CAP_BITS; cap++) {
		if (plan->cap_bounding & bit(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap) < 0) {
			/* There is no such capability, so none of a higher number either. */
			if (errno == EINVAL)
				return 0;
			return reply_error_at(reply, "/process/capabilities/bounding", errno,
					      "cannot drop capability %d from the bounding set",
					      cap);
		}
	}
	return 0;
}

static int set_capabilities(const struct plan *plan, uint64_t more, struct init_reply *reply)
{
	const uint64_t effective = plan->cap_effective | more,
		       permitted = plan->cap_permitted | more;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
		{(uint32_t)effective, (uint32_t)permitted, (uint32_t)plan->cap_inheritable},
		{effective >> 32, permitted >> 32, plan->cap_inheritable >> 32},
	};

	if (syscall(SYS_capset, &header, data) < 0)
		return reply_error_at(reply, "/process/capabilities", errno,
				      "cannot set the capabilities");
	return 0;
}

static int raise_ambient(const struct plan *plan, struct init_reply *reply)
{
	/* What the caller's ambient set had is not the container's (CVE-2022-29162's class). */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return reply_error(reply, errno, "cannot clear the ambient capabilities");
	for (int cap = 0; cap < CAP_BITS; cap++)
		if ((plan->cap_ambient & bit(cap)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return reply_error_at(reply, "/process/capabilities/ambient", errno,
					      "cannot raise the ambient capability %d", cap);
	return 0;
}

static int set_ids(const struct plan *plan, struct init_reply *reply)
{
	/* Always, so that no group of the caller is left (CVE-2022-2989's class). */
	if ((plan->flags & PLAN_SETGROUPS) &&
	    syscall(SYS_setgroups, plan->groups.size / sizeof(uint32_t),
		    plan->groups.size ? plan_at(plan, plan->groups) : NULL) < 0)
		return reply_error_at(
			reply, "/process/user/additionalGids", errno,
			"cannot set the additional groups%s",
			errno == EINVAL ? " (not all are mapped in the user namespace)" : "");
	/* Or the permitted set is lost with the user id. Ends with the exec. */
	if (prctl(PR_SET_KEEPCAPS, 1) < 0)
		return reply_error(reply, errno, "cannot keep capabilities");
	if (syscall(SYS_setresgid, plan->gid, plan->gid, plan->gid) < 0)
		return reply_error_at(reply, "/process/user/gid", errno, "cannot become group %d%s",
				      (int)plan->gid,
				      errno == EINVAL ? " (not mapped in the user namespace)" : "");
	if (syscall(SYS_setresuid, plan->uid, plan->uid, plan->uid) < 0)
		return reply_error_at(reply, "/process/user/uid", errno, "cannot become user %d%s",
				      (int)plan->uid,
				      errno == EINVAL ? " (not mapped in the user namespace)" : "");
	return 0;
}

/* seccomp(2) wants no_new_privs or CAP_SYS_ADMIN. */
static int filters_before_exec(const struct plan *plan)
{
	return plan->filter.size == 0 || (plan->flags & PLAN_NO_NEW_PRIVS);
}

int set_user(const struct plan *plan, struct init_reply *reply)
{
	const uint64_t more = filters_before_exec(plan) ? 0 : bit(CAP_SYS_ADMIN);

	if (drop_bounding(plan, reply) < 0 || set_ids(plan, reply) < 0 ||
	    set_capabilities(plan, more, reply) < 0 || raise_ambient(plan, reply) < 0)
		return -1;
	/* A change of credentials sets what fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return reply_error(reply, errno, "cannot become non-dumpable");
	if ((plan->flags & PLAN_NO_NEW_PRIVS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return reply_error_at(reply, "/process/noNewPrivileges", errno,
				      "cannot set no_new_privs");
	return 0;
}

int finish_rights(const struct plan *plan, struct init_reply *reply)
{
	if (filters_before_exec(plan))
		return 0;
	if (install_filter(plan, -1, reply) < 0 || set_capabilities(plan, 0, reply) < 0)
		return -1;
	return check_filter(reply);
}
