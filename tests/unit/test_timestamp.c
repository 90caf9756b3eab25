#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/timestamp.h"

/* Each day of 230 years, and the end of the range, as libc sees them. */
static void test_as_gmtime(void **state)
{
	char text[TIMESTAMP_SIZE], expected[TIMESTAMP_SIZE], seconds[32];

	(void)state;
	for (int64_t day = 0; day < 84000; day++) {
		struct timespec t = {.tv_sec = day * 86400 + day % 86400, .tv_nsec = day};
		struct tm utc;

		gmtime_r(&t.tv_sec, &utc);
		strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
		snprintf(expected, sizeof expected, "%.19s.%09dZ", seconds, (int)day);
		timestamp_format(&t, text);
		assert_string_equal(text, expected);
	}
	timestamp_format(&(struct timespec){.tv_sec = 253402300799, .tv_nsec = 999999999}, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999999999Z");
}

static void test_now(void **state)
{
	char text[TIMESTAMP_SIZE];

	(void)state;
	timestamp_now(text);
	assert_int_equal(strlen(text), TIMESTAMP_SIZE - 1);
	assert_memory_equal(text, "20", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_gmtime),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
