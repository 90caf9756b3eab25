#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/cgroup_tree.h"

static void assert_path(const char *base, const char *path, const char *expected)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *got = cgroup_normal_path(base, path, &err);

	if (!got)
		fail_msg("\"%s\": %s", path, err.message);
	assert_string_equal(got, expected);
}

static void assert_refused(const char *path, const char *words)
{
	own_err struct oci_err err = ERR_INIT;

	if (cgroup_normal_path("", path, &err))
		fail_msg("\"%s\" is accepted", path);
	assert_int_equal(err.fault, FAULT_CONFIG);
	assert_string_equal(err.pointer, "/linux/cgroupsPath");
	assert_non_null(strstr(err.message, words));
}

static void test_normal(void **state)
{
	(void)state;
	assert_path("", "/a/b", "/a/b");
	assert_path("", "a", "/a");
	assert_path("", "//a///b/", "/a/b");
	assert_path("", "/./a/./b/.", "/a/b");
	assert_path("/user.slice/x", "a", "/user.slice/x/a");
	assert_path("/", "a", "/a");
	assert_path("", "a/...", "/a/...");
	assert_path("", "a..b/..c/d..", "/a..b/..c/d..");
	assert_path("", ".hidden", "/.hidden");
	assert_path("", "system.slice:cri:id", "/system.slice:cri:id");
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("..", "..");
	assert_refused("/..", "..");
	assert_refused("/a/../b", "..");
	assert_refused("a/..", "..");
	assert_refused("../a", "..");
	assert_refused("", "no cgroup of the container's own");
	assert_refused("/", "no cgroup of the container's own");
	assert_refused("//", "no cgroup of the container's own");
	assert_refused("/./.", "no cgroup of the container's own");
	assert_refused("/a\nb", "newline");
}

/* Whatever is accepted is a path with plain components, and as it is. */
static void test_random(void **state)
{
	static const char letters[] = "//..ab";
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		own_err struct oci_err err = ERR_INIT;
		own_ptr char *path = NULL;
		char text[12] = "";

		for (unsigned i = 0; i < sizeof text - 1; i++) {
			seed = seed * 1664525 + 1013904223;
			text[i] = letters[(seed >> 16) % (sizeof letters - 1)];
		}
		path = cgroup_normal_path("", text, &err);
		if (!path)
			continue;
		assert_int_equal(path[0], '/');
		assert_null(strstr(path, "//"));
		for (const char *c = path; (c = strchr(c, '/')); c++) {
			size_t len = strcspn(c + 1, "/");

			assert_true(len > 0);
			assert_false(len == 1 && c[1] == '.');
			assert_false(len == 2 && c[1] == '.' && c[2] == '.');
		}
		assert_path("", path, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normal),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
