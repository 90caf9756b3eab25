#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seccomp.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/activation.h"
#include "base/own.h"
#include "commands.h"
#include "oci/container.h"
#include "stage/stage.h"

/* The release; the Makefile may say another one. */
#ifndef OCI_VERSION
#define OCI_VERSION "0.1.0"
#endif
#ifndef OCI_COMMIT
#define OCI_COMMIT "unknown"
#endif

const char tool_version[] = OCI_VERSION, tool_commit[] = OCI_COMMIT;

struct tool_globals tool = {.log_format = "text", .lock_fd = -1, .error_fd = -1, .command = "oci"};

const struct opt tool_global_options[] = {
	{0, "root", "DIR", OPT_PATH, &tool.root, "where containers are recorded"},
	{0, "log", "FILE", OPT_PATH, &tool.log, "write the error there too"},
	{0, "log-format", "FORMAT", OPT_STRING, &tool.log_format, "text or json"},
	{0, "debug", NULL, OPT_FLAG, &tool.debug, "say more"},
	{0, "systemd-cgroup", NULL, OPT_FLAG, &tool.systemd_cgroup, "let systemd make the cgroup"},
	{0, "cgroup-manager", "NAME", OPT_STRING, &tool.cgroup_manager,
	 "cgroupfs, systemd, or disabled: no cgroup is made"},
	{0, "rootless", "BOOL", OPT_STRING, &tool.rootless, NULL},
	{0, "criu", "PATH", OPT_STRING, &tool.criu, NULL},
	{0, "lock-fd", "FD", OPT_FD, &tool.lock_fd, NULL},
	{0, "error-fd", "FD", OPT_FD, &tool.error_fd, NULL},
	{0, "dump-options", NULL, OPT_FLAG, &tool.dump_options, NULL},
	{'v', "version", NULL, OPT_FLAG, &tool.version, "print the version and exit"},
	OPT_END,
};

const struct command_entry *command_find(const char *name)
{
	for (const struct command_entry *c = command_entries; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void tool_print_version(void)
{
	const struct scmp_version *seccomp = seccomp_version();

	printf("%s version %s\ncommit: %s\nspec: 1.3.0\nlibseccomp: %u.%u.%u\n", tool.command,
	       tool_version, tool_commit, seccomp->major, seccomp->minor, seccomp->micro);
}

static int check_cgroup_manager(struct oci_err *err)
{
	const char *name = tool.cgroup_manager;

	if (!name || strcmp(name, "cgroupfs") == 0)
		return 0;
	if (strcmp(name, "systemd") == 0)
		tool.systemd_cgroup = true;
	else if (strcmp(name, "disabled") == 0)
		tool.no_cgroup = true;
	else
		return err_set(err, FAULT_USAGE,
			       "unknown cgroup manager \"%s\": cgroupfs, systemd or disabled",
			       name);
	return 0;
}

static int check_globals(struct oci_err *err)
{
	if (strcmp(tool.log_format, "text") != 0 && strcmp(tool.log_format, "json") != 0)
		return err_set(err, FAULT_USAGE, "unknown log format \"%s\": text or json",
			       tool.log_format);
	if (check_cgroup_manager(err) < 0)
		return -1;
	if (tool.root)
		return 0;
	tool.root = container_default_root();
	return tool.root ? 0 : err_sys(err, ENOMEM, "cannot keep the root directory's name");
}

int tool_begin(const struct command *command, int *argc, char ***argv, struct oci_err *err)
{
	tool.command = command->name;
	if (opt_parse(command, tool_global_options, *argc, *argv, argc, argv, err) < 0) {
		if (!tool.version && !tool.dump_options)
			return -1;
		err_clear(err);
	}
	if (opt_wants_help) {
		opt_help(command, tool_global_options, stdout);
		exit(0);
	}
	if (tool.dump_options) {
		opt_dump(command, tool_global_options, stdout);
		exit(0);
	}
	if (tool.version) {
		tool_print_version();
		exit(0);
	}
	if (check_globals(err) < 0)
		return -1;
	tool_debug("%s %s, pid %d, root \"%s\"%s%s", tool.command, OCI_VERSION, (int)getpid(),
		   tool.root, *argc ? ", container " : "", *argc ? (*argv)[0] : "");
	return 0;
}

struct container *tool_open(const char *id, enum container_lock lock, struct oci_err *err)
{
	return container_open(tool.root, id, lock, tool.lock_fd, err);
}

int tool_count_fds(unsigned preserve_fds, unsigned *ret_all, unsigned *ret_listen,
		   struct oci_err *err)
{
	*ret_listen = activation_fds();
	if (__builtin_add_overflow(preserve_fds, *ret_listen, ret_all) || *ret_all > fd_inherited())
		return err_set(err, FAULT_USAGE,
			       "--preserve-fds %u: only %u descriptors from 3 on are open",
			       preserve_fds,
			       fd_inherited() > *ret_listen ? fd_inherited() - *ret_listen : 0);
	return 0;
}

void tool_warn(const struct container *c)
{
	for (size_t i = 0; i < json_length(c->warnings); i++)
		dprintf(2, "%s: warning: %s\n", tool.command, json_item_string(c->warnings, i));
}

static void say_done(const struct stage *stage, const struct container *c)
{
	own_ptr char *text = tool.debug && c->config ? stage->describe(c) : NULL;

	if (text)
		tool_debug("%s: %s", stage->name, text);
}

int tool_run_stage(const struct command *command, const char *stage, struct container *c)
{
	own_err struct oci_err err = ERR_INIT;
	bool done_before = false;

	if (chdir("/") < 0) {
		err_sys(&err, errno, "cannot change to \"/\"");
		return tool_fail(&err);
	}
	if (stage_run(stage_find(stage), c, &done_before, &err) < 0)
		return tool_fail_at(&err, c);
	tool_warn(c);
	say_done(stage_find(stage), c);
	if (done_before)
		dprintf(2, "%s: has been done before, nothing to do\n", command->name);
	return 0;
}

int tool_stage(const char *stage, const struct command *command, int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;

	if (tool_begin(command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_TRY, &err);
	return c ? tool_run_stage(command, stage, c) : tool_fail(&err);
}
