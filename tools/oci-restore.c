/* oci-restore: make a container from what oci-checkpoint has saved. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/own.h"
#include "base/relay.h"
#include "kernel/proc.h"
#include "lifecycle/checkpoint.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

static struct restore what;
static bool detach, no_subreaper, no_pivot;
static const char *console_socket, *pid_file;

static const struct opt options[] = {
	{'b', "bundle", "DIR", OPT_PATH, &what.bundle, "the bundle, default: where you are"},
	{0, "image-path", "DIR", OPT_PATH, &what.options.image_path,
	 "what was saved, default: ./checkpoint"},
	{0, "work-path", "DIR", OPT_PATH, &what.options.work_path, "for criu's log"},
	{'d', "detach", NULL, OPT_FLAG, &detach, "do not wait for its end"},
	{0, "pid-file", "FILE", OPT_PATH, &pid_file, "write the pid of its first process there"},
	{0, "console-socket", "PATH", OPT_PATH, &console_socket, "send its terminal there"},
	{0, "lazy-pages", NULL, OPT_FLAG, &what.options.lazy_pages,
	 "fetch its memory when it is needed"},
	{0, "tcp-established", NULL, OPT_FLAG, &what.options.tcp_established,
	 "with its open TCP connections"},
	{0, "tcp-close", NULL, OPT_FLAG, &what.tcp_close, "with these closed"},
	{0, "ext-unix-sk", NULL, OPT_FLAG, &what.options.ext_unix_sk,
	 "with unix sockets that lead out of it"},
	{0, "shell-job", NULL, OPT_FLAG, &what.options.shell_job, "with our terminal"},
	{0, "file-locks", NULL, OPT_FLAG, &what.options.file_locks, "with file locks"},
	{0, "link-remap", NULL, OPT_FLAG, &what.options.link_remap,
	 "with open files that had been removed"},
	{0, "auto-dedup", NULL, OPT_FLAG, &what.options.auto_dedup,
	 "drop images as they are used up"},
	{0, "manage-cgroups-mode", "MODE", OPT_STRING, &what.options.cgroup_mode,
	 "soft (the default), full, strict, ignore"},
	{0, "empty-ns", "NAMESPACE", OPT_STRING, &what.options.empty_ns,
	 "network: without its devices"},
	{0, "lsm-profile", "PROFILE", OPT_STRING, &what.lsm_profile,
	 "another one than was saved: apparmor:NAME"},
	{0, "lsm-mount-context", "CONTEXT", OPT_STRING, &what.lsm_mount_context,
	 "another SELinux context of its mounts"},
	{0, "no-subreaper", NULL, OPT_FLAG, &no_subreaper, NULL},
	{0, "no-pivot", NULL, OPT_FLAG, &no_pivot, NULL},
	OPT_END,
};

static const struct command command = {
	.name = "oci-restore",
	.operands = "CONTAINER-ID",
	.purpose = "Make a container from what oci-checkpoint has saved, and let it run on.",
	.example = "oci-restore --detach --image-path ./images --bundle ./web web",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

static int fill_paths(char **ret_images, char **ret_bundle, struct oci_err *err)
{
	*ret_images =
		opt_absolute(what.options.image_path ? what.options.image_path : "checkpoint", err);
	if (!*ret_images)
		return -1;
	*ret_bundle = opt_absolute(what.bundle ? what.bundle : ".", err);
	if (!*ret_bundle)
		return -1;
	what.options.image_path = *ret_images;
	what.bundle = *ret_bundle;
	return 0;
}

/* The restored process is a child of ours: we wait for it, and remove the container. */
static int foreground(struct container *c, int *terminal, struct oci_err *err)
{
	static struct relay relay;
	own_fd int pidfd = proc_open(&c->state->init, err);
	int code = 0;

	if (pidfd < 0 || relay_open(&relay, steal_fd(terminal), err) < 0)
		return tool_fail_at(err, c);
	if (relay_run(&relay, pidfd, &code, err) < 0) {
		relay_close(&relay);
		code = tool_fail_at(err, c);
	}
	if (lifecycle_delete(c, true, err) < 0)
		return tool_fail_at(err, c);
	tool_warn(c);
	return code;
}

static int restore(struct oci_err *err)
{
	own_container struct container *c = NULL;
	own_fd int terminal = -1;

	if (!detach && !no_subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		err_sys(err, errno, "cannot become a subreaper");
		return tool_fail(err);
	}
	signal(SIGCHLD, SIG_DFL);
	c = lifecycle_restore(&what, &terminal, err);
	if (!c)
		return tool_fail(err);
	if (!detach)
		return foreground(c, &terminal, err);
	tool_warn(c);
	return 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *images = NULL, *bundle = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0 || fill_paths(&images, &bundle, &err) < 0)
		return tool_fail(&err);
	if (!detach && console_socket) {
		err_set(&err, FAULT_USAGE,
			"cannot use console socket if oci will not detach or allocate tty: "
			"--console-socket needs --detach");
		return tool_fail(&err);
	}
	what.root = tool.root;
	what.id = argv[0];
	what.create.console_socket = (char *)(uintptr_t)console_socket;
	what.create.pid_file = (char *)(uintptr_t)pid_file;
	what.create.systemd_cgroup = tool.systemd_cgroup;
	if (chdir("/") < 0) {
		err_sys(&err, errno, "cannot change to \"/\"");
		return tool_fail(&err);
	}
	return restore(&err);
}
