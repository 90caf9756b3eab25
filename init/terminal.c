/*
 * Purpose: a pseudoterminal of the container's own devpts: its master goes to
 *   the engine, the other end becomes the program's streams and, for the
 *   container's first process, /dev/console.
 * Runs in: the container, after the pivot, with all rights.
 * Should: know what a descriptor is before it uses it; mount on a descriptor.
 * Mustn't: open the terminal's end by a name (CVE-2025-52565), follow a link
 *   at /dev/console (CVE-2026-88264), mount anything where the container has
 *   the host's mounts.
 * Undo: none; the mount and the devices end with the container.
 * Specification: config.md, process.terminal and consoleSize; config-linux.md,
 *   "Default Devices" (/dev/console).
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Linux's Documentation/admin-guide/devices.txt: Unix98 pty slaves. */
enum { PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143, PTMX_MAJOR = 5, PTMX_MINOR = 2 };

static int fail_terminal(struct init_reply *reply, int errnum, const char *what)
{
	return reply_error_at(reply, "/process/terminal", errnum, "%s", what);
}

static int open_at(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS | resolve,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int is_devpts(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == DEVPTS_SUPER_MAGIC;
}

/*
 * In the root directory of a devpts nobody can make or rename anything, so
 * once the directory is known its "ptmx" is the real one, unless it is mounted over.
 */
static int open_master(struct init_reply *reply)
{
	int dir = open_at(AT_FDCWD, "/dev/pts", O_PATH | O_DIRECTORY, 0), fd = -1;
	struct stat st;

	if (dir < 0)
		return fail_terminal(reply, errno, "cannot open /dev/pts");
	if (is_devpts(dir))
		fd = open_at(dir, "ptmx", O_RDWR | O_NOCTTY, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	else
		errno = ENODEV;
	close(dir);
	if (fd < 0)
		return fail_terminal(reply, errno,
				     errno == ENODEV
					     ? "/dev/pts is no devpts, and a terminal needs one"
					     : "cannot open /dev/pts/ptmx");
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR)) {
		close(fd);
		return fail_terminal(reply, ENODEV, "/dev/pts/ptmx is not what it should be");
	}
	return fd;
}

static int open_peer(int master, struct init_reply *reply)
{
	int locked = 0, fd;
	struct stat st;

	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return fail_terminal(reply, errno, "cannot unlock the terminal");
	/* Linux 4.13 */
	fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail_terminal(reply, errno, "cannot open the terminal");
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || major(st.st_rdev) < PTY_MAJOR_FIRST ||
	    major(st.st_rdev) > PTY_MAJOR_LAST || !is_devpts(fd)) {
		close(fd);
		return fail_terminal(reply, ENODEV, "the terminal is not what it should be");
	}
	return fd;
}

/* oci-mount has made an empty file there, if the image had nothing. */
static int open_console(struct init_reply *reply)
{
	int fd = open_at(AT_FDCWD, "/dev/console", O_PATH, 0);
	struct stat st;

	if (fd < 0)
		return fail_terminal(reply, errno, "cannot open /dev/console");
	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)))
		return fd;
	close(fd);
	return fail_terminal(reply, S_ISLNK(st.st_mode) ? ELOOP : EINVAL,
			     "/dev/console is neither a file nor a device: the terminal is not "
			     "mounted on it");
}

static int mount_console(int peer, struct init_reply *reply)
{
	int console = open_console(reply), tree, result;

	if (console < 0)
		return -1;
	tree = (int)syscall(SYS_open_tree, peer, "",
			    AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	result = tree < 0 ? -1
			  : (int)syscall(SYS_move_mount, tree, "", console, "",
					 MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
	if (result < 0)
		fail_terminal(reply, errno, "cannot mount the terminal on /dev/console");
	if (tree >= 0)
		close(tree);
	close(console);
	return result;
}

static int prepare_peer(const struct plan *plan, int peer, struct init_reply *reply)
{
	struct winsize size = {.ws_row = plan->rows, .ws_col = plan->columns};

	if ((plan->flags & PLAN_CONSOLE_SIZE) && ioctl(peer, TIOCSWINSZ, &size) < 0)
		return reply_error_at(reply, "/process/consoleSize", errno,
				      "cannot set the size of the terminal");
	/* The group stays what the mount option gid= says. */
	if (fchown(peer, plan->uid, (gid_t)-1) < 0)
		return fail_terminal(reply, errno, "cannot give the terminal to the user");
	return 0;
}

static int take_terminal(int peer, struct init_reply *reply)
{
	if (ioctl(peer, TIOCSCTTY, 0) < 0)
		return fail_terminal(reply, errno, "cannot make the terminal the controlling one");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(peer, fd) < 0)
			return fail_terminal(reply, errno, "cannot use the terminal as a stream");
	return 0;
}

static int set_up_peer(const struct plan *plan, int master, int console_fd, int own_mounts,
		       struct init_reply *reply)
{
	static const char name[] = "/dev/ptmx";
	int peer = open_peer(master, reply), result = -1;

	if (peer < 0)
		return -1;
	if (prepare_peer(plan, peer, reply) == 0 &&
	    (!own_mounts || (plan->flags & PLAN_FURTHER) || mount_console(peer, reply) == 0)) {
		if (send_message(console_fd, name, sizeof name - 1, master) < 0)
			fail_terminal(reply, errno,
				      "cannot send the terminal to the console socket");
		else
			result = take_terminal(peer, reply);
	}
	close(peer);
	return result;
}

int set_up_terminal(const struct plan *plan, int console_fd, int own_mounts,
		    struct init_reply *reply)
{
	int master = open_master(reply), result;

	if (master < 0)
		return -1;
	result = set_up_peer(plan, master, console_fd, own_mounts, reply);
	close(master);
	return result;
}
