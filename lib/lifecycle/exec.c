/*
 * Purpose: run a further program in a container.
 * Runs in: the caller's namespaces; what happens in the container's is init's program.
 * Should: open what belongs to the host first; hand over descriptors only; see that the
 *   process has become what it should before it runs the program; return when it runs.
 * Mustn't: join anything itself; believe that the container lives as long as this takes.
 * Undo: until it is started the process ends with our end of the control socket.
 * Specification: config.md, "Process"; config-linux.md. The rest is as runc does it.
 */
#include "lifecycle/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/pid_file.h"
#include "base/pidfd_socket.h"
#include "base/sock.h"
#include "kernel/cgroup_further.h"
#include "kernel/init.h"
#include "kernel/joined.h"
#include "kernel/launcher.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/passwd.h"
#include "kernel/plan.h"
#include "kernel/proc.h"
#include "kernel/rdt.h"
#include "kernel/rlimit.h"
#include "kernel/scheduling.h"
#include "lifecycle/lifecycle.h"

/* How the process gets into its cgroup v2. */
enum entry {
	ENTRY_CLONE,   /* CLONE_INTO_CGROUP */
	ENTRY_WALK,    /* the launcher moves itself there first */
	ENTRY_BESIDE,  /* cloned into that of the container's first process */
	ENTRY_BROUGHT, /* the launcher is moved there by systemd */
};

struct exec {
	struct container *c;
	const struct exec_request *request;
	struct cgroup_further cgroups;
	struct launcher launcher;
	int types;  /* namespaces to join, CLONE_NEW* */
	int target; /* pidfd of the container's first process */
	int root;   /* its root directory, or -1 if it is not needed */
	int console, agent;
	struct plan_draft *plan;
	pid_t pid; /* 0: not cloned yet */
	int pidfd;
};

/* For a process that is told to end, before it is made to. */
enum { PATIENCE_MS = 1000, DEATH_MS = 10000, DYING_TRIES = 30, DYING_PAUSE_MS = 10 };

/*
 * Ends a process that has not been started: without our end of the control socket it does so by
 * itself, if nobody has stopped it or frozen it; SIGKILL reaches it then, sooner or later.
 * True if it was killed before.
 */
static bool end_process(struct exec *e)
{
	siginfo_t info = {0};

	own_close_fd(&e->launcher.control);
	e->launcher.control = -1;
	if (e->pidfd < 0)
		return false;
	if (!proc_wait(e->pidfd, PATIENCE_MS)) {
		pidfd_send_signal(e->pidfd, SIGKILL, NULL, 0);
		proc_wait(e->pidfd, PATIENCE_MS);
		info.si_code = 0;
	} else {
		waitid(P_PIDFD, (id_t)e->pidfd, &info, WEXITED | WNOHANG);
	}
	own_close_fd(&e->pidfd);
	e->pidfd = -1;
	return info.si_code == CLD_KILLED && info.si_status == SIGKILL;
}

/* What belongs to one attempt. */
static bool close_attempt(struct exec *e)
{
	bool killed = end_process(e);

	launcher_close(&e->launcher);
	own_close_fd(&e->agent);
	e->agent = -1;
	plan_free(e->plan);
	e->plan = NULL;
	e->pid = 0;
	return killed;
}

static void close_exec(struct exec *e)
{
	close_attempt(e);
	own_close_fd(&e->target);
	own_close_fd(&e->root);
	own_close_fd(&e->console);
}

/* ---- Before anything is started -------------------------------------------------------------- */

static int not_running(const struct container *c, struct oci_err *err)
{
	return err_set(err, FAULT_STATE,
		       "cannot exec in a stopped container: \"%s\": container not running", c->id);
}

static int check_status(const struct container *c, bool ignore_paused, struct oci_err *err)
{
	switch (lifecycle_status(c)) {
	case STATUS_RUNNING:
	case STATUS_CREATED:
		return 0;
	case STATUS_PAUSED:
		if (ignore_paused)
			return 0;
		err_set(err, FAULT_STATE, "cannot exec in a paused container: \"%s\"", c->id);
		return err_hint(err,
				"oci-resume %s, or --ignore-paused: it begins when the "
				"container is resumed",
				c->id);
	case STATUS_CREATING:
		err_set(err, FAULT_STATE,
			"cannot exec in container \"%s\": its creation is not finished", c->id);
		return err_hint(err, "oci-nsenter looks into a container that is half made");
	case STATUS_STOPPED:
		break;
	}
	return not_running(c, err);
}

