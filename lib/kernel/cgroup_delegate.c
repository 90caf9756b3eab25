/*
 * Purpose: let the container's user make cgroups below its own.
 * Runs in: the runtime's namespaces, before a process is in the cgroup.
 * Should: change the owner of the directory and of the files that the kernel
 *   lists for it.
 * Mustn't: give away any other file: the container could raise its own limits.
 * Undo: the owner goes with the directory.
 * Specification: config-linux.md, "Cgroup ownership".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_tree.h"

/* Since Linux 4.15; config-linux.md says what to take where it is missing. */
static const char delegate_file[] = "/sys/kernel/cgroup/delegate";
static const char delegate_default[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";

/* A file that is not in this cgroup is none to give away. */
static int give(int dir, const char *file, uid_t owner)
{
	if (fchownat(dir, file, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT)
		return 0;
	return -1;
}

int cgroup_delegate(const struct json_object *record, uid_t owner, struct oci_err *err)
{
	own_ptr char *list = NULL;
	struct cgroup_hierarchy h;
	own_fd int leaf = -1;
	char *c, *file;

	if (cgroup_count(record) != 1 || !cgroup_find_v2(record, &h))
		return 0;
	leaf = cgroup_open_leaf(&h, err);
	if (leaf < 0)
		return err->fault ? -1
				  : err_set(err, FAULT_STATE,
					    "cgroup \"%s%s\" of the container is gone", h.mount,
					    h.path);
	if (cgroup_read(AT_FDCWD, delegate_file, &list) < 0)
		list = strdup(delegate_default);
	if (!list)
		return err_sys(err, ENOMEM, "cannot delegate the cgroup");
	if (fchownat(leaf, "", owner, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return errno == EPERM ? 0
				      : err_sys(err, errno, "cannot give cgroup \"%s%s\" to uid %u",
						h.mount, h.path, (unsigned)owner);
	for (c = list; (file = strsep(&c, "\n"));)
		/* The names are the kernel's, but a slash would lead elsewhere. */
		if (*file && !strchr(file, '/') && give(leaf, file, owner) < 0)
			return err_sys(err, errno, "cannot give \"%s%s/%s\" to uid %u", h.mount,
				       h.path, file, (unsigned)owner);
	return 0;
}
