/* oci-verify: compare a container with its config.json, from outside. */
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "tool.h"
#include "verify/verify.h"

static const char *format = "text";
static bool verbose;

static const struct opt options[] = {
	{'f', "format", "FORMAT", OPT_STRING, &format, "text or json"},
	{'v', "verbose", NULL, OPT_FLAG, &verbose, "tell what could not be compared, and why"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-verify",
	.operands = "CONTAINER-ID",
	.purpose = "Compare a container with its config.json, and print each difference.",
	.details = "Exits 0 if there is none, and 106 if there is one.",
	.example = "oci-verify --format json web | jq -r '.differences[].pointer'",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

static void print_json(const struct container *c, const struct verify_report *report)
{
	own_json struct json_object *o = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_string(c->id));
	json_object_object_add(o, "compared", json_object_new_int64(report->compared));
	json_object_object_add(o, "differences", json_object_get(report->differences));
	json_object_object_add(o, "hidden", json_object_get(report->hidden));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_text(const struct verify_report *report)
{
	const size_t n = json_length(report->differences), hidden = json_length(report->hidden);

	for (size_t i = 0; i < n; i++) {
		const struct json_object *o = json_item(report->differences, i);

		printf("%s: wanted %s, found %s (%s)\n", json_string(o, "pointer"),
		       json_string(o, "wanted"), json_string(o, "found"), json_string(o, "where"));
	}
	for (size_t i = 0; verbose && i < hidden; i++) {
		const struct json_object *o = json_item(report->hidden, i);

		printf("%s: hidden: %s\n", json_string(o, "pointer"), json_string(o, "reason"));
	}
	printf("%zu difference%s, %u values compared, %zu not to be seen%s\n", n, n == 1 ? "" : "s",
	       report->compared, hidden, hidden && !verbose ? " (--verbose)" : "");
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_verify_report struct verify_report report = {0};
	bool json;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	json = strcmp(format, "json") == 0;
	if (!json && strcmp(format, "text") != 0) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": text or json", format);
		return tool_fail(&err);
	}
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c || verify_container(c, &report, &err) < 0)
		return tool_fail_at(&err, c);
	if (json)
		print_json(c, &report);
	else
		print_text(&report);
	/* Of "oci verify" too: runc has no such command, and 1 would be an error. */
	return json_length(report.differences) > 0 ? FAULT_DIFFERENT : 0;
}
