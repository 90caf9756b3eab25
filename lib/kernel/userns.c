#include "kernel/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/proc.h"

enum { HELPER_ARGS_MAX = 2 + 3 * 340 + 1 }; /* the kernel takes 340 lines */

struct map {
	const char *file;   /* of /proc/PID */
	const char *helper; /* absolute: not looked up in PATH */
	const char *pointer;
	uid_t own_id;
	const struct json_object *mappings;
};

static char *format_map(const struct json_object *mappings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < json_length(mappings); i++) {
		const struct json_object *m = json_item(mappings, i);

		fprintf(out, "%llu %llu %llu\n", (unsigned long long)json_uint(m, "containerID", 0),
			(unsigned long long)json_uint(m, "hostID", 0),
			(unsigned long long)json_uint(m, "size", 0));
	}
	fclose(out);
	return text;
}

static int write_proc(pid_t pid, const char *file, const char *text, struct oci_err *err)
{
	char path[48];
	int proc = proc_fd(err);

	if (proc < 0) {
		errno = ENOSYS;
		return -1;
	}
	snprintf(path, sizeof path, "%d/%s", (int)pid, file);
	return fd_write_control(proc, path, text);
}

/* Whether it is the one line that a user may write without any privilege. */
static bool maps_only(const struct json_object *mappings, uid_t id)
{
	const struct json_object *m = json_item(mappings, 0);

	return json_length(mappings) == 1 && json_uint(m, "hostID", UINT64_MAX) == id &&
	       json_uint(m, "size", 0) == 1;
}

static int run_helper(char *const argv[], int *ret_status)
{
	posix_spawn_file_actions_t actions;
	char *env[] = {NULL};
	pid_t pid;
	int e;

	posix_spawn_file_actions_init(&actions);
	e = posix_spawn(&pid, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	if (e) {
		errno = e;
		return -1;
	}
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

/* newuidmap PID INSIDE OUTSIDE COUNT ...; its own words about a refusal go to stderr. */
static int map_by_helper(pid_t pid, const struct map *map, struct oci_err *err)
{
	static char numbers[HELPER_ARGS_MAX][24];
	char *argv[HELPER_ARGS_MAX + 1];
	size_t n = 0;
	int status;

	argv[n++] = (char *)(uintptr_t)map->helper;
	snprintf(numbers[n], sizeof *numbers, "%d", (int)pid);
	argv[n] = numbers[n];
	n++;
	for (size_t i = 0; i < json_length(map->mappings) && n + 3 < HELPER_ARGS_MAX; i++) {
		static const char *const keys[] = {"containerID", "hostID", "size"};
		const struct json_object *m = json_item(map->mappings, i);

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++, n++) {
			snprintf(numbers[n], sizeof *numbers, "%llu",
				 (unsigned long long)json_uint(m, keys[k], 0));
			argv[n] = numbers[n];
		}
	}
	argv[n] = NULL;
	if (run_helper(argv, &status) < 0) {
		err_sys(err, errno, "cannot run \"%s\" to map ids that this user may not map alone",
			map->helper);
		err_hint(err, "it is in Debian's package uidmap");
	} else if (status == 0) {
		return 0;
	} else {
		err_set(err, FAULT_UNSUPPORTED, "\"%s\" refused the mapping (wait status %#x)",
			map->helper, (unsigned)status);
		err_hint(err, "the host ids must be in this user's ranges of /etc/subuid and "
			      "/etc/subgid");
	}
	return err_at(err, "%s", map->pointer);
}

static int write_map(pid_t pid, const struct map *map, struct oci_err *err)
{
	own_ptr char *text = format_map(map->mappings);

	if (!text)
		return err_sys(err, errno, "cannot format an id map");
	if (write_proc(pid, map->file, text, err) == 0)
		return 0;
	if (errno == EPERM && geteuid() != 0 && !maps_only(map->mappings, map->own_id))
		return map_by_helper(pid, map, err);
	err_sys(err, errno, "cannot write %s of process %d", map->file, (int)pid);
	if (err->errnum == EINVAL && strlen(text) >= (size_t)sysconf(_SC_PAGESIZE))
		err_wrap(err,
			 "%zu mappings are %zu bytes of text, and the kernel takes less than %ld",
			 json_length(map->mappings), strlen(text), sysconf(_SC_PAGESIZE));
	else if (err->errnum == EINVAL)
		err_hint(err, "mappings must not overlap, and their host ids must be mapped where "
			      "we run");
	return err_at(err, "%s", map->pointer);
}

int userns_write_maps(pid_t pid, const struct json_object *uid_mappings,
		      const struct json_object *gid_mappings, struct oci_err *err)
{
	const struct map uid = {"uid_map", "/usr/bin/newuidmap", "/linux/uidMappings", geteuid(),
				uid_mappings};
	const struct map gid = {"gid_map", "/usr/bin/newgidmap", "/linux/gidMappings", getegid(),
				gid_mappings};

	/* Since Linux 3.19 the own gid may be mapped without privilege only after this. */
	if (geteuid() != 0 && maps_only(gid_mappings, getegid()) &&
	    write_proc(pid, "setgroups", "deny", err) < 0)
		return err_sys(err, errno, "cannot deny setgroups to process %d", (int)pid);
	return write_map(pid, &uid, err) < 0 || write_map(pid, &gid, err) < 0 ? -1 : 0;
}
