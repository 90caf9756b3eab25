/*
 * oci/validate.h: any JSON. Whatever it is, all of it can be reported. What has
 * no error is what the stages rely on: they check no types.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/mountopt.h"
#include "oci/validate.h"

#include "fuzz_validate_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void report(struct findings *found, const char *text, size_t len)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *json = NULL;

	finding_locate(found, text, len);
	for (size_t i = 0; i < found->n; i++)
		require(found->items[i].line > 0, "every finding has a place");
	free(finding_report(found, text, len, "fuzz", true));
	json = finding_json(found);
	require(json_object_to_json_string(json) != NULL, "findings can be printed");
	if (found->n_errors)
		require(finding_fail(found, text, len, "fuzz", &err) == -1 && err.message,
			"errors make one error");
}

static void rely(const struct json_object *config)
{
	const struct json_object *process = json_member(config, "process");
	const struct json_object *mounts = json_member(config, "mounts");

	require(json_string(json_member(config, "root"), "path"), "there is a root");
	if (process) {
		int64_t uid = json_int(json_member(process, "user"), "uid", 0);

		require(uid >= 0 && uid < UINT32_MAX, "the uid is one");
		require(*json_item_string(json_member(process, "args"), 0), "there is a program");
		require(json_string(process, "cwd")[0] == '/', "the directory is absolute");
	}
	for (size_t i = 0; i < json_length(mounts); i++) {
		own_err struct oci_err err = ERR_INIT;
		own_mountopt struct mountopt opt;

		require(mountopt_parse(json_item(mounts, i), i, &opt, &err) == 0,
			"mount options parse");
		require(json_string(json_item(mounts, i), "destination"), "there is a destination");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	own_err struct oci_err err = ERR_INIT;
	own_findings struct findings found = {0};
	const char *text = (const char *)data;
	own_json struct json_object *config = json_parse(text, size, "fuzz", &err);

	if (!config)
		return 0;
	validate_config(config, &found);
	if (!found.n_errors)
		rely(config);
	/* The places cost a scan each: now and then is enough. */
	if (size % 16 == 0)
		report(&found, text, size);
	return 0;
}
