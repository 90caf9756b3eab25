/*
 * Talking to init, the container's first process.
 *
 * Init listens on ROOT/ID/init.sock (SOCK_SEQPACKET). A stage connects, asks,
 * and closes; oci-start asks for the start and keeps the connection until the
 * exec closes it. The messages are in init/protocol.h.
 */
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "init/protocol.h"
#include "oci/container.h"

/* A connection; FAULT_STATE if init no longer listens (it runs the user's program, or is dead). */
int init_connect(const struct container *c, struct oci_err *err);

/* Whether init still listens: it lives and has not begun to run the user's program. */
bool init_listens(const struct container *c);

/*
 * Asks init for a detached mount of a new superblock that belongs to its
 * namespaces (fstype proc, sysfs, mqueue, cgroup, cgroup2). options: n strings
 * "key=value" or "key". attributes: MOUNT_ATTR_*. Returns the mount's
 * descriptor; -1 with *err (FAULT_SYSTEM with errnum, for instance EPERM if the
 * kernel finds the mount too revealing).
 */
int init_make_mount(int connection, const char *fstype, const char *source,
		    const char *const *options, size_t n, uint64_t attributes, struct oci_err *err);

/* What init needs to get ready. Descriptors of the caller's, who closes them; -1: none. */
struct init_ready {
	int plan;    /* sealed memory file with a struct plan (init/plan.h) */
	int console; /* connected console socket */
	int root;    /* directory to change the root to, without a pivot_root */
	int agent;   /* connected socket of the seccomp agent */

	/* Bit n: the n-th startContainer hook has a program, in case the container has none; in
	 * order. */
	uint64_t hooks;
	int programs[INIT_HOOK_PROGRAMS_MAX];
};

/* Returns when init has accepted the connection. */
int init_hello(int connection, struct oci_err *err);

/* Asks init to get ready, and waits for the answer. */
int init_get_ready(int connection, const struct init_ready *ready, struct oci_err *err);

/*
 * After init_get_ready() failed: a filter that is in force by then may have forbidden init to say
 * why it ended. -1, with the better *err if that is so.
 */
int init_explain_silence(const struct json_object *config, struct oci_err *err);

/* Asks init to start the user's program; returns when it runs, -1 with init's error. */
int init_start(int connection, struct oci_err *err);

#endif
