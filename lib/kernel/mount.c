#include "kernel/mount.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/joined.h"

int rootfs_open(const struct container *c, struct oci_err *err)
{
	const struct oci_state *state = c->state;
	int given = joined_root();
	/* The path is canonical: a link in it now was not there when it was validated. */
	own_fd int fd =
		given >= 0 ? fcntl(given, F_DUPFD_CLOEXEC, 0)
			   : sys_openat2(AT_FDCWD, state->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC,
					 0, RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_sys(err, errno, "cannot open the root filesystem \"%s\"", state->rootfs);
		return err_at(err, "/root/path");
	}
	if (st.st_dev != state->root_dev || st.st_ino != state->root_ino) {
		err_set(err, FAULT_STATE,
			"the root filesystem \"%s\" is not the directory that was validated",
			state->rootfs);
		return err_at(err, "/root/path");
	}
	return steal_fd(&fd);
}

bool mount_namespace_is_own(const struct json_object *config)
{
	const struct json_object *namespaces = json_path(config, "linux", "namespaces", NULL);

	for (size_t i = 0; i < json_length(namespaces); i++) {
		const struct json_object *namespace = json_item(namespaces, i);
		const char *type = json_string(namespace, "type");
		const char *path = json_string(namespace, "path");

		if (type && strcmp(type, "mount") == 0)
			return !path || !*path;
	}
	return false;
}

static bool propagation_is(const struct json_object *config, const char *word)
{
	const char *text = json_string(json_member(config, "linux"), "rootfsPropagation");

	if (!text)
		return false;
	return strcmp(text, word) == 0 || (text[0] == 'r' && strcmp(text + 1, word) == 0);
}

uint64_t mount_host_propagation(const struct json_object *config)
{
	if (propagation_is(config, "shared"))
		return 0;
	if (propagation_is(config, "private") || propagation_is(config, "unbindable"))
		return MS_PRIVATE;
	return MS_SLAVE;
}

int mount_root_propagation(const struct json_object *config, int root_fd, struct oci_err *err)
{
	uint64_t propagation;

	if (propagation_is(config, "shared"))
		propagation = MS_SHARED;
	else if (propagation_is(config, "unbindable"))
		propagation = MS_UNBINDABLE;
	else
		return 0;
	if (mount_change(root_fd, false, 0, 0, propagation) == 0)
		return 0;
	err_sys(err, errno, "cannot set the propagation of the root filesystem");
	return err_at(err, "/linux/rootfsPropagation");
}

int mount_change(int fd, bool tree, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};

	return mount_setattr(fd, "", AT_EMPTY_PATH | (tree ? AT_RECURSIVE : 0), &attr, sizeof attr);
}

static unsigned clone_flags(bool tree)
{
	return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (tree ? AT_RECURSIVE : 0);
}

int mount_clone(int fd, bool tree)
{
	return open_tree(fd, "", clone_flags(tree) | AT_EMPTY_PATH);
}

int mount_clone_path(const char *path, bool tree)
{
	return open_tree(AT_FDCWD, path, clone_flags(tree));
}

int mount_clone_link(const char *path, bool tree)
{
	return open_tree(AT_FDCWD, path, clone_flags(tree) | AT_SYMLINK_NOFOLLOW);
}

int mount_attach(int detached, int target)
{
	return move_mount(detached, "", target, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}
