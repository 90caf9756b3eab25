/*
 * Purpose: a signal makes a creation fail like any other error, so that it is
 *   undone by the same code.
 * Should: end what may take for ever: a hook, and init, whose leash ends.
 * Mustn't: act in a stage's child, which has these handlers too.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/spawn.h"
#include "driver.h"

static volatile sig_atomic_t caught;
static volatile sig_atomic_t held_leash = -1;
static volatile sig_atomic_t held_tool;
static pid_t driver;

static void handle(int signal)
{
	int saved = errno;

	/* A stage's child shares this memory, but neither descriptors nor the signal's meaning. */
	if (getpid() != driver || caught)
		return;
	caught = signal;
	spawn_stop = 1;
	if (held_leash >= 0)
		close(held_leash);
	if (held_tool > 0)
		kill(held_tool, SIGKILL);
	errno = saved;
}

void interrupt_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = handle}, before;

	driver = getpid();
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		/* What a parent had us ignore (nohup) stays ignored. */
		if (sigaction(signals[i], &action, &before) == 0 && before.sa_handler == SIG_IGN)
			sigaction(signals[i], &before, NULL);
	}
}

void interrupt_hold(int leash)
{
	held_leash = leash;
}

void interrupt_tool(pid_t pid)
{
	held_tool = pid;
	if (caught && pid > 0)
		kill(pid, SIGKILL);
}

int interrupt_signal(void)
{
	return caught;
}

void interrupt_die(void)
{
	signal(caught, SIG_DFL);
	raise(caught);
	_exit(128 + caught);
}
