#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/place.h"

static const char text[] = "{\n"
			   "  \"ociVersion\": \"1.3.0\",\n"
			   "  \"mounts\": [\n"
			   "    {\"destination\": \"/proc\"},\n"
			   "    {\"options\": [\"nosuid\", \"b\\\"]}\", \"strictatme\"]}\n"
			   "  ],\n"
			   "  \"a/b~c\": {\"\\u00e4\": 1, \"\xc3\xb6\": -12.5},\r\n"
			   "  \"last\": true\n"
			   "}\n";

static void assert_place(struct place p, unsigned line, unsigned column, unsigned length)
{
	if (p.line != line || p.column != column || p.length != length)
		fail_msg("%u:%u length %u, not %u:%u length %u", p.line, p.column, p.length, line,
			 column, length);
}

static struct place_pair find(const char *pointer)
{
	return place_find(text, sizeof text - 1, pointer);
}

static void test_find(void **state)
{
	(void)state;
	assert_place(find("").value, 1, 1, 1);
	assert_int_equal(find("").key.line, 0);
	assert_place(find("/ociVersion").key, 2, 3, 12);
	assert_place(find("/ociVersion").value, 2, 17, 7);
	assert_place(find("/mounts").value, 3, 13, 1);
	assert_place(find("/mounts/1").value, 5, 5, 1);
	assert_int_equal(find("/mounts/1").key.line, 0);
	assert_place(find("/mounts/1/options/2").value, 5, 37, 12);
	assert_place(find("/last").value, 8, 11, 4);
}

static void test_escapes(void **state)
{
	(void)state;
	assert_place(find("/a~1b~0c/\xc3\xa4").value, 7, 23, 1);
	assert_place(find("/a~1b~0c/\xc3\xb6").key, 7, 26, 3);
	assert_place(find("/a~1b~0c/\xc3\xb6").value, 7, 31, 5);
	assert_true(find("/a~1b~0c/\xc3\xb6").exact);
}

static void test_missing_gives_the_ancestor(void **state)
{
	(void)state;
	assert_place(find("/mounts/1/source").value, 5, 5, 1);
	assert_false(find("/mounts/1/source").exact);
	assert_place(find("/mounts/7").key, 3, 3, 8);
	assert_place(find("/mounts/x").key, 3, 3, 8);
	assert_place(find("/mounts/01").key, 3, 3, 8);
	assert_place(find("/last/x").key, 8, 3, 6);
	assert_place(find("/nothing").value, 1, 1, 1);
	assert_int_equal(find("/nothing").key.line, 0);
	assert_place(find("/ociVersio").value, 1, 1, 1);
	assert_place(find("/ociVersionn").value, 1, 1, 1);
}

static void test_offsets(void **state)
{
	(void)state;
	assert_place(place_of_offset("ab\ncd", 5, 4), 2, 2, 1);
	assert_place(place_of_offset("ab\ncd", 5, 5), 2, 3, 1);
	assert_place(place_of_offset("ab\ncd", 5, 500), 2, 3, 1);
	assert_place(place_of_offset("", 0, 0), 1, 1, 1);
	assert_place(place_of_offset("\n\n", 2, 2), 3, 1, 1);
}

static void assert_shown(const char *json, const char *pointer, const char *note,
			 const char *expected)
{
	struct place place = place_find(json, strlen(json), pointer).value;
	own_ptr char *picture = place_show(json, strlen(json), &place, note);

	assert_string_equal(picture, expected);
}

static void test_show(void **state)
{
	(void)state;
	assert_shown(text, "/mounts/1/options/2", "did you mean \"strictatime\"?",
		     "    5 |     {\"options\": [\"nosuid\", \"b\\\"]}\", \"strictatme\"]}\n"
		     "      |                                     ^~~~~~~~~~~~ "
		     "did you mean \"strictatime\"?\n");
	assert_shown("{\n\t\"a\":\t1}\r\n", "/a", NULL,
		     "    2 |     \"a\":    1}\n"
		     "      |             ^\n");
	assert_shown("[\"\xc3\xa4\", 1]", "/1", NULL,
		     "    1 | [\"\xc3\xa4\", 1]\n"
		     "      |       ^\n");
	/* Not the terminal's business. */
	assert_shown("[\"\x1b[2J\xc2\x9b\xff\", 22]", "/1", NULL,
		     "    1 | [\"?[2J??\", 22]\n"
		     "      |            ^~\n");
}

static void test_show_long_line(void **state)
{
	char json[1000], *caret, *number;
	struct place place;
	own_ptr char *picture = NULL;
	size_t n = 1;

	(void)state;
	json[0] = '[';
	for (int i = 0; i < 200; i++)
		n += (size_t)sprintf(json + n, "%d, ", i);
	sprintf(json + n, "0]");
	place = place_find(json, strlen(json), "/150").value;
	picture = place_show(json, strlen(json), &place, NULL);
	assert_true(strlen(picture) < 250);
	assert_non_null(strstr(picture, "1 | ..."));
	assert_non_null(strstr(picture, "...\n"));
	caret = strchr(picture, '^');
	number = strstr(picture, "150");
	assert_int_equal(caret - strchr(picture, '\n') - 1, number - picture);
}

/* Texts that no parser has accepted: nothing is read beyond the end. */
static void test_garbage(void **state)
{
	static const char *const texts[] = {"",
					    "{",
					    "{\"",
					    "{\"a",
					    "{\"a\\",
					    "{\"a\"",
					    "{\"a\":",
					    "{\"a\":\"\\",
					    "[[[",
					    "]",
					    "[\"\\u12",
					    "{\"\\ud800\\u",
					    "{\"\\ud800\\u12",
					    "{]",
					    "{\"a\":]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t len = strlen(texts[i]);
		char *copy = malloc(len ? len : 1);

		memcpy(copy, texts[i], len);
		place_find(copy, len, "/a/b/0");
		place_find(copy, len, "/0/0");
		for (size_t offset = 0; offset <= len; offset++) {
			struct place place = place_of_offset(copy, len, offset);

			free(place_show(copy, len, &place, "note"));
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_missing_gives_the_ancestor),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_show_long_line),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
