/*
 * What a container has used, as "events" of runc says it: numbers of cgroup v2 in the units of v1
 * (nanoseconds, swap together with memory).
 */
#ifndef KERNEL_CGROUP_STATS_H
#define KERNEL_CGROUP_STATS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/*
 * An object with the members cpu, cpuset, memory, pids, blkio, hugetlb, and rdma if there are
 * devices. What a controller would say that is not there is left out. The caller puts it. NULL
 * with *err: FAULT_STATE if the cgroup is gone.
 */
struct json_object *cgroup_stats(const struct json_object *record, struct oci_err *err);

/*
 * To be told when the container runs out of memory: fd becomes readable.
 *
 *	if (cgroup_watch_open(record, &watch, err) < 0) ...
 *	poll watch.fd (-1: no memory controller, it is never told)
 *	if (cgroup_watch_read(&watch)) ...
 *	cgroup_watch_close(&watch);
 */
struct cgroup_watch {
	int fd;	  /* v1: an eventfd; v2: an inotify descriptor */
	int file; /* v1: memory.oom_control; v2: the directory */
	bool v2;
	uint64_t kills; /* v2: oom_kill of memory.events, as it was */
};

#define CGROUP_WATCH_INIT ((struct cgroup_watch){.fd = -1, .file = -1})

int cgroup_watch_open(const struct json_object *record, struct cgroup_watch *ret_watch,
		      struct oci_err *err);

/* Whether it has since the last call. Never waits. */
bool cgroup_watch_read(struct cgroup_watch *watch);

void cgroup_watch_close(struct cgroup_watch *watch);

/* -1. Of a creation that failed without an errno: says so in *err if memory did not suffice. */
int cgroup_explain_kill(const struct json_object *record, struct oci_err *err);

/* kernel/cgroup_stats_*.c: what is in one directory. */
struct json_object *cgroup_stats_cpu(int cpu, int cpuacct, bool v2);
struct json_object *cgroup_stats_cpuset(int dir, bool v2);
struct json_object *cgroup_stats_memory(int dir, bool v2);
struct json_object *cgroup_stats_io(int dir, bool v2);
struct json_object *cgroup_stats_hugetlb(int dir, bool v2);
struct json_object *cgroup_stats_rdma(int dir);

/* A file with one number; "max" is UINT64_MAX. False if there is none. */
bool cgroup_stats_number(int dir, const char *file, uint64_t *ret_value);

/* The number behind a word at the beginning of a line of text, times scale; 0 if there is none. */
uint64_t cgroup_stats_word(const char *text, const char *word, uint64_t scale);

/* Adds it under key. */
void cgroup_stats_add(struct json_object *object, const char *key, uint64_t value);

/* Adds what FILE ("cpu.pressure") says, as "psi". */
void cgroup_stats_pressure(struct json_object *object, int dir, const char *file);

#endif
