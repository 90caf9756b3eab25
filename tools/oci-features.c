/* oci-features: what this runtime can do, and with --host, this machine. */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "commands.h"
#include "host/host.h"
#include "tool.h"

static bool host;
static const char *format = "json";

static const struct opt options[] = {
	{0, "host", NULL, OPT_FLAG, &host, "say for each feature what this kernel can do"},
	{'f', "format", "FORMAT", OPT_STRING, &format, "json, or with --host also text"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-features",
	.purpose = "print what this runtime can do, as JSON",
	.details =
		"The document of the specification's features.md. With --host it has a member\n"
		"\"host\": what was probed on this machine, and whether that is ok, degraded or\n"
		"fail.",
	.example = "oci-features | jq -r '.linux.namespaces[]'",
	.options = options,
};

static int print(struct json_object *features)
{
	own_json struct json_object *report = host ? host_probe_features(features) : NULL;

	if (host && strcmp(format, "text") == 0) {
		tool_print_host(report);
		return 0;
	}
	if (host)
		json_object_object_add(features, "host", json_object_get(report));
	tool_print_json(features);
	return 0;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *features = NULL;
	struct host_program program = {tool_version, tool_commit, false};

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (strcmp(format, "json") != 0 && !(host && strcmp(format, "text") == 0)) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": json%s", format,
			host ? " or text" : "; text only with --host");
		return tool_fail(&err);
	}
	program.checkpoint = command_find("oci-checkpoint") && command_find("oci-restore");
	features = host_features(&program);
	return print(features);
}
