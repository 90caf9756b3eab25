#include "kernel/mount_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/own.h"

/* Each level holds descriptors open: a deeper tree is an attack, or should not be copied up. */
enum { DEPTH_MAX = 128, SEND_MAX = 1 << 30 };

static void own_close_dir(DIR *const *dir)
{
	if (*dir)
		closedir(*dir);
}

#define own_dir __attribute__((cleanup(own_close_dir)))

static int copy_xattr(int from, int to, const char *name)
{
	char small[256];
	own_ptr char *large = NULL;
	char *value = small;
	ssize_t n = fgetxattr(from, name, small, sizeof small);

	if (n < 0 && errno == ERANGE) {
		n = fgetxattr(from, name, NULL, 0);
		value = large = n < 0 ? NULL : malloc((size_t)n + 1);
		n = value ? fgetxattr(from, name, value, (size_t)n) : -1;
	}
	if (n < 0)
		return errno == ENODATA ? 0 : -1;
	if (fsetxattr(to, name, value, (size_t)n, 0) == 0)
		return 0;
	/* tmpfs has no user.* before Linux 6.6, and a user namespace may set no trusted.*. */
	return errno == EOPNOTSUPP || errno == EPERM ? 0 : -1;
}

static int copy_xattrs(int from, int to)
{
	char names[4096];
	ssize_t n = flistxattr(from, names, sizeof names);

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (copy_xattr(from, to, name) < 0)
			return -1;
	return 0;
}

/* Of an open file or directory. The owner first: a change of owner clears set-user-ID. */
static int copy_metadata(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -1;
	return copy_xattrs(from, to) < 0 ? -1 : futimens(to, times);
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	own_fd int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	own_fd int to = -1;
	struct stat now;
	ssize_t n;

	if (from < 0 || fstat(from, &now) < 0)
		return -1;
	if (!S_ISREG(now.st_mode) || now.st_ino != st->st_ino) {
		errno = EAGAIN;
		return -1;
	}
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -1;
	do
		n = sendfile(to, from, NULL, SEND_MAX);
	while (n > 0);
	return n < 0 ? -1 : copy_metadata(from, to, &now);
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof target - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlinkat(target, to_dir, name);
}

/* What is not opened: link, device, FIFO, socket. The parent is ours alone, so names are safe. */
static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (S_ISLNK(st->st_mode) ? copy_link(from_dir, to_dir, name) < 0
				 : mknodat(to_dir, name, st->st_mode & S_IFMT, st->st_rdev) < 0)
		return -1;
	if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!S_ISLNK(st->st_mode) && fchmodat(to_dir, name, st->st_mode & 07777, 0) < 0)
		return -1;
	return utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW);
}

static int copy_contents(int from, int to, unsigned depth, struct oci_err *err);

static int copy_directory(int from_dir, int to_dir, const char *name, unsigned depth,
			  struct oci_err *err)
{
	own_fd int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || mkdirat(to_dir, name, 0700) < 0)
		return err_sys(err, errno, "cannot copy up \"%s\"", name);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_sys(err, errno, "cannot copy up \"%s\"", name);
	if (copy_contents(from, to, depth, err) < 0)
		return -1;
	return copy_metadata(from, to, &st) < 0 ? err_sys(err, errno, "cannot copy up \"%s\"", name)
						: 0;
}

static int copy_one(int from_dir, int to_dir, const char *name, unsigned depth, struct oci_err *err)
{
	struct stat st;
	int result;

	if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, errno, "cannot copy up \"%s\"", name);
	if (S_ISDIR(st.st_mode))
		return copy_directory(from_dir, to_dir, name, depth, err);
	if (S_ISREG(st.st_mode))
		result = copy_file(from_dir, to_dir, name, &st);
	else
		result = copy_special(from_dir, to_dir, name, &st);
	return result < 0 ? err_sys(err, errno, "cannot copy up \"%s\"", name) : 0;
}

static int copy_contents(int from, int to, unsigned depth, struct oci_err *err)
{
	own_dir DIR *dir = NULL;
	own_fd int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	if (depth == DEPTH_MAX)
		return err_sys(err, ELOOP, "cannot copy up more than %d levels of directories",
			       DEPTH_MAX);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return err_sys(err, errno, "cannot list a directory to copy up");
	copy = -1;
	while (errno = 0, (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (copy_one(from, to, name, depth + 1, err) < 0)
			return -1;
	}
	return errno ? err_sys(err, errno, "cannot list a directory to copy up") : 0;
}

int mount_copy_tree(int from, int to, struct oci_err *err)
{
	struct stat st;

	if (fstat(from, &st) < 0 || fchownat(to, "", st.st_uid, st.st_gid, AT_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot copy up the directory's owner");
	return copy_contents(from, to, 0, err);
}
