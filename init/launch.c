/*
 * Purpose: clone init straight into its cgroup and namespaces.
 * Runs in: the host's namespaces, as a child of oci-nsenter-setup (or of the
 *   driver, or of oci-exec), from the sealed memory file. Init is cloned from it without an
 *   exec, so that no program of the host is ever /proc/PID/exe in the container
 *   and init is not dumpable, not even for a moment (for a user who is not root: see below).
 * Should: join the namespaces that config.json gives by path, clone, say the
 *   pid, exit. Init becomes the child of our parent (CLONE_PARENT).
 * Mustn't: do anything to the machine.
 * Undo: nothing; init goes with its leash.
 */
#include "init/init.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <signal.h>
#include <unistd.h>

static const struct {
	uint64_t type;
	const char *name;
} ns_names[] = {
	{CLONE_NEWUSER, "user"},     {CLONE_NEWPID, "pid"},
	{CLONE_NEWNET, "network"},   {CLONE_NEWNS, "mount"},
	{CLONE_NEWIPC, "ipc"},	     {CLONE_NEWUTS, "uts"},
	{CLONE_NEWCGROUP, "cgroup"}, {0x80 /* CLONE_NEWTIME */, "time"},
};

static const char *ns_name(uint64_t type)
{
	for (size_t i = 0; i < sizeof ns_names / sizeof *ns_names; i++)
		if (ns_names[i].type == type)
			return ns_names[i].name;
	return "unknown";
}

static void join(int control, int fd, uint64_t type, uint8_t *done, int may_be_later)
{
	if (*done)
		return;
	/* The explicit type makes the kernel refuse a descriptor of another kind. */
	if (setns(fd, (int)type) == 0)
		*done = 1;
	else if (!may_be_later || errno != EPERM)
		setup_fail(control, errno, "cannot join the %s namespace", ns_name(type));
}

/*
 * The others first, with the host's privileges; then the user namespace; then
 * those that belong to it and could not be joined from outside.
 */
static void join_all(int base, const struct init_setup *s)
{
	uint8_t done[SETUP_JOINS_MAX] = {0};
	int has_user = 0;

	for (uint32_t i = 0; i < s->n_joins; i++)
		has_user |= s->join_types[i] == CLONE_NEWUSER;
	for (int pass = 0; pass < 3; pass++)
		for (uint32_t i = 0; i < s->n_joins; i++)
			if ((s->join_types[i] == CLONE_NEWUSER) == (pass == 1))
				join(base + LAUNCHER_CONTROL, base + LAUNCHER_JOIN + (int)i,
				     s->join_types[i], &done[i], has_user && pass == 0);
}

/*
 * A single thread that moves itself costs no RCU grace period, unlike a pid
 * that is moved by another. Init moves once it is there, as with CLONE_INTO_CGROUP: its namespaces,
 * of which a network takes 90 KiB, are on the account of who creates, and not the first thing that
 * a small limit of the container's meets. A further process moves before it is cloned: the limit of
 * processes counts it.
 */
static void enter_v1_cgroups(int base, const struct init_setup *s)
{
	int first = base + LAUNCHER_JOIN + (int)s->n_joins;

	for (int i = 0; i < (int)s->n_cgroups; i++) {
		if (write(first + i, "0", 1) < 0)
			setup_fail(base + LAUNCHER_CONTROL, errno,
				   "cannot enter a v1 cgroup of the container");
		close(first + i);
	}
}

_Noreturn void launch(int base)
{
	int control = base + LAUNCHER_CONTROL;
	struct setup_message message = {.step = SETUP_CLONED};
	struct clone_args args = {.cgroup = (uint64_t)(base + LAUNCHER_CGROUP)};
	struct init_setup s;
	ssize_t n = recv(control, &s, sizeof s, 0);
	pid_t pid;

	if (n != (ssize_t)sizeof s || s.version != INIT_VERSION || s.n_joins > SETUP_JOINS_MAX ||
	    s.n_cgroups > SETUP_CGROUPS_MAX)
		_exit(1);
	/* Nothing beyond what the stage has named. */
	if (syscall(SYS_close_range, base + LAUNCHER_JOIN + (int)(s.n_joins + s.n_cgroups), ~0U,
		    0) < 0)
		setup_fail(control, errno, "cannot close descriptors");
	if (s.enters) {
		enter_v1_cgroups(base, &s);
		enter_before(base, &s);
	}
	join_all(base, &s);
	if (s.dumpable && prctl(PR_SET_DUMPABLE, 1) < 0)
		setup_fail(control, errno, "cannot become dumpable");
	args.flags = s.clone_flags | CLONE_PARENT | (s.into_cgroup ? CLONE_INTO_CGROUP : 0);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0)
		setup_fail(control, errno,
			   s.enters ? "cannot clone the process"
				    : "cannot clone the container's first process");
	if (pid == 0) {
		/* The death of the launcher, our creator, means nothing; that of the driver ends
		 * the leash. */
		prctl(PR_SET_PDEATHSIG, 0);
		if (s.enters) {
			enter(base, &s);
			serve_one(control);
		}
		enter_v1_cgroups(base, &s);
		setup(base, &s);
		serve(base, &s);
	}
	message.pid = pid;
	if (send(control, &message, sizeof message, MSG_NOSIGNAL) == sizeof message)
		_exit(0);
	/* The stage waits until the last of us has let go of the socket. */
	kill(pid, SIGKILL);
	_exit(1);
}
