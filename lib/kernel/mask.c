#include "kernel/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/mount.h"
#include "kernel/mount_target.h"

enum { NULL_MAJOR = 1, NULL_MINOR = 3 };

/* nr_inodes: the root takes one, and some kernels count one more. */
static const char *const empty_options[][2] = {
	{"source", "tmpfs"},
	{"mode", "0755"},
	{"nr_inodes", "2"},
	{"size", "4096"},
};

int mask_open_null(struct oci_err *err)
{
	own_fd int fd = mount_clone_path("/dev/null", false);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open \"/dev/null\"");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(NULL_MAJOR, NULL_MINOR))
		return err_set(err, FAULT_SYSTEM,
			       "\"/dev/null\" of this machine is not the device 1:3");
	if (mount_change(fd, false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0,
			 MS_PRIVATE) < 0)
		return err_sys(err, errno, "cannot make a mount of \"/dev/null\" read-only");
	return steal_fd(&fd);
}

static int make_empty(struct oci_err *err)
{
	own_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0)
		return err_sys(err, errno, "cannot make a tmpfs for masked directories");
	for (size_t i = 0; i < ARRAY_SIZE(empty_options); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, empty_options[i][0], empty_options[i][1], 0) <
		    0)
			return err_sys(err, errno, "cannot set \"%s\" of a tmpfs",
				       empty_options[i][0]);
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, errno, "cannot make a tmpfs for masked directories");
	fd = fsmount(fs, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	return fd < 0 ? err_sys(err, errno, "cannot mount a tmpfs for masked directories") : fd;
}

/* Filesystems of the kernel's, in which nobody can rename anything; looked at when it is needed. */
static const struct system_mount {
	const char *destination, *type;
	long magic;
} system_mounts[] = {
	{"/proc", "proc", PROC_SUPER_MAGIC},
	{"/sys", "sysfs", SYSFS_MAGIC},
};

struct view {
	int root_fd;
	const struct json_object *config;
	int mounts[ARRAY_SIZE(system_mounts)]; /* or -1 */
};

static void own_close_view(const struct view *view)
{
	for (size_t i = 0; i < ARRAY_SIZE(view->mounts); i++)
		own_close_fd(&view->mounts[i]);
}

#define own_view __attribute__((cleanup(own_close_view)))

/* Whether config.json mounts a filesystem of this type there. */
static bool is_mounted(const struct json_object *config, const struct system_mount *m)
{
	const struct json_object *mounts = json_member(config, "mounts");

	for (size_t i = 0; i < json_length(mounts); i++) {
		const char *to = json_string(json_item(mounts, i), "destination");
		const char *type = json_string(json_item(mounts, i), "type");
		own_ptr char *clean = mount_target_clean(to ? to : "");

		if (clean && type && strcmp(clean, m->destination) == 0 &&
		    strcmp(type, m->type) == 0)
			return true;
	}
	return false;
}

static int open_system_mount(int root_fd, const struct system_mount *m, struct oci_err *err)
{
	own_fd int fd = path_open_in_root(root_fd, m->destination, O_PATH | O_DIRECTORY);
	struct statfs fs;
	struct statx st;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(err, errno, "cannot open the mount on \"%s\"", m->destination);
	if (!(st.stx_attributes & STATX_ATTR_MOUNT_ROOT) || fs.f_type != m->magic)
		return err_set(err, FAULT_SYSTEM,
			       "\"%s\" is not the mount any more that was made there",
			       m->destination);
	return steal_fd(&fd);
}

/*
 * Where a path is looked for: *path becomes relative to it. In the mount itself, if it lies in a
 * filesystem of the kernel's: the mount point could be exchanged meanwhile. -1 with *err.
 */
static int place_of(struct view *view, const char **path, struct oci_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(system_mounts); i++) {
		const struct system_mount *m = &system_mounts[i];
		const size_t len = strlen(m->destination);

		if (strncmp(*path, m->destination, len) != 0 || (*path)[len] != '/' ||
		    !is_mounted(view->config, m))
			continue;
		if (view->mounts[i] < 0)
			view->mounts[i] = open_system_mount(view->root_fd, m, err);
		*path += len;
		return view->mounts[i];
	}
	return view->root_fd;
}

