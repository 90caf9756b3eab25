/*
 * What can be done with a container that exists: the operations of runtime.md
 * other than create.
 */
#ifndef LIFECYCLE_LIFECYCLE_H
#define LIFECYCLE_LIFECYCLE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"

/*
 * The status as of now: the record, the process, the cgroup's freezer. A
 * container whose record says created, and whose start has begun, is running if its init no
 * longer listens; one whose process is gone, or that is from before a reboot, is
 * stopped.
 */
enum oci_status lifecycle_status(const struct container *c);

/*
 * The state as runtime.md has it (and rootfs, created, owner as engines read
 * them), with that status; pid is 0 when stopped. The caller puts it.
 */
struct json_object *lifecycle_state(const struct oci_state *s, enum oci_status status);

/*
 * Runs the user's program: startContainer hooks, exec, poststart hooks. If the
 * exec fails the container is stopped; if a hook fails it is deleted (runtime.md,
 * "Lifecycle", 7 and 9), and the error is the hook's.
 */
int lifecycle_start(struct container *c, struct oci_err *err);

/*
 * Signals init, or with all every process of the container, also what a dead
 * init left behind in a shared pid namespace. Needs no lock. FAULT_STATE, with
 * the words "container not running", if there is nothing to signal.
 */
int lifecycle_kill(const struct container *c, int signal, bool all, struct oci_err *err);

/* Freezes a created or running container's processes, and lets a paused one's go on. */
int lifecycle_pause(const struct container *c, struct oci_err *err);
int lifecycle_resume(const struct container *c, struct oci_err *err);

/*
 * What a container has used (kernel/cgroup_stats.h), with its network interfaces and its group of
 * resctrl. The caller puts it. NULL with *err: FAULT_STATE if it has ended.
 */
struct json_object *lifecycle_stats(struct container *c, struct oci_err *err);

/*
 * Changes the limits of a container that is created, running or paused: linux.resources, validated
 * (oci/validate.h), of which only what is set counts. All of it, or nothing. The snapshot says the
 * new values afterwards. err->pointer is one into the document of resources; what has no
 * effect is a line of c->warnings. Needs the lock.
 */
int lifecycle_update(struct container *c, const struct json_object *resources, struct oci_err *err);

/* The same for the schemas of its group of resctrl (kernel/rdt.h), each of which may be NULL. */
int lifecycle_update_rdt(struct container *c, const char *l3_cache, const char *mem_bw,
			 struct oci_err *err);

/* The container's processes; the caller frees *ret_pids. */
int lifecycle_pids(const struct container *c, pid_t **ret_pids, size_t *ret_n, struct oci_err *err);

/*
 * Opens and locks a container that is to be deleted (c->state is NULL if its
 * creation never got as far, or if it cannot be read). With force, whoever holds the lock is ended:
 * a creation or a start whose hook hangs; another delete is waited for. err->errnum: ENOENT if
 * there is none, EBUSY if the lock cannot be had within 10 s.
 */
struct container *lifecycle_open_to_delete(const char *root, const char *id, bool force,
					   int lock_fd, struct oci_err *err);

/*
 * Undoes everything that creation made and removes the state directory, then
 * runs the poststop hooks. A running container is refused unless force; a
 * created or half-created one is ended. Works from every prefix of a creation.
 * What poststop hooks do wrong is a warning in c->warnings.
 */
int lifecycle_delete(struct container *c, bool force, struct oci_err *err);

/*
 * Undoes a creation: the process, the cgroup, the state directory; no hooks
 * (container_clear_fn).
 */
int lifecycle_clear(struct container *c, struct oci_err *err);

/*
 * For a creation that failed: lifecycle_clear(), then the poststop hooks if the
 * creation had got as far as its first hooks (runtime.md, "Lifecycle", 3 to 5).
 */
int lifecycle_abort(struct container *c, struct oci_err *err);

#endif
