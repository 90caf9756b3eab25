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

static struct json_object *parse(const char *text, size_t len, struct oci_err *err)
{
	/* A copy without a NUL behind it: a read beyond the end is a sanitizer's find. */
	char *copy = malloc(len ? len : 1);
	struct json_object *value;

	memcpy(copy, text, len);
	value = json_parse(copy, len, "config.json", err);
	free(copy);
	return value;
}

static void accept_len(const char *text, size_t len)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *value = parse(text, len, &err);

	if (!value)
		fail_msg("%s: %s", text, err.message);
}

static void refuse_len(const char *text, size_t len, const char *message)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *value = parse(text, len, &err);

	if (value)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.fault, FAULT_CONFIG);
	if (!strstr(err.message, message))
		fail_msg("%s\n  gives: %s\n  not:   %s", text, err.message, message);
	assert_memory_equal(err.message, "config.json:", 12);
	if (!err.details || !strstr(err.details, "^"))
		fail_msg("%s: no caret", text);
}

#define accept(text) accept_len(text, sizeof text - 1)
#define refuse(text, message) refuse_len(text, sizeof text - 1, message)

static void test_accepts(void **state)
{
	(void)state;
	accept("{}");
	accept(" {\r\n\t} \n");
	accept("[]");
	accept("[[],{},[{}]]");
	accept("{\"a\": [1, -2, 0, -0, 0.5, 1e3, -1.5E-7, true, false, null, \"x\"]}");
	accept("[18446744073709551615, -9223372036854775808]");
	accept("\"\\ud83d\\ude00 \\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u00e4\"");
	accept("\"\xc3\xa4\xf0\x9f\x98\x80\x7f\"");
	accept("12");
	accept("0");
	accept("true");
	accept("{\"uid\": 1, \"UID\": 2, \"\": 3}");
}

/* The table of what other runtimes take. */
static void test_refuses(void **state)
{
	(void)state;
	refuse("{} x", "1:4: there is more behind the end");
	refuse("{}{}", "1:3: there is more behind the end");
	refuse("{}\0x", "there is more behind the end");
	refuse("{}\0", "there is more behind the end");
	refuse("{\"a\": 1, \"a\": 1}", "1:10: \"a\" is there twice: first in line 1");
	refuse("{\"a\": \"x\\u0000y\"}", "1:9: \\u0000 is refused");
	refuse("{\"a\\u0000b\": 1}", "\\u0000 is refused");
	refuse("[\"a\0b\"]", "control character");
	refuse("[\"\xff\"]", "1:3: a byte that is not UTF-8");
	refuse("[\"\xc0\xaf\"]", "not UTF-8");
	refuse("[\"\xed\xa0\x80\"]", "not UTF-8");
	refuse("[\"\xf4\x90\x80\x80\"]", "not UTF-8");
	refuse("[\"\xc3\"]", "not UTF-8");
	refuse("[\"\\ud800\"]", "1:3: half of a surrogate pair");
	refuse("[\"\\udc00\"]", "half of a surrogate pair");
	refuse("[\"\\ud800\\u0041\"]", "half of a surrogate pair");
	refuse("[\"\\ud800\\ud800\"]", "half of a surrogate pair");
	refuse("// no\n{}", "1:1: JSON has no comments");
	refuse("{} // no", "there is more");
	refuse("{/* no */}", "name in double quotes");
	refuse("[# no\n]", "JSON has no comments");
	refuse("{'a': 1}", "1:2: a name in double quotes");
	refuse("['a']", "1:2: strings are in double quotes");
	refuse("\xef\xbb\xbf{}", "1:1: a byte order mark");
	refuse("[NaN]", "this is no JSON value");
	refuse("[nan]", "this is no JSON value");
	refuse("[Infinity]", "this is no JSON value");
	refuse("[-Infinity]", "1:3: a digit is missing");
	refuse("", "1:1: there is nothing in it");
	refuse(" \n\n", "there is nothing in it");
	refuse("{\"a\": [1,\n 2",
	       "2:3: the text ends too early: the \"[\" of line 1 is not closed");
	refuse("{", "ends too early");
	refuse("{\"a", "ends too early");
	refuse("{\"a\"", "ends too early");
	refuse("{\"a\":", "ends too early");
	refuse("[\"\\", "ends too early");
	refuse("[-", "ends too early");
}

static void test_refuses_more_than_json(void **state)
{
	(void)state;
	refuse("[1,]", "1:4: a value is missing here, or there is a comma too many");
	refuse("[,1]", "1:2: a value is missing");
	refuse("{\"a\": 1,}", "1:9: a member is missing here, or there is a comma too many");
	refuse("{\"a\": 1 \"b\": 2}", "1:9: \",\" or \"}\" is missing");
	refuse("[1 2]", "1:4: \",\" or \"]\" is missing");
	refuse("[1}", "\",\" or \"]\" is missing");
	refuse("{\"a\" 1}", "\":\" is missing");
	refuse("{a: 1}", "name in double quotes");
	refuse("[TRUE]", "this is no JSON value");
	refuse("[True]", "this is no JSON value");
	refuse("[nulL]", "this is no JSON value");
	refuse("[truex]", "\",\" or \"]\" is missing");
	refuse("[01]", "must not begin with 0");
	refuse("[-01]", "must not begin with 0");
	refuse("[+1]", "must not begin with +");
	refuse("[.5]", "this is no JSON value");
	refuse("[1.]", "a digit is missing");
	refuse("[1.e2]", "a digit is missing");
	refuse("[1e]", "a digit is missing");
	refuse("[0x10]", "\",\" or \"]\" is missing");
	refuse("[18446744073709551616]", "1:2: the number does not fit into 64 bits");
	refuse("[-9223372036854775809]", "does not fit into 64 bits");
	refuse("[99999999999999999999999999999999]", "does not fit into 64 bits");
	refuse("[\"\\x41\"]", "no such escape");
	refuse("[\"\\u12\"]", "four hexadecimal digits");
	refuse("[\"\\u12g4\"]", "four hexadecimal digits");
	refuse("[\"\t\"]", "control character");
	refuse("[\"a\nb\"]", "1:2: the string does not end in its line");
}

