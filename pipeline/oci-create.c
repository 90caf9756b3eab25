/* oci-create: runs the pipeline that makes a container. */
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"
#include "creation_options.h"
#include "dry_run.h"
#include "tool.h"

static const char *until;
static bool resume, keep, dry_run;

static const struct opt options[] = {
	CREATION_OPTIONS,
	{0, "until", "STAGE", OPT_STRING, &until, "stop after this stage"},
	{0, "resume", NULL, OPT_FLAG, &resume, "go on where --until or --keep has left it"},
	{0, "keep", NULL, OPT_FLAG, &keep, "if a stage fails, leave it half-made for a look"},
	{0, "dry-run", NULL, OPT_FLAG, &dry_run, "print the steps as shell commands, do nothing"},
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

static int find_bundle(int argc, char **argv, char **ret_bundle, struct oci_err *err)
{
	if (!resume)
		return creation_find_bundle(argc, argv, ret_bundle, err);
	if (argc == 2 || asked.bundle || asked.config_file)
		return err_set(err, FAULT_USAGE,
			       "--resume takes no bundle: the container has its own");
	return 0;
}

/* A creation goes on with the pipeline that it was begun with. */
static int recall_pipeline(const char *id, struct oci_err *err)
{
	own_container struct container *c = NULL;

	if (!resume || asked.pipeline_file)
		return 0;
	c = container_open(tool.root, id, LOCK_NONE, -1, err);
	if (!c)
		return -1;
	asked.pipeline_file = steal_ptr(&c->state->options.pipeline);
	return 0;
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

static void say_created(const struct create_request *r, const struct container *c)
{
	fprintf(stderr, "%-15s %s, pid %d - next: oci start %s\n", "created", r->id,
		(int)c->state->init.pid, r->id);
}

static int create(struct create_request *r, struct oci_err *err)
{
	own_container struct container *c = NULL;
	bool stopped = false;
	int result = creation_run(r, &c, &stopped, err), code = creation_report(r, c, result, err);

	if (result == 0 && stopped)
		say_stopped(r);
	else if (result == 0 && asked.steps)
		say_created(r, c);
	if (interrupt_signal())
		interrupt_die();
	return code;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_pipeline struct pipeline *pipeline = NULL;
	own_ptr char *bundle = NULL;
	struct create_request r = {.console_fd = -1};

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	r.options.systemd_cgroup = tool.systemd_cgroup;
	r.options.no_cgroup = tool.no_cgroup;
	r.options.config_file = asked.config_file;
	if (dry_run && argc == 1 && !asked.bundle)
		return dry_run_main(NULL, argv[0], &r.options);
	if (find_bundle(argc, argv, &bundle, &err) < 0 ||
	    creation_fill_options(&r.options, &err) < 0 || find_until(&r.until, &err) < 0)
		return tool_fail(&err);
	if (dry_run)
		return dry_run_main(argv[0], bundle, &r.options);
	if (recall_pipeline(argv[0], &err) == 0)
		pipeline = creation_load_pipeline(&err);
	if (!pipeline)
		return tool_fail(&err);
	r.root = tool.root;
	r.id = argv[0];
	r.bundle = bundle;
	r.pipeline = pipeline;
	r.resume = resume;
	r.keep = keep;
	r.as_tools = asked.as_tools;
	return create(&r, &err);
}
