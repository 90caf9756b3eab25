/*
 * Purpose: the AppArmor profile or SELinux label that the exec changes to.
 * Runs in: the container, with all rights.
 * Should: write to a procfs that nobody else has: a new, unmounted instance.
 * Mustn't: open anything beneath the container's /proc, which may be a tmpfs
 *   full of ordinary files, or another task's attributes (CVE-2019-16884,
 *   CVE-2025-52881).
 * Specification: config.md, process.apparmorProfile and selinuxLabel.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int private_procfs(struct init_reply *reply)
{
	int context = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC), mount = -1;

	/* The instance of this pid namespace, where "self" is this process. */
	if (context >= 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "subset", "pid", 0) >= 0 &&
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) >= 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		reply_error(reply, errno, "cannot make a procfs to set the security label");
	if (context >= 0)
		close(context);
	return mount;
}

static int write_attribute(int proc, const char *name, const char *prefix, const char *label,
			   struct init_reply *reply, const char *pointer)
{
	char text[4096];
	size_t before = strlen(prefix), len = strlen(label);
	ssize_t n = -1;
	int fd;

	if (before + len >= sizeof text)
		return reply_error_at(reply, pointer, ENAMETOOLONG,
				      "the security label is too long");
	memcpy(text, prefix, before);
	memcpy(text + before, label, len);
	fd = openat(proc, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		n = write(fd, text, before + len);
		if (n < 0)
			n = -errno;
		close(fd);
		if (n < 0)
			errno = (int)-n;
	}
	return n < 0 ? reply_error_at(reply, pointer, errno, "cannot set the security label \"%s\"",
				      label)
		     : 0;
}

int set_label(const struct plan *plan, struct init_reply *reply)
{
	int proc, result = 0;

	if (!plan->apparmor.size && !plan->selinux.size)
		return 0;
	proc = private_procfs(reply);
	if (proc < 0)
		return -1;
	/* The directory of its own, since Linux 5.8: with it, AppArmor need not be the only module.
	 */
	if (plan->apparmor.size)
		result = write_attribute(proc, "self/attr/apparmor/exec", "exec ",
					 plan_at(plan, plan->apparmor), reply,
					 "/process/apparmorProfile");
	if (result == 0 && plan->selinux.size)
		result = write_attribute(proc, "self/attr/exec", "", plan_at(plan, plan->selinux),
					 reply, "/process/selinuxLabel");
	close(proc);
	return result;
}
