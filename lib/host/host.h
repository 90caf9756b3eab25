/*
 * What this machine can do for a container: asked, not guessed.
 *
 * A report is a JSON array of requirements. Each says which property it is
 * about, what is needed, how it was probed (a path, a system call), what came
 * of it, and what that means:
 *
 *	ok		it will be as asked for
 *	degraded	the container will run, but not quite as asked for, or it
 *			cannot be told without doing it
 *	fail		the creation, or the start, would fail
 *
 *	{"pointer": "/mounts/2", "requirement": "filesystem mqueue",
 *	 "probe": "/proc/filesystems", "result": "listed", "status": "ok"}
 *
 * Probing makes nothing that outlives the call, loads no module and opens no
 * device and no FIFO. What only a process can try for itself is tried by a child.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "kernel/idmap.h"

enum host_status { HOST_OK, HOST_DEGRADED, HOST_FAIL };

/* ---- Making a report ------------------------------------------------------------------------- */

/*
 * Begins a requirement, in the order of calls: the place that it is about,
 * what is required, the probe, its result. Borrowed from the report.
 */
struct json_object *host_require(struct json_object *report, const char *pointer, ...)
	__attribute__((format(printf, 2, 3)));
void host_what(struct json_object *requirement, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void host_probe(struct json_object *requirement, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void host_result(struct json_object *requirement, enum host_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The result of a system call: 0 is ok, "done"; another errno is worse, by its name. */
void host_result_errno(struct json_object *requirement, enum host_status worse, int errnum);

/* How many of the report have this status. */
size_t host_count(const struct json_object *report, enum host_status status);

/* ---- Probes (probe.c) ------------------------------------------------------------------------ */

/* Runs f(arg), which returns 0 or an errno, in a child that ends with it; what it returned. */
int host_try(int (*f)(const void *), const void *arg);

/* Whether namespaces of these types (CLONE_NEW*) can be made: 0 or an errno. */
int host_try_namespaces(uint64_t flags);

/*
 * Applies process.scheduler and ioPriority, linux.personality and memoryPolicy of a config, as
 * far as they are there, in a child (try.c): 0 or an errno.
 */
int host_try_scheduling(const struct json_object *config);

/*
 * Clones the mount at path (beneath dir_fd, "" for itself), detached, and gives it this mapping:
 * 0 or an errno, EINVAL for a filesystem that cannot; *err has a message if the user
 * namespace for it could not be made.
 */
int host_try_idmap(int dir_fd, const char *path, bool recursive, const struct json_object *uids,
		   const struct json_object *gids, struct oci_err *err);

/* idmap_get() for anybody: 0 or more, -1 with *err. */
int host_get_mapping(struct idmap_cache *cache, const struct json_object *uids,
		     const struct json_object *gids, struct oci_err *err);

/* Whether the capability (a number of linux/capability.h) is in our effective set. */
bool host_has_capability(int capability);

/* The kernel's answer to seccomp(2): by the names that config.json has. */
bool host_has_seccomp_action(const char *name);
bool host_has_seccomp_flag(const char *name);

/*
 * The text of a file of the host's procfs ("filesystems"), at most 1 MiB; the caller
 * frees it. NULL with errno.
 */
char *host_read_proc(const char *name);

/* ---- What there is --------------------------------------------------------------------------- */

struct host_program {
	const char *version, *commit;
	bool checkpoint; /* has the commands for it */
};

/*
 * The document of features.md, from the tables; the caller puts it. Nothing in
 * it depends on the machine, but for linux.seccomp.supportedFlags, as features-linux.md says.
 */
struct json_object *host_features(const struct host_program *program);

/* For each of the document's features: can this kernel do it, for this user? A report. */
struct json_object *host_probe_features(const struct json_object *features);

#endif