/* A mount namespace that was not pivoted has another root than the container. */
static bool needs_root(const struct exec *e)
{
	return e->c->state->options.no_pivot || !(ns_new(e->c->config) & CLONE_NEWNS);
}

static int open_console(struct exec *e, struct oci_err *err)
{
	const char *path = e->request->console_socket;

	if (!json_true(e->request->process, "terminal"))
		return path ? err_set(err, FAULT_USAGE,
				      "--console-socket is given, but no terminal is wanted")
			    : 0;
	if (e->request->console >= 0) {
		e->console = fcntl(e->request->console, F_DUPFD_CLOEXEC, 3);
		return e->console < 0 ? err_sys(err, errno, "cannot use the console socket") : 0;
	}
	if (!path) {
		err_set(err, FAULT_USAGE, "a terminal is wanted, but there is no --console-socket");
		return err_at(err, "/process/terminal");
	}
	e->console = sock_connect_path(path, SOCK_STREAM);
	return e->console < 0
		       ? err_sys(err, errno, "cannot connect to the console socket \"%s\"", path)
		       : 0;
}

/* What the plan is made of: the container's config with this process, which has no hooks. */
static int exchange_process(struct exec *e, struct oci_err *err)
{
	struct create_options *options = &e->c->state->options;

	json_object_object_del(e->c->config, "hooks");
	if (json_object_object_add(e->c->config, "process", json_object_get(e->request->process)) <
	    0)
		return err_sys(err, ENOMEM, "cannot keep the process");
	options->preserve_fds = e->request->preserve_fds;
	options->listen_fds = e->request->listen_fds;
	free(options->listen_names);
	options->listen_names = e->request->listen_names ? strdup(e->request->listen_names) : NULL;
	options->notify = false;
	if (e->request->listen_names && !options->listen_names)
		return err_sys(err, ENOMEM, "cannot keep the process");
	return 0;
}

static int prepare(struct exec *e, struct oci_err *err)
{
	int listed = (int)ns_listed(e->c->config) | CLONE_NEWUSER;
	bool homeless;

	if (check_status(e->c, e->request->ignore_paused, err) < 0)
		return -1;
	e->target = proc_open(&e->c->state->init, err);
	if (e->target < 0 || exchange_process(e, err) < 0)
		return -1;
	e->types = joined_differing(e->c->state->init.pid, listed, err);
	if (e->types < 0 || open_console(e, err) < 0)
		return -1;
	homeless = plan_wants_home(e->c->config);
	if (homeless || needs_root(e)) {
		e->root = proc_open_root(&e->c->state->init, err);
		if (e->root < 0)
			return -1;
	}
	return cgroup_further_check(&e->cgroups, err);
}

/* ---- The process ------------------------------------------------------------------------------
 */

