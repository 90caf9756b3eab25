/* oci-create: runs the pipeline that makes a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/nearest.h"
#include "base/num.h"
#include "base/own.h"
#include "driver.h"
#include "dry_run.h"
#include "stock.h"
#include "tool.h"

static const char *bundle_option, *until, *trace;
static char *console_socket, *pid_file, *pipeline_file;
static unsigned preserve_fds;
static bool no_pivot, no_new_keyring, resume, keep, as_tools, dry_run, timing, steps;

static const struct opt options[] = {
	{'b', "bundle", "DIR", OPT_PATH, &bundle_option, "the bundle, default: where you are"},
	{0, "pid-file", "FILE", OPT_PATH, &pid_file, "write the pid of its first process there"},
	{0, "console-socket", "PATH", OPT_PATH, &console_socket, "send its terminal there"},
	{0, "preserve-fds", "N", OPT_UINT, &preserve_fds, "leave it N descriptors from 3 on"},
	{0, "no-pivot", NULL, OPT_FLAG, &no_pivot, "chroot in place of pivot_root"},
	{0, "no-new-keyring", NULL, OPT_FLAG, &no_new_keyring, "leave it the session keyring"},
	{0, "until", "STAGE", OPT_STRING, &until, "stop after this stage"},
	{0, "resume", NULL, OPT_FLAG, &resume, "go on where --until or --keep has left it"},
	{0, "keep", NULL, OPT_FLAG, &keep, "if a stage fails, leave it half-made for a look"},
	{0, "pipeline", "FILE", OPT_PATH, &pipeline_file, "other steps than the stock ones"},
	{0, "exec", NULL, OPT_FLAG, &as_tools, "run each stage as its own program"},
	{0, "dry-run", NULL, OPT_FLAG, &dry_run, "print the steps as shell commands, do nothing"},
	{0, "steps", NULL, OPT_FLAG, &steps, "print each step as it is done"},
	{0, "timing", NULL, OPT_FLAG, &timing, "draw where the time went"},
	{0, "trace", "FILE", OPT_PATH, &trace, "write that as a Chrome trace"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-create",
	.operands = "CONTAINER-ID [BUNDLE]",
	.purpose = "make a container from a bundle; oci-start then runs its program",
	.example = "oci-create --until mount web ./web && oci-nsenter web",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
};

/* "oci create ID", as engines write it, takes the working directory; by hand it is an oversight. */
static int find_bundle(int argc, char **argv, char **ret_bundle, struct oci_err *err)
{
	const char *named = argc == 2 ? argv[1] : bundle_option;

	if (argc == 2 && bundle_option)
		return err_set(
			err, FAULT_USAGE,
			"too many arguments: the bundle is given as \"%s\" and with --bundle",
			argv[1]);
	if (resume) {
		if (named)
			return err_set(err, FAULT_USAGE,
				       "--resume takes no bundle: the container has its own");
		return 0;
	}
	if (!named && !tool.front_end) {
		err_set(err, FAULT_USAGE,
			"too few arguments: usage: oci-create [OPTIONS] "
			"CONTAINER-ID BUNDLE");
		return err_hint(err, "oci-create --help says more");
	}
	*ret_bundle = opt_absolute(named ? named : ".", err);
	return *ret_bundle ? 0 : -1;
}

/* sd_listen_fds(3): descriptors of socket activation are handed on like preserved ones. */
static unsigned count_listen_fds(void)
{
	const char *count = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
	uint64_t n, pid;

	if (!count || !whose || !num_uint(count, 0, 1 << 16, &n) ||
	    !num_uint(whose, 1, INT32_MAX, &pid) || pid != (uint64_t)getpid())
		return 0;
	return (unsigned)n;
}

static int fill_options(struct create_options *o, struct oci_err *err)
{
	o->console_socket = console_socket;
	o->pid_file = pid_file;
	o->pipeline = pipeline_file;
	o->listen_fds = count_listen_fds();
	o->no_pivot = no_pivot;
	o->no_new_keyring = no_new_keyring;
	o->systemd_cgroup = tool.systemd_cgroup;
	if (__builtin_add_overflow(preserve_fds, o->listen_fds, &o->preserve_fds) ||
	    o->preserve_fds > fd_inherited())
		return err_set(err, FAULT_USAGE,
			       "--preserve-fds %u: only %u descriptors from 3 on are open",
			       preserve_fds, fd_inherited() - o->listen_fds);
	return 0;
}

