/* What an update says, what holds after it, and sizes on the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci/resources.h"
#include "oci/size.h"

static void assert_json(struct json_object *got, const char *expected)
{
	own_json struct json_object *value = got, *want = json_tokener_parse(expected);

	assert_non_null(want);
	if (!json_object_equal(value, want))
		fail_msg("%s, not %s", json_object_to_json_string(value), expected);
}

static struct json_object *normal(const char *text)
{
	own_json struct json_object *json = json_tokener_parse(text);

	return resources_normal(json);
}

static struct json_object *merged(const char *base, const char *change, bool swap_alone)
{
	own_json struct json_object *a = json_tokener_parse(base), *b = normal(change);

	return resources_merge(a, b, swap_alone);
}

static void what_is_not_set(void **state)
{
	(void)state;
	assert_json(normal("{\"memory\": {\"limit\": 0, \"swap\": null, \"swappiness\": 0}, "
			   "\"devices\": []}"),
		    "{\"memory\": {\"swappiness\": 0}}");
	assert_json(normal("{\"cpu\": {\"shares\": 0, \"burst\": 0, \"idle\": 0, \"cpus\": \"\"}}"),
		    "{\"cpu\": {\"burst\": 0, \"idle\": 0}}");
	assert_json(normal("{\"pids\": {\"limit\": 0}, \"blockIO\": null}"),
		    "{\"pids\": {\"limit\": 0}}");
	assert_json(
		normal("{\"unified\": {\"cpuset.cpus\": \"\"}, \"rdma\": {\"a\": {\"hcaHandles\": "
		       "0}}}"),
		"{\"unified\": {\"cpuset.cpus\": \"\"}, \"rdma\": {\"a\": {\"hcaHandles\": 0}}}");
	assert_json(resources_normal(NULL), "{}");
}

static void lists(void **state)
{
	(void)state;
	assert_json(merged("{\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 1}]}",
			   "{\"hugepageLimits\": [{\"pageSize\": \"1GB\", \"limit\": 2}, "
			   "{\"pageSize\": \"2MB\", \"limit\": 0}]}",
			   false),
		    "{\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 0}, "
		    "{\"pageSize\": \"1GB\", \"limit\": 2}]}");
	assert_json(
		merged("{\"blockIO\": {\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": "
		       "10}]}}",
		       "{\"blockIO\": {\"weightDevice\": [{\"major\": 8, \"minor\": 0, "
		       "\"leafWeight\": 20}, {\"major\": 8, \"minor\": 1, \"weight\": 5}]}}",
		       false),
		"{\"blockIO\": {\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": 10, "
		"\"leafWeight\": 20}, {\"major\": 8, \"minor\": 1, \"weight\": 5}]}}");
	assert_json(merged("{\"devices\": [{\"allow\": true}]}",
			   "{\"devices\": [{\"allow\": false}]}", false),
		    "{\"devices\": [{\"allow\": false}]}");
	assert_json(
		merged("{\"unified\": {\"a.b\": \"1\"}}", "{\"unified\": {\"c.d\": \"2\"}}", true),
		"{\"unified\": {\"a.b\": \"1\", \"c.d\": \"2\"}}");
}

static void swap(void **state)
{
	static const char base[] = "{\"memory\": {\"limit\": 100, \"swap\": 150}}";

	(void)state;
	assert_json(merged(base, "{\"memory\": {\"limit\": 200}}", true),
		    "{\"memory\": {\"limit\": 200, \"swap\": 250}}");
	assert_json(merged(base, "{\"memory\": {\"limit\": 120}}", false),
		    "{\"memory\": {\"limit\": 120, \"swap\": 150}}");
	assert_json(merged(base, "{\"memory\": {\"limit\": -1}}", true),
		    "{\"memory\": {\"limit\": -1, \"swap\": -1}}");
	assert_json(merged(base, "{\"memory\": {\"swap\": -1}}", true),
		    "{\"memory\": {\"limit\": 100, \"swap\": -1}}");
	assert_json(merged("{}", "{\"memory\": {\"limit\": -1}}", true),
		    "{\"memory\": {\"limit\": -1}}");
	assert_json(resources_merge(NULL, NULL, true), "{}");
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = {
		{"0", 0},
		{"1024", 1024},
		{"1k", 1024},
		{"1KB", 1024},
		{"1 KiB", 1024},
		{"512M", 512 << 20},
		{"1.5g", 1610612736},
		{"0.5t", 549755813888},
		{"7b", 7},
		{"-1", -1},
		{"1P", INT64_C(1) << 50},
		{"9223372036854775807", INT64_MAX},
	};
	static const char *const bad[] = {"",
					  "-2",
					  "M",
					  "1.",
					  ".5",
					  "5x",
					  "1MM",
					  "1 MB x",
					  "1ib",
					  "8192P",
					  " 1",
					  "+1",
					  "1e3",
					  "9223372036854775808",
					  "99999999999999999999999999"};
	int64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		if (!size_parse(good[i].text, &bytes) || bytes != good[i].bytes)
			fail_msg("\"%s\"", good[i].text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (size_parse(bad[i], &bytes))
			fail_msg("\"%s\" is a size", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_set),
		cmocka_unit_test(lists),
		cmocka_unit_test(swap),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
