/*
 * What can be done with a container that exists: the operations of runtime.md
 * other than create.
 */
#ifndef LIFECYCLE_LIFECYCLE_H
#define LIFECYCLE_LIFECYCLE_H

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"

/*
 * The status as of now: the record, the process, the cgroup's freezer. A
 * container whose record says created but whose init no longer listens is
 * running; one whose process is gone, or that is from before a reboot, is
 * stopped.
 */
enum oci_status lifecycle_status(const struct container *c);

/*
 * The state as runtime.md has it (and rootfs, created, owner as engines read
 * them), with that status; pid is 0 when stopped. The caller puts it.
 */
struct json_object *lifecycle_state(const struct container *c, enum oci_status status);

/* Runs the user's program: startContainer hooks, exec, poststart hooks. */
int lifecycle_start(struct container *c, struct oci_err *err);

/* Signals init, or with all every process of the container. Needs no lock. */
int lifecycle_kill(const struct container *c, int signal, bool all, struct oci_err *err);

/*
 * Undoes everything that creation made and removes the state directory, then
 * runs the poststop hooks. A running container is refused unless force; a
 * created or half-created one is ended. Works from every prefix of a creation.
 */
int lifecycle_delete(struct container *c, bool force, struct oci_err *err);

/*
 * Undoes a creation: the process, the cgroup, the state directory; no hooks
 * (container_clear_fn).
 */
int lifecycle_clear(struct container *c, struct oci_err *err);

#endif
