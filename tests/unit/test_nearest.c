#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const words[] = {
	"strictatime", "relatime", "ro", "rw", "process", "uid", "gid", "root", "hooks", NULL,
};

static void assert_nearest(const char *word, const char *expected)
{
	const char *got = nearest(word, words);

	if (!expected)
		assert_null(got);
	else if (!got)
		fail_msg("\"%s\": nothing, not \"%s\"", word, expected);
	else
		assert_string_equal(got, expected);
}

static void test_edits(void **state)
{
	(void)state;
	assert_nearest("strictatme", "strictatime");
	assert_nearest("strictattime", "strictatime");
	assert_nearest("stricatitme", "strictatime");
	assert_nearest("procces", "process");
	assert_nearest("rpocess", "process");
	assert_nearest("roott", "root");
	assert_nearest("hook", "hooks");
}

static void test_exchange_is_one_edit(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("idu", "diu"), 1);
	assert_int_equal(nearest_distance("abcdefgh", "badcfehg"), -1);
	assert_int_equal(nearest_distance("abcdefghi", "badcfeghi"), 3);
}

static void test_case_is_no_edit(void **state)
{
	(void)state;
	assert_nearest("UID", "uid");
	assert_int_equal(nearest_distance("Process", "process"), 0);
}

static void test_far_is_nothing(void **state)
{
	(void)state;
	assert_nearest("linux", NULL);
	assert_nearest("", NULL);
	assert_nearest("x", NULL);
	assert_nearest("zzz", NULL);
}

static void test_long_words(void **state)
{
	char word[200];

	(void)state;
	memset(word, 'a', sizeof word);
	word[sizeof word - 1] = '\0';
	assert_nearest(word, NULL);
	word[64] = '\0';
	assert_int_equal(nearest_distance(word, word), 0);
}

static void test_first_of_equals(void **state)
{
	static const char *const equals[] = {"cat", "car", NULL};

	(void)state;
	assert_string_equal(nearest("cab", equals), "cat");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edits),		cmocka_unit_test(test_exchange_is_one_edit),
		cmocka_unit_test(test_case_is_no_edit), cmocka_unit_test(test_far_is_nothing),
		cmocka_unit_test(test_long_words),	cmocka_unit_test(test_first_of_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