/*
 * -1 without an error: it is not there. A file where a directory should be: nothing is there to
 * mask either.
 */
static int open_path(struct view *view, const char *path, const char *verb, struct oci_err *err)
{
	own_ptr char *clean = mount_target_clean(path);
	const char *rest = clean;
	int place = clean ? place_of(view, &rest, err) : err_sys(err, ENOMEM, "cannot copy a path");
	int fd = place < 0 ? -1 : path_open_in_root(place, rest, O_PATH);

	if (place < 0 || fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENOTDIR) {
		err_clear(err);
		return -1;
	}
	return err_sys(err, errno, "cannot open \"%s\" to %s it", path, verb);
}

/*
 * Covers target with the mount *cover. The first time *cover is detached and
 * is attached itself; only a mount that is attached can be cloned before
 * Linux 6.15.
 */
static int cover_with(int cover, bool *attached, int target)
{
	own_fd int copy = -1;

	if (!*attached) {
		*attached = true;
		return mount_attach(cover, target);
	}
	copy = mount_clone(cover, false);
	return copy < 0 ? -1 : mount_attach(copy, target);
}

int mask_paths(int root_fd, const struct json_object *config, int null_mount, struct oci_err *err)
{
	const struct json_object *paths = json_path(config, "linux", "maskedPaths", NULL);
	own_view struct view view = {root_fd, config, {-1, -1}};
	own_fd int null_fd = null_mount, empty = -1;
	bool null_attached = false, empty_attached = false;

	for (size_t i = 0; i < json_length(paths); i++) {
		const char *path = json_item_string(paths, i);
		own_fd int target = open_path(&view, path, "mask", err);
		struct stat st;
		int result;

		if (target < 0 && err->fault == FAULT_NONE)
			continue;
		if (target < 0)
			return err_at(err, "/linux/maskedPaths/%zu", i);
		if (fstat(target, &st) < 0) {
			err_sys(err, errno, "cannot look at \"%s\"", path);
			return err_at(err, "/linux/maskedPaths/%zu", i);
		}
		if (S_ISDIR(st.st_mode) && empty < 0 && (empty = make_empty(err)) < 0)
			return -1;
		result = S_ISDIR(st.st_mode) ? cover_with(empty, &empty_attached, target)
					     : cover_with(null_fd, &null_attached, target);
		if (result < 0) {
			err_sys(err, errno, "cannot mask \"%s\"", path);
			return err_at(err, "/linux/maskedPaths/%zu", i);
		}
	}
	return 0;
}

static int read_only_path(struct view *view, const char *path, struct oci_err *err)
{
	own_fd int target = open_path(view, path, "protect", err), tree = -1;

	if (target < 0)
		return err->fault == FAULT_NONE ? 0 : -1;
	tree = mount_clone(target, true);
	if (tree < 0 || mount_change(tree, true, MOUNT_ATTR_RDONLY, 0, 0) < 0 ||
	    mount_attach(tree, target) < 0)
		return err_sys(err, errno, "cannot make \"%s\" read-only", path);
	return 0;
}

int read_only_paths(int root_fd, const struct json_object *config, struct oci_err *err)
{
	const struct json_object *paths = json_path(config, "linux", "readonlyPaths", NULL);
	own_view struct view view = {root_fd, config, {-1, -1}};

	for (size_t i = 0; i < json_length(paths); i++)
		if (read_only_path(&view, json_item_string(paths, i), err) < 0)
			return err_at(err, "/linux/readonlyPaths/%zu", i);
	return 0;
}

int read_only_root(int root_fd, struct oci_err *err)
{
	if (mount_change(root_fd, false, MOUNT_ATTR_RDONLY, 0, 0) == 0)
		return 0;
	err_sys(err, errno, "cannot make the root filesystem read-only");
	return err_at(err, "/root/readonly");
}
