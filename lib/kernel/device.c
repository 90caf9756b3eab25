/*
 * Purpose: the container's /dev.
 * Runs in: the container's mount and user namespaces, before the pivot.
 * Should: leave alone what the image brought if it is the device, and refuse anything else.
 * Mustn't: follow a link in the last component, open a device, or change one that was there.
 * Undo: nothing; nodes in a tmpfs go with it, nodes in the image stay, as other runtimes leave
 * them. Specification: config-linux.md, "Devices", "Default Devices".
 */
#include "kernel/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/mount.h"
#include "kernel/mount_target.h"
#include "oci/mountopt.h"

static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},
};

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFCHR:
		return "a character device";
	case S_IFBLK:
		return "a block device";
	case S_IFIFO:
		return "a FIFO";
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	case S_IFREG:
		return "a regular file";
	default:
		return "a socket";
	}
}

static bool matches(const struct stat *st, const struct device *d)
{
	return (st->st_mode & S_IFMT) == d->type && (d->type == S_IFIFO || st->st_rdev == d->rdev);
}

static int fail_existing(const struct device *d, const struct stat *st, struct oci_err *err)
{
	if (d->type == S_IFIFO)
		return err_set(err, FAULT_CONFIG, "\"%s\" exists and is %s, not a FIFO", d->path,
			       type_name(st->st_mode));
	if ((st->st_mode & S_IFMT) == d->type)
		return err_set(err, FAULT_CONFIG,
			       "\"%s\" exists and is the device %u:%u, not %u:%u", d->path,
			       major(st->st_rdev), minor(st->st_rdev), major(d->rdev),
			       minor(d->rdev));
	return err_set(err, FAULT_CONFIG, "\"%s\" exists and is %s, not the device %u:%u", d->path,
		       type_name(st->st_mode), major(d->rdev), minor(d->rdev));
}

/*
 * With the host's device nothing can be changed, so it must be what config.json asks for. Its owner
 * is seen as the user namespace that we are in shows it.
 */
static int check_host_device(const struct device *d, const struct stat *st, struct oci_err *err)
{
	const bool mode = d->wants_mode && (st->st_mode & 07777) != d->mode;
	const bool owner =
		(d->wants_uid && st->st_uid != d->uid) || (d->wants_gid && st->st_gid != d->gid);

	if (!matches(st, d))
		return err_set(err, FAULT_UNSUPPORTED,
			       "cannot bind the host's \"%s\": it is not the device %u:%u", d->path,
			       major(d->rdev), minor(d->rdev));
	if (!mode && !owner)
		return 0;
	err_set(err, FAULT_UNSUPPORTED,
		"no device can be made here, and the host's \"%s\" has mode %#o and owner %u:%u, "
		"not mode %#o and owner %u:%u",
		d->path, st->st_mode & 07777, st->st_uid, st->st_gid,
		d->wants_mode ? d->mode : st->st_mode & 07777, d->wants_uid ? d->uid : st->st_uid,
		d->wants_gid ? d->gid : st->st_gid);
	return err_hint(err, "a user namespace, or no CAP_MKNOD: what can be had is the host's "
			     "device as it is");
}

/* The host's device, detached. We are in a clone of its mount namespace still. */
static int open_host_device(const struct device *d, struct oci_err *err)
{
	own_fd int tree = mount_clone_path(d->path, false);
	struct stat st;

	if (tree < 0 || fstat(tree, &st) < 0) {
		err_sys(err, errno, "cannot bind the host's \"%s\"", d->path);
		return err_hint(err, "devices cannot be made here (a user namespace, or no "
				     "CAP_MKNOD), so the host's is needed");
	}
	return check_host_device(d, &st, err) < 0 ? -1 : steal_fd(&tree);
}

static int bind_device(const struct device *d, int target, struct oci_err *err)
{
	own_fd int host = d->tree >= 0 ? -1 : open_host_device(d, err);

	if (d->tree < 0 && host < 0)
		return -1;
	return mount_attach(d->tree >= 0 ? d->tree : host, target) < 0
		       ? err_sys(err, errno, "cannot bind \"%s\"", d->path)
		       : 0;
}

/* There was something at name. */
static int use_existing(const struct device *d, int parent, const char *name, struct oci_err *err)
{
	own_fd int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at \"%s\"", d->path);
	if (matches(&st, d))
		return 0;
	/* What unpacking an image without privilege leaves in place of a device. */
	if (S_ISREG(st.st_mode) && st.st_size == 0 && d->type == S_IFCHR)
		return bind_device(d, fd, err);
	return fail_existing(d, &st, err);
}

static int bind_new(const struct device *d, int parent, const char *name, struct oci_err *err)
{
	own_fd int fd =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, d->mode);

	if (fd < 0)
		return err_sys(err, errno, "cannot create \"%s\"", d->path);
	return bind_device(d, fd, err);
}

/* What mknodat() made, now with its owner. */
static int set_owner(const struct device *d, int parent, const char *name, struct oci_err *err)
{
	own_fd int fd = -1;
	struct stat st;

	if (d->uid == 0 && d->gid == 0)
		return 0;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at \"%s\"", d->path);
	if (!matches(&st, d))
		return fail_existing(d, &st, err);
	if (fchownat(fd, "", d->uid, d->gid, AT_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot give \"%s\" to %u:%u", d->path, d->uid, d->gid);
	return 0;
}

