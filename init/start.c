/*
 * Purpose: turn init into the user's program.
 * Runs in: the container, as the user, with the user's rights.
 * Should: announce the exec before a filter may forbid to say anything; tell
 *   why the exec failed, if the filter lets it.
 * Mustn't: do between filter and exec anything but the exec.
 * Specification: runtime.md, "Start"; config.md, "StartContainer Hooks".
 */
#include "init/init.h"

#include <errno.h>
#include <unistd.h>

enum { EXIT_CANNOT_EXECUTE = 126, EXIT_NOT_FOUND = 127 };

static _Noreturn void fail(int connection, const struct init_reply *reply)
{
	/* Not sendmsg(2): fewer filters forbid write(2). */
	ssize_t n = write(connection, reply, sizeof *reply);

	(void)n;
	_exit(reply->status == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE);
}

_Noreturn void init_start(const struct plan *plan, int connection)
{
	static struct init_reply reply;

	reply.version = INIT_VERSION;
	if (plan->flags & PLAN_NO_PROCESS) {
		reply_error_at(&reply, "/process", EINVAL,
			       "config.json has no process, so there is nothing to start");
		fail(connection, &reply);
	}
	if (run_hooks(plan, &reply) < 0 || may_execute(plan, &reply) < 0)
		fail(connection, &reply);
	/* Who asked may be gone by now; the start was asked for all the same. */
	reply.flags = INIT_EXECUTING;
	send_message(connection, &reply, sizeof reply, -1);
	reply.flags = 0;
	if ((plan->flags & PLAN_NO_NEW_PRIVS) && plan->filter.size &&
	    install_filter(plan, connection, &reply) < 0)
		fail(connection, &reply);
	fail_exec(plan, execute(plan), &reply);
	fail(connection, &reply);
}
