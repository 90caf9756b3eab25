/*
 * Purpose: run a pipeline as a transaction.
 * Runs in: the runtime's namespaces.
 * Should: leave either a created container or nothing; report one error, the
 *   first, whatever undoing it may say.
 * Mustn't: do anything to the container itself; that is what stages are for.
 * Undo: lifecycle_abort().
 * Specification: runtime.md, "Create".
 */
#include "driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/pidfd_socket.h"
#include "base/pid_file.h"
#include "base/spawn.h"
#include "init/protocol.h"
#include "kernel/netdev.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"

static int write_pid_file(struct creation *cr, struct oci_err *err)
{
	const struct oci_state *state = cr->c->state;

	if (!state->options.pid_file)
		return 0;
	if (pid_file_write(state->options.pid_file, state->init.pid, err) < 0)
		return -1;
	cr->pid_file_written = true;
	return 0;
}

/* The byte that makes init outlive us. */
static int let_go(struct creation *cr, struct oci_err *err)
{
	const char byte = INIT_COMMIT;

	if (cr->leash < 0)
		return 0;
	if (write(cr->leash, &byte, 1) != 1)
		return errno == EPIPE ? err_set(err, FAULT_SYSTEM,
						"the container's first process has died")
				      : err_sys(err, errno, "cannot commit the creation");
	return 0;
}

/* Ends the transaction, with the container in this status. Signals are blocked. */
static int close_transaction(struct creation *cr, enum oci_status status, struct oci_err *err)
{
	struct oci_state *state = cr->c->state;
	struct proc_id creator = state->creator;

	if (interrupt_signal())
		return err_set(err, FAULT_SYSTEM, "interrupted");
	state->status = status;
	state->creator = (struct proc_id){0};
	if (container_save(cr->c, err) == 0 && let_go(cr, err) == 0) {
		if (status == STATUS_CREATED && state->net_devices)
			netdev_release(cr->c);
		return 0;
	}
	state->status = STATUS_CREATING;
	state->creator = creator;
	return -1;
}

static int end_transaction(struct creation *cr, enum oci_status status, struct oci_err *err)
{
	sigset_t stop, before;
	int result;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigaddset(&stop, SIGPIPE);
	sigprocmask(SIG_BLOCK, &stop, &before);
	result = close_transaction(cr, status, err);
	/* A SIGPIPE of a dead init's leash stays blocked: it has been seen as EPIPE. */
	sigaddset(&before, SIGPIPE);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

static int make_leash(struct creation *cr, struct oci_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	cr->c->leash_fd = ends[0];
	cr->leash = ends[1];
	interrupt_hold(cr->leash);
	return 0;
}

/* Resuming: what is there must be what this pipeline has begun. */
static int check_resumable(const struct creation *cr, struct oci_err *err)
{
	const struct oci_state *state = cr->c->state;

	if (state->status != STATUS_CREATING)
		return err_set(err, FAULT_STATE,
			       "container \"%s\" is %s: there is nothing to resume", cr->c->id,
			       status_name(state->status));
	if (state->init.pid && !proc_alive(&state->init)) {
		err_set(err, FAULT_STATE,
			"the creation of container \"%s\" cannot be resumed: its process has ended",
			cr->c->id);
		return err_hint(err, "remove what is left: oci-delete --force %s", cr->c->id);
	}
	for (size_t i = 0; i < json_length(state->stages); i++) {
		const char *done = json_string(json_item(state->stages, i), "name");
		const struct pipeline *p = cr->request->pipeline;
		bool known = false;

		for (size_t k = 0; k < p->n && !known; k++)
			known = done && strcmp(p->steps[k].name, done) == 0;
		if (!known) {
			err_set(err, FAULT_USAGE,
				"container \"%s\" was begun with another pipeline: "
				"\"%s\" is not in this one",
				cr->c->id, done ? done : "");
			return err_hint(err, "give the same --pipeline FILE");
		}
	}
	return 0;
}

static int reopen(struct creation *cr, struct oci_err *err)
{
	const struct create_request *r = cr->request;

	cr->c = container_open(r->root, r->id, LOCK_TRY, -1, err);
	if (!cr->c || check_resumable(cr, err) < 0) {
		/* Not ours to undo. */
		container_close(cr->c);
		cr->c = NULL;
		return -1;
	}
	cr->c->driven = true;
	cr->c->state->creator = proc_identify(getpid());
	return container_load_config(cr->c, err);
}

/* How many steps of that name are recorded as done. */
static size_t count_done(const struct oci_state *state, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < json_length(state->stages); i++) {
		const char *done = json_string(json_item(state->stages, i), "name");

		n += done && strcmp(done, name) == 0;
	}
	return n;
}