static void test_null_is_no_document(void **state)
{
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	assert_null(parse("null", 4, &err));
	assert_string_equal(err.message, "config.json: it holds null, where a value is expected");
}

static void nested(size_t depth, const char *middle, bool ok)
{
	char text[4 * JSON_DEPTH_MAX] = {0};

	memset(text, '[', depth);
	strcat(text, middle);
	memset(text + strlen(text), ']', depth);
	if (ok)
		accept_len(text, strlen(text));
	else
		refuse_len(text, strlen(text), "1:65: nested too deeply");
}

static void test_depth(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	char *text = malloc(100000);

	(void)state;
	nested(JSON_DEPTH_MAX, "", true);
	nested(JSON_DEPTH_MAX, "1", true);
	nested(JSON_DEPTH_MAX - 1, "{}", true);
	nested(JSON_DEPTH_MAX - 1, "{\"a\":\"b\"}", true);
	nested(JSON_DEPTH_MAX + 1, "1", false);
	nested(JSON_DEPTH_MAX + 1, "", false);
	memset(text, '[', 100000);
	assert_null(parse(text, 100000, &err));
	free(text);
}

static void test_repeated_keys(void **state)
{
	(void)state;
	refuse("{\"a\\/b\": 1,\n \"a/b\": 2}", "2:2: \"a/b\" is there twice: first in line 1");
	refuse("{\"\\u0061\": 1, \"a\": 2}", "\"a\" is there twice");
	refuse("{\"x\": {\"b\": 1, \"c\": 2,\n\"b\": {}}, \"y\": 1}", "2:1: \"b\" is there twice");
	refuse("[{\"a\": 1}, {\"a\": [{\"c\": 1, \"c\": 2}]}]", "1:28: \"c\" is there twice");
	/* The first repetition of several; keys that look like them in strings do not count. */
	refuse("{\"s\": \"{\\\"a\\\": 1, \\\"a\\\"\",\n\"b\": 1,\n\"c\": 2,\n\"c\": 3,\n\"b\": "
	       "4,\"b\":5}",
	       "4:1: \"c\" is there twice: first in line 3");
	/* The member that the repetition hides has members of its own. */
	refuse("{\"a\": {\"b\": {\"c\": 1}}, \"a\": {\"b\": {\"c\": 1}}}", "1:24: \"a\"");
	refuse("{\"\": 1, \"\": 2}", "\"\" is there twice");
	accept("{\"a\": {\"a\": {\"a\": 1}}, \"b\": {\"a\": 1}}");
}

static void test_many_keys(void **state)
{
	own_ptr char *text = malloc(2 << 20);
	size_t n = 1;

	(void)state;
	text[0] = '{';
	for (int i = 0; i < 100000; i++)
		n += (size_t)sprintf(text + n, "\"k%d\":0,", i);
	n += (size_t)sprintf(text + n, "\"k\":0}");
	accept_len(text, n);
	memcpy(text + n - 6, "\"k7\":0}", 7);
	refuse_len(text, n + 1, "\"k7\" is there twice");
}

static void test_picture(void **state)
{
	static const char text[] = "{\n\t\"a\": [\"\xc3\xa4\", tru]\n}";
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	assert_null(parse(text, sizeof text - 1, &err));
	assert_string_equal(err.details, "config.json:2:13: this is no JSON value\n"
					 "    2 |     \"a\": [\"\xc3\xa4\", tru]\n"
					 "      |                ^\n");
}

static void test_values(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	static const char text[] =
		"{\"u\": 18446744073709551615, \"i\": -5, \"s\": \"t\", \"n\": null,"
		"\"b\": true, \"l\": [\"x\", 1]}";
	own_json struct json_object *o = json_parse(text, sizeof text - 1, "x", &err);

	(void)state;
	assert_true(json_uint(o, "u", 0) == UINT64_MAX);
	assert_int_equal(json_int(o, "i", 0), -5);
	assert_string_equal(json_string(o, "s"), "t");
	assert_false(json_has(o, "n"));
	assert_null(json_string(o, "i"));
	assert_int_equal(json_int(o, "s", 7), 7);
	assert_int_equal(json_length(json_member(o, "l")), 2);
	assert_string_equal(json_item_string(json_member(o, "l"), 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_refuses_more_than_json),
		cmocka_unit_test(test_null_is_no_document),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_repeated_keys),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
