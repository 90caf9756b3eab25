#include "kernel/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

int sysctl_open(struct oci_err *err)
{
	own_fd int context = fsopen("proc", FSOPEN_CLOEXEC);

	/* Not proc_fd(): its instance shows processes only. */
	if (context >= 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
		int fd = fsmount(context, FSMOUNT_CLOEXEC,
				 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

		if (fd >= 0)
			return fd;
	}
	return proc_open_host(err);
}

char *sysctl_file(const char *key)
{
	char *path = NULL;

	if (asprintf(&path, "sys/%s", key) < 0)
		return NULL;
	if (path[4 + strcspn(key, "./")] == '.')
		for (char *c = path + 4; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

static int write_one(int proc, const char *key, const char *value, struct oci_err *err)
{
	own_ptr char *path = sysctl_file(key);
	own_fd int fd = -1;
	/* Nothing written would change nothing: an empty line is the empty text, and no number. */
	const char *text = *value ? value : "\n";
	size_t len = strlen(text);
	ssize_t n;

	if (!path)
		return err_sys(err, ENOMEM, "cannot set \"%s\"", key);
	fd = sys_openat2(proc, path, O_WRONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return err_sys(err, errno, "cannot open the kernel parameter \"%s\"", key);
	n = write(fd, text, len);
	if (n < 0)
		return err_sys(err, errno, "cannot set the kernel parameter \"%s\" to \"%s\"", key,
			       value);
	if ((size_t)n != len)
		return err_set(err, FAULT_SYSTEM,
			       "the kernel took only a part of \"%s\" for \"%s\"", value, key);
	return 0;
}

int sysctl_write(int proc, const struct json_object *sysctl, struct oci_err *err)
{
	if (!sysctl)
		return 0;
	json_object_object_foreach (sysctl, key, value) {
		if (write_one(proc, key, json_object_get_string(value), err) < 0) {
			own_ptr char *pointer = json_pointer_to("/linux/sysctl", key);

			return err_at(err, "%s", pointer ? pointer : "/linux/sysctl");
		}
	}
	return 0;
}
