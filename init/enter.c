/*
 * Purpose: make this process one of a container that is there already: oci-exec's.
 * Runs in: first on the host, then in the container, among programs that are not
 *   to be trusted; with all rights until init_ready().
 * Should: be cloned into the container's cgroup before it joins the cgroup
 *   namespace, from within which it could not be reached (nsdelegate); be
 *   non-dumpable all the time, and never see the host's mounts from among the
 *   container's processes.
 * Mustn't: exec, or open anything by its name, before init_ready().
 * Undo: none; it ends with the control socket.
 */
#include "init/init.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Noreturn void fail(int base, int errnum, const char *what)
{
	setup_fail(base + LAUNCHER_CONTROL, errnum, "cannot join the %s", what);
}

/*
 * A pid namespace is for children only: before the clone. The mount namespace with it: whoever may
 * trace the child there comes by /proc/PID/root to whatever mounts it is born among. A user who is
 * not root has the right to them in the container's user namespace only.
 */
void enter_before(int base, struct init_setup *s)
{
	const uint64_t first = s->enter_types & (CLONE_NEWPID | CLONE_NEWNS);
	const uint64_t user = s->enter_types & CLONE_NEWUSER;
	const int target = base + LAUNCHER_TARGET;

	if (!first)
		return;
	if (setns(target, (int)first) == 0) {
		s->enter_types &= ~first;
		return;
	}
	if (errno != EPERM || !user || setns(target, (int)(first | user)) < 0)
		fail(base, errno, "container's pid and mount namespaces");
	s->enter_types &= ~(first | user);
	/* A change of credentials sets what fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		setup_fail(base + LAUNCHER_CONTROL, errno, "cannot become non-dumpable");
}

/* Not the caller's user, who may have no id there: what is made belongs to the container. */
static void become_root(int base)
{
	/* EPERM: an unprivileged user made the namespace. EINVAL: it has no id 0. */
	if ((setgroups(0, NULL) < 0 && errno != EPERM && errno != EINVAL) ||
	    (setresgid(0, 0, 0) < 0 && errno != EINVAL) ||
	    (setresuid(0, 0, 0) < 0 && errno != EINVAL))
		fail(base, errno, "container's user namespace as its root");
}

void enter(int base, const struct init_setup *s)
{
	const int target = base + LAUNCHER_TARGET;

	close(base + LAUNCHER_CGROUP);
	if (s->enter_types && setns(target, (int)s->enter_types) < 0)
		fail(base, errno, "container's namespaces");
	close(target);
	if (s->become_root)
		become_root(base);
	/* A change of credentials sets what fs.suid_dumpable says. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		setup_fail(base + LAUNCHER_CONTROL, errno, "cannot become non-dumpable");
	if (chdir("/") < 0)
		setup_fail(base + LAUNCHER_CONTROL, errno, "cannot change to \"%s\"", "/");
}
