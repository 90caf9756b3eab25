/*
 * Purpose: enable v2 controllers for the container's cgroup.
 * Runs in: the runtime's namespaces.
 * Should: cost one read where the machine has no controllers, two where they
 *   are enabled already.
 * Mustn't: enable what neither a limit nor the engines' statistics need.
 * Undo: none: what is enabled in a directory of others stays so.
 * Specification: config-linux.md, "Unified"; cgroup-v2.rst, "Top-down Constraint"
 *   and "No Internal Process Constraint".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_limits.h"

enum { ENABLE_TEXT_MAX = CGROUP_CONTROLLERS_MAX * 18 };

static bool wants(const struct cgroup_wanted *set, const char *name, size_t len)
{
	for (unsigned i = 0; i < set->n; i++)
		if (strlen(set->names[i]) == len && memcmp(set->names[i], name, len) == 0)
			return true;
	return false;
}

void cgroup_want(struct cgroup_wanted *wanted, const char *controller)
{
	size_t len = strlen(controller);

	if (len >= sizeof wanted->names[0] || wanted->n == CGROUP_CONTROLLERS_MAX ||
	    wants(wanted, controller, len))
		return;
	memcpy(wanted->names[wanted->n++], controller, len + 1);
}

/* Splits a set into what is in the words of text and what is not. */
static void split(const struct cgroup_wanted *set, const char *text, struct cgroup_wanted *ret_in,
		  struct cgroup_wanted *ret_out)
{
	*ret_in = *ret_out = (struct cgroup_wanted){0};
	for (unsigned i = 0; i < set->n; i++) {
		const char *name = set->names[i], *c = text;
		size_t len = strlen(name);
		bool found = false;

		for (; *c && !found; c += strspn(c, " ")) {
			size_t n = strcspn(c, " ");

			found = n == len && memcmp(c, name, n) == 0;
			c += n;
		}
		cgroup_want(found ? ret_in : ret_out, name);
	}
}

static bool has_all(int dir, const struct cgroup_wanted *set)
{
	own_ptr char *text = NULL;
	struct cgroup_wanted in, out;

	if (cgroup_read(dir, "cgroup.controllers", &text) < 0)
		return false;
	split(set, text, &in, &out);
	return out.n == 0;
}

static void add_words(char text[ENABLE_TEXT_MAX], const struct cgroup_wanted *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		strcat(text, text[0] ? " +" : "+");
		strcat(text, set->names[i]);
	}
}

/*
 * Whether processes are in the directory itself. Of the root, which has no type,
 * that is no matter. Elsewhere the kernel says EBUSY, except if cpu or pids alone are
 * enabled: then it makes the directory the root of a threaded tree, in which
 * no container can be.
 */
static bool holds_processes(int dir)
{
	own_ptr char *procs = NULL;

	return faccessat(dir, "cgroup.type", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	       cgroup_read(dir, "cgroup.procs", &procs) == 0 && *procs;
}

static int enable_failed(const struct cgroup_hierarchy *h, const char *path, const char *what,
			 int errnum, struct oci_err *err)
{
	err_sys(err, errnum, "cannot write \"%s\" to \"%s%s/cgroup.subtree_control\"", what,
		h->mount, path);
	if (errnum == EBUSY)
		err_hint(err,
			 "processes are in \"%s%s\"; cgroup v2 allows none where controllers are "
			 "enabled for the cgroups below",
			 h->mount, path);
	return err_at(err, "/linux/resources");
}

/* In one directory above the container's. */
static int enable_in(const struct cgroup_hierarchy *h, int dir, const char *path,
		     const struct cgroup_wanted *needed, const struct cgroup_wanted *nice,
		     struct oci_err *err)
{
	char all[ENABLE_TEXT_MAX] = "", must[ENABLE_TEXT_MAX] = "";
	struct cgroup_wanted must_add, may_add, there;
	own_ptr char *now = NULL;

	if (cgroup_read(dir, "cgroup.subtree_control", &now) < 0)
		return err_sys(err, errno, "cannot read \"%s%s/cgroup.subtree_control\"", h->mount,
			       path);
	split(needed, now, &there, &must_add);
	split(nice, now, &there, &may_add);
	add_words(must, &must_add);
	strcpy(all, must);
	add_words(all, &may_add);
	if (!all[0])
		return 0;
	if (holds_processes(dir))
		return must[0] ? enable_failed(h, path, must, EBUSY, err) : 0;
	if (fd_write_control(dir, "cgroup.subtree_control", all) == 0)
		return 0;
	for (unsigned i = 0; i < may_add.n; i++) {
		char one[20] = "+";

		fd_write_control(dir, "cgroup.subtree_control", strcat(one, may_add.names[i]));
	}
	if (!must[0] || fd_write_control(dir, "cgroup.subtree_control", must) == 0)
		return 0;
	/* Not ours to write: then who gave us a part of the tree has done it, or has not. */
	if (errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT)
		return 0;
	return enable_failed(h, path, must, errno, err);
}

static int enable_above(const struct cgroup_hierarchy *h, int root,
			const struct cgroup_wanted *needed, const struct cgroup_wanted *nice,
			struct oci_err *err)
{
	own_ptr char *path = strdup(h->path);

	if (!path)
		return err_sys(err, ENOMEM, "cannot enable controllers");
	if (enable_in(h, root, "", needed, nice, err) < 0)
		return -1;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		own_fd int dir = -1;

		*slash = '\0';
		dir = cgroup_open_beneath(root, path);
		if (dir < 0)
			return err_sys(err, errno, "cannot open cgroup \"%s%s\"", h->mount, path);
		if (enable_in(h, dir, path, needed, nice, err) < 0)
			return -1;
		*slash = '/';
	}
	return 0;
}

int cgroup_enable(const struct cgroup_hierarchy *h, const struct cgroup_wanted *needed,
		  const struct cgroup_wanted *nice, struct cgroup_wanted *ret_missing,
		  struct oci_err *err)
{
	struct cgroup_wanted must, may, both, out;
	own_fd int root = cgroup_open_root(h, err), leaf = -1;
	own_ptr char *there = NULL, *now = NULL;

	if (root < 0)
		return -1;
	if (cgroup_read(root, "cgroup.controllers", &there) < 0)
		return err_sys(err, errno, "cannot read \"%s/cgroup.controllers\"", h->mount);
	split(needed, there, &must, ret_missing);
	split(nice, there, &both, &out);
	may = (struct cgroup_wanted){0};
	for (unsigned i = 0; i < both.n; i++)
		if (!wants(&must, both.names[i], strlen(both.names[i])))
			cgroup_want(&may, both.names[i]);
	for (unsigned i = 0; i < must.n; i++)
		cgroup_want(&both, must.names[i]);
	if (both.n == 0)
		return 0;
	leaf = cgroup_open_beneath(root, h->path);
	if (leaf < 0)
		return err_sys(err, errno, "cannot open cgroup \"%s%s\"", h->mount, h->path);
	if (has_all(leaf, &both))
		return 0;
	if (enable_above(h, root, &must, &may, err) < 0)
		return -1;
	if (must.n == 0)
		return 0;
	if (cgroup_read(leaf, "cgroup.controllers", &now) < 0)
		return err_sys(err, errno, "cannot read \"%s%s/cgroup.controllers\"", h->mount,
			       h->path);
	split(&must, now, &may, &out);
	for (unsigned i = 0; i < out.n; i++)
		cgroup_want(ret_missing, out.names[i]);
	return 0;
}
