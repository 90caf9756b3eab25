/*
 * Purpose: let init run the user's program.
 * Runs in: the caller's namespaces.
 * Should: return only when the program runs; leave nothing half-started.
 * Mustn't: read config.json for anything but hooks: everything else has been
 *   applied when the container was created, or is in init's hands.
 * Undo: a failed exec leaves a stopped container; a failed hook leaves none.
 * Specification: runtime.md, "Start", "Lifecycle" 6 to 9.
 */
#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/init.h"
#include "kernel/proc.h"
#include "lifecycle/end.h"
#include "lifecycle/lifecycle.h"
#include "stage/hook.h"
#include "stage/stage.h"

static int refuse_unfinished(const struct container *c, struct oci_err *err)
{
	if (c->state->creator.pid && proc_alive(&c->state->creator))
		return err_set(err, FAULT_STATE,
			       "cannot start container \"%s\": process %d is still creating it",
			       c->id, (int)c->state->creator.pid);
	for (unsigned i = 0; i < n_stages; i++) {
		const struct stage *s = &stages[i];

		/* Whether these are needed "pivot" looks after. */
		if (s->optional || state_stage(c->state, s->name))
			continue;
		err_set(err, FAULT_STATE,
			"cannot start container \"%s\": its creation is not finished, the next "
			"stage is \"%s\"",
			c->id, s->name);
		return err_hint(err, "oci-create --resume %s does the rest; alone: %s %s", c->id,
				s->command, c->id);
	}
	return err_set(err, FAULT_STATE,
		       "cannot start container \"%s\": its creation is not finished", c->id);
}

static int refuse(const struct container *c, enum oci_status status, struct oci_err *err)
{
	if (status == STATUS_CREATING)
		return refuse_unfinished(c, err);
	if (status == STATUS_STOPPED)
		return err_set(err, FAULT_STATE,
			       "cannot start a container that has stopped: \"%s\"", c->id);
	return err_set(err, FAULT_STATE, "cannot start container \"%s\": it is %s, not created",
		       c->id, status_name(status));
}

/* Whoever accepts is init of a created container: there is no need to look for its process. */
static int connect_created(const struct container *c, struct oci_err *err)
{
	bool created = c->state->status == STATUS_CREATED && !proc_other_boot(c->state->boot_id);
	own_fd int connection = created ? init_connect(c, err) : -1;

	if (connection < 0) {
		if (created && err->fault != FAULT_STATE)
			return -1;
		return refuse(c, lifecycle_status(c), err);
	}
	/* Frozen, it would accept, and never answer. */
	if (c->state->cgroup && cgroup_is_frozen(c->state->cgroup))
		return refuse(c, STATUS_PAUSED, err);
	return steal_fd(&connection);
}

/* The error that is reported is the one that there is already; this one's goes nowhere. */
static int stopped(const struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;

	end_processes(c, &ignored);
	return -1;
}

static int destroyed(struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;

	lifecycle_abort(c, &ignored);
	return -1;
}

static int poststart(struct container *c, struct oci_err *err)
{
	if (!container_may_have(c, "poststart"))
		return 0;
	if (container_load_config(c, err) < 0)
		return -1;
	return hooks_run(c, "poststart", STATUS_RUNNING, err);
}

int lifecycle_start(struct container *c, struct oci_err *err)
{
	own_fd int connection = connect_created(c, err);

	if (connection < 0 || container_note_start(c, err) < 0)
		return -1;
	if (init_start(connection, err) < 0)
		return err->fault == FAULT_HOOK ? destroyed(c) : stopped(c);
	c->state->status = STATUS_RUNNING;
	if (container_save(c, err) < 0)
		return -1;
	return poststart(c, err) < 0 ? destroyed(c) : 0;
}
