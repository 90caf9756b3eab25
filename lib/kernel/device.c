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

struct device {
	const char *path; /* in the container; the host's has the same */
	mode_t type, mode;
	dev_t rdev;
	uid_t uid;
	gid_t gid;
};

static const struct {
	const char *name;
	unsigned major, minor;
} default_devices[] = {
	{"null", 1, 3},	  {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

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
	if (!matches(&st, d))
		return err_set(err, FAULT_UNSUPPORTED,
			       "cannot bind the host's \"%s\": it is not the device %u:%u", d->path,
			       major(d->rdev), minor(d->rdev));
	return steal_fd(&tree);
}

static int bind_device(const struct device *d, int target, struct oci_err *err)
{
	own_fd int tree = open_host_device(d, err);

	if (tree < 0)
		return -1;
	return mount_attach(tree, target) < 0
		       ? err_sys(err, errno, "cannot bind the host's \"%s\"", d->path)
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

static int make_default(int dev, struct oci_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		char path[32];
		struct device d = {
			.path = path,
			.type = S_IFCHR,
			.mode = 0666,
			.rdev = makedev(default_devices[i].major, default_devices[i].minor),
		};

		snprintf(path, sizeof path, "/dev/%s", default_devices[i].name);
		if (make_device(&d, dev, default_devices[i].name, err) < 0)
			return -1;
	}
	return 0;
}

static mode_t device_type(const char *type)
{
	switch (type ? type[0] : 0) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return S_IFCHR;
	}
}

static int make_configured(const struct json_object *config, int root_fd, bool skip_dev,
			   struct oci_err *err)
{
	const struct json_object *devices = json_path(config, "linux", "devices", NULL);

	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json_object *item = json_item(devices, i);
		const char *path = json_string(item, "path"), *name;
		own_ptr char *clean = mount_target_clean(path ? path : "");
		struct device d = {
			.path = clean,
			.type = device_type(json_string(item, "type")),
			/* Some write the type into the mode, as stat(2) has it. */
			.mode = (mode_t)json_uint(item, "fileMode", 0666) & 07777,
			.rdev = makedev((unsigned)json_int(item, "major", 0),
					(unsigned)json_int(item, "minor", 0)),
			.uid = (uid_t)json_uint(item, "uid", 0),
			.gid = (gid_t)json_uint(item, "gid", 0),
		};
		own_fd int parent = -1;

		if (!clean)
			return err_sys(err, ENOMEM, "cannot copy a path");
		/* ptmx is the link to the container's own devpts. */
		if (strcmp(clean, "/dev/ptmx") == 0 ||
		    (skip_dev && strncmp(clean, "/dev/", 5) == 0))
			continue;
		parent = path_open_parent(root_fd, clean, &name);
		if (parent < 0) {
			err_sys(err, errno, "cannot make the directory of \"%s\"", clean);
			return err_at(err, "/linux/devices/%zu/path", i);
		}
		if (make_device(&d, parent, name, err) < 0)
			return err_at(err, "/linux/devices/%zu", i);
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

int device_make_all(const struct json_object *config, int root_fd, struct oci_err *err)
{
	bool bound = dev_is_bound(config);
	/* First: a /dev that leads elsewhere is refused before anything is made in it. */
	own_fd int dev = open_dev(root_fd, err);

	if (dev < 0 || make_configured(config, root_fd, bound, err) < 0)
		return -1;
	if (!bound &&
	    (make_default(dev, err) < 0 || make_links(dev, err) < 0 || make_ptmx(dev, err) < 0))
		return -1;
	return json_true(json_member(config, "process"), "terminal") ? make_console(dev, err) : 0;
}
