#include "dry_run.h"

#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "tool.h"

static void header(const struct shell *sh, const char *id)
{
	own_ptr char *bundle = shell_quote(sh->bundle->path);
	own_ptr char *rootfs = shell_quote(sh->bundle->rootfs);
	own_ptr char *state = NULL;

	shell_run(sh,
		  "#!/bin/sh\n"
		  "# What oci-create would do for this bundle, as commands that one could type.");
	shell_comment(sh, NULL, "container %s of %s; the numbers in parentheses are lines", id,
		      sh->bundle->path);
	shell_run(sh, "set -eu\nBUNDLE=%s\nROOTFS=%s\nexport ROOTFS", bundle, rootfs);
	if (asprintf(&state, "%s/%s", tool.root, id) < 0)
		state = NULL;
	shell_stage(sh, "validate", "config.json is valid; a copy would be kept in %s",
		    state ? state : tool.root);
}

static void prepare_root(const struct shell *sh)
{
	const char *propagation =
		json_string(json_member(sh->bundle->config, "linux"), "rootfsPropagation");

	shell_stage(sh, "prepare-root", "%s", "");
	if (propagation)
		shell_comment(sh, "/linux/rootfsPropagation", "%s", "");
	shell_run(sh, "mount --make-rslave /");
	shell_comment(sh, NULL, "pivot_root wants a mount of its own");
	shell_run(sh, "mount --bind \"$ROOTFS\" \"$ROOTFS\"");
}

static void hooks(const struct shell *sh, const char *kind, const char *where)
{
	const struct json_object *list = json_path(sh->bundle->config, "hooks", kind, NULL);

	if (json_length(list) == 0)
		return;
	shell_stage(sh, "hook", "%s, with the state as JSON on standard input, %s", kind, where);
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *hook = json_item(list, i);
		own_ptr char *path = shell_quote(json_string(hook, "path"));
		own_ptr char *env = shell_words(json_member(hook, "env"));
		char pointer[64], timeout[32] = "";

		snprintf(pointer, sizeof pointer, "/hooks/%s/%zu", kind, i);
		if (json_has(hook, "timeout"))
			snprintf(timeout, sizeof timeout, "timeout -s KILL %lld ",
				 (long long)json_int(hook, "timeout", 0));
		shell_comment(sh, pointer, "%s", "");
		shell_comment(sh, NULL, "  %senv -i %s%s%s", timeout, env && *env ? env : "",
			      env && *env ? " " : "", path);
	}
}

static void sysctl(const struct shell *sh)
{
	struct json_object *list = json_path(sh->bundle->config, "linux", "sysctl", NULL);

	if (!list || !json_object_is_type(list, json_type_object))
		return;
	shell_comment(sh, "/linux/sysctl", "%s", "");
	json_object_object_foreach (list, key, value) {
		own_ptr char *setting = NULL, *quoted = NULL;

		if (asprintf(&setting, "%s=%s", key, json_object_get_string(value)) < 0)
			setting = NULL;
		quoted = setting ? shell_quote(setting) : NULL;
		shell_run(sh, "sysctl -qw %s", quoted ? quoted : "");
	}
}

/* What runs in the namespaces. The caller frees it. */
static char *write_inside(const struct bundle *bundle)
{
	struct shell sh = {.bundle = bundle};
	char *text = NULL;
	size_t size;

	sh.out = open_memstream(&text, &size);
	if (!sh.out)
		return NULL;
	dry_run_names(&sh);
	prepare_root(&sh);
	dry_run_mounts(&sh);
	dry_run_devices(&sh);
	hooks(&sh, "prestart", "outside, in the caller's namespaces");
	hooks(&sh, "createRuntime", "outside, in the caller's namespaces");
	hooks(&sh, "createContainer", "here: the host's programs in the container's namespaces");
	shell_stage(&sh, "pivot", "%s", "");
	dry_run_masks(&sh);
	sysctl(&sh);
	dry_run_process(&sh);
	fclose(sh.out);
	return text;
}

/* The word that ends the here-document: one that is no line of it. */
static void choose_end(const char *text, char *end, size_t size)
{
	for (unsigned n = 0;; n++) {
		own_ptr char *line = NULL;

		snprintf(end, size, n ? "INSIDE_%u" : "INSIDE", n);
		if (asprintf(&line, "\n%s\n", end) < 0 || !strstr(text, line))
			return;
	}
}

static int plan_cgroup(const struct shell *sh, const char *id, const struct create_options *options,
		       struct json_object **ret_record, struct oci_err *err)
{
	const struct json_object *linux_config = json_member(sh->bundle->config, "linux");
	const char *path = json_string(linux_config, "cgroupsPath");

	if (options->no_cgroup)
		return cgroup_plan_none(json_member(linux_config, "resources"), ret_record, err);
	if (options->systemd_cgroup)
		return cgroup_plan_systemd(id, path, json_member(sh->bundle->config, "annotations"),
					   ret_record, err);
	return cgroup_plan(id, path, json_member(linux_config, "resources"), ret_record, err);
}

static int write_script(const struct shell *sh, const char *id,
			const struct create_options *options, struct oci_err *err)
{
	own_ptr char *inside = write_inside(sh->bundle);
	own_json struct json_object *record = NULL;
	char end[32];

	if (!inside)
		return err_sys(err, ENOMEM, "cannot write the script");
	if (plan_cgroup(sh, id, options, &record, err) < 0)
		return -1;
	choose_end(inside, end, sizeof end);
	header(sh, id);
	if (json_path(sh->bundle->config, "linux", "seccomp", NULL))
		shell_stage(sh, "seccomp",
			    "the filter would be compiled; no command of a shell installs one");
	shell_stage(sh, "cgroup", "the first process, made below, starts in it");
	dry_run_cgroup(sh, record);
	dry_run_namespaces(sh, end);
	fputs(inside, sh->out);
	shell_run(sh, "%s", end);
	dry_run_cgroup_remove(sh, record);
	return fflush(sh->out) == 0 ? 0 : err_sys(err, errno, "cannot write the script");
}

int dry_run_main(const char *id, const char *path, const struct create_options *options)
{
	own_err struct oci_err err = ERR_INIT;
	own_bundle struct bundle bundle = {0};
	own_findings struct findings found = {0};
	struct shell sh = {.out = stdout, .bundle = &bundle};

	if ((id && container_check_id(id, &err) < 0) ||
	    bundle_read(&bundle, path, options->config_file, &err) < 0)
		return tool_fail(&err);
	bundle_check(&bundle, &found);
	if (found.n_errors) {
		finding_fail(&found, bundle.text, bundle.len, bundle.config_name, &err);
		return tool_fail(&err);
	}
	if (!id)
		id = strrchr(bundle.path, '/') + 1;
	if (container_check_id(id, &err) < 0)
		return tool_fail(&err);
	return write_script(&sh, id, options, &err) < 0 ? tool_fail(&err) : 0;
}
