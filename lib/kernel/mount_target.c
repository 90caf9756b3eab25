#include "kernel/mount_target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/own.h"
#include "base/path.h"

/* What lxcfs and CRIU put there; also runc's list. */
static const char *const allowed_in_proc[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/net/dev",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
};

char *mount_target_clean(const char *destination)
{
	char *clean = malloc(strlen(destination) + 2);
	size_t used = 0;

	if (!clean)
		return NULL;
	for (const char *p = destination; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			while (used > 0 && clean[--used] != '/')
				;
		} else if (len > 0 && !(len == 1 && p[0] == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, p, len);
			used += len;
		}
		p += len;
	}
	if (used == 0)
		clean[used++] = '/';
	clean[used] = '\0';
	return clean;
}

static bool is_procfs(int fd)
{
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static bool is_allowed_in_proc(const char *clean)
{
	for (size_t i = 0; i < ARRAY_SIZE(allowed_in_proc); i++)
		if (strcmp(clean, allowed_in_proc[i]) == 0)
			return true;
	return false;
}

/* A new procfs, or the whole of another one: its root, and only that, has inode 1. */
static bool wants_procfs(const struct mount_wish *wish)
{
	struct stat st;

	if (wish->type)
		return strcmp(wish->type, "proc") == 0;
	return is_procfs(wish->source_fd) && fstat(wish->source_fd, &st) == 0 && st.st_ino == 1;
}

/* The rules that the text of the destination decides. */
static int check_text(const struct mount_wish *wish, const char *clean, struct oci_err *err)
{
	if (wish->existing)
		return 0;
	if (strcmp(clean, "/") == 0)
		return err_set(err, FAULT_CONFIG, "nothing can be mounted over the root itself");
	if (strcmp(clean, "/proc") == 0 && !wants_procfs(wish))
		return err_set(err, FAULT_CONFIG, "only a procfs may be mounted on \"/proc\"");
	if (strncmp(clean, "/proc/", 6) == 0 && !is_allowed_in_proc(clean))
		return err_set(err, FAULT_CONFIG,
			       "\"%s\" is inside /proc, where only files such as /proc/meminfo may "
			       "be mounted over",
			       clean);
	return 0;
}

/* The rules that only the file itself can tell, since links lead anywhere. */
static int check_file(const struct mount_root *root, const struct mount_wish *wish,
		      const char *clean, const struct statx *st, int fd, struct oci_err *err)
{
	if (st->stx_mnt_id == root->mount_id) {
		if (st->stx_ino == root->inode && !wish->existing)
			return err_set(err, FAULT_CONFIG,
				       "the destination leads to the root itself");
		return 0;
	}
	/* On another mount: is it procfs? Its root, and what check_text() let through, is fine. */
	if (wish->existing || is_allowed_in_proc(clean) || !is_procfs(fd))
		return 0;
	if (st->stx_ino == 1 && wants_procfs(wish))
		return 0;
	return err_set(err, FAULT_CONFIG, "the destination leads into a procfs");
}

static bool needs_ordinary_directory(const struct mount_wish *wish)
{
	return wish->type && (strcmp(wish->type, "proc") == 0 || strcmp(wish->type, "sysfs") == 0);
}

static int open_ordinary_directory(int root_fd, const char *clean, bool *ret_made,
				   struct oci_err *err)
{
	int fd = path_open_no_links(root_fd, clean, O_PATH | O_DIRECTORY);

	if (fd < 0 && errno == ENOENT) {
		own_fd int made = path_make_directory(root_fd, clean, 0755);

		/* Again, and without links: what was made may be somewhere else. */
		if (made >= 0)
			fd = path_open_no_links(root_fd, clean, O_PATH | O_DIRECTORY);
		*ret_made = true;
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EEXIST))
		return err_set(err, FAULT_CONFIG,
			       "%s: it must be mounted on ordinary directory: \"%s\" is none, or "
			       "a symbolic link leads to it",
			       err_name(errno), clean);
	return fd < 0 ? err_sys(err, errno, "cannot make \"%s\" in the root filesystem", clean)
		      : fd;
}

/* The last component itself, even if it is a link; 0 or -1 with errno. */
static int open_no_follow(int root_fd, const char *clean)
{
	const char *name;
	own_fd int parent = path_open_parent(root_fd, clean, &name);

	return parent < 0 ? -1 : openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static int open_target(int root_fd, const struct mount_wish *wish, const char *clean,
		       bool *ret_made, struct oci_err *err)
{
	const char *path = wish->destination;
	size_t len = strlen(path);
	int fd;

	*ret_made = false;
	/* "/etc/hosts/" for a file: the slash would ask for a directory. */
	if (wish->file && len > 0 && path[len - 1] == '/')
		path = clean;
	if (needs_ordinary_directory(wish))
		return open_ordinary_directory(root_fd, clean, ret_made, err);
	fd = wish->nofollow ? open_no_follow(root_fd, clean)
			    : path_open_in_root(root_fd, path, O_PATH);
	if (fd < 0 && errno == ENOENT && !wish->existing) {
		*ret_made = true;
		fd = wish->file ? path_make_file(root_fd, path, 0644)
				: path_make_directory(root_fd, path, 0755);
		if (fd < 0)
			return err_sys(err, errno, "cannot make the destination");
	}
	return fd < 0 ? err_sys(err, errno, "cannot open the destination") : fd;
}

int mount_root_look(int root_fd, struct mount_root *ret_root, struct oci_err *err)
{
	struct statx st;

	if (statx(root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &st) < 0)
		return err_sys(err, errno, "cannot look at the root filesystem");
	*ret_root = (struct mount_root){root_fd, st.stx_ino, st.stx_mnt_id};
	return 0;
}

int mount_target_open(const struct mount_root *root, const struct mount_wish *wish,
		      struct mount_target *ret_target, struct oci_err *err)
{
	own_ptr char *clean = mount_target_clean(wish->destination);
	struct mount_target target = {.fd = -1};
	own_fd int fd = -1;
	struct statx st;

	if (!clean)
		return err_sys(err, ENOMEM, "cannot copy a path");
	if (check_text(wish, clean, err) < 0)
		return -1;
	fd = open_target(root->fd, wish, clean, &target.made, err);
	if (fd < 0)
		return -1;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID, &st) <
	    0)
		return err_sys(err, errno, "cannot look at the destination");
	if (check_file(root, wish, clean, &st, fd, err) < 0)
		return -1;
	if (!wish->existing && S_ISDIR(st.stx_mode) == wish->file)
		/* From these words docker makes a hint for people. */
		return err_set(err, FAULT_CONFIG,
			       "%s: the destination is %s directory, the source is %s directory",
			       wish->file ? "EISDIR" : "ENOTDIR", wish->file ? "a" : "not a",
			       wish->file ? "not a" : "a");
	target.mode = st.stx_mode & 07777;
	target.is_mount_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	target.fd = steal_fd(&fd);
	*ret_target = target;
	return 0;
}
