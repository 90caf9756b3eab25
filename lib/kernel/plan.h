/*
 * Init's plan (init/plan.h) from config.json: process, linux.seccomp,
 * linux.memoryPolicy, linux.personality and the startContainer hooks, in a
 * sealed memory file that init maps.
 *
 * rlimits (kernel/rlimit.h) and oomScoreAdj (kernel/oom.h) are not in it: the
 * stage applies them from outside. Neither is process.user.username, which
 * is for other systems.
 */
#ifndef KERNEL_PLAN_H
#define KERNEL_PLAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"

/* Whether process.env has no HOME, so that one has to be found (kernel/passwd.h). */
bool plan_wants_home(const struct json_object *config);

/*
 * Everything but the environment, to be prepared before the container's
 * namespaces are joined: it asks this machine for its security modules, and
 * takes the filter that the stage "seccomp" has compiled. *ret_warnings (unless
 * NULL): an array of strings, what config.json asks for and cannot be had, or NULL if
 * there is nothing; the caller puts it. The container must outlive the draft; the
 * caller frees it.
 *
 * NULL with *err: FAULT_CONFIG for what config.json says wrongly, FAULT_UNSUPPORTED for
 * what this machine cannot do (a label without its security module, groups where
 * the user namespace denies setgroups(2)).
 */
struct plan_draft *plan_draft(const struct container *c, struct json_object **ret_warnings,
			      struct oci_err *err);

/*
 * Before plan_seal(): it is not for the container's first process but for this one,
 * oci-exec's. The config's process is that one's then; it must have no hooks.
 */
void plan_for_further(struct plan_draft *draft, pid_t pid);

/*
 * Returns the descriptor of the memory file; the caller closes it. home: for
 * HOME where plan_wants_home(), or NULL. Once only.
 */
int plan_seal(struct plan_draft *draft, const char *home, struct oci_err *err);

/*
 * After init has got ready: whether it is now, by /proc/PID/status, what the
 * plan says. joined: the caller is in the container's user namespace.
 */
int plan_verify(const struct plan_draft *draft, bool joined, struct oci_err *err);

/*
 * The path of the seccomp agent's socket, or NULL where there is nothing to
 * ask it. The stage connects to it, since the path is the host's; borrowed.
 */
const char *plan_listener(const struct plan_draft *draft);

void plan_free(struct plan_draft *draft);

static inline void own_free_plan_draft(struct plan_draft *const *draft)
{
	plan_free(*draft);
}

#define own_plan_draft __attribute__((cleanup(own_free_plan_draft)))

#endif
