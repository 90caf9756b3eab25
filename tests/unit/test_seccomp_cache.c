#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/seccomp_cache.h"

static char parent[] = "/tmp/oci-test-cache.XXXXXX";
static uint64_t program[] = {1, 2, 3};
static const struct seccomp_filter filter = {
	.program = program,
	.size = sizeof program,
	.flags = 6,
	.notifies = true,
};

static int make_parent(void **state)
{
	(void)state;
	strcpy(strrchr(parent, '.'), ".XXXXXX");
	return mkdtemp(parent) ? 0 : -1;
}

static int entries(int dir, bool drop)
{
	DIR *stream = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (drop)
			unlinkat(dir, entry->d_name, 0);
	}
	closedir(stream);
	return n;
}

static int remove_parent(void **state)
{
	char path[64];
	int dir;

	(void)state;
	snprintf(path, sizeof path, "%s/oci-cache", parent);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		entries(dir, true);
		close(dir);
	}
	rmdir(path);
	unlink(path);
	return rmdir(parent);
}

static void test_get_what_was_put(void **state)
{
	own_fd int dir = seccomp_cache_open_at(parent);
	struct seccomp_filter got = {0};

	(void)state;
	assert_true(dir >= 0);
	assert_false(seccomp_cache_get(dir, "{1}", &got));
	seccomp_cache_put(dir, "{1}", &filter);
	assert_true(seccomp_cache_get(dir, "{1}", &got));
	assert_int_equal(got.size, sizeof program);
	assert_memory_equal(got.program, program, sizeof program);
	assert_int_equal(got.flags, 6);
	assert_true(got.notifies);
	free(got.program);
	assert_false(seccomp_cache_get(dir, "{2}", &got));
	assert_false(seccomp_cache_get(dir, "{1} ", &got));
	assert_false(seccomp_cache_get(dir, "", &got));
	assert_int_equal(entries(dir, false), 1);
}

/* Any byte of the file's beginning changed, or any number of bytes gone: not used. */
static void test_damage(void **state)
{
	own_fd int dir = seccomp_cache_open_at(parent);
	own_fd int file = -1;
	char name[256] = "", byte;
	struct seccomp_filter got;
	struct dirent *entry;
	struct stat st;
	DIR *stream;

	(void)state;
	seccomp_cache_put(dir, "{source}", &filter);
	stream = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while ((entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			snprintf(name, sizeof name, "%s", entry->d_name);
	closedir(stream);
	file = openat(dir, name, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* format and library, then the lengths and the source: flags and notifies lie between. */
	for (int i = 0; i < 40; i++) {
		if (i >= 8 && i < 16)
			continue;
		assert_int_equal(pread(file, &byte, 1, i), 1);
		byte ^= 1;
		assert_int_equal(pwrite(file, &byte, 1, i), 1);
		assert_false(seccomp_cache_get(dir, "{source}", &got));
		byte ^= 1;
		assert_int_equal(pwrite(file, &byte, 1, i), 1);
	}
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		assert_int_equal(ftruncate(file, size), 0);
		assert_false(seccomp_cache_get(dir, "{source}", &got));
	}
}

static void test_number_is_limited(void **state)
{
	own_fd int dir = seccomp_cache_open_at(parent);
	char source[16];

	(void)state;
	for (int i = 0; i < 3 * SECCOMP_CACHE_FILES_MAX; i++) {
		snprintf(source, sizeof source, "%d", i);
		seccomp_cache_put(dir, source, &filter);
		assert_true(entries(dir, false) <= SECCOMP_CACHE_FILES_MAX + 1);
	}
}

static void test_directory_of_others_is_refused(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "%s/oci-cache", parent);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0720), 0);
	assert_int_equal(seccomp_cache_open_at(parent), -1);
	assert_int_equal(chmod(path, 0702), 0);
	assert_int_equal(seccomp_cache_open_at(parent), -1);
	if (geteuid() == 0) {
		assert_int_equal(chmod(path, 0700), 0);
		assert_int_equal(chown(path, 4242, 0), 0);
		assert_int_equal(seccomp_cache_open_at(parent), -1);
	}
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(seccomp_cache_open_at(parent), -1);
	assert_int_equal(seccomp_cache_open_at("/nowhere"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_get_what_was_put, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(test_damage, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(test_number_is_limited, make_parent, remove_parent),
		cmocka_unit_test_setup_teardown(test_directory_of_others_is_refused, make_parent,
						remove_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
