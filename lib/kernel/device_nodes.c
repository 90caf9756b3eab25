/*
 * Purpose: device nodes with an owner and a mode, for a user namespace.
 * Runs in: the caller's namespaces; then in the container's mount namespace with the
 *   caller's rights.
 * Should: give a node to nobody but whom config.json names.
 * Mustn't: make a node in a filesystem that anybody else can reach.
 * Undo: nothing; the tmpfs ends with its last mount.
 * Specification: config-linux.md, "Devices", "Default Devices".
 */
#include "kernel/device_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kernel/proc.h"

enum { MAP_SIZE_MAX = 64 << 10, NAME_SIZE = 16 };

/* ---- Owners --------------------------------------------------------------------------------- */

/* /proc/PID/uid_map of init, as we see it: whether the namespace is new or joined. */
static char *read_map(const struct container *c, const char *file, struct oci_err *err)
{
	const int proc = proc_fd(err);
	own_fd int fd = -1;
	char path[32], *text = NULL;
	size_t len;

	if (proc < 0)
		return NULL;
	snprintf(path, sizeof path, "%d/%s", (int)c->state->init.pid, file);
	fd = sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, MAP_SIZE_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read /proc/%s", path);
		return NULL;
	}
	return text;
}

/* The next number of the text; false at its end. */
static bool next_number(const char **text, uint64_t *ret)
{
	size_t n;

	*text += strspn(*text, " \n");
	n = strspn(*text, "0123456789");
	if (n == 0 || n > 10)
		return false;
	*ret = 0;
	for (size_t i = 0; i < n; i++)
		*ret = *ret * 10 + (uint64_t)((*text)[i] - '0');
	*text += n;
	return true;
}

static bool map_id(const char *map, uint32_t id, uint32_t *ret_id)
{
	uint64_t inside, outside, size;

	while (next_number(&map, &inside) && next_number(&map, &outside) &&
	       next_number(&map, &size)) {
		if (id < inside || id - inside >= size)
			continue;
		*ret_id = (uint32_t)(outside + id - inside);
		return true;
	}
	return false;
}

/* The owner on the host. What nobody has asked for, and is not mapped, stays the host's root. */
static int map_owner(const char *map, uint32_t id, bool wanted, const char *what, uint32_t *ret_id,
		     struct oci_err *err)
{
	*ret_id = 0;
	if (map_id(map, id, ret_id) || !wanted)
		return 0;
	return err_set(err, FAULT_CONFIG, "%s %u is not mapped in the container's user namespace",
		       what, id);
}

/* ---- Nodes ---------------------------------------------------------------------------------- */

static int make_tmpfs(void)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "source", "devices", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static void name_of(const struct device_list *list, const struct device *d,
		    char name[static NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%zu", (size_t)(d - list->items));
}

/* 1: not allowed to. */
static int make_node(int nodes, const struct device_list *list, const struct device *d,
		     const char *uids, const char *gids, struct oci_err *err)
{
	char name[NAME_SIZE];
	uint32_t uid, gid;

	if (map_owner(uids, d->uid, d->wants_uid, "the user", &uid, err) < 0)
		return device_list_at(list, d, "/uid", err);
	if (map_owner(gids, d->gid, d->wants_gid, "the group", &gid, err) < 0)
		return device_list_at(list, d, "/gid", err);
	name_of(list, d, name);
	if (mknodat(nodes, name, d->type | 0600, d->rdev) < 0) {
		if (errno == EPERM)
			return 1;
		err_sys(err, errno, "cannot make the device \"%s\"", d->path);
		return device_list_at(list, d, "", err);
	}
	/* The mode last: a change of the owner takes bits away; and not by the umask. */
	if (fchownat(nodes, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(nodes, name, d->mode, 0) < 0) {
		err_sys(err, errno, "cannot give \"%s\" its owner and mode", d->path);
		return device_list_at(list, d, "", err);
	}
	return 0;
}

int device_nodes_make(const struct container *c, const struct device_list *list, int *ret_nodes,
		      struct oci_err *err)
{
	own_ptr char *uids = NULL, *gids = NULL;
	own_fd int nodes = -1;

	*ret_nodes = -1;
	if (!(ns_listed(c->config) & CLONE_NEWUSER))
		return 0;
	nodes = make_tmpfs();
	if (nodes < 0)
		return errno == EPERM ? 0 : err_sys(err, errno, "cannot make a tmpfs for devices");
	uids = read_map(c, "uid_map", err);
	gids = uids ? read_map(c, "gid_map", err) : NULL;
	if (!gids)
		return -1;
	for (size_t i = 0; i < list->n; i++) {
		int result = 0;

		/* Anybody may make a FIFO. */
		if (list->items[i].type != S_IFIFO)
			result = make_node(nodes, list, &list->items[i], uids, gids, err);
		if (result)
			return result < 0 ? -1 : 0;
	}
	*ret_nodes = steal_fd(&nodes);
	return 0;
}

static int clone_nodes(int nodes, struct device_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct device *d = &list->items[i];
		char name[NAME_SIZE];

		if (d->type == S_IFIFO || d->tree >= 0)
			continue;
		name_of(list, d, name);
		d->tree = open_tree(nodes, name,
				    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
		if (d->tree < 0)
			return -1;
	}
	return 0;
}

/* Attached to a directory, for as long as it takes: "." is then the one way to it. */
static int clone_attached(int nodes, int root_fd, struct device_list *list)
{
	int result, e;

	if (mount_attach(nodes, root_fd) < 0 || fchdir(nodes) < 0)
		return -1;
	result = clone_nodes(nodes, list);
	e = errno;
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -1;
	errno = e;
	return result;
}

int device_nodes_clone(int nodes, int root_fd, struct device_list *list, struct oci_err *err)
{
	if (clone_nodes(nodes, list) == 0 ||
	    (errno == EINVAL && clone_attached(nodes, root_fd, list) == 0))
		return 0;
	return err_sys(err, errno, "cannot make mounts of the devices");
}
