/* Spans of time on the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/duration.h"

static void good(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} list[] = {
		{"5s", 5000000000},
		{"500ms", 500000000},
		{"1m30s", 90000000000},
		{"1.5h", 5400000000000},
		{"7us", 7000},
		{"0", 0},
		{"0s", 0},
		{"1ns", 1},
		{"1h0m1s", 3601000000000},
		{"2.s", 2000000000},
	};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		if (!duration_parse(list[i].text, &ns) || ns != list[i].ns)
			fail_msg("\"%s\"", list[i].text);
}

static void bad(void **state)
{
	static const char *const list[] = {"",
					   "5",
					   "s",
					   "5x",
					   "-1s",
					   "+1s",
					   " 1s",
					   "1s ",
					   "1d",
					   "5s3",
					   ".5s",
					   "99999999999h",
					   "9223372036854775808ns"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
		if (duration_parse(list[i], &ns))
			fail_msg("\"%s\" is taken", list[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
