#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/caps.h"

static const struct caps everything = {.bounding = UINT64_MAX, .permitted = UINT64_MAX};

static struct caps parse(const char *text, const struct caps *held, struct json_object *warnings)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *o = json_parse(text, strlen(text), "caps", &err);

	if (!o)
		fail_msg("%s", err.message);
	return caps_parse(o, held, warnings);
}

static void assert_warning(const struct json_object *warnings, size_t i, const char *words)
{
	const char *text = json_item_string(warnings, i);

	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void test_sets(void **state)
{
	own_json struct json_object *warnings = json_object_new_array();
	struct caps caps = parse("{\"bounding\": [\"CAP_CHOWN\", \"CAP_KILL\", \"CAP_BPF\"],"
				 "\"permitted\": [\"CAP_CHOWN\", \"CAP_KILL\"],"
				 "\"inheritable\": [\"CAP_KILL\"],"
				 "\"effective\": [\"CAP_CHOWN\"], \"ambient\": [\"CAP_KILL\"]}",
				 &everything, warnings);

	(void)state;
	assert_int_equal(json_length(warnings), 0);
	assert_int_equal(caps.bounding, 1ULL << 0 | 1ULL << 5 | 1ULL << 39);
	assert_int_equal(caps.permitted, 1 << 0 | 1 << 5);
	assert_int_equal(caps.inheritable, 1 << 5);
	assert_int_equal(caps.effective, 1 << 0);
	assert_int_equal(caps.ambient, 1 << 5);
}

static void test_none(void **state)
{
	struct caps caps = caps_parse(NULL, &everything, NULL);

	(void)state;
	assert_int_equal(caps.bounding | caps.permitted | caps.inheritable | caps.effective |
				 caps.ambient,
			 0);
}

static void test_unknown_names(void **state)
{
	own_json struct json_object *warnings = json_object_new_array();
	struct caps caps =
		parse("{\"bounding\": [\"CAP_FOO\", \"cap_chown\", \"CAP_CHOWN,CAP_KILL\","
		      "\"5\", \"CAP_5\", \"CHOWN\", \"\", \"CAP_KILL \", \"CAP_KILL\"]}",
		      &everything, warnings);

	(void)state;
	assert_int_equal(caps.bounding, 1 << 5);
	assert_int_equal(json_length(warnings), 8);
	assert_warning(warnings, 0,
		       "/process/capabilities/bounding/0: unknown capability \"CAP_FOO\"");
	assert_warning(warnings, 7, "/process/capabilities/bounding/7");
}

static void test_not_held(void **state)
{
	const struct caps held = {.bounding = 1 << 0 | 1 << 1, .permitted = 1 << 0};
	own_json struct json_object *warnings = json_object_new_array();
	struct caps caps =
		parse("{\"bounding\": [\"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\", \"CAP_KILL\"],"
		      "\"permitted\": [\"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\"],"
		      "\"effective\": [\"CAP_CHOWN\", \"CAP_DAC_OVERRIDE\"]}",
		      &held, warnings);

	(void)state;
	assert_int_equal(caps.bounding, 3);
	assert_int_equal(caps.permitted, 1);
	assert_int_equal(caps.effective, 1);
	assert_int_equal(json_length(warnings), 3);
	assert_warning(warnings, 0, "bounding: CAP_KILL: not held by this process");
	assert_warning(warnings, 1, "permitted: CAP_DAC_OVERRIDE: not held");
	assert_warning(warnings, 2, "effective: CAP_DAC_OVERRIDE: not permitted");
}

/* The kernel would refuse all of it for one capability that breaks these rules. */
static void test_rules_between_sets(void **state)
{
	own_json struct json_object *warnings = json_object_new_array();
	struct caps caps = parse("{\"bounding\": [\"CAP_CHOWN\"], \"permitted\": [\"CAP_CHOWN\"],"
				 "\"inheritable\": [\"CAP_KILL\"], \"effective\": [\"CAP_KILL\"],"
				 "\"ambient\": [\"CAP_CHOWN\", \"CAP_KILL\"]}",
				 &everything, warnings);

	(void)state;
	assert_int_equal(caps.inheritable, 0);
	assert_int_equal(caps.effective, 0);
	assert_int_equal(caps.ambient, 0);
	assert_int_equal(json_length(warnings), 3);
	assert_warning(warnings, 2, "ambient: CAP_CHOWN, CAP_KILL: not both");
}

static void test_held_by_us(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct caps held, all = caps_all();

	(void)state;
	assert_int_equal(caps_held(&held, &err), 0);
	assert_int_equal(held.bounding & ~all.bounding, 0);
	assert_int_equal(held.permitted & ~all.permitted, 0);
	assert_true(all.bounding >= (1ULL << 41) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_unknown_names),
		cmocka_unit_test(test_not_held),
		cmocka_unit_test(test_rules_between_sets),
		cmocka_unit_test(test_held_by_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
