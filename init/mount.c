/*
 * Superblocks that depend on the namespaces of whoever makes them: only init is
 * a member of all the container's namespaces, its pid namespace above all. A
 * stage that has merely joined the mount namespace would mount the host's
 * processes. The mount is detached: attaching it is the stage's business.
 */
#include "init/init.h"

#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const allowed[] = {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"};

static int is_allowed(const char *fstype)
{
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (strcmp(allowed[i], fstype) == 0)
			return 1;
	return 0;
}

static int configure(int context, unsigned command, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

/* The last line that the kernel has to say about it, without "e ", or "". */
static const char *kernel_says(int context, char *line, size_t size)
{
	ssize_t n, last = 0;

	while ((n = read(context, line, size - 1)) > 0)
		last = n;
	line[last > 0 ? last : 0] = '\0';
	return last > 2 ? line + 2 : "";
}

static int fail(int context, const char *fstype, const char *option, struct init_reply *reply)
{
	int errnum = errno;
	char line[256];
	const char *says = kernel_says(context, line, sizeof line);

	close(context);
	return reply_error(reply, errnum, "cannot make a %s file system%s%s%s%s", fstype,
			   *option ? ": option " : "", option, *says ? ": " : "", says);
}

/* "key=value" is a string for the file system, "key" a flag. text is changed. */
static int set_option(int context, char *text)
{
	char *equals = strchr(text, '=');
	int result;

	if (!equals)
		return configure(context, FSCONFIG_SET_FLAG, text, NULL);
	*equals = '\0';
	result = configure(context, FSCONFIG_SET_STRING, text, equals + 1);
	*equals = '=';
	return result;
}

int make_mount(const struct init_request *request, size_t len, struct init_reply *reply)
{
	static char text[sizeof request->text];
	size_t room = len - offsetof(struct init_request, text), used;
	int context, mount;

	if (memchr(request->fstype, '\0', sizeof request->fstype) == NULL ||
	    !is_allowed(request->fstype))
		return reply_error(reply, EINVAL, "cannot make that kind of file system");
	if (request->n_options > INIT_OPTIONS_MAX || room == 0 || request->text[room - 1] != '\0')
		return reply_error(reply, EINVAL, "malformed request for a mount");
	memcpy(text, request->text, room);
	context = (int)syscall(SYS_fsopen, request->fstype, FSOPEN_CLOEXEC);
	if (context < 0)
		return reply_error(reply, errno, "cannot make a %s file system", request->fstype);
	if (configure(context, FSCONFIG_SET_STRING, "source", text) < 0)
		return fail(context, request->fstype, "source", reply);
	used = strlen(text) + 1;
	for (uint32_t i = 0; i < request->n_options; i++) {
		if (used >= room) {
			close(context);
			return reply_error(reply, EINVAL, "malformed request for a mount");
		}
		if (set_option(context, text + used) < 0)
			return fail(context, request->fstype, text + used, reply);
		used += strlen(text + used) + 1;
	}
	if (configure(context, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
		return fail(context, request->fstype, "", reply);
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, request->attributes);
	if (mount < 0)
		return fail(context, request->fstype, "", reply);
	close(context);
	return mount;
}
