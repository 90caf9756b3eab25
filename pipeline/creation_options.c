#include "creation_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/activation.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "stock.h"
#include "tool.h"

struct creation_options asked;

int creation_find_bundle(int argc, char **argv, char **ret_bundle, struct oci_err *err)
{
	const char *named = argc == 2 ? argv[1] : asked.bundle;

	if (argc == 2 && asked.bundle)
		return err_set(
			err, FAULT_USAGE,
			"too many arguments: the bundle is given as \"%s\" and with --bundle",
			argv[1]);
	if (!named && !tool.front_end) {
		err_set(err, FAULT_USAGE,
			"too few arguments: usage: %s [OPTIONS] CONTAINER-ID BUNDLE", tool.command);
		return err_hint(err, "%s --help says more", tool.command);
	}
	*ret_bundle = opt_absolute(named ? named : ".", err);
	return *ret_bundle ? 0 : -1;
}

int creation_fill_options(struct create_options *o, struct oci_err *err)
{
	o->config_file = asked.config_file;
	o->console_socket = asked.console_socket;
	o->pid_file = asked.pid_file;
	o->pidfd_socket = asked.pidfd_socket;
	o->pipeline = asked.pipeline_file;
	o->listen_names = (char *)(uintptr_t)activation_names();
	o->notify = activation_notify() != NULL;
	o->no_pivot = asked.no_pivot;
	o->no_new_keyring = asked.no_new_keyring;
	o->systemd_cgroup = tool.systemd_cgroup;
	o->no_cgroup = tool.no_cgroup;
	return tool_count_fds(asked.preserve_fds, &o->preserve_fds, &o->listen_fds, err);
}

struct pipeline *creation_load_pipeline(struct oci_err *err)
{
	const char *file = asked.pipeline_file;
	own_ptr char *text = NULL;
	own_fd int fd = -1;
	size_t len;

	if (!file)
		return pipeline_parse(stock_pipeline, "default.pipeline", err);
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fd_read_all(fd, PIPELINE_SIZE_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read the pipeline \"%s\"", file);
		err->fault = FAULT_USAGE;
		return NULL;
	}
	return pipeline_parse(text, file, err);
}

int creation_run(struct create_request *r, struct container **ret_container, bool *ret_stopped,
		 struct oci_err *err)
{
	static struct times times;

	if (asked.timing || asked.trace || asked.steps || tool.debug) {
		times.lines = asked.steps;
		times.want_text = asked.steps || asked.trace || tool.debug;
		r->times = &times;
	}
	if (chdir("/") < 0)
		return err_sys(err, errno, "cannot change to \"/\"");
	return driver_create(r, ret_container, ret_stopped, err);
}

int creation_report(const struct create_request *r, const struct container *c, int result,
		    struct oci_err *err)
{
	int code = 0;

	if (asked.timing && r->times)
		times_draw(r->times, stderr);
	/* config.md, "Linux Process": for engines too what cannot be granted MUST be logged. */
	if (c)
		tool_warn(c);
	if (result < 0)
		code = tool_fail_at(err, c);
	if (asked.trace) {
		own_err struct oci_err second = ERR_INIT;

		if (times_trace(r->times, asked.trace, r->id, &second) < 0 && code == 0)
			code = tool_fail(&second);
	}
	if (r->times)
		times_clear(r->times);
	return code;
}
