/* One step of a pipeline, in its way: a function, a tool, or a program of the user's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/spawn.h"
#include "driver.h"
#include "kernel/proc.h"
#include "times.h"
#include "tool.h"

enum { ENV_MAX = 6 };

static int validate(struct creation *cr, struct oci_err *err)
{
	const struct create_request *r = cr->request;
	const struct proc_id self = proc_identify(getpid());

	cr->c = stage_validate(r->root, r->id, r->bundle, &r->options, &self, NULL, err);
	return cr->c ? 0 : -1;
}

static int add_env(char **env, size_t *n, const char *name, const char *value)
{
	if (asprintf(&env[*n], "%s=%s", name, value) < 0) {
		env[*n] = NULL;
		return -1;
	}
	(*n)++;
	return 0;
}

/* What a step may want to know without reading JSON. */
static int step_environment(const struct container *c, char **env)
{
	const char *path = getenv("PATH");
	own_ptr char *dir = NULL;
	char pid[24];
	size_t n = 0;

	snprintf(pid, sizeof pid, "%d", (int)c->state->init.pid);
	if (asprintf(&dir, "%s/%s", c->root, c->id) < 0)
		return -1;
	return add_env(env, &n, "OCI_ROOT", c->root) < 0 ||
			       add_env(env, &n, "OCI_STATE_DIR", dir) < 0 ||
			       add_env(env, &n, "OCI_BUNDLE", c->state->bundle) < 0 ||
			       add_env(env, &n, "OCI_ROOTFS", c->state->rootfs) < 0 ||
			       add_env(env, &n, "OCI_PID", pid) < 0 ||
			       add_env(env, &n, "PATH",
				       path ? path : "/usr/sbin:/usr/bin:/sbin:/bin") < 0
		       ? -1
		       : 0;
}

static int spawn_step(const struct container *c, const struct pipeline_step *step, char *const *env,
		      struct spawn_result *result, char **ret_how, struct oci_err *err)
{
	own_ptr const char **argv = NULL;
	struct spawn spawn = SPAWN_INIT;
	size_t n = 0;

	while (step->argv[n])
		n++;
	argv = calloc(n + 2, sizeof *argv);
	if (!argv)
		return err_sys(err, ENOMEM, "cannot start \"%s\"", step->argv[0]);
	for (size_t i = 0; i < n; i++)
		argv[i] = step->argv[i];
	argv[n] = c->id;
	spawn.path = step->argv[0];
	spawn.argv = argv;
	spawn.envp = (const char *const *)env;
	spawn.stdout_fd = STDERR_FILENO;
	if (spawn_run(&spawn, result, err) < 0)
		return -1;
	*ret_how = spawn_explain(&spawn, result);
	return 0;
}

/* The step reads state.json, so it must be there and up to date. */
static int run_program(struct creation *cr, const struct pipeline_step *step, struct oci_err *err)
{
	char *env[ENV_MAX + 1] = {NULL};
	struct spawn_result result = {0};
	own_ptr char *how = NULL;
	int64_t begin = times_now();
	int failed;

	if (container_save(cr->c, err) < 0)
		return -1;
	if (step_environment(cr->c, env) < 0)
		failed = err_sys(err, ENOMEM, "cannot start \"%s\"", step->argv[0]);
	else
		failed = spawn_step(cr->c, step, env, &result, &how, err);
	for (size_t i = 0; i < ENV_MAX; i++)
		free(env[i]);
	if (failed == 0 && how)
		failed = err_set(err, FAULT_HOOK, "\"%s\" failed: %s", step->argv[0], how);
	if (failed < 0) {
		err->fault = FAULT_HOOK;
		return err_wrap(err, "%s:%u", cr->request->pipeline->file, step->line);
	}
	state_add_stage(cr->c->state, step->name, times_now() - begin);
	return 0;
}

static int run(struct creation *cr, const struct pipeline_step *step, struct oci_err *err)
{
	if (!step->stage)
		return run_program(cr, step, err);
	if (cr->request->as_tools)
		return as_tool_run(cr, step->stage, err);
	return step->stage->run ? stage_run(step->stage, cr->c, NULL, err) : validate(cr, err);
}

/* Whether the config asks the step for anything at all. */
static bool was_empty(const struct creation *cr, const struct pipeline_step *step)
{
	return step->stage && !stage_is_asked_for(step->stage, cr->c->config);
}

static void note(struct creation *cr, const struct pipeline_step *step, bool done)
{
	struct times *times = cr->request->times;
	const struct span *span;
	char *text = NULL;

	if (done && times->want_text && step->stage && container_load_config(cr->c, &ERR_INIT) == 0)
		text = step->stage->describe(cr->c);
	times_end(times, !done ? "failed" : was_empty(cr, step) ? "none" : "done", text);
	span = &times->spans[times->n - 1];
	tool_debug("%s: %.3f ms, %s", step->name, (double)(span->end - span->begin) / 1000,
		   span->text ? span->text : span->outcome);
}

int step_run(struct creation *cr, const struct pipeline_step *step, struct oci_err *err)
{
	int result;

	times_begin(cr->request->times, step->name);
	result = run(cr, step, err);
	if (cr->request->times)
		note(cr, step, result == 0);
	return result;
}
