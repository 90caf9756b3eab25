/*
 * Purpose: signal a container's process, or all of them.
 * Runs in: the caller's namespaces, without the lock: a container whose start
 *   hangs can be ended.
 * Mustn't: signal by number: only through a pidfd that was compared with the
 *   record, or within the container's cgroup.
 * Specification: runtime.md, "Kill".
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"

/* Engines look for "container not running": it means that all is well, it has ended already. */
static int not_running(const struct container *c, struct oci_err *err)
{
	return err_set(err, FAULT_STATE, "cannot signal container \"%s\": container not running",
		       c->id);
}

static int signal_init(const struct container *c, int signal, struct oci_err *err)
{
	own_fd int pidfd = proc_open(&c->state->init, err);

	if (pidfd < 0)
		return err->fault == FAULT_STATE ? not_running(c, err) : -1;
	/* A zombie takes any signal and does not tell. */
	if (proc_wait(pidfd, 0))
		return not_running(c, err);
	if (pidfd_send_signal(pidfd, signal, NULL, 0) == 0) {
		if (signal == SIGKILL && c->state->cgroup)
			cgroup_thaw_killed(c->state->cgroup);
		return 0;
	}
	if (errno == ESRCH)
		return not_running(c, err);
	return err_sys(err, errno, "cannot send signal %d to process %d", signal,
		       (int)c->state->init.pid);
}

/* Has it processes without init? Those of a shared pid namespace outlive it. */
static int signal_all(const struct container *c, int signal, struct oci_err *err)
{
	own_ptr pid_t *pids = NULL;
	size_t n = 0;

	if (cgroup_pids(c->state->cgroup, &pids, &n, err) < 0)
		return -1;
	/* Without a cgroup there is init. */
	return n > 0 ? cgroup_signal(c->state->cgroup, signal, err) : signal_init(c, signal, err);
}

/* SIGKILL ends the container: init's pid namespace ends with init, another one has to be told. */
static bool ends_all(const struct container *c, int signal)
{
	return signal == SIGKILL && c->state->cgroup && !(ns_new(c->config) & CLONE_NEWPID);
}

int lifecycle_kill(const struct container *c, int signal, bool all, struct oci_err *err)
{
	if (proc_other_boot(c->state->boot_id))
		return not_running(c, err);
	if (c->state->status == STATUS_CREATING) {
		if (lifecycle_status(c) == STATUS_STOPPED)
			return not_running(c, err);
		err_set(err, FAULT_STATE,
			"cannot signal container \"%s\": it is still being created", c->id);
		return err_hint(err, "oci-delete --force %s ends its creation", c->id);
	}
	all = (all && c->state->cgroup) || ends_all(c, signal);
	return all ? signal_all(c, signal, err) : signal_init(c, signal, err);
}
