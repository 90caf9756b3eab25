/*
 * Purpose: see the header.
 * Runs in: the container's mount namespace, before its root is moved.
 * Mustn't: change anything in another namespace: what is unmounted is made private before.
 * Undo: the mount namespace ends with init.
 */
#include "kernel/mount_hide.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/mount.h"
#include "kernel/proc.h"

enum { MOUNTINFO_MAX = 16 << 20 };

static char *read_mounts(struct oci_err *err)
{
	const int proc = proc_fd(err);
	own_ptr char *text = NULL;
	own_fd int fd = -1;
	size_t len;

	if (proc < 0)
		return NULL;
	fd = sys_openat2(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, MOUNTINFO_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read /proc/self/mountinfo");
		return NULL;
	}
	return steal_ptr(&text);
}

static int octal(const char *digits)
{
	int value = 0;

	for (int i = 0; i < 3; i++) {
		if (digits[i] < '0' || digits[i] > '7')
			return -1;
		value = value * 8 + digits[i] - '0';
	}
	return value;
}

/* Blanks and the like are \040 in mountinfo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int value = *from == '\\' ? octal(from + 1) : -1;

		if (value >= 0)
			from += 3;
		*to++ = value >= 0 ? (char)value : *from;
	}
	*to = '\0';
}

/* The mount point of a line of mountinfo (proc_pid_mountinfo(5)) if it is a procfs or sysfs. */
static char *place_in_line(char *line)
{
	char *fields = line, *place = NULL, *type = strstr(line, " - ");

	if (!type || (strncmp(type, " - proc ", 8) != 0 && strncmp(type, " - sysfs ", 9) != 0))
		return NULL;
	for (int i = 0; i < 5; i++)
		place = strsep(&fields, " ");
	if (place)
		unescape(place);
	return place;
}

static bool is_beneath(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int cover(const char *place, struct oci_err *err)
{
	const struct mountopt none = {0};
	const struct mount_new what = {.type = "tmpfs", .source = "tmpfs", .opt = &none, .mode = 0};
	own_fd int target = sys_openat2(AT_FDCWD, place, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0);
	own_fd int tree = -1;

	if (target < 0)
		return err_sys(err, errno, "cannot open \"%s\"", place);
	tree = mount_new(&what, MOUNT_ATTR_RDONLY, err);
	if (tree < 0)
		return -1;
	return mount_attach(tree, target) < 0
		       ? err_sys(err, errno, "cannot cover the host's \"%s\"", place)
		       : 0;
}

static int hide(const char *place, struct oci_err *err)
{
	own_fd int fd = sys_openat2(AT_FDCWD, place, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0);

	/* Gone with what was above it; or under another mount. */
	if (fd < 0 && (errno == ENOENT || errno == EACCES))
		return 0;
	if (fd < 0)
		return err_sys(err, errno, "cannot open \"%s\"", place);
	if (mount_change(fd, true, 0, 0, MS_PRIVATE) == 0 &&
	    umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return err_sys(err, errno, "cannot unmount the host's \"%s\"", place);
	return cover(place, err);
}

int mount_hide_host(const char *rootfs, struct oci_err *err)
{
	own_ptr char *text = read_mounts(err);
	own_ptr char **places = NULL;
	size_t n = 0, lines = 0;

	if (!text)
		return -1;
	for (const char *c = text; (c = strchr(c, '\n')); c++)
		lines++;
	places = calloc(lines + 1, sizeof *places);
	if (!places)
		return err_sys(err, ENOMEM, "cannot list the mounts");
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		char *place = place_in_line(line);

		if (place && !is_beneath(place, rootfs))
			places[n++] = place;
	}
	/* The last ones first: what is on top of, or beneath, another comes after it. */
	while (n-- > 0)
		if (hide(places[n], err) < 0)
			return -1;
	return 0;
}
