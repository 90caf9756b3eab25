/*
 * Starting init's program: as a container's first process, and as a further one.
 *
 * The program runs from a sealed memory file, non-dumpable, as a child that has
 * no descriptor of ours but those of enum launcher_fd (init/protocol.h), the
 * standard streams and --preserve-fds. It clones the process that was asked for, a
 * child of ours too, and ends. What both say comes on the control socket; with
 * the end of our side of it both end, as long as they have not got further.
 *
 *	__attribute__((cleanup(launcher_close))) struct launcher l;
 *
 *	launcher_init(&l);
 *	l.setup = ..., l.fds[...] = ...
 *	if (launcher_start(&l, preserve_fds, err) < 0 ||
 *	    launcher_await(&l, SETUP_CLONED, &message, err) < 0)
 *		return -1;
 */
#ifndef KERNEL_LAUNCHER_H
#define KERNEL_LAUNCHER_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "init/protocol.h"

enum { LAUNCHER_FDS_MAX = LAUNCHER_JOIN + SETUP_JOINS_MAX + SETUP_CGROUPS_MAX };

struct cgroup_further;

struct launcher {
	struct init_setup setup;
	int fds[LAUNCHER_FDS_MAX]; /* by their place in the launcher; -1: none */
	int control;		   /* our end; that of the launcher is [LAUNCHER_CONTROL] */
	int program;
	pid_t pid;
	bool has_affinity;  /* the CPUs to begin on */
	int affinity_errno; /* why it could not be set */
	cpu_set_t affinity;
	const struct cgroup_further *brought; /* systemd brings it there before it does anything */
};

/* Nothing is open, nothing is asked for but the protocol's version. */
void launcher_init(struct launcher *l);

/* Starts it and sends it the setup. So many descriptors from 3 on are handed on. */
int launcher_start(struct launcher *l, unsigned preserve_fds, struct oci_err *err);

/*
 * The next message, which must be this step; a failure of launcher or init
 * arrives here too. FAULT_SYSTEM without errnum if both are gone.
 */
int launcher_await(const struct launcher *l, enum setup_step step, struct setup_message *ret,
		   struct oci_err *err);

/* Says that a step is done; fd: a descriptor that goes with it, or -1. */
int launcher_tell(const struct launcher *l, enum setup_step step, int fd, struct oci_err *err);

/* Closes all that is open, and waits for the launcher's end. */
void launcher_close(struct launcher *l);

#endif
