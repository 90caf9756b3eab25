/*
 * What init and the stages say to each other: one request, one reply, each one
 * message of a SOCK_SEQPACKET connection to init.sock, descriptors beside it.
 *
 * Both sides are built from this file and run on one machine: structures pass
 * as they are. Init checks every length all the same, because whoever can
 * connect is not only our own code: state directories can be old. A version
 * that differs is refused by the first request.
 */
#ifndef INIT_PROTOCOL_H
#define INIT_PROTOCOL_H

#include <stdint.h>

enum { INIT_VERSION = 1, INIT_MESSAGE_MAX = 8192, INIT_OPTIONS_MAX = 64 };

enum init_op {
	INIT_MOUNT = 1, /* make a detached mount; reply carries its descriptor */
	INIT_READY,	/* descriptors: plan, and see enum init_ready_flags */
	INIT_START,
	INIT_HELLO, /* an answer, no more: it tells that the connection has been accepted */
};

/*
 * INIT_READY: what follows the plan, in this order, and then a program for each
 * startContainer hook whose bit is set in "attributes".
 */
enum init_ready_flags {
	INIT_HAS_CONSOLE = 1, /* connected console socket */
	INIT_HAS_ROOT = 2,    /* directory to change the root to */
	INIT_HAS_AGENT = 4,   /* connected socket of the seccomp agent */
};

enum { INIT_FDS_MAX = 16, INIT_HOOK_PROGRAMS_MAX = INIT_FDS_MAX - 4 };

struct init_request {
	uint32_t version, op, flags;
	uint32_t n_options;  /* INIT_MOUNT */
	uint64_t attributes; /* INIT_MOUNT: MOUNT_ATTR_*; INIT_READY: hooks with a program */
	char fstype[32];
	/* INIT_MOUNT: source, then n_options strings, each with its NUL, in what is left of the
	 * message. */
	char text[INIT_MESSAGE_MAX - 64];
};

/*
 * status 0: done. Otherwise an errno, and what failed: "cannot change to
 * directory \"/x\"" (the errno's name is added by the reader); if INIT_EXEC_ERROR
 * is set, text is complete and in the words that engines look for; so it is with
 * INIT_HOOK_ERROR and status 0: the hook ran. pointer: the property of
 * config.json, or "".
 */
enum init_reply_flags {
	INIT_EXEC_ERROR = 1,
	INIT_EXECUTING = 2, /* INIT_START: the next thing is the exec; the end of the connection is
			       success */
	INIT_HOOK_ERROR = 4,
};

struct init_reply {
	uint32_t version, flags;
	int32_t status;
	char pointer[64];
	char text[1024];
};

/*
 * The setup: what the launcher is told, on the socket pair it is started with.
 * Descriptors: see enum launcher_fd.
 */
enum { SETUP_JOINS_MAX = 8, SETUP_CGROUPS_MAX = 32, SETUP_NAME_MAX = 65 };

struct init_setup {
	uint32_t version;
	uint32_t n_joins;
	uint32_t n_cgroups;   /* v1 hierarchies to move to; with walk v2 too */
	uint64_t clone_flags; /* CLONE_NEW* for clone3; without NEWCGROUP and NEWTIME */
	uint64_t join_types[SETUP_JOINS_MAX]; /* CLONE_NEW* of each descriptor of a namespace to
						 join, in order */
	uint8_t new_cgroup_ns;		      /* unshared by init, when it is in all its cgroups */
	uint8_t new_time_ns; /* unshared by init; offsets are written by the stage */
	uint8_t become_root; /* setresuid(0) in the new user namespace once it is mapped */
	uint8_t loopback_up;
	uint8_t into_cgroup; /* the cgroup descriptor is there */
	uint8_t leashed;     /* the leash is there */
	/* An unprivileged stage can map the ids of, and join, a dumpable process only. */
	uint8_t dumpable;
	/* Not a first process, but a further one of the container of LAUNCHER_TARGET. */
	uint8_t enters;
	uint64_t enter_types; /* CLONE_NEW* of that process's namespaces, as setns(2) takes them */
	char hostname[SETUP_NAME_MAX]; /* "" : leave it */
	char domainname[SETUP_NAME_MAX];
};

/* The byte on the leash that sets init free of the driver: the creation is committed. */
enum { INIT_COMMIT = 'C' };

/*
 * The launcher's descriptors, counted from its argv[1]: what lies below is the
 * container's (0, 1, 2 and --preserve-fds).
 */
enum launcher_fd {
	LAUNCHER_CONTROL, /* socket pair to oci-nsenter-setup */
	LAUNCHER_LISTEN,  /* init.sock; or LAUNCHER_TARGET */
	LAUNCHER_LEASH,	  /* pipe: end of file before the commit ends init */
	LAUNCHER_CGROUP,
	LAUNCHER_JOIN, /* the first of n_joins, then of n_cgroups ("tasks" files) */
	LAUNCHER_TARGET = LAUNCHER_LISTEN, /* pidfd of the container's first process */
};

/*
 * Steps on the control socket; each message is one of these. Launcher and init
 * say where they are, the stage says go on. A failure is a struct init_reply
 * with status (it is longer, so cannot be confused).
 *
 * A further process ("enters") takes no steps after SETUP_CLONED: it joins, and answers
 * INIT_READY and INIT_START on the control socket itself. If it cannot join, that is
 * the answer. It ends with the control socket, as long as it has not been started.
 */
enum setup_step {
	SETUP_CLONED = 1, /* launcher -> stage: pid follows */
	SETUP_JOIN_DONE,  /* stage -> init: id maps written, pid recorded */
	SETUP_TIME,	  /* init -> stage: time namespace unshared, write the offsets */
	SETUP_TIME_DONE,
	SETUP_UP, /* init -> stage: listening */
};

struct setup_message {
	uint32_t step;
	int32_t pid;
};

#endif
