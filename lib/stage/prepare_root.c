/*
 * Purpose: the stage "prepare-root": the root filesystem as a mount of its own in the
 *   container's mount namespace, and nothing that is mounted there comes back to the host.
 * Runs in: the runtime's namespaces to open and clone the root filesystem, then the
 *   container's mount and user namespaces.
 * Should: clone with the host's rights, because a user namespace's root may not
 *   reach the path; set attributes on the clone before anybody can see it.
 * Mustn't: change anything in the runtime's mount namespace.
 * Undo: nothing; the mounts go with the namespace.
 * Specification: config.md, "Root"; config-linux.md, "Rootfs Mount Propagation".
 *
 * The tree is attached now, and not kept detached until the pivot: steps of
 * the user's own and createContainer hooks look at it, and add to it, with nsenter(1).
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/joined.h"
#include "kernel/mount.h"
#include "stage/stage.h"

struct job {
	const struct container *c;
	int tree; /* the clone, or -1: this user may clone only inside */
};

static int fail(const struct container *c, int e, const char *what, struct oci_err *err)
{
	err_sys(err, e, "cannot %s the root filesystem \"%s\"", what, c->state->rootfs);
	return err_at(err, "/root/path");
}

static int clone_root(const struct container *c, struct oci_err *err)
{
	own_fd int root = rootfs_open(c, err);
	int tree;

	if (root < 0)
		return -1;
	tree = mount_clone(root, true);
	return tree < 0 ? fail(c, errno, "clone", err) : tree;
}

/*
 * "shared" is for later: pivot_root(2) refuses a shared root. The root is
 * private until then; what is mounted beneath it stays as it is.
 */
static int set_propagation(const struct container *c, int tree, struct oci_err *err)
{
	uint64_t propagation = mount_host_propagation(c->config);

	if (mount_change(tree, propagation != 0, 0, 0, propagation ? propagation : MS_PRIVATE) < 0)
		return fail(c, errno, "set the propagation of", err);
	return 0;
}

static int inside(void *arg, struct oci_err *err)
{
	struct job *job = arg;
	struct mount_attr slave = {.propagation = MS_SLAVE};
	own_fd int target = -1, tree = job->tree;

	/*
	 * Everything in this namespace is a copy of a mount of the runtime's, and may be its
	 * peer. As slaves they still hear what the host mounts, but tell nothing back, so that
	 * the mount that the root is attached to needs no care of its own.
	 */
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof slave) < 0)
		return err_sys(err, errno, "cannot cut the container's mounts off from the host's");
	if (tree < 0) {
		tree = clone_root(job->c, err);
		if (tree < 0 || set_propagation(job->c, tree, err) < 0)
			return -1;
	}
	target = rootfs_open(job->c, err);
	if (target < 0)
		return -1;
	return mount_attach(tree, target) < 0 ? fail(job->c, errno, "attach", err) : 0;
}

int stage_prepare_root(struct container *c, struct oci_err *err)
{
	struct job job = {.c = c, .tree = -1};
	own_fd int tree = -1;

	if (!mount_namespace_is_own(c->config))
		return 0;
	/* What is mounted over "/" is the root already, which pivot_root(2) has EBUSY for. */
	if (strcmp(c->state->rootfs, "/") == 0) {
		err_set(err, FAULT_UNSUPPORTED, "the root filesystem cannot be \"/\" itself");
		err_hint(err, "bind it to a directory, and take that");
		return err_at(err, "/root/path");
	}
	tree = clone_root(c, err);
	if (tree < 0 && err->errnum != EPERM)
		return -1;
	if (tree < 0)
		err_clear(err);
	else if (set_propagation(c, tree, err) < 0)
		return -1;
	job.tree = tree;
	return joined_run(c, CLONE_NEWNS, inside, &job, err);
}

char *describe_prepare_root(const struct container *c)
{
	char *text;

	if (!mount_namespace_is_own(c->config))
		return strdup("nothing: the container has no mount namespace of its own");
	return asprintf(&text, "%s is its own mount", c->state->rootfs) < 0 ? NULL : text;
}
