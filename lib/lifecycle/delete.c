/*
 * Purpose: end a container, take away what its creation made, run its poststop hooks.
 * Runs in: the caller's namespaces.
 * Should: work from every prefix of a creation; cost little in the common case:
 *   one signal, one wait, one rmdir a cgroup hierarchy, four unlinks.
 * Mustn't: signal a process that is not exactly the recorded one, or one of
 *   this container's cgroup; touch anything of a record from before a reboot.
 * Undo: none. What fails leaves the state directory, so that it can be tried again.
 * Specification: runtime.md, "Delete", "Lifecycle" 11 to 13.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/holder.h"
#include "kernel/netdev.h"
#include "kernel/proc.h"
#include "kernel/rdt.h"
#include "lifecycle/end.h"
#include "lifecycle/lifecycle.h"
#include "stage/hook.h"

enum {
	THAW_MS = 200, /* a killed process that lives for longer is probably frozen */
	DEATH_MS = 10000,
	PATIENCE_MS = 1000, /* most commands are done by then */
	HOLDER_MS = 1000,   /* for a command that is told to end, before it is made to */
};

static int undying(const struct container *c, struct oci_err *err)
{
	own_ptr pid_t *pids = NULL;
	own_err struct oci_err ignored = ERR_INIT;
	char list[200] = "";
	size_t n = 0, used = 0;

	if (c->state->cgroup)
		cgroup_pids(c->state->cgroup, &pids, &n, &ignored);
	for (size_t i = 0; i < n && used < sizeof list - 16; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, " %d", (int)pids[i]);
	if (!n)
		snprintf(list, sizeof list, " %d", (int)c->state->init.pid);
	err_set(err, FAULT_SYSTEM,
		"the processes of container \"%s\" do not end within %d s of SIGKILL:%s", c->id,
		DEATH_MS / 1000, list);
	return err_hint(err, "they hang in the kernel (state D in ps); see /proc/PID/stack");
}

static int kill_init(const struct container *c, struct oci_err *err)
{
	own_fd int pidfd = proc_open(&c->state->init, err);
	struct cgroup_location where;

	if (pidfd < 0) {
		if (err->fault != FAULT_STATE)
			return -1;
		err_clear(err); /* it has ended */
		return 0;
	}
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot kill process %d", (int)c->state->init.pid);
	if (proc_wait(pidfd, THAW_MS))
		return 0;
	/* A user may have none. */
	if (c->state->cgroup && cgroup_location(c->state->cgroup, 0, &where) &&
	    cgroup_signal(c->state->cgroup, SIGKILL, err) < 0)
		return -1;
	return proc_wait(pidfd, DEATH_MS) ? 0 : undying(c, err);
}

int end_processes(const struct container *c, struct oci_err *err)
{
	if (proc_other_boot(c->state->boot_id))
		return 0;
	return c->state->init.pid ? kill_init(c, err) : 0;
}

/*
 * A creation that is given up, or was killed, takes nothing from the host. What cannot be put back
 * the kernel gives back when the namespace ends, as it does for a container that was created.
 */
static void give_back(const struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;

	netdev_put_back(c, -1, &ignored);
}

/* Of another boot: directories of these names are somebody else's. */
static int clear_groups(const struct container *c, bool undo, struct oci_err *err)
{
	if (proc_other_boot(c->state->boot_id))
		return 0;
	if (c->state->rdt && rdt_clear(c, undo, err) < 0)
		return -1;
	return c->state->cgroup ? cgroup_remove(c->state->cgroup, err) : 0;
}

int lifecycle_clear(struct container *c, struct oci_err *err)
{
	if (c->state) {
		const bool undo = c->state->status == STATUS_CREATING;

		if (undo && !proc_other_boot(c->state->boot_id))
			give_back(c);
		if (end_processes(c, err) < 0 || clear_groups(c, undo, err) < 0)
			return -1;
		if (c->state->net_devices)
			netdev_release(c);
	}
	return container_remove(c, err);
}

/*
 * Whether hooks may have done something that poststop hooks undo. The snapshot
 * is parsed only if it can hold any: most have none, and this is the hot path.
 */
static bool has_poststop(struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;

	if (!c->state || !state_stage(c->state, "mount"))
		return false;
	return container_may_have(c, "poststop") && container_load_config(c, &ignored) == 0 &&
	       hooks_has(c, "poststop");
}

/* A lock for reading, beside flock(2)'s, says what its holder does. It ends with the descriptor. */
static void say_deleting(const struct container *c)
{
	struct flock lock = {.l_type = F_RDLCK};

	fcntl(c->dir_fd, F_OFD_SETLK, &lock);
}

static bool is_being_deleted(const struct container *c)
{
	struct flock lock = {.l_type = F_WRLCK};

	return fcntl(c->dir_fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int lifecycle_abort(struct container *c, struct oci_err *err)
{
	/* Before the directory goes that the snapshot is in. */
	bool poststop = has_poststop(c);

	say_deleting(c);
	if (lifecycle_clear(c, err) < 0)
		return -1;
	if (poststop)
		hooks_run_all(c, "poststop", STATUS_STOPPED);
	return 0;
}

/* No state: a creation that was killed before it made anything, or a file that nobody can trust. */
static int delete_remains(struct container *c, bool force, struct oci_err *err)
{
	bool unreadable = faccessat(c->dir_fd, "state.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0;

	if (unreadable && !force) {
		err_set(err, FAULT_STATE,
			"cannot delete container \"%s\": its state.json is no state", c->id);
		return err_hint(err, "oci-delete --force %s removes the record alone", c->id);
	}
	netdev_release(c);
	if (container_remove(c, err) < 0)
		return -1;
	return unreadable ? err_set(err, FAULT_STATE,
				    "the state.json of container \"%s\" is no state: the record is "
				    "removed, but its processes and cgroup, if it has any, are not",
				    c->id)
			  : 0;
}

int lifecycle_delete(struct container *c, bool force, struct oci_err *err)
{
	enum oci_status status;

	if (!c->state)
		return delete_remains(c, force, err);
	if (!force) {
		status = lifecycle_status(c);
		if (status == STATUS_RUNNING || status == STATUS_PAUSED) {
			err_set(err, FAULT_STATE,
				"cannot delete container \"%s\" that is not stopped: it is %s",
				c->id, status_name(status));
			return err_hint(err, "oci-delete --force %s ends it first", c->id);
		}
	}
	return lifecycle_abort(c, err);
}

/* Waits a little for whoever holds the lock, asks it to end, then makes it. Its own children end
 * with it. */
static void end_holder(const char *root, const char *id)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_container struct container *c =
		container_open_remains(root, id, LOCK_NONE, -1, &ignored);
	own_fd int holder = c ? holder_open(c->dir_fd) : -1;

	/* What deletes it needs no help: it ends, one way or the other. */
	if (holder < 0 || proc_wait(holder, PATIENCE_MS) || is_being_deleted(c))
		return;
	pidfd_send_signal(holder, SIGTERM, NULL, 0);
	if (!proc_wait(holder, HOLDER_MS))
		pidfd_send_signal(holder, SIGKILL, NULL, 0);
}

struct container *lifecycle_open_to_delete(const char *root, const char *id, bool force,
					   int lock_fd, struct oci_err *err)
{
	struct container *c = container_open_remains(root, id, LOCK_TRY, lock_fd, err);

	if (c || err->errnum != EBUSY)
		return c;
	err_clear(err);
	if (force)
		end_holder(root, id);
	return container_open_remains(root, id, LOCK_WAIT, lock_fd, err);
}