/* Done by an earlier run; of equal exec lines the first ones. */
static bool was_done(const struct creation *cr, size_t step)
{
	const struct pipeline_step *steps = cr->request->pipeline->steps;
	size_t before = 0;

	if (!cr->request->resume)
		return false;
	for (size_t i = 0; i < step; i++)
		before += strcmp(steps[i].name, steps[step].name) == 0;
	return count_done(cr->c->state, steps[step].name) > before;
}

static int run_step(struct creation *cr, const struct pipeline_step *step, struct oci_err *err)
{
	bool makes_init = step->stage && step->stage->run == stage_nsenter_setup;
	/* systemd's unit is kept by a process until init is in it. */
	bool makes_unit = step->stage && step->stage->run == stage_cgroup &&
			  cr->request->options.systemd_cgroup;

	if ((makes_init || makes_unit) && cr->leash < 0 && make_leash(cr, err) < 0)
		return -1;
	if (cr->c)
		cr->c->console_fd = cr->request->console_fd;
	if (step_run(cr, step, err) < 0)
		return -1;
	if (makes_init) {
		/* Only init has that end now: should it die, the commit finds out. */
		close(cr->c->leash_fd);
		cr->c->leash_fd = -1;
	}
	return 0;
}

static int run_steps(struct creation *cr, bool *ret_stopped, struct oci_err *err)
{
	const struct create_request *r = cr->request;

	for (size_t i = 0; i < r->pipeline->n; i++) {
		const struct pipeline_step *step = &r->pipeline->steps[i];

		if (cr->c && was_done(cr, i)) {
			if (step->stage && step->stage == r->until)
				return err_set(err, FAULT_STATE, "the stage \"%s\" is done already",
					       step->name);
			continue;
		}
		if (run_step(cr, step, err) < 0)
			return -1;
		if (interrupt_signal())
			return err_set(err, FAULT_SYSTEM, "interrupted");
		*ret_stopped = step->stage && step->stage == r->until;
		if (*ret_stopped)
			return 0;
	}
	return 0;
}

static void undo(struct creation *cr, struct oci_err *err)
{
	own_err struct oci_err second = ERR_INIT;

	/* Init goes with its leash; if a signal came, the leash is gone already. */
	if (cr->leash >= 0 && !interrupt_signal())
		close(cr->leash);
	cr->leash = -1;
	/* The poststop hooks are part of undoing. */
	spawn_stop = 0;
	if (cr->pid_file_written)
		unlink(cr->c->state->options.pid_file);
	if (lifecycle_abort(cr->c, &second) < 0)
		err_hint(err, "undoing it failed too: %s", second.message);
	else if (!err->hint && !interrupt_signal())
		err_hint(err,
			 "nothing is left behind; to look into the half-made container: oci-create "
			 "--keep %s %s",
			 cr->c->id, cr->c->state->bundle);
}

/* The half-made container stays for a look; it is no longer ours. */
static void keep(struct creation *cr, struct oci_err *err)
{
	own_err struct oci_err second = ERR_INIT;

	if (end_transaction(cr, STATUS_CREATING, &second) < 0)
		err_hint(err, "it could not be kept: %s", second.message);
	else
		err_hint(err,
			 "kept; enter: oci-nsenter %s, resume: oci-create --resume %s, drop: "
			 "oci-delete %s",
			 cr->c->id, cr->c->id, cr->c->id);
}

static int send_pidfd(const struct creation *cr, struct oci_err *err)
{
	const struct oci_state *state = cr->c->state;
	own_fd int pidfd = -1;

	if (!state->options.pidfd_socket)
		return 0;
	pidfd = proc_open(&state->init, err);
	return pidfd < 0 ? -1
			 : pidfd_socket_send(state->options.pidfd_socket, pidfd, "standard", err);
}

static int run_transaction(struct creation *cr, bool *ret_stopped, struct oci_err *err)
{
	if (cr->request->resume && reopen(cr, err) < 0)
		return -1;
	if (run_steps(cr, ret_stopped, err) < 0)
		return -1;
	if (*ret_stopped)
		return end_transaction(cr, STATUS_CREATING, err);
	if (send_pidfd(cr, err) < 0 || write_pid_file(cr, err) < 0)
		return -1;
	return end_transaction(cr, STATUS_CREATED, err);
}

int driver_create(const struct create_request *request, struct container **ret_container,
		  bool *ret_stopped, struct oci_err *err)
{
	struct creation cr = {.request = request, .leash = -1, .self = -1};
	int result;

	interrupt_catch();
	*ret_stopped = false;
	result = run_transaction(&cr, ret_stopped, err);
	if (result < 0 && cr.c) {
		if (request->keep && !interrupt_signal())
			keep(&cr, err);
		else
			undo(&cr, err);
	}
	own_close_fd(&cr.leash);
	own_close_fd(&cr.self);
	*ret_container = cr.c;
	return result;
}