static int open_cgroups(struct exec *e, enum entry entry, struct oci_err *err)
{
	struct launcher *l = &e->launcher;
	int *moves = l->fds + LAUNCHER_JOIN, v2;
	size_t n = SETUP_CGROUPS_MAX - 1;

	if (cgroup_further_open_v1(&e->cgroups, moves, &n, err) < 0)
		return -1;
	l->setup.n_cgroups = (uint32_t)n;
	v2 = entry == ENTRY_BESIDE
		     ? cgroup_further_open_beside(&e->cgroups, e->c->state->init.pid, err)
		     : cgroup_further_open_v2(&e->cgroups, err);
	l->fds[LAUNCHER_CGROUP] = v2;
	if (v2 < 0)
		return err->fault ? -1 : 0;
	l->setup.into_cgroup = entry != ENTRY_WALK && entry != ENTRY_BROUGHT;
	l->brought = entry == ENTRY_BROUGHT ? &e->cgroups : NULL;
	if (entry != ENTRY_WALK)
		return 0;
	moves[n] = openat(v2, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (moves[n] < 0)
		return err_sys(err, errno, "cannot open cgroup.procs of the container's cgroup");
	l->setup.n_cgroups++;
	return 0;
}

static int launch(struct exec *e, enum entry entry, struct oci_err *err)
{
	const struct json_object *affinity = json_member(e->request->process, "execCPUAffinity");
	struct launcher *l = &e->launcher;

	if (open_cgroups(e, entry, err) < 0)
		return -1;
	l->setup.enters = 1;
	l->setup.enter_types = (uint64_t)e->types;
	l->setup.become_root = (e->types & CLONE_NEWUSER) != 0;
	l->fds[LAUNCHER_TARGET] = fcntl(e->target, F_DUPFD_CLOEXEC, 3);
	if (l->fds[LAUNCHER_TARGET] < 0)
		return err_sys(err, errno, "cannot keep the container's process open");
	if (scheduling_cpus(json_string(affinity, "initial"), &l->affinity, &l->has_affinity, err) <
	    0)
		return err_at(err, "/process/execCPUAffinity/initial");
	return launcher_start(l, e->request->preserve_fds, err);
}

/* Why a cgroup takes no process: what the errno of clone3(2) and of write(2) means here. */
static int explain_cgroup(struct oci_err *err)
{
	const char *why = err->errnum == EBUSY ? "controllers are enabled for those below it"
			  : err->errnum == EOPNOTSUPP
				  ? "it is no valid domain, beside or below a threaded one"
			  : err->errnum == ENOENT
				  ? "it is not in the same delegated part of the tree"
			  : err->errnum == ENOSPC ? "its cpuset has no CPUs or no memory nodes"
			  : err->errnum == EAGAIN ? "pids.max is reached"
						  : NULL;

	return why ? err_wrap(err, "the cgroup takes no process, since %s", why) : -1;
}

static int await_clone(struct exec *e, struct oci_err *err)
{
	struct setup_message message;

	if (launcher_await(&e->launcher, SETUP_CLONED, &message, err) < 0) {
		/* Killed, perhaps with all of the container, whose cgroups it is in. */
		if (!err->errnum)
			err->fault = FAULT_STATE;
		return explain_cgroup(err);
	}
	e->pid = message.pid;
	/* Ours to wait for, so its number is nobody else's until then. */
	e->pidfd = pidfd_open(e->pid, 0);
	return e->pidfd < 0 ? err_sys(err, errno, "cannot open process %d", (int)e->pid) : 0;
}

/* Limits are set from here: in the container there may be no right to raise them. */
static int limit(const struct exec *e, struct oci_err *err)
{
	const struct json_object *process = e->request->process;
	const struct json_object *affinity = json_member(process, "execCPUAffinity");
	cpu_set_t cpus;
	bool given;

	if (!affinity)
		scheduling_all_cpus(e->pid);
	if (rlimit_apply(e->pid, json_member(process, "rlimits"), err) < 0)
		return -1;
	if (json_has(process, "oomScoreAdj") &&
	    oom_apply(e->pid, (int)json_int(process, "oomScoreAdj", 0), err) < 0)
		return -1;
	if (rdt_add(e->c, e->pid, err) < 0)
		return -1;
	if (scheduling_cpus(json_string(affinity, "final"), &cpus, &given, err) < 0)
		return err_at(err, "/process/execCPUAffinity/final");
	if (!given || sched_setaffinity(e->pid, sizeof cpus, &cpus) == 0)
		return 0;
	err_sys(err, errno, "cannot set the CPUs of the process");
	return err_at(err, "/process/execCPUAffinity/final");
}

static int open_agent(struct exec *e, struct oci_err *err)
{
	const char *path = plan_listener(e->plan);

	if (!path)
		return 0;
	e->agent = sock_connect_path(path, SOCK_STREAM);
	if (e->agent >= 0)
		return 0;
	err_sys(err, errno, "cannot connect to the seccomp agent \"%s\"", path);
	return err_at(err, "/linux/seccomp/listenerPath");
}

/* A second opinion: it is where it should be, and what. */
static int verify(const struct exec *e, struct oci_err *err)
{
	int types = e->types ? joined_differing(e->pid, e->types, err) : 0;

	/* A user who is not root may not look at it, but could not have it with more rights. */
	if (types < 0 && (geteuid() == 0 || (err->errnum != EACCES && err->errnum != EPERM)))
		return -1;
	if (types < 0)
		err_clear(err);
	else if (types != e->types)
		return err_set(err, FAULT_SYSTEM,
			       "after joining, the process is still in namespaces of the caller's");
	return plan_verify(e->plan, false, err);
}

static int get_ready(struct exec *e, struct oci_err *err)
{
	const struct json_object *user = json_member(e->request->process, "user");
	own_ptr char *home = NULL;
	own_fd int plan = -1;
	struct init_ready ready = {
		.console = e->console, .root = needs_root(e) ? e->root : -1, .agent = e->agent};

	if (plan_wants_home(e->c->config))
		home = passwd_home(e->root, (uid_t)json_uint(user, "uid", 0));
	plan_for_further(e->plan, e->pid);
	plan = plan_seal(e->plan, home, err);
	if (plan < 0)
		return -1;
	ready.plan = plan;
	if (init_get_ready(e->launcher.control, &ready, err) < 0)
		return init_explain_silence(e->c->config, err);
	return verify(e, err);
}

/* ---- Telling who it is ------------------------------------------------------------------------
 */

static int start(struct exec *e, struct oci_err *err)
{
	const char *pid_file = e->request->pid_file;

	if (e->request->pidfd_socket &&
	    pidfd_socket_send(e->request->pidfd_socket, e->pidfd, "setns", err) < 0)
		return -1;
	if (pid_file && pid_file_write(pid_file, e->pid, err) < 0)
		return -1;
	if ((!e->request->before_start || e->request->before_start(e->request->arg, err) == 0) &&
	    init_start(e->launcher.control, err) == 0)
		return 0;
	if (pid_file)
		pid_file_remove(pid_file);
	return -1;
}

/* ---- Attempts ---------------------------------------------------------------------------------
 */

static int try(struct exec *e, enum entry entry, struct oci_err *err)
{
	if (launch(e, entry, err) < 0)
		return -1;
	/* Meanwhile the launcher is at work. */
	e->plan = plan_draft(e->c, NULL, err);
	if (!e->plan || open_agent(e, err) < 0 || await_clone(e, err) < 0 || limit(e, err) < 0 ||
	    get_ready(e, err) < 0)
		return -1;
	return start(e, err);
}

/*
 * Kernels with cgroup.kill kill what is cloned into a cgroup in which it was ever used
 * (stage/nsenter_setup.c): that one is entered on foot. And of a cgroup that has become one for
 * others only, the container's first process has found a place where processes can be. From a
 * login session there is no way for a user but the one that systemd knows (EACCES).
 */
static int attempt(struct exec *e, struct oci_err *err)
{
	enum entry next = ENTRY_CLONE;
	bool busy, far, killed;

	if (try(e, ENTRY_CLONE, err) == 0)
		return 0;
	busy = !e->pid && err->errnum == EBUSY && !json_length(e->cgroups.below);
	far = !e->pid && err->errnum == EACCES && cgroup_further_can_bring(&e->cgroups);
	killed = close_attempt(e);
	if (killed)
		err_set(err, FAULT_STATE, "the process was killed before it could run the program");
	next = busy ? ENTRY_BESIDE : far ? ENTRY_BROUGHT : killed ? ENTRY_WALK : ENTRY_CLONE;
	if (next == ENTRY_CLONE || !proc_alive(&e->c->state->init))
		return -1;
	err_clear(err);
	if (try(e, next, err) == 0)
		return 0;
	if (close_attempt(e))
		err_set(err, FAULT_STATE, "the process was killed before it could run the program");
	return -1;
}

/*
 * Whether the container has ended, or is about to: whatever failed, failed because of that. Its
 * first process is seen to be dead only when all others of its pid namespace are.
 */
static bool has_ended(const struct exec *e, const struct oci_err *err)
{
	static const int vanished[] = {0, ENOENT, ENODEV, EPIPE, ECONNRESET};
	bool suspicious = false;

	if (err->errnum == ESRCH)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(vanished); i++)
		suspicious |= err->errnum == vanished[i];
	/* What points at a property is about that. */
	suspicious &= err->fault == FAULT_STATE || (err->fault == FAULT_SYSTEM && err->errnum);
	if (!suspicious || err->pointer || e->target < 0)
		return lifecycle_status(e->c) == STATUS_STOPPED;
	/* Ours may have been killed before it. */
	for (int i = 0; i < DYING_TRIES; i++) {
		if (proc_dying(&e->c->state->init))
			return proc_wait(e->target, DEATH_MS);
		proc_wait(e->target, DYING_PAUSE_MS);
	}
	return false;
}

int lifecycle_exec(struct container *c, const struct exec_request *request, int *ret_pidfd,
		   struct oci_err *err)
{
	__attribute__((cleanup(close_exec))) struct exec e = {
		.c = c,
		.request = request,
		.cgroups = {c->state->cgroup, request->below},
		.target = -1,
		.root = -1,
		.console = -1,
		.agent = -1,
		.pidfd = -1,
	};

	proc_use_host();
	launcher_init(&e.launcher);
	if (prepare(&e, err) == 0 && attempt(&e, err) == 0) {
		*ret_pidfd = steal_fd(&e.pidfd);
		return 0;
	}
	return has_ended(&e, err) ? not_running(c, err) : -1;
}
