/* oci-exec: a further program in a container. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/activation.h"
#include "base/own.h"
#include "base/relay.h"
#include "base/terminal.h"
#include "lifecycle/exec.h"
#include "lifecycle/exec_process.h"
#include "tool.h"

/* runc's, for whatever keeps the program from running. */
enum { EXIT_NOT_STARTED = 255 };

static struct exec_process wanted;
static struct exec_request request = {.console = -1};
static struct opt_list cgroups;
static unsigned preserve_fds;
static bool detach, no_subreaper;

static const struct opt options[] = {
	{'p', "process", "FILE", OPT_PATH, &wanted.file,
	 "the process as JSON, - for standard input"},
	{0, "cwd", "DIR", OPT_STRING, &wanted.cwd, "its working directory"},
	{'e', "env", "VARIABLE", OPT_STRINGS, &wanted.env, "add to its environment"},
	{'u', "user", "USER", OPT_STRING, &wanted.user, "its user"},
	{'g', "additional-gids", "GID", OPT_STRINGS, &wanted.groups, "add a group"},
	{'c', "cap", "CAPABILITY", OPT_STRINGS, &wanted.caps, "add a capability"},
	{0, "no-new-privs", NULL, OPT_FLAG, &wanted.no_new_privs, "set no_new_privs"},
	{0, "apparmor", "PROFILE", OPT_STRING, &wanted.apparmor, "its AppArmor profile"},
	{0, "process-label", "LABEL", OPT_STRING, &wanted.selinux, "its SELinux label"},
	{0, "cgroup", "PATH", OPT_STRINGS, &cgroups, "an existing cgroup beneath the container's"},
	{'t', "tty", NULL, OPT_FLAG, &wanted.tty, "a terminal"},
	{'d', "detach", NULL, OPT_FLAG, &detach, "do not wait for its end"},
	{0, "console-socket", "PATH", OPT_PATH, &request.console_socket, "send its terminal there"},
	{0, "pid-file", "FILE", OPT_PATH, &request.pid_file, "write its pid there"},
	{0, "pidfd-socket", "PATH", OPT_PATH, &request.pidfd_socket, "send its pidfd there"},
	{0, "preserve-fds", "N", OPT_UINT, &preserve_fds, "leave it N descriptors from 3 on"},
	{0, "ignore-paused", NULL, OPT_FLAG, &request.ignore_paused, "also in a paused container"},
	{0, "no-subreaper", NULL, OPT_FLAG, &no_subreaper, NULL},
	OPT_END,
};

static const struct command command = {
	.name = "oci-exec",
	.operands = "CONTAINER-ID [COMMAND [ARGUMENT...]]",
	.purpose = "Run a further program in a container.",
	.details =
		"It runs as the container's own process does, but for what the options say.\n"
		"Exits as it does, with 128 and the number of a signal that has ended it; 255 if\n"
		"it cannot be run.",
	.example = "oci-exec -t web sh",
	.min_operands = 1,
	.max_operands = -1,
	.stop_at_operand = true,
	.options = options,
};

static int fill_request(struct oci_err *err)
{
	struct json_object *below = cgroups.n ? json_object_new_array() : NULL;

	for (size_t i = 0; i < cgroups.n; i++)
		json_object_array_add(below, json_object_new_string(cgroups.items[i]));
	request.below = below;
	request.listen_names = activation_names();
	if (request.console_socket && !detach)
		return err_set(err, FAULT_USAGE, "--console-socket is for --detach");
	return tool_count_fds(preserve_fds, &request.preserve_fds, &request.listen_fds, err);
}

/* ---- In the foreground -------------------------------------------------------------------------
 */

static struct relay relay;
static bool relaying;
static int console[2] = {-1, -1}; /* ours, and that which the process sends its terminal to */

static int receive_terminal(int *ret_master, struct oci_err *err)
{
	char name[64];
	size_t n = 1;

	if (!json_true(request.process, "terminal"))
		return 0;
	if (fd_receive(console[0], name, sizeof name, ret_master, &n) < 0 || n != 1)
		return err_sys(err, errno, "cannot receive the terminal");
	terminal_prepare(*ret_master);
	return 0;
}

/* From here on a signal is for the program. */
static int before_start(void *arg, struct oci_err *err)
{
	int master = -1;

	(void)arg;
	if (receive_terminal(&master, err) < 0)
		return -1;
	relaying = relay_open(&relay, master, err) == 0;
	return relaying ? 0 : -1;
}

static int prepare_foreground(struct oci_err *err)
{
	/* Ignored, a child's exit status would be thrown away. */
	signal(SIGCHLD, SIG_DFL);
	request.before_start = before_start;
	if (!json_true(request.process, "terminal"))
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	request.console = console[1];
	return 0;
}

static int run(struct container *c, int *ret_code, struct oci_err *err)
{
	own_fd int pidfd = -1;

	request.process = exec_process_make(c, &wanted, err);
	if (!request.process || (!detach && prepare_foreground(err) < 0))
		return -1;
	if (lifecycle_exec(c, &request, &pidfd, err) < 0) {
		if (relaying)
			relay_close(&relay);
		return -1;
	}
	return detach ? 0 : relay_run(&relay, pidfd, ret_code, err);
}

static int fail(const struct oci_err *err, const struct container *c)
{
	/* What is wrong with the process is not in config.json. */
	bool in_config = c && err->pointer && strncmp(err->pointer, "/process", 8) != 0;

	tool_fail_at(err, in_config ? c : NULL);
	return EXIT_NOT_STARTED;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	int code = 0;

	if (tool_begin(&command, &argc, &argv, &err) < 0 || fill_request(&err) < 0)
		return fail(&err, NULL);
	wanted.args = argv + 1;
	if (argc > 1 && strcmp(argv[1], "--") == 0)
		wanted.args++;
	/* No lock: health checks must not wait for each other. */
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c || container_load_config(c, &err) < 0)
		return fail(&err, NULL);
	if (chdir("/") < 0) {
		err_sys(&err, errno, "cannot change to \"/\"");
		return fail(&err, NULL);
	}
	return run(c, &code, &err) < 0 ? fail(&err, c) : code;
}
