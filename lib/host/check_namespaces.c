/*
 * Purpose: namespaces, id mappings and clocks: would they be made, or joined?
 * Runs in: children that end at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "host/check.h"
#include "host/host.h"
#include "kernel/idmap.h"
#include "kernel/ns.h"
#include "kernel/proc.h"

struct join {
	int fd;
	int flag;
};

static int join(const void *arg)
{
	const struct join *join = arg;

	return setns(join->fd, join->flag) < 0 ? errno : 0;
}

/* Opened only if it is a namespace: at the path could be anything. */
static void check_joined(struct json_object *r, const struct ns_type *type, const char *path)
{
	own_fd int looked_at = open(path, O_PATH | O_CLOEXEC), fd = -1;
	own_err struct oci_err err = ERR_INIT;
	struct statfs fs;
	struct join arg;
	int e;

	host_what(r, "%s namespace", type->name);
	host_probe(r, "setns to \"%s\"", path);
	if (looked_at < 0 || fstatfs(looked_at, &fs) < 0) {
		host_result_errno(r, HOST_FAIL, errno);
		return;
	}
	if ((uint64_t)fs.f_type != NSFS_MAGIC) {
		host_result(r, HOST_FAIL, "is not a namespace");
		return;
	}
	fd = ns_open(type, path, &err);
	if (fd < 0) {
		host_result(r, HOST_FAIL, "%s", err.message);
		return;
	}
	arg = (struct join){fd, (int)type->flag};
	e = host_try(join, &arg);
	/* Our own user namespace cannot be joined, and need not be. */
	if (e == EINVAL && ns_is_ours(type, path))
		host_result(r, HOST_OK, "our own");
	else
		host_result_errno(r, HOST_FAIL, e);
}

static void check_namespace(struct host_check *check, size_t i, const struct json_object *ns)
{
	const struct ns_type *type = ns_find(json_string(ns, "type"));
	const char *path = json_string(ns, "path");
	struct json_object *r = host_require(check->report, "/linux/namespaces/%zu", i);
	const bool nested = (check->new_namespaces & CLONE_NEWUSER) && type->flag != CLONE_NEWUSER;

	if (path && *path) {
		check_joined(r, type, path);
		return;
	}
	host_what(r, "%s namespace", type->name);
	host_probe(r, "unshare(%s%s)", nested ? "user, " : "", type->name);
	host_result_errno(r, HOST_FAIL,
			  host_try_namespaces(type->flag | (nested ? CLONE_NEWUSER : 0)));
}

/* Both maps are written, for a namespace that ends with this. */
static void check_mappings(struct host_check *check)
{
	own_err struct oci_err err = ERR_INIT;
	struct idmap_cache cache = {0};
	struct json_object *r;

	if (!(check->new_namespaces & CLONE_NEWUSER))
		return;
	r = host_require(check->report, "/linux/uidMappings");
	host_what(r, "ranges of user and group ids");
	host_probe(r, "%s",
		   geteuid() ? "newuidmap, newgidmap: /etc/subuid, /etc/subgid"
			     : "writing uid_map and gid_map");
	if (host_get_mapping(&cache, json_member(check->platform, "uidMappings"),
			     json_member(check->platform, "gidMappings"), &err) < 0)
		host_result(r, HOST_FAIL, "%s", err.message);
	else
		host_result(r, HOST_OK, "done");
	idmap_free(&cache);
}

struct clocks {
	int proc;
	int flags;
	const struct json_object *offsets;
};

static int set_clocks(const void *arg)
{
	const struct clocks *clocks = arg;

	if (unshare(clocks->flags) < 0)
		return errno;
	json_object_object_foreach (clocks->offsets, name, value) {
		char line[96];

		snprintf(line, sizeof line, "%s %lld %lld\n", name,
			 (long long)json_int(value, "secs", 0),
			 (long long)json_int(value, "nanosecs", 0));
		if (fd_write_control(clocks->proc, "self/timens_offsets", line) < 0)
			return errno;
	}
	return 0;
}

static void check_clocks(struct host_check *check)
{
	own_err struct oci_err err = ERR_INIT;
	struct clocks arg = {
		.proc = proc_fd(&err),
		.flags = CLONE_NEWTIME | (int)(check->new_namespaces & CLONE_NEWUSER),
		.offsets = json_member(check->platform, "timeOffsets"),
	};
	struct json_object *r;

	if (!arg.offsets || json_object_object_length(arg.offsets) == 0)
		return;
	r = host_require(check->report, "/linux/timeOffsets");
	host_what(r, "offsets of clocks");
	host_probe(r, "writing timens_offsets");
	if (arg.proc < 0)
		host_result(r, HOST_FAIL, "%s", err.message);
	else
		host_result_errno(r, HOST_FAIL, host_try(set_clocks, &arg));
}

void host_check_namespaces(struct host_check *check)
{
	const struct json_object *list = json_member(check->platform, "namespaces");

	for (size_t i = 0; i < json_length(list); i++)
		check_namespace(check, i, json_item(list, i));
	check_mappings(check);
	check_clocks(check);
}
