#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/validate.h"

static struct json_object *parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	struct json_object *value = json_parse(text, strlen(text), "test", &err);

	if (!value)
		fail_msg("%s: %s", text, err.message);
	return value;
}

static void test_report(void **state)
{
	static const char text[] = "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"procces\": {},\n"
				   "\t\"root\": {\"path\": 1}\n}\n";
	own_json struct json_object *config = parse(text), *json = NULL;
	own_findings struct findings found = {0};
	own_ptr char *report = NULL;

	(void)state;
	validate_config(config, &found);
	finding_locate(&found, text, strlen(text));
	report = finding_report(&found, text, strlen(text), "web/config.json", false);
	assert_string_equal(
		report,
		"web/config.json:3:2: warning: /procces: no such property in OCI "
		"runtime-spec 1.3, ignored\n"
		"    3 |     \"procces\": {},\n"
		"      |     ^~~~~~~~~ did you mean \"process\"?\n"
		"web/config.json:4:19: error: /root/path: must be a string, not the number 1\n"
		"    4 |     \"root\": {\"path\": 1}\n"
		"      |                      ^\n"
		"1 error, 1 warning\n");
	json = finding_json(&found);
	assert_string_equal(
		json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE),
		"{\"valid\":false,\"errors\":1,\"warnings\":1,\"findings\":["
		"{\"severity\":\"warning\",\"pointer\":\"/procces\",\"line\":3,\"column\":2,"
		"\"message\":\"no such property in OCI runtime-spec 1.3, ignored\","
		"\"hint\":\"did you mean \\\"process\\\"?\"},"
		"{\"severity\":\"error\",\"pointer\":\"/root/path\",\"line\":4,\"column\":19,"
		"\"message\":\"must be a string, not the number 1\"}]}");
}

static void test_one_error_of_many(void **state)
{
	static const char text[] = "{\n\"root\": {\"path\": 1},\n\"mounts\": 5, \"x\": 1\n}\n";
	own_json struct json_object *config = parse(text);
	own_findings struct findings found = {0};
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	validate_config(config, &found);
	assert_int_equal(finding_fail(&found, text, strlen(text), "c.json", &err), -1);
	assert_int_equal(err.fault, FAULT_CONFIG);
	assert_string_equal(err.pointer, "/ociVersion");
	assert_string_equal(err.message, "is required, but it is not there, at c.json:1:1 "
					 "(and 2 more errors)");
	assert_non_null(strstr(err.details, "3 errors, 1 warning\n"));
}

static void test_strange_texts_are_escaped(void **state)
{
	static const char text[] = "{\"ociVersion\": \"\\u001b[2J\\n\", \"\\u001b]0;x\": 1}";
	own_json struct json_object *config = parse(text);
	own_findings struct findings found = {0};
	own_ptr char *report = NULL;

	(void)state;
	validate_config(config, &found);
	finding_locate(&found, text, strlen(text));
	report = finding_report(&found, text, strlen(text), "c\033.json", false);
	assert_null(strchr(report, '\033'));
	assert_non_null(strstr(report, "/\\x1b]0;x: no such"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_one_error_of_many),
		cmocka_unit_test(test_strange_texts_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
