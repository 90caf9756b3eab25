/*
 * Purpose: end what is left in the container's cgroup and remove its directories.
 * Runs in: the runtime's namespaces.
 * Should: succeed with one rmdir(2) a hierarchy in the common case; remove
 *   deepest first; work from every prefix of a creation; end within 10 s.
 * Mustn't: end a process or remove a directory of a cgroup whose id is not the
 *   one that was noted when it was made; remove what was there before.
 * Undo: none.
 * Specification: runtime.md, "Delete".
 */
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "kernel/cgroup_procs.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/cgroup_tree.h"
#include "kernel/device_cgroup.h"

enum { ORPHAN_MS = 1000 };

static void remove_child(int parent, const char *name)
{
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* Removes the cgroups that the container made beneath dir, deepest first; errors show in the rmdir
 * above. */
static void remove_children(int dir_fd)
{
	cgroup_walk(dir_fd, &(struct cgroup_visit){.leave = remove_child});
}

static int still_busy(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	own_ptr pid_t *pids = NULL;
	size_t n = 0;

	if (cgroup_pids_at(h, &pids, &n, err) < 0)
		return -1;
	err_sys(err, EBUSY, "cannot remove cgroup \"%s%s\" within %d s", h->mount, h->path,
		CGROUP_DEADLINE_MS / 1000);
	if (n)
		err_hint(err, "%zu processes do not end, the first is %d", n, (int)pids[0]);
	return -1;
}

/* Removes the container's own directory; killed processes leave it a moment after they were. */
static int remove_leaf(const struct json_object *record, const struct cgroup_hierarchy *h, int root,
		       bool ours, int64_t deadline, struct oci_err *err)
{
	for (unsigned turn = 0;; turn++) {
		own_fd int leaf = -1;

		if (unlinkat(root, h->path + 1, AT_REMOVEDIR) == 0 || cgroup_is_gone(errno))
			return 0;
		if (errno != EBUSY)
			return err_sys(err, errno, "cannot remove cgroup \"%s%s\"", h->mount,
				       h->path);
		if (cgroup_now_ms() > deadline)
			return ours ? still_busy(h, err) : 0;
		if (!ours) {
			cgroup_pause(turn);
			continue;
		}
		leaf = cgroup_open_beneath(root, h->path);
		if (leaf >= 0)
			remove_children(leaf);
		if (cgroup_kill_at(h, err) < 0)
			return -1;
		cgroup_thaw_killed(record);
		cgroup_pause(turn);
	}
}

/* The directories above it that were made for containers, if this was the last of them. */
static void remove_parents(const struct cgroup_hierarchy *h, int root)
{
	own_ptr char *path = strdup(h->path + 1);

	for (char *slash; path && (slash = strrchr(path, '/'));) {
		struct stat st;

		*slash = '\0';
		if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT)
				return;
		} else if (!(st.st_mode & CGROUP_PARENT_MARK) ||
			   (unlinkat(root, path, AT_REMOVEDIR) < 0 && errno != ENOENT)) {
			return;
		}
	}
}

/* Somebody else's directory, which the container was in: it stays, without what is ours. */
static int leave(const struct json_object *record, const struct cgroup_hierarchy *h, int root,
		 struct oci_err *err)
{
	own_fd int leaf = h->v2 ? cgroup_open_beneath(root, h->path) : -1;

	if (cgroup_kill_at(h, err) < 0)
		return -1;
	cgroup_thaw_killed(record);
	return leaf >= 0 ? device_cgroup_v2_detach(leaf, err) : 0;
}

static int remove_at(const struct json_object *record, const struct cgroup_hierarchy *h,
		     int64_t deadline, struct oci_err *err)
{
	own_fd int root = cgroup_open_root(h, err);
	struct stat st;

	if (root < 0)
		return -1;
	if (fstatat(root, h->path + 1, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (!cgroup_is_gone(errno))
			return err_sys(err, errno, "cannot look at cgroup \"%s%s\"", h->mount,
				       h->path);
	} else {
		bool ours = h->id && st.st_ino == h->id;
		/*
		 * Made, but the creation was killed before its note of it was saved. Its init
		 * dies with it, which takes a moment; whoever else is in there is not ours.
		 */
		int64_t shortly = cgroup_now_ms() + ORPHAN_MS;

		if (h->id && !ours)
			return 0;
		if (h->made == 0)
			return ours ? leave(record, h, root, err) : 0;
		if (remove_leaf(record, h, root, ours, ours ? deadline : shortly, err) < 0)
			return -1;
	}
	remove_parents(h, root);
	return 0;
}

/* What is in the unit is killed first, so that systemd has nothing to wait for. */
static int end_unit(const struct json_object *record, struct oci_err *err)
{
	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);

		if (h.id && cgroup_kill_at(&h, err) < 0)
			return -1;
	}
	cgroup_thaw_killed(record);
	return cgroup_systemd_stop(record, err);
}

int cgroup_remove(const struct json_object *record, struct oci_err *err)
{
	int64_t deadline = cgroup_now_ms() + CGROUP_DEADLINE_MS;
	struct cgroup_hierarchy v2;
	int result = 0;

	if (cgroup_is_systemd(record) && end_unit(record, err) < 0)
		return -1;
	/* cgroup.kill ends all at once; the v1 directories then are empty. */
	if (cgroup_count(record) > 1 && cgroup_find_v2(record, &v2) && v2.id &&
	    cgroup_kill_at(&v2, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);
		own_err struct oci_err one = ERR_INIT;

		/* The first error is reported, but it does not keep the others. */
		if (remove_at(record, &h, deadline, result < 0 ? &one : err) < 0)
			result = -1;
	}
	return result;
}
