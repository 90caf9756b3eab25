#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "oci/signal.h"

static int parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	int result = signal_parse(text, &err);

	if (result < 0)
		assert_int_equal(err.fault, FAULT_USAGE);
	return result;
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(parse("SIGTERM"), 15);
	assert_int_equal(parse("TERM"), 15);
	assert_int_equal(parse("term"), 15);
	assert_int_equal(parse("sigkill"), 9);
	assert_int_equal(parse("CLD"), 17);
	assert_int_equal(parse("POLL"), 29);
}

/* The C library knows them, by the same numbers. */
static void test_all_names(void **state)
{
	char name[32];

	(void)state;
	for (int s = 1; s < 32; s++) {
		snprintf(name, sizeof name, "SIG%s", sigabbrev_np(s));
		assert_int_equal(parse(name), s == 29 ? 29 : s);
	}
}

static void test_numbers(void **state)
{
	char number[8];

	(void)state;
	for (int s = 0; s <= 64; s++) {
		snprintf(number, sizeof number, "%d", s);
		assert_int_equal(parse(number), s);
	}
	assert_int_equal(parse("65"), -1);
	assert_int_equal(parse("-1"), -1);
	assert_int_equal(parse("9 "), -1);
	assert_int_equal(parse("015"), -1);
	assert_int_equal(parse("SIG9"), -1);
}

static void test_real_time(void **state)
{
	(void)state;
	assert_int_equal(parse("SIGRTMIN"), 34);
	assert_int_equal(parse("RTMIN+3"), 37);
	assert_int_equal(parse("rtmin+30"), 64);
	assert_int_equal(parse("SIGRTMAX"), 64);
	assert_int_equal(parse("RTMAX-30"), 34);
	assert_int_equal(parse("RTMIN+31"), -1);
	assert_int_equal(parse("RTMIN-1"), -1);
	assert_int_equal(parse("RTMIN3"), -1);
	assert_int_equal(parse("RTMAX-"), -1);
}

static void test_hint(void **state)
{
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	assert_int_equal(signal_parse("SIGTREM", &err), -1);
	assert_string_equal(err.message, "unknown signal \"SIGTREM\"");
	assert_string_equal(err.hint, "did you mean \"TERM\"?");
	assert_int_equal(signal_parse("", &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_all_names),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_real_time),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
