/*
 * The driver: one creation as a transaction.
 *
 *	driver_create()
 *		validate, then each step of the pipeline
 *		commit: pid file, state "created", the byte that frees init from its leash
 *	on failure
 *		undone, as if it had never been tried (or left for a look: keep)
 *
 * Until the commit, init holds a leash: a pipe whose only other end is the
 * driver's. The driver dies, init dies. What is left then is a cgroup and a
 * state directory, which the next create of that id, or oci-delete, clear.
 */
#ifndef PIPELINE_DRIVER_H
#define PIPELINE_DRIVER_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"
#include "stage/pipeline.h"
#include "times.h"

struct create_request {
	const char *root, *id;
	const char *bundle; /* absolute; NULL with resume */
	struct create_options options;
	const struct pipeline *pipeline;
	const struct stage *until; /* stop after this one; NULL: go to the end */
	bool resume;		   /* go on with what until, or keep, has left */
	bool keep;		   /* leave it as it is if a step fails */
	bool as_tools;		   /* --exec: each stage as its tool */
	struct times *times;	   /* NULL: nobody wants to know */
	int console_fd; /* connected: the terminal is sent there, in place of a console socket; or
			   -1 */
};

/*
 * The caller closes *ret_container (for the place of an error, and for what
 * happened); it may be set on failure too. *ret_stopped: before the end, by "until".
 */
int driver_create(const struct create_request *request, struct container **ret_container,
		  bool *ret_stopped, struct oci_err *err);

/* One creation under way; for the driver's own files. */
struct creation {
	const struct create_request *request;
	struct container *c;
	int leash; /* the driver's end, or -1 */
	int self;  /* this executable, for as_tools; or -1 */
	bool pid_file_written;
};

/* step.c: one step in its way: a function, a tool, a program. */
int step_run(struct creation *creation, const struct pipeline_step *step, struct oci_err *err);

/* as_tool.c: a stage as its tool; the state is read again afterwards. validate opens the container.
 */
int as_tool_run(struct creation *creation, const struct stage *stage, struct oci_err *err);

/* interrupt.c */

/* From now on SIGINT, SIGTERM and SIGHUP make the creation fail. */
void interrupt_catch(void);

/* What to let go of then. */
void interrupt_hold(int leash);

/* The child that is to be killed then; 0: none. */
void interrupt_tool(pid_t pid);

/* The signal that came, or 0. */
int interrupt_signal(void);

/* Dies of the signal that came. */
void interrupt_die(void) __attribute__((noreturn));

#endif