/* A creation goes on with the pipeline that it was begun with. */
static int recall_pipeline(const char *id, struct oci_err *err)
{
	own_container struct container *c = NULL;

	if (!resume || pipeline_file)
		return 0;
	c = container_open(tool.root, id, LOCK_NONE, -1, err);
	if (!c)
		return -1;
	pipeline_file = steal_ptr(&c->state->options.pipeline);
	return 0;
}

static struct pipeline *load_pipeline(struct oci_err *err)
{
	own_ptr char *text = NULL;
	own_fd int fd = -1;
	size_t len;

	if (!pipeline_file)
		return pipeline_parse(stock_pipeline, "default.pipeline", err);
	fd = open(pipeline_file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fd_read_all(fd, PIPELINE_SIZE_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read the pipeline \"%s\"", pipeline_file);
		err->fault = FAULT_USAGE;
		return NULL;
	}
	return pipeline_parse(text, pipeline_file, err);
}

static int find_until(const struct stage **ret_stage, struct oci_err *err)
{
	const char *names[32] = {NULL}, *near;

	if (!until)
		return 0;
	*ret_stage = stage_find(until);
	if (*ret_stage)
		return 0;
	for (unsigned i = 0; i < n_stages && i + 1 < ARRAY_SIZE(names); i++)
		names[i] = stages[i].name;
	near = nearest(until, names);
	if (near)
		return err_set(err, FAULT_USAGE, "unknown stage \"%s\" (did you mean \"%s\"?)",
			       until, near);
	return err_set(err, FAULT_USAGE, "unknown stage \"%s\"", until);
}

static void say_stopped(const struct create_request *r)
{
	fprintf(stderr,
		"stopped after %s; resume: oci-create --resume %s, enter: oci-nsenter %s, drop: "
		"oci-delete %s\n",
		r->until->name, r->id, r->id, r->id);
}

static int report(const struct create_request *r, const struct container *c, bool stopped,
		  int result, struct oci_err *err)
{
	int code = 0;

	if (timing && r->times)
		times_draw(r->times, stderr);
	if (c)
		tool_warn(c);
	if (result < 0)
		code = tool_fail_at(err, c);
	if (trace) {
		own_err struct oci_err second = ERR_INIT;

		if (times_trace(r->times, trace, r->id, &second) < 0 && code == 0)
			code = tool_fail(&second);
	}
	/* An engine's standard error is the container's. */
	if (result == 0 && (!tool.front_end || tool.debug || isatty(2)))
		tool_warn(c);
	if (result == 0 && stopped)
		say_stopped(r);
	else if (result == 0 && steps)
		fprintf(stderr, "%-15s %s, pid %d - next: oci start %s\n", "created", r->id,
			(int)c->state->init.pid, r->id);
	if (interrupt_signal())
		interrupt_die();
	return code;
}

static int create(struct create_request *r, struct oci_err *err)
{
	static struct times times;
	own_container struct container *c = NULL;
	bool stopped = false;
	int result;

	if (timing || trace || steps) {
		times.lines = steps;
		times.want_text = steps || trace;
		r->times = &times;
	}
	if (chdir("/") < 0) {
		err_sys(err, errno, "cannot change to \"/\"");
		return tool_fail(err);
	}
	result = driver_create(r, &c, &stopped, err);
	result = report(r, c, stopped, result, err);
	times_clear(&times);
	return result;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_pipeline struct pipeline *pipeline = NULL;
	own_ptr char *bundle = NULL;
	struct create_request r = {0};

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	r.options.systemd_cgroup = tool.systemd_cgroup;
	if (dry_run && argc == 1 && !bundle_option)
		return dry_run_main(NULL, argv[0], &r.options);
	if (find_bundle(argc, argv, &bundle, &err) < 0 || fill_options(&r.options, &err) < 0 ||
	    find_until(&r.until, &err) < 0)
		return tool_fail(&err);
	if (dry_run)
		return dry_run_main(argv[0], bundle, &r.options);
	if (recall_pipeline(argv[0], &err) == 0)
		pipeline = load_pipeline(&err);
	if (!pipeline)
		return tool_fail(&err);
	r.root = tool.root;
	r.id = argv[0];
	r.bundle = bundle;
	r.pipeline = pipeline;
	r.resume = resume;
	r.keep = keep;
	r.as_tools = as_tools;
	return create(&r, &err);
}
