/*
 * sd_notify(3) through the container's wall: a service manager that has started us waits for
 * READY=1, which the container's program says on a socket of its own.
 *
 *	own_notify struct notify notify = NOTIFY_INIT;
 *
 *	notify_open(&notify, c, activation_notify(), &err)	before the program runs
 *	lifecycle_start()
 *	notify_wait(&notify, pidfd, pid)			or, in a loop of one's own:
 *	poll notify.fd; notify_pass(&notify, pid)
 *
 * From the container comes one word, READY=1: everything else that sd_notify() knows would have the
 * manager act upon our unit as the container likes.
 */
#ifndef LIFECYCLE_NOTIFY_H
#define LIFECYCLE_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "oci/container.h"

struct notify {
	int fd;	     /* the container's socket; -1: nobody waits */
	int manager; /* connected */
};

#define NOTIFY_INIT ((struct notify){-1, -1})

/*
 * Does nothing if socket, the manager's, is NULL, or if the container was created
 * without one (struct create_options).
 */
int notify_open(struct notify *notify, const struct container *c, const char *socket,
		struct oci_err *err);

/* Reads what the container has said; passes READY=1 on, with pid as the unit's main process.
 * Whether it was that. */
bool notify_pass(const struct notify *notify, pid_t pid);

/* Waits for READY=1, or the end of the process, whichever is first. */
void notify_wait(struct notify *notify, int pidfd, pid_t pid);

void notify_close(struct notify *notify);

#define own_notify __attribute__((cleanup(notify_close)))

#endif
