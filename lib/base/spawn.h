/*
 * Running another program and hearing how it ended: hooks, a pipeline's own
 * steps, newuidmap.
 *
 * The program gets nothing that it was not given: its environment is exactly
 * envp, its descriptors are 0, 1 and 2, its signals are as at boot, its umask
 * is 022, its working directory is "/" unless named. It leads a session of its
 * own, so it has no controlling terminal.
 *
 * Between the caller and the program stands a watcher, a child that outlives
 * neither: when the time is up, or when the caller dies in whatever way, it
 * kills the program's whole process group. What has left that group (a daemon
 * that a hook started properly) is left alone, as is everything after an exit
 * in time.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { SPAWN_TAIL_MAX = 1024 };

struct spawn {
	const char *path;	 /* absolute */
	const char *const *argv; /* NULL-terminated; NULL: just path */
	const char *const *envp; /* NULL-terminated; NULL: empty */
	const char *cwd;	 /* NULL: "/" */
	int stdin_fd;		 /* -1: /dev/null */
	int stdout_fd;		 /* -1: /dev/null */
	unsigned timeout_ms;	 /* 0: none */

	/*
	 * To run it in other namespaces: called in the watcher, which then forks
	 * the program (so that a pid namespace can be joined). 0, or -1 with
	 * errno and what could not be done (static text). program_fd, an O_PATH
	 * descriptor opened before, is what runs then, whatever the path means
	 * there: a script is refused (ESTALE) if its path leads to another file.
	 */
	int (*join)(void *arg, const char **ret_what);
	void *join_arg;
	int program_fd; /* -1: path; looked at only with join */
};

struct spawn_result {
	int status; /* as of waitpid(2); only if neither of the next two */
	bool timed_out;
	bool interrupted;	       /* by spawn_stop */
	char tail[SPAWN_TAIL_MAX + 1]; /* the end of what it wrote to stderr */
	size_t tail_len;
};

#define SPAWN_INIT ((struct spawn){.stdin_fd = -1, .stdout_fd = -1, .program_fd = -1})

/* Set by a signal's handler: a program that runs is killed; so is any further one until it is 0
 * again. */
extern volatile sig_atomic_t spawn_stop;

/*
 * Runs it and waits. 0 when it has ended, however badly, or was killed: see *ret_result. -1 with
 * *err if it could not be run; err->errnum is that of the failed call, which for the exec itself is
 * ENOENT, EACCES, ...
 */
int spawn_run(const struct spawn *spawn, struct spawn_result *ret_result, struct oci_err *err);

/*
 * How it ended, for a message: "exit status 3", "killed by SIGKILL", "killed
 * after 2 seconds: it had not ended by then", and the tail of its stderr in
 * one line. NULL if it ended with 0. The caller frees it.
 */
char *spawn_explain(const struct spawn *spawn, const struct spawn_result *result);

#endif
