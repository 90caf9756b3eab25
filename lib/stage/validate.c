/*
 * The first stage: from a bundle to a state directory.
 *
 * Purpose: find everything that is wrong with the bundle before anything is
 *   made; take the snapshot of config.json that all other stages read.
 * Runs in: the runtime's namespaces, with the caller's rights.
 * Should: read the bundle once; name the component of a path that fails; leave
 *   nothing behind on failure, which is why the state directory comes last.
 * Mustn't: wait (a config.json that is a FIFO), trust the size of a file.
 * Undo: removes the state directory.
 * Specification: bundle.md; config.md, "Root"; runtime.md, "Create".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/own.h"
#include "base/timestamp.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "oci/spec.h"
#include "oci/validate.h"
#include "stage/bundle.h"
#include "stage/stage.h"

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int copy_text(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -1 : 0;
}

/* The record of a container of which nothing exists yet. Takes over what it needs of the bundle. */
static int fill_state(struct container *c, struct bundle *bundle,
		      const struct create_options *options, struct oci_err *err)
{
	struct oci_state *s = calloc(1, sizeof *s);
	char now[TIMESTAMP_SIZE];

	c->state = s;
	if (!s)
		return err_sys(err, ENOMEM, "cannot keep the state");
	timestamp_now(now);
	s->options = *options;
	s->options.console_socket = s->options.pid_file = s->options.pidfd_socket = NULL;
	s->options.pipeline = s->options.listen_names = s->options.config_file = NULL;
	if (copy_text(options->console_socket, &s->options.console_socket) < 0 ||
	    copy_text(options->pid_file, &s->options.pid_file) < 0 ||
	    copy_text(options->pidfd_socket, &s->options.pidfd_socket) < 0 ||
	    copy_text(options->listen_names, &s->options.listen_names) < 0 ||
	    copy_text(options->pipeline, &s->options.pipeline) < 0 ||
	    copy_text(SPEC_VERSION, &s->oci_version) < 0 || copy_text(c->id, &s->id) < 0 ||
	    copy_text(now, &s->created) < 0 || copy_text(proc_boot_id(), &s->boot_id) < 0)
		return err_sys(err, ENOMEM, "cannot keep the state");
	s->stages = json_object_new_array();
	s->status = STATUS_CREATING;
	s->annotations = json_object_get(json_member(c->config, "annotations"));
	s->owner = geteuid();
	s->bundle = steal_ptr(&bundle->path);
	s->rootfs = steal_ptr(&bundle->rootfs);
	s->root_dev = bundle->root_dev;
	s->root_ino = bundle->root_ino;
	return 0;
}

static int fill(struct container *c, struct bundle *bundle, const struct create_options *options,
		const struct proc_id *creator, int64_t began, struct oci_err *err)
{
	struct json_object *config = steal_ptr(&bundle->config);

	if (container_set_config(c, steal_ptr(&bundle->text), bundle->len, config, err) < 0 ||
	    fill_state(c, bundle, options, err) < 0)
		return -1;
	state_add_stage(c->state, "validate", now_us() - began);
	if (!creator)
		return container_save(c, err);
	c->state->creator = *creator;
	c->driven = true;
	return 0;
}

/* To who only creates the rest would be noise: that a property is not known, and the like. */
static void warn_of_no_effect(struct container *c, const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->items[i].no_effect)
			container_warn(c, "%s: %s", found->items[i].pointer,
				       found->items[i].message);
}

struct container *stage_validate(const char *root, const char *id, const char *bundle_path,
				 const struct create_options *options,
				 const struct proc_id *creator, char **ret_warnings,
				 struct oci_err *err)
{
	int64_t began = now_us();
	own_bundle struct bundle bundle = {0};
	own_findings struct findings found = {0};
	own_container struct container *c = NULL;

	err->stage = "validate";
	if (container_check_id(id, err) < 0 ||
	    bundle_read(&bundle, bundle_path, options->config_file, err) < 0)
		return NULL;
	bundle_check(&bundle, &found);
	if (found.n_errors) {
		finding_fail(&found, bundle.text, bundle.len, bundle.config_name, err);
		return NULL;
	}
	if (ret_warnings)
		*ret_warnings = bundle_warnings(&bundle, &found);
	c = container_new(root, id, lifecycle_clear, err);
	if (!c)
		return NULL;
	if (fill(c, &bundle, options, creator, began, err) < 0) {
		own_err struct oci_err ignored = ERR_INIT;

		container_remove(c, &ignored);
		return NULL;
	}
	if (!ret_warnings)
		warn_of_no_effect(c, &found);
	err->stage = NULL;
	return steal_ptr(&c);
}

static size_t count_hooks(const struct json_object *config)
{
	size_t n = 0;
	struct json_object *hooks = json_member(config, "hooks");

	if (!hooks || !json_object_is_type(hooks, json_type_object))
		return 0;
	json_object_object_foreach (hooks, name, list) {
		(void)name;
		n += json_length(list);
	}
	return n;
}

char *describe_validate(const struct container *c)
{
	size_t hooks = count_hooks(c->config);
	char number[24], *line = NULL;

	snprintf(number, sizeof number, "%zu", hooks);
	if (asprintf(&line, "config.json: %zu mounts, %zu namespaces, %s hook%s",
		     json_length(json_member(c->config, "mounts")),
		     json_length(json_path(c->config, "linux", "namespaces", NULL)),
		     hooks ? number : "no", hooks == 1 ? "" : "s") < 0)
		return NULL;
	return line;
}
