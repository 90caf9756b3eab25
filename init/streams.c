/*
 * Purpose: the standard streams of a program without a terminal, and the
 *   choice between the two.
 * Runs in: the container, with all rights.
 * Should: give the program streams that it may reopen through /dev/stdout, and
 *   a /dev/null that is not the host's inode (it could change its mode).
 * Mustn't: take anything but the true null device for it (CVE-2026-88265), or
 *   change the owner of a file or terminal that outlives the container.
 * Specification: config.md, process.terminal.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int open_null(uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof how);
}

/* The container's /dev/null, or -1 if it is another thing. What it is is known before it is opened.
 */
static int container_null(void)
{
	int fd = open_null(O_PATH);
	struct stat st;
	int good;

	if (fd < 0)
		return -1;
	good = fstat(fd, &st) == 0 && is_null_device(&st);
	close(fd);
	if (!good)
		return -1;
	fd = open_null(O_RDWR | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !is_null_device(&st)) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static int adopt_streams(const struct plan *plan, struct init_reply *reply)
{
	int null = -1;

	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0)
			return reply_error(reply, errno, "cannot look at descriptor %d", fd);
		if (is_null_device(&st)) {
			if (null < 0)
				null = container_null();
			if (null >= 0 && dup2(null, fd) < 0)
				return reply_error(reply, errno, "cannot replace descriptor %d",
						   fd);
		} else if ((S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) &&
			   st.st_uid != plan->uid) {
			/* EPERM, EINVAL: of another user namespace. It works without, but for
			 * /dev/stdout. */
			(void)!fchown(fd, plan->uid, (gid_t)-1);
		}
	}
	if (null >= 0)
		close(null);
	return 0;
}

int set_up_streams(const struct plan *plan, int console_fd, int own_mounts,
		   struct init_reply *reply)
{
	int result;

	if (!(plan->flags & PLAN_TERMINAL))
		result = adopt_streams(plan, reply);
	else if (console_fd < 0)
		result = reply_error_at(reply, "/process/terminal", EINVAL,
					"a terminal is asked for, but no console socket is given");
	else
		result = set_up_terminal(plan, console_fd, own_mounts, reply);
	if (console_fd >= 0)
		close(console_fd);
	return result;
}
