/*
 * Purpose: make the container's cgroup and put its first process in it.
 * Runs in: the runtime's namespaces.
 * Should: make each directory in one mkdir(2) where its parent is there; note
 *   in the record, by id, what is ours.
 * Mustn't: use a directory that appeared after the plan; enable controllers
 *   that nothing needs.
 * Undo: cgroup_remove().
 * Specification: config-linux.md, "Control groups".
 */
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_limits.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/cgroup_tree.h"

/* A new v1 cpuset has no CPUs and no memory nodes, and takes no process until it has. */
static const char *const cpuset_files[] = {"cpuset.cpus", "cpuset.mems"};

static int inherit_cpuset(int parent, int child, const char *file)
{
	own_ptr char *own = NULL, *inherited = NULL;

	if (cgroup_read(child, file, &own) < 0)
		return -1;
	if (*own)
		return 0;
	if (cgroup_read(parent, file, &inherited) < 0)
		return -1;
	return fd_write_control(child, file, inherited);
}

/* From the root down, since a parent that was made now is empty as well. */
static int fill_cpuset(const struct cgroup_hierarchy *h, int root, struct oci_err *err)
{
	own_ptr char *path = strdup(h->path);
	own_fd int parent = -1;

	for (char *end = path; end && *end;) {
		own_fd int child = -1;
		char saved;

		end = strchrnul(end + 1, '/');
		saved = *end;
		*end = '\0';
		child = cgroup_open_beneath(root, path);
		*end = saved;
		for (unsigned i = 0; i < ARRAY_SIZE(cpuset_files); i++)
			if (child < 0 ||
			    inherit_cpuset(parent < 0 ? root : parent, child, cpuset_files[i]) < 0)
				return err_sys(err, errno, "cannot set %s of cgroup \"%s%s\"",
					       cpuset_files[i], h->mount, h->path);
		own_close_fd(&parent);
		parent = steal_fd(&child);
	}
	return 0;
}

static int make(const struct json_object *record, size_t i, struct oci_err *err)
{
	struct cgroup_hierarchy h = cgroup_at(record, i), cpuset;
	own_fd int root = cgroup_open_root(&h, err), leaf = -1;

	if (root < 0)
		return -1;
	leaf = cgroup_make_leaf(&h, root, err);
	if (leaf < 0)
		return -1;
	if (!h.v2 && cgroup_find_v1(record, "cpuset", &cpuset) && cpuset.json == h.json)
		return fill_cpuset(&h, root, err);
	return 0;
}

int cgroup_create(struct json_object *record, const struct json_object *resources, int leash,
		  struct oci_err *err)
{
	if (cgroup_is_systemd(record) && cgroup_systemd_start(record, resources, leash, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup_count(record); i++)
		if (make(record, i, err) < 0)
			return -1;
	if (cgroup_devices_apply(record, resources, err) < 0)
		return -1;
	return cgroup_limits_apply(record, resources, PHASE_CREATE, NULL, err);
}

int cgroup_settle(const struct json_object *record, const struct json_object *resources,
		  struct oci_err *err)
{
	if (cgroup_is_systemd(record) && cgroup_systemd_settle(record, resources, err) < 0)
		return -1;
	return cgroup_limits_apply(record, resources, PHASE_SETTLE, NULL, err);
}

/*
 * The files first: what cannot be is refused there, and by name. Then systemd, which writes them as
 * well, as far as its properties are as fine; and so once more.
 */
static int update_limits(const struct json_object *record, const struct cgroup_change *change,
			 struct cgroup_undo *undo, struct oci_err *err)
{
	if (cgroup_limits_apply(record, change->resources, PHASE_UPDATE, undo, err) < 0)
		return -1;
	if (!cgroup_is_systemd(record))
		return 0;
	if (cgroup_systemd_update(record, change->resources, change->after, err) < 0)
		return -1;
	return cgroup_limits_apply(record, change->resources, PHASE_UPDATE, NULL, err);
}

int cgroup_update(const struct json_object *record, const struct cgroup_change *change,
		  struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct cgroup_undo undo = {0};
	bool limited;
	int result;

	if (cgroup_count(record) == 0 && cgroup_limits_asked(change->resources))
		return err_set(err, FAULT_UNSUPPORTED, "the container has no cgroup of its own");
	result = update_limits(record, change, &undo, err);
	limited = result == 0;
	if (limited && json_length(json_member(change->resources, "devices")) > 0)
		result = cgroup_devices_update(record, change->before, change->resources, err);
	if (result < 0) {
		if (limited && cgroup_is_systemd(record))
			cgroup_systemd_update(record, change->before, change->before, &ignored);
		cgroup_undo(&undo, err);
	}
	cgroup_undo_free(&undo);
	return result;
}

int cgroup_open_v2(const struct json_object *record, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	int fd;

	err_clear(err);
	if (!cgroup_find_v2(record, &h))
		return -1;
	fd = cgroup_open_leaf(&h, err);
	if (fd < 0 && err->fault == FAULT_NONE)
		return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone",
			       h.mount, h.path);
	return fd;
}

/* The file `file` of the container's directory in a v1 hierarchy, for writing. */
static int open_v1(const struct cgroup_hierarchy *h, const char *file, struct oci_err *err)
{
	own_fd int leaf = cgroup_open_leaf(h, err);
	int fd;

	if (leaf < 0 && err->fault == FAULT_NONE)
		return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone",
			       h->mount, h->path);
	if (leaf < 0)
		return -1;
	fd = openat(leaf, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open \"%s%s/%s\"", h->mount, h->path, file);
	return fd;
}

int cgroup_join_v1(const struct json_object *record, pid_t pid, struct oci_err *err)
{
	char text[24];

	snprintf(text, sizeof text, "%d", (int)pid);
	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);
		own_fd int fd = -1;

		if (h.v2)
			continue;
		fd = open_v1(&h, "cgroup.procs", err);
		if (fd < 0)
			return -1;
		if (fd_write_all(fd, text, strlen(text)) < 0)
			return err_sys(err, errno, "cannot move process %d to cgroup \"%s%s\"",
				       (int)pid, h.mount, h.path);
	}
	return 0;
}

int cgroup_open_v1(const struct json_object *record, int *fds, size_t *n_fds, struct oci_err *err)
{
	size_t max = *n_fds, n = 0;

	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);

		if (h.v2)
			continue;
		fds[n] = n < max ? open_v1(&h, "tasks", err)
				 : err_set(err, FAULT_UNSUPPORTED,
					   "more than %zu cgroup v1 hierarchies", max);
		if (fds[n] < 0) {
			while (n > 0)
				close(fds[--n]);
			return -1;
		}
		n++;
	}
	*n_fds = n;
	return 0;
}

char *cgroup_describe(const struct json_object *record)
{
	struct cgroup_hierarchy h;
	char *text = NULL;
	int n;

	if (cgroup_is_systemd(record) && cgroup_count(record) == 0)
		return strdup(json_string(json_member(record, "systemd"), "unit"));
	if (cgroup_count(record) == 0)
		return strdup("none");
	if (cgroup_find_v2(record, &h))
		n = cgroup_count(record) == 1 ? asprintf(&text, "%s%s", h.mount, h.path)
					      : asprintf(&text, "%s%s and %zu v1 hierarchies",
							 h.mount, h.path, cgroup_count(record) - 1);
	else
		n = asprintf(&text, "%s in %zu v1 hierarchies", json_string(record, "path"),
			     cgroup_count(record));
	return n < 0 ? NULL : text;
}
