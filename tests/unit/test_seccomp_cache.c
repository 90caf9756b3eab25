/*
 * What is kept and what is used of it; the compiler itself is wrapped, and counts.
 * wrap: seccomp_compile
 */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/seccomp_cache.h"

enum { WRITERS = 8, ROUNDS = 200 };

static char root[] = "/tmp/oci-test-cache.XXXXXX";
static char boot[] = "boot";
static struct oci_state state = {.boot_id = boot};
static struct container c = {.root = root, .state = &state};
static uint64_t program[] = {1, 2, 3};
static int compiled;

int __wrap_seccomp_compile(const struct json_object *seccomp, struct seccomp_filter *ret_filter,
			   struct oci_err *err);
int __wrap_seccomp_compile(const struct json_object *seccomp, struct seccomp_filter *ret_filter,
			   struct oci_err *err)
{
	(void)err;
	*ret_filter = (struct seccomp_filter){0};
	if (!seccomp)
		return 0;
	compiled++;
	*ret_filter = (struct seccomp_filter){.size = sizeof program, .flags = 6, .notifies = true};
	ret_filter->program = malloc(sizeof program);
	memcpy(ret_filter->program, program, sizeof program);
	return 0;
}

/* The container "id" with this linux.seccomp. */
static void become(const char *id, const char *seccomp)
{
	char text[256];

	c.id = (char *)(uintptr_t)id;
	if (c.dir_fd > 0)
		close(c.dir_fd);
	json_object_put(c.config);
	mkdirat(c.root_fd, id, 0700);
	c.dir_fd = openat(c.root_fd, id, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(c.dir_fd >= 0);
	snprintf(text, sizeof text, "{\"linux\": {\"seccomp\": %s}}", seccomp);
	c.config = json_tokener_parse(text);
	assert_non_null(c.config);
}

static int prepare(const char *id, const char *seccomp)
{
	own_err struct oci_err err = ERR_INIT;

	become(id, seccomp);
	compiled = 0;
	assert_int_equal(seccomp_cache_prepare(&c, &err), 0);
	return compiled;
}

static bool load(void)
{
	own_err struct oci_err err = ERR_INIT;
	struct seccomp_filter filter;
	bool same;

	compiled = 0;
	assert_int_equal(seccomp_cache_load(&c, &filter, &err), 0);
	same = filter.size == sizeof program && filter.flags == 6 && filter.notifies &&
	       memcmp(filter.program, program, sizeof program) == 0;
	free(filter.program);
	return same;
}

static void remove_in(int dir_fd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	DIR *stream = fdopendir(openat(dir_fd, name, flags));
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		unlinkat(dirfd(stream), entry->d_name, 0);
	if (stream)
		closedir(stream);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

static int make_root(void **unused)
{
	(void)unused;
	strcpy(strrchr(root, '.'), ".XXXXXX");
	if (!mkdtemp(root))
		return -1;
	c.root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return c.root_fd < 0 ? -1 : 0;
}

static int remove_root(void **unused)
{
	int dir = openat(c.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fdopendir(dir);
	struct dirent *entry;

	(void)unused;
	state.boot_id = boot;
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			remove_in(dir, entry->d_name);
			unlinkat(dir, entry->d_name, 0);
		}
	closedir(stream);
	close(c.root_fd);
	close(c.dir_fd);
	c.dir_fd = 0;
	json_object_put(c.config);
	c.config = NULL;
	return rmdir(root);
}

static int entries(void)
{
	int dir = openat(c.root_fd, ".seccomp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *stream = fdopendir(dir);
	struct dirent *entry;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		n += entry->d_name[0] != '.';
	closedir(stream);
	return n;
}

static void test_second_compiles_nothing(void **unused)
{
	struct stat one, two;

	(void)unused;
	assert_int_equal(prepare("a", "{\"x\": 1}"), 1);
	assert_true(load());
	assert_int_equal(compiled, 0);
	assert_int_equal(fstatat(c.dir_fd, "seccomp", &one, 0), 0);
	assert_int_equal(one.st_mode & 07777, 0600);
	/* Blanks are no difference. */
	assert_int_equal(prepare("b", "{ \"x\":1 }"), 0);
	assert_true(load());
	assert_int_equal(compiled, 0);
	assert_int_equal(fstatat(c.dir_fd, "seccomp", &two, 0), 0);
	assert_true(one.st_ino == two.st_ino);
	assert_int_equal(prepare("c", "{\"x\": 2}"), 1);
	assert_int_equal(entries(), 2);
	/* Again, after an attempt that was killed. */
	assert_int_equal(prepare("c", "{\"x\": 2}"), 0);
	assert_true(load());
	state.boot_id = root;
	assert_int_equal(prepare("d", "{\"x\": 2}"), 1);
}

static void test_no_filter(void **unused)
{
	struct stat st;

	(void)unused;
	assert_int_equal(prepare("a", "null"), 0);
	assert_int_equal(fstatat(c.root_fd, ".seccomp", &st, 0), -1);
	assert_int_equal(fstatat(c.dir_fd, "seccomp", &st, 0), -1);
	assert_false(load());
	assert_int_equal(compiled, 0);
}

static void flip(int i)
{
	own_fd int fd = openat(c.dir_fd, "seccomp", O_RDWR | O_CLOEXEC);
	char byte;

	assert_int_equal(pread(fd, &byte, 1, i), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, i), 1);
}

/* Any byte changed, or any number of bytes gone: compiled afresh, and replaced in the cache. */
static void test_damage(void **unused)
{
	struct stat st;

	(void)unused;
	assert_int_equal(prepare("a", "{\"x\": 1}"), 1);
	assert_int_equal(fstatat(c.dir_fd, "seccomp", &st, 0), 0);
	for (int i = 0; i < st.st_size; i++) {
		flip(i);
		assert_true(load());
		assert_int_equal(compiled, 1);
		assert_int_equal(prepare("b", "{\"x\": 1}"), 1);
		assert_int_equal(entries(), 1);
		assert_int_equal(prepare("a", "{\"x\": 1}"), 0);
	}
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		own_fd int fd = openat(c.dir_fd, "seccomp", O_RDWR | O_CLOEXEC);

		assert_int_equal(ftruncate(fd, size), 0);
		assert_true(load());
		assert_int_equal(compiled, 1);
		assert_int_equal(prepare("b", "{\"x\": 1}"), 1);
		assert_int_equal(prepare("a", "{\"x\": 1}"), 0);
	}
	assert_int_equal(unlinkat(c.dir_fd, "seccomp", 0), 0);
	assert_true(load());
	assert_int_equal(compiled, 1);
}

static void test_number_is_limited(void **unused)
{
	char source[32];

	(void)unused;
	for (int i = 0; i < 3 * SECCOMP_CACHE_FILES_MAX; i++) {
		snprintf(source, sizeof source, "{\"x\": %d}", i);
		assert_int_equal(prepare("a", source), 1);
		assert_true(load());
		assert_int_equal(compiled, 0);
		assert_true(entries() <= SECCOMP_CACHE_FILES_MAX);
	}
}

static void test_directory_of_others_is_not_used(void **unused)
{
	(void)unused;
	assert_int_equal(mkdirat(c.root_fd, ".seccomp", 0700), 0);
	assert_int_equal(fchmodat(c.root_fd, ".seccomp", 0720, 0), 0);
	assert_int_equal(prepare("a", "{\"x\": 1}"), 1);
	assert_int_equal(fchmodat(c.root_fd, ".seccomp", 0702, 0), 0);
	assert_int_equal(prepare("b", "{\"x\": 1}"), 1);
	assert_int_equal(entries(), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchmodat(c.root_fd, ".seccomp", 0700, 0), 0);
		assert_int_equal(fchownat(c.root_fd, ".seccomp", 4242, 0, 0), 0);
		assert_int_equal(prepare("c", "{\"x\": 1}"), 1);
		assert_int_equal(entries(), 0);
	}
	assert_int_equal(unlinkat(c.root_fd, ".seccomp", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/tmp", c.root_fd, ".seccomp"), 0);
	assert_int_equal(prepare("d", "{\"x\": 1}"), 1);
	assert_true(load());
	assert_int_equal(compiled, 0);
}

/* Each makes and drops containers, some with the same filter: all get theirs, at any moment. */
static void test_writers_at_once(void **unused)
{
	pid_t pids[WRITERS];
	int status;

	(void)unused;
	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		assert_true(pids[w] >= 0);
		for (int i = 0; pids[w] == 0 && i < ROUNDS; i++) {
			char id[16], source[32];

			snprintf(id, sizeof id, "w%d", w);
			snprintf(source, sizeof source, "{\"x\": %d}", i % (i & 1 ? 3 : 100));
			prepare(id, source);
			if (!load() || compiled)
				_exit(1);
		}
		if (pids[w] == 0)
			_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	assert_true(entries() <= SECCOMP_CACHE_FILES_MAX + WRITERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_second_compiles_nothing, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(test_no_filter, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_damage, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_number_is_limited, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_directory_of_others_is_not_used, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(test_writers_at_once, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
