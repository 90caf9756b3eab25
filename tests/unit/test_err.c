#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_is_cut_before_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
