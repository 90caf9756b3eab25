/*
 * The plan: what init needs of config.json, prepared by oci-pivot in a form
 * that needs no parser.
 *
 * A plan is a sealed memory file: struct plan, then data. A span is a place in
 * the file, relative to its beginning; a list is n strings one after another, each with
 * its NUL. Init maps it read-only and checks every span before it uses any.
 */
#ifndef INIT_PLAN_H
#define INIT_PLAN_H

#include <stdint.h>

enum { PLAN_VERSION = 1, PLAN_SIZE_MAX = 32 << 20 };

struct plan_span {
	uint32_t offset, size; /* bytes */
};

struct plan_list {
	struct plan_span text;
	uint32_t n;
};

enum plan_flags {
	PLAN_TERMINAL = 1 << 0,
	PLAN_NO_NEW_PRIVS = 1 << 1,
	PLAN_SETGROUPS = 1 << 2, /* not where the user namespace denies it */
	PLAN_KEYRING = 1 << 3,	 /* a session keyring of its own */
	PLAN_CONSOLE_SIZE = 1 << 4,
	PLAN_SCHEDULER = 1 << 5,
	PLAN_IOPRIO = 1 << 6,
	PLAN_PERSONALITY = 1 << 7,
	PLAN_MEMPOLICY = 1 << 8,
	PLAN_NO_PROCESS = 1 << 9, /* config.json has no process: start is an error */
	PLAN_FURTHER = 1 << 10,	  /* of a container that has /dev/console already */
};

/* sched_setattr(2)'s struct, version 1 (Linux 5.3). */
struct plan_sched_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

struct plan {
	uint32_t version, size;
	uint32_t flags;
	uint32_t uid, gid, umask;
	uint32_t preserve_fds; /* descriptors 3 to 3+n-1 survive the exec */
	uint16_t rows, columns;
	uint64_t cap_bounding, cap_effective, cap_permitted, cap_inheritable, cap_ambient;
	struct plan_sched_attr scheduler;
	uint32_t ioprio;
	uint64_t personality;
	uint32_t mempolicy_mode, mempolicy_flags;
	struct plan_span mempolicy_nodes; /* bitmap of uint64_t, aligned to 8 */
	struct plan_span groups;	  /* uint32_t each, aligned to 4 */
	struct plan_span cwd;		  /* one string, with its NUL */
	struct plan_list args, env;
	struct plan_span apparmor, selinux; /* one string, size 0: none */
	struct plan_span filter;   /* struct sock_filter each, aligned to 8; size 0: no seccomp */
	uint32_t filter_flags;	   /* SECCOMP_FILTER_FLAG_* */
	struct plan_span listener; /* SCMP_ACT_NOTIFY: path of the agent's socket; size 0: none */
	struct plan_span listener_state; /* the containerProcessState to send, pid filled in */
	struct plan_span hooks;		 /* struct plan_hook each: startContainer */
	struct plan_span hook_state;	 /* state JSON for their standard input */
};

struct plan_hook {
	struct plan_span path; /* one string */
	struct plan_list args, env;
	uint32_t timeout_ms; /* 0: none */
	uint32_t unused;
};

/* Where a span begins; only after the plan was checked. */
static inline const void *plan_at(const struct plan *plan, struct plan_span span)
{
	return (const char *)plan + span.offset;
}

#endif
