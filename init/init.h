/*
 * Init: the container's first process, until it execs the user's program.
 *
 * A program of its own, static and small, that runs from a sealed memory file:
 *
 *	main.c    checks where it is, then launches or (the same program, cloned) serves
 *	launch.c  on the host: joins the namespaces given by path, clones init
 *	setup.c   in the container, first steps: mapped ids, cgroup and time namespaces, names
 *	serve.c   listens, holds the leash, answers requests
 *	enter.c   in place of setup.c: a further process, which joins a container that is there
 *	mount.c   makes superblocks that belong to init's namespaces
 *	ready.c   get ready: all of "process" that a process can do to itself, by
 *	          streams.c terminal.c scheduling.c label.c credentials.c executable.c filter.c
 *	start.c   hooks.c, filter_exec.c, filter.c, exec
 *
 * It is not dumpable (but see struct init_setup), keeps no descriptor that survives the exec, and
 *after the pivot holds no path into the host. It allocates nothing.
 */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "init/plan.h"
#include "init/protocol.h"

/*
 * Fills the reply with an error and returns -1. The text is fmt with each %s
 * replaced by the next argument and each %d by the next int; nothing else is known. An
 * argument is cut where the text is full.
 */
int reply_error(struct init_reply *reply, int errnum, const char *fmt, ...);

/* As reply_error(), and says which property of config.json is meant. */
int reply_error_at(struct init_reply *reply, const char *pointer, int errnum, const char *fmt, ...);

/* Says afterwards which property is meant; -1. The same formats. */
int reply_point(struct init_reply *reply, const char *fmt, ...);

/* A failure before init listens: tells the stage on the control socket, and exits. */
_Noreturn void setup_fail(int control, int errnum, const char *fmt, ...);

/* launch.c: does not return. base: see enum launcher_fd. */
_Noreturn void launch(int base);

/* setup.c: exits if the stage goes away. */
void setup(int base, const struct init_setup *s);

/* enter.c: exits if it cannot. Before the clone, what is for children only; after it, the rest. */
void enter_before(int base, struct init_setup *s);
void enter(int base, const struct init_setup *s);

/* serve.c: do not return. serve_one(): one connection, whose end is that of this process. */
_Noreturn void serve(int base, const struct init_setup *s);
_Noreturn void serve_one(int connection);

/* mount.c: a detached mount, or -1 with the reply filled. len: bytes of the request. */
int make_mount(const struct init_request *request, size_t len, struct init_reply *reply);

/* What comes with the plan; each may be -1. */
struct ready_fds {
	int console, root, agent;
	uint64_t hooks; /* bit n: the program of hook n is among those that follow, in order */
	int programs[INIT_HOOK_PROGRAMS_MAX];
};

/*
 * ready.c: does to this process what the plan says, and finds the executable.
 * Takes over the descriptors. The plan's spans are checked by plan_check()
 * before; it stays mapped until the exec.
 */
int init_ready(const struct plan *plan, const struct ready_fds *fds, struct init_reply *reply);

/* plan_check.c: whether every span of the mapped plan of this size is inside it. 0 or -1. */
int plan_check(const struct plan *plan, size_t size);

/* start.c: runs the user's program; does not return. connection: where the error goes. */
_Noreturn void init_start(const struct plan *plan, int connection);

/* One message with at most one descriptor (-1: none); 0 or -1. serve.c */
int send_reply(int connection, const struct init_reply *reply, int fd);

/* The same of any bytes, which must not be none; -1 with errno. A stream may take only some. send.c
 */
ssize_t send_some(int socket, const void *data, size_t len, int fd);
int send_message(int socket, const void *data, size_t len, int fd);

/*
 * The parts of init_ready() and init_start(); each 0, or -1 with the reply filled.
 * own_mounts: the container has a mount namespace of its own.
 */
int set_up_streams(const struct plan *plan, int console_fd, int own_mounts,
		   struct init_reply *reply);
int set_up_terminal(const struct plan *plan, int console_fd, int own_mounts,
		    struct init_reply *reply);
int set_scheduling(const struct plan *plan, struct init_reply *reply);
int set_label(const struct plan *plan, struct init_reply *reply);

/* credentials.c. After finish_rights() the process has what the program will have. */
int set_user(const struct plan *plan, struct init_reply *reply);
int finish_rights(const struct plan *plan, struct init_reply *reply);

/*
 * filter.c. With SCMP_ACT_NOTIFY the listener is sent to the agent, which
 * keep_agent() was given. connection: where an error goes that this process
 * may not be able to send any more; -1: nowhere.
 */
int install_filter(const struct plan *plan, int connection, struct init_reply *reply);
void keep_agent(int fd);

/* filter.c: the same for a hook, in its process. -1 with errno. */
long install_hook_filter(const struct plan *plan);

/* filter.c: whether the filter that is in force lets init wait for its start. */
int check_filter(struct init_reply *reply);

/*
 * filter_exec.c: whether the plan's filter lets this be executed; it must not be asked for if not,
 * since nobody would learn why the program does not run.
 */
int check_exec_filter(const struct plan *plan, const char *path, const char *const *argv,
		      const char *const *envp, struct init_reply *reply);

/* executable.c. may_execute() asks check_exec_filter(). execute() returns the errno of a failed
 * exec, fail_exec() puts it in words (-1). */
int find_executable(const struct plan *plan, struct init_reply *reply);
int check_address_space(const struct plan *plan, struct init_reply *reply);
int make_vectors(const struct plan *plan, struct init_reply *reply);
int may_execute(const struct plan *plan, struct init_reply *reply);
int execute(const struct plan *plan);
int fail_exec(const struct plan *plan, int errnum, struct init_reply *reply);

/* Points at the strings of a list, and at NULL behind them; returns what comes then. */
const char **point_vector(const char **vector, const struct plan *plan,
			  const struct plan_list *list);

/*
 * hooks.c. keep_hook_programs(): for hooks that the container has no file of
 * that path for, a program to run instead.
 */
int run_hooks(const struct plan *plan, struct init_reply *reply);
void keep_hook_programs(const struct ready_fds *fds);

#endif
