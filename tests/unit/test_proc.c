#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/proc.h"

static void test_another_boot(void **state)
{
	(void)state;
	assert_int_equal(strlen(proc_boot_id()), 36);
	assert_false(proc_other_boot(proc_boot_id()));
	assert_true(proc_other_boot("01234567-89ab-cdef-0123-456789abcdef"));
}

/* Otherwise one failed read when a container is created makes its process unknown for ever. */
static void test_an_unknown_boot_is_no_other(void **state)
{
	(void)state;
	assert_false(proc_other_boot(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_an_unknown_boot_is_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
