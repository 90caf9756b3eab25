/* Checks a bundle, and as a stage makes the state directory of a new container from it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "host/check.h"
#include "host/host.h"
#include "oci/spec.h"
#include "stage/bundle.h"
#include "stage/stage.h"
#include "tool.h"

static const char *bundle_option;
static const char *format = "text";
static bool as_json, properties, host;
static struct create_options create;

static const struct opt options[] = {
	{'b', "bundle", "DIR", OPT_STRING, &bundle_option, "make a container of this bundle"},
	{0, "config", "FILE", OPT_PATH, &create.config_file,
	 "read this in place of its config.json"},
	{0, "json", NULL, OPT_FLAG, &as_json, "only check; print what is found as JSON"},
	{0, "host", NULL, OPT_FLAG, &host, "would this bundle run on this machine, for this user?"},
	{'f', "format", "FORMAT", OPT_STRING, &format, "text or json, of what is found"},
	{0, "properties", NULL, OPT_FLAG, &properties, "list all properties of config.json"},
	{0, "console-socket", "PATH", OPT_PATH, &create.console_socket,
	 "where the terminal is to be sent"},
	{0, "pid-file", "FILE", OPT_PATH, &create.pid_file, "where the pid is to be written"},
	{0, "preserve-fds", "N", OPT_UINT, &create.preserve_fds,
	 "descriptors from 3 on that the process keeps"},
	{0, "no-pivot", NULL, OPT_FLAG, &create.no_pivot, "use chroot in place of pivot_root"},
	{0, "no-new-keyring", NULL, OPT_FLAG, &create.no_new_keyring,
	 "keep the session keyring of the caller"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-validate",
	.operands = "[--host] BUNDLE | CONTAINER-ID [BUNDLE] | --properties",
	.purpose = "check a bundle and its config.json; with an id, begin a container",
	.details =
		"With the path of a bundle alone: prints every error and warning, and exits 102\n"
		"if there is an error. With --host: every requirement, and whether this machine\n"
		"meets it; exits 103 if it does not. With an id (and --bundle, default \".\"): "
		"the\n"
		"first stage of a creation, which also makes the state directory with a snapshot\n"
		"of config.json.",
	.example = "oci-validate ./web",
	.min_operands = 0,
	.max_operands = 2,
	.options = options,
};

static bool is_directory(const char *path)
{
	struct stat st;

	return strchr(path, '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static void print_json(const struct findings *found)
{
	own_json struct json_object *json = finding_json(found);

	tool_print_json(json);
}

/* --host: an exit code. */
static int check_host(const struct bundle *bundle)
{
	const struct host_bundle asked = {bundle->config, bundle->path, bundle->rootfs,
					  tool.systemd_cgroup};
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *report = host_check_bundle(&asked, &err);

	if (!report)
		return tool_fail(&err);
	if (as_json)
		tool_print_json(report);
	else
		tool_print_host(report);
	if (!host_count(report, HOST_FAIL))
		return 0;
	return tool.front_end ? 1 : FAULT_UNSUPPORTED;
}

/* The findings are what was asked for: they go to standard output. */
static int check(const char *path)
{
	own_err struct oci_err err = ERR_INIT;
	own_bundle struct bundle bundle = {0};
	own_findings struct findings found = {0};
	own_ptr char *report = NULL;

	if (bundle_read(&bundle, path, create.config_file, &err) < 0)
		return tool_fail(&err);
	bundle_check(&bundle, &found);
	finding_locate(&found, bundle.text, bundle.len);
	if (host && !found.n_errors)
		return check_host(&bundle);
	if (as_json) {
		print_json(&found);
	} else {
		report = finding_report(&found, bundle.text, bundle.len, bundle.config_name,
					isatty(1) && !getenv("NO_COLOR"));
		fputs(report ? report : "out of memory\n", stdout);
	}
	if (!found.n_errors)
		return 0;
	return tool.front_end ? 1 : FAULT_CONFIG;
}

static int begin(const char *id, const char *path)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_ptr char *warnings = NULL;

	create.systemd_cgroup = tool.systemd_cgroup;
	create.no_cgroup = tool.no_cgroup;
	c = stage_validate(tool.root, id, path, &create, NULL, &warnings, &err);
	if (warnings)
		fputs(warnings, stderr);
	return c ? 0 : tool_fail(&err);
}

/* ---- The table of properties ----------------------------------------------------------------- */

static const char *stage_of(const struct spec_row *row)
{
	if (row->stage)
		return row->stage;
	return row->ignored ? "ignored" : "not supported";
}

static struct json_object *property_json(const struct spec_row *row, const char *constraint)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "pointer", json_object_new_string(row->pointer));
	json_object_object_add(o, "type", json_object_new_string(spec_type_name(row->type)));
	json_object_object_add(o, "required", json_object_new_boolean(row->required));
	if (*constraint)
		json_object_object_add(o, "constraint", json_object_new_string(constraint));
	json_object_object_add(o, "since", json_object_new_string(row->since));
	if (row->stage)
		json_object_object_add(o, "stage", json_object_new_string(row->stage));
	json_object_object_add(o, "ignored", json_object_new_boolean(row->ignored));
	return o;
}

static int list_properties(void)
{
	own_json struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < spec_n_rows; i++) {
		const struct spec_row *row = &spec_rows[i];
		own_ptr char *constraint = spec_describe(row);

		if (as_json)
			json_object_array_add(list,
					      property_json(row, constraint ? constraint : ""));
		else
			printf("%-54s %-8s %-9s %-6s %-14s %s\n",
			       *row->pointer ? row->pointer : "/", spec_type_name(row->type),
			       row->required ? "required" : "optional", row->since, stage_of(row),
			       constraint ? constraint : "");
	}
	if (as_json)
		tool_print_json(list);
	return 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": text or json", format);
		return tool_fail(&err);
	}
	as_json = as_json || strcmp(format, "json") == 0;
	if (properties)
		return list_properties();
	if (argc == 0) {
		err_set(&err, FAULT_USAGE, "a bundle or a container id is missing");
		return tool_fail(&err);
	}
	if (argc == 2 && (bundle_option || as_json || host)) {
		err_set(&err, FAULT_USAGE, "one operand is enough with %s",
			host	  ? "--host"
			: as_json ? "--json"
				  : "--bundle");
		return tool_fail(&err);
	}
	if (argc == 2)
		return begin(argv[0], argv[1]);
	if (as_json || host || (!bundle_option && is_directory(argv[0])))
		return check(argv[0]);
	return begin(argv[0], bundle_option ? bundle_option : ".");
}