static int make_device(const struct device *d, int parent, const char *name, struct oci_err *err)
{
	if (mknodat(parent, name, d->type | d->mode, d->rdev) == 0)
		return set_owner(d, parent, name, err);
	if (errno == EEXIST)
		return use_existing(d, parent, name, err);
	if (errno == EPERM && d->type != S_IFIFO)
		return bind_new(d, parent, name, err);
	return err_sys(err, errno, "cannot make \"%s\"", d->path);
}

static int make_default(const struct device_list *list, int dev, struct oci_err *err)
{
	for (size_t i = list->n_configured; i < list->n; i++) {
		const struct device *d = &list->items[i];

		if (make_device(d, dev, d->path + strlen("/dev/"), err) < 0)
			return device_list_at(list, d, "", err);
	}
	return 0;
}

static int make_configured(const struct device_list *list, int root_fd, bool skip_dev,
			   struct oci_err *err)
{
	for (size_t i = 0; i < list->n_configured; i++) {
		const struct device *d = &list->items[i];
		own_fd int parent = -1;
		const char *name;

		/* ptmx is the link to the container's own devpts. */
		if (strcmp(d->path, "/dev/ptmx") == 0 ||
		    (skip_dev && strncmp(d->path, "/dev/", 5) == 0))
			continue;
		parent = path_open_parent(root_fd, d->path, &name);
		if (parent < 0) {
			err_sys(err, errno, "cannot make the directory of \"%s\"", d->path);
			return device_list_at(list, d, "/path", err);
		}
		if (make_device(d, parent, name, err) < 0)
			return device_list_at(list, d, "", err);
	}
	return 0;
}

static int make_links(int dev, struct oci_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const char *target = links[i].target;

		/* A kernel may be built without it. */
		if (strcmp(links[i].name, "core") == 0 && faccessat(AT_FDCWD, target, F_OK, 0) < 0)
			continue;
		/* What the image has in its place is for its own programs, not for us. */
		if (symlinkat(target, dev, links[i].name) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot make \"/dev/%s\"", links[i].name);
	}
	return 0;
}

/* The host's ptmx, or the image's, would be another instance of devpts. */
static int make_ptmx(int dev, struct oci_err *err)
{
	static const char target[] = "pts/ptmx";
	char now[sizeof target];
	ssize_t n;

	if (symlinkat(target, dev, "ptmx") == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, errno, "cannot make \"/dev/ptmx\"");
	n = readlinkat(dev, "ptmx", now, sizeof now);
	if (n == sizeof target - 1 && memcmp(now, target, (size_t)n) == 0)
		return 0;
	if (unlinkat(dev, "ptmx", 0) < 0) {
		/* A mount of the user's is on it. */
		if (errno == EBUSY)
			return 0;
		return err_sys(err, errno, "cannot replace \"/dev/ptmx\"");
	}
	return symlinkat(target, dev, "ptmx") < 0 ? err_sys(err, errno, "cannot make \"/dev/ptmx\"")
						  : 0;
}

/* An empty file for init to mount the terminal on. */
static int make_console(int dev, struct oci_err *err)
{
	own_fd int fd =
		openat(dev, "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0620);
	struct stat st;

	if (fd >= 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, errno, "cannot create \"/dev/console\"");
	fd = openat(dev, "console", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot look at \"/dev/console\"");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		err_set(err, FAULT_CONFIG,
			"\"/dev/console\" of the root filesystem is %s: the terminal cannot be "
			"mounted on it",
			type_name(st.st_mode));
		return err_at(err, "/process/terminal");
	}
	return 0;
}

static bool dev_is_bound(const struct json_object *config)
{
	const struct json_object *mounts = json_member(config, "mounts");

	for (size_t i = 0; i < json_length(mounts); i++) {
		const struct json_object *mount = json_item(mounts, i);
		const char *destination = json_string(mount, "destination");
		own_ptr char *clean = mount_target_clean(destination ? destination : "");

		if (clean && strcmp(clean, "/dev") == 0 && mountopt_is_bind(mount))
			return true;
	}
	return false;
}

static int open_dev(int root_fd, struct oci_err *err)
{
	int fd = path_open_no_links(root_fd, "dev", O_PATH | O_DIRECTORY);

	if (fd < 0 && errno == ENOENT) {
		own_fd int made = path_make_directory(root_fd, "dev", 0755);

		if (made >= 0)
			fd = path_open_no_links(root_fd, "dev", O_PATH | O_DIRECTORY);
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(err, FAULT_CONFIG,
			       "%s: \"/dev\" of the root filesystem is not an ordinary directory",
			       err_name(errno));
	return fd < 0 ? err_sys(err, errno, "cannot make \"/dev\"") : fd;
}

int device_make_all(const struct json_object *config, const struct device_list *list, int root_fd,
		    struct oci_err *err)
{
	bool bound = dev_is_bound(config);
	/* First: a /dev that leads elsewhere is refused before anything is made in it. */
	own_fd int dev = open_dev(root_fd, err);

	if (dev < 0 || make_configured(list, root_fd, bound, err) < 0)
		return -1;
	if (!bound && (make_default(list, dev, err) < 0 || make_links(dev, err) < 0 ||
		       make_ptmx(dev, err) < 0))
		return -1;
	return json_true(json_member(config, "process"), "terminal") ? make_console(dev, err) : 0;
}
