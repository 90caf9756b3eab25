#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void test_context_is_cut_before_the_reason(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	char name[4 * ERR_MESSAGE_MAX];

	(void)state;
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	err_sys(&err, ENAMETOOLONG, "cannot open \"%s\"", name);
	err_wrap(&err, "cannot mount on \"%s\"", name);
	assert_true(strlen(err.message) <= ERR_MESSAGE_MAX);
	assert_ptr_equal(strstr(err.message, "cannot mount on \"aaa"), err.message);
	assert_non_null(strstr(err.message, "cannot open"));
	err_clear(&err);
	err_sys(&err, ENAMETOOLONG, "cannot open \"%s\"", name);
	assert_string_equal(err.message + strlen(err.message) - 14, ": ENAMETOOLONG");
}

static void test_nothing_deceives(void **state)
{
	static const struct {
		const char *text, *escaped;
	} cases[] = {
		{"plain \u00fc \u20ac \U0001f600", "plain \u00fc \u20ac \U0001f600"},
		{"a\nb\033\177", "a\\x0ab\\x1b\\x7f"},
		{"\xc2\x85|\xc2\xad|\xc2\xa0", "\\xc2\\x85|\\xc2\\xad|\xc2\xa0"},
		{"gpj.\u202eexe", "gpj.\\xe2\\x80\\xaeexe"},
		{"\u2066\u2069\u061c", "\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xd8\\x9c"},
		{"a\u200bb\u2028c\ufeff", "a\\xe2\\x80\\x8bb\\xe2\\x80\\xa8c\\xef\\xbb\\xbf"},
		{"\u2010\u2030", "\u2010\u2030"},
		{"\xff\xe2\x80", "\\xff\\xe2\\x80"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = err_escape(cases[i].text, 200);

		assert_string_equal(text, cases[i].escaped);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_is_cut_before_the_reason),
		cmocka_unit_test(test_nothing_deceives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
