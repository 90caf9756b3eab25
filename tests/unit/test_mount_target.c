#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/mount_target.h"

static void test_clean(void **state)
{
	static const char *const cases[][2] = {
		{"/dev/shm", "/dev/shm"},
		{"/dev//shm/", "/dev/shm"},
		{"dev", "/dev"},
		{"", "/"},
		{"/", "/"},
		{"///", "/"},
		{".", "/"},
		{"..", "/"},
		{"/..", "/"},
		{"/a/..", "/"},
		{"/a/../../b", "/b"},
		{"/a/./b", "/a/b"},
		{"/a/b/../c", "/a/c"},
		{"a/b/..", "/a"},
		{"/...", "/..."},
		{"/.a/..b/c.", "/.a/..b/c."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		own_ptr char *clean = mount_target_clean(cases[i][0]);

		assert_string_equal(clean, cases[i][1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_clean)};

	return cmocka_run_group_tests_name("mount_target", tests, NULL, NULL);
}
