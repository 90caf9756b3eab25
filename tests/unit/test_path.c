/*
 * base/path.h against a hostile tree: everything happens beneath "in", and
 * "out", beside it, must stay as it is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/path.h"

static char base[PATH_MAX];
static int in = -1, out = -1;

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(base, sizeof base, "%s/test_path.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(base) || chdir(base) < 0 || mkdir("in", 0755) < 0 || mkdir("out", 0755) < 0)
		return -1;
	in = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
	out = open("out", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return in < 0 || out < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	close(in);
	close(out);
	snprintf(command, sizeof command, "rm -rf '%s'", base);
	return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

static unsigned count(const char *directory)
{
	DIR *dir = opendir(directory);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void assert_out_is_empty(void)
{
	assert_int_equal(count("out"), 0);
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, in, name), 0);
}

/* fd is the file at path, beneath the test's directory. Closes it. */
static void assert_is(int fd, const char *path)
{
	struct stat a, b;

	if (fd < 0)
		fail_msg("%s: errno %d", path, errno);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(stat(path, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(a.st_dev, b.st_dev);
	close(fd);
}

static void assert_error(int fd, int errnum)
{
	int e = errno;

	assert_int_equal(fd, -1);
	assert_int_equal(e, errnum);
}

static void test_open_stays_inside(void **state)
{
	char target[PATH_MAX + 8];

	(void)state;
	snprintf(target, sizeof target, "%s/out", base);
	link_to(target, "abs");
	link_to("../out", "rel");
	link_to("../../../../../../../..", "up");
	assert_error(path_open_in_root(in, "abs", O_PATH), ENOENT);
	assert_error(path_open_in_root(in, "rel", O_PATH), ENOENT);
	assert_is(path_open_in_root(in, "up", O_PATH), "in");
	assert_is(path_open_in_root(in, "../..", O_PATH), "in");
	assert_is(path_open_in_root(in, "/", O_PATH), "in");
	assert_is(path_open_in_root(in, "", O_PATH), "in");
}

static void test_no_links_means_none(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(in, "real", 0755), 0);
	link_to("real", "last");
	link_to(".", "way");
	assert_is(path_open_no_links(in, "real", O_PATH), "in/real");
	assert_error(path_open_no_links(in, "last", O_PATH), ELOOP);
	assert_error(path_open_no_links(in, "way/real", O_PATH), ELOOP);
}

static void test_descriptors_are_close_on_exec(void **state)
{
	own_fd int fd = path_open_in_root(in, ".", O_PATH);

	(void)state;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void test_make_directory(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	assert_is(path_make_directory(in, "/a/b//c/", 0750), "in/a/b/c");
	assert_int_equal(stat("in/a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	/* What is there is taken as it is. */
	assert_is(path_make_directory(in, "a/b/c", 0700), "in/a/b/c");
	assert_int_equal(stat("in/a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_is(path_make_directory(in, "a/./x/../y", 0755), "in/a/y");
	assert_is(path_make_directory(in, "../../z", 0755), "in/z");
}

static void test_make_directory_through_links(void **state)
{
	char target[PATH_MAX + 8];

	(void)state;
	snprintf(target, sizeof target, "%s/out/x", base);
	link_to(target, "abs");
	link_to("../../out/y", "rel");
	link_to("/deep/er", "dangling");
	link_to("dangling/more", "chain");
	close(path_make_directory(in, "abs", 0755));
	close(path_make_directory(in, "rel/z", 0755));
	assert_out_is_empty();
	assert_is(path_make_directory(in, "rel/z", 0755), "in/out/y/z");
	assert_is(path_make_directory(in, "chain/end", 0755), "in/deep/er/more/end");
}

static void test_make_directory_refuses(void **state)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 1];

	(void)state;
	link_to("two", "one");
	link_to("one", "two");
	close(openat(in, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_error(path_make_directory(in, "one/x", 0755), ELOOP);
	assert_error(path_make_directory(in, "file", 0755), ENOTDIR);
	assert_error(path_make_directory(in, "file/x", 0755), ENOTDIR);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_error(path_make_directory(in, name, 0755), ENAMETOOLONG);
	memset(path, '/', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_error(path_make_directory(in, path, 0755), ENAMETOOLONG);
}

/* forty links may be followed, forty-one not: as the kernel has it. */
static void test_link_limit(void **state)
{
	char name[16], target[24];

	(void)state;
	for (int i = 0; i < 42; i++) {
		snprintf(name, sizeof name, "l%d", i);
		snprintf(target, sizeof target, i == 0 ? "new" : "l%d", i - 1);
		link_to(target, name);
	}
	assert_error(path_make_directory(in, "l41", 0755), ELOOP);
	assert_is(path_make_directory(in, "l39", 0755), "in/new");
}

/* A link of /proc/PID/fd's kind leads out of any root. */
static void test_magic_links(void **state)
{
	own_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "self/fd/%d", out);
	assert_error(path_open_in_root(proc, path, O_PATH), ELOOP);
	assert_error(path_make_directory(proc, path, 0755), ELOOP);
	snprintf(path, sizeof path, "self/fd/%d/x", out);
	assert_error(path_make_file(proc, path, 0644), ELOOP);
	assert_out_is_empty();
}

static void test_make_file(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	assert_is(path_make_file(in, "etc/new/hosts", 0640), "in/etc/new/hosts");
	assert_int_equal(stat("in/etc/new/hosts", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_is(path_make_file(in, "/etc/new/hosts", 0600), "in/etc/new/hosts");
	assert_error(path_make_file(in, "etc", 0644), EISDIR);
	assert_error(path_make_file(in, "x/.", 0644), EINVAL);
	assert_error(path_make_file(in, "y/..", 0644), EINVAL);
	assert_error(path_make_file(in, "z/", 0644), EINVAL);
	assert_error(path_make_file(in, "etc/new/hosts/x", 0644), ENOTDIR);
	assert_int_equal(mkfifoat(in, "fifo", 0600), 0);
	assert_is(path_make_file(in, "fifo", 0644), "in/fifo");
}

static void test_make_file_through_links(void **state)
{
	char target[PATH_MAX + 16];

	(void)state;
	snprintf(target, sizeof target, "%s/out/f", base);
	link_to(target, "abs");
	link_to("../../../out/g", "rel");
	assert_int_equal(mkdirat(in, "dir", 0755), 0);
	link_to("../via/h", "dir/up");
	link_to("/a", "b");
	link_to("b", "a");
	assert_is(path_make_file(in, "rel", 0644), "in/out/g");
	close(path_make_file(in, "abs", 0644));
	assert_out_is_empty();
	assert_is(path_make_file(in, "dir/up", 0644), "in/via/h");
	assert_error(path_make_file(in, "a", 0644), ELOOP);
}

static void test_open_parent(void **state)
{
	const char *path = "/one/two/three", *name;

	(void)state;
	assert_is(path_open_parent(in, path, &name), "in/one/two");
	assert_ptr_equal(name, path + 9);
	assert_is(path_open_parent(in, "single", &name), "in");
	assert_string_equal(name, "single");
	/* The last component is nobody's business. */
	link_to("../out", "out");
	assert_is(path_open_parent(in, "out", &name), "in");
	assert_error(path_open_parent(in, "", &name), EINVAL);
	assert_error(path_open_parent(in, "/", &name), EINVAL);
	assert_error(path_open_parent(in, "a/.", &name), EINVAL);
	assert_error(path_open_parent(in, "a/..", &name), EINVAL);
	assert_error(path_open_parent(in, "a/b/", &name), EINVAL);
}

/* One thread exchanges a directory for a link that leads out, for as long as the other one works.
 */
static atomic_bool stop;

static void *exchange(void *arg)
{
	(void)arg;
	while (!stop)
		renameat2(in, "vol", in, "evil", RENAME_EXCHANGE);
	return NULL;
}

static void race(int (*make)(int root_fd, const char *path, mode_t mode))
{
	char target[PATH_MAX + 8];
	pthread_t thread;
	unsigned done = 0;

	snprintf(target, sizeof target, "%s/out", base);
	assert_int_equal(mkdirat(in, "vol", 0755), 0);
	link_to(target, "evil");
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, exchange, NULL), 0);
	for (unsigned i = 0; i < 3000; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof path, "vol/a%u/b", i);
		fd = make(in, path, 0755);
		if (fd >= 0) {
			done++;
			close(fd);
		}
	}
	stop = true;
	pthread_join(thread, NULL);
	assert_out_is_empty();
	assert_true(done > 0);
}

static void test_exchanged_directory(void **state)
{
	(void)state;
	race(path_make_directory);
}

static void test_exchanged_directory_of_a_file(void **state)
{
	(void)state;
	race(path_make_file);
}

static void assert_explained(const char *path, const char *words)
{
	own_ptr char *text = path_explain(path);

	assert_non_null(text);
	if (!strstr(text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, text);
	/* Engines search for these. */
	assert_null(strcasestr(text, "no such file"));
	assert_null(strcasestr(text, "permission denied"));
}

static void test_explain(void **state)
{
	char path[PATH_MAX + 32], quoted[PATH_MAX + 32];

	(void)state;
	close(openat(in, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	snprintf(path, sizeof path, "%s/in/missing/x/y", base);
	snprintf(quoted, sizeof quoted, "\"%s/in/missing\"", base);
	assert_explained(path, quoted);
	snprintf(path, sizeof path, "%s/in/file/x", base);
	snprintf(quoted, sizeof quoted, "\"%s/in/file\" is no directory", base);
	assert_explained(path, quoted);
	snprintf(path, sizeof path, "%s/in", base);
	assert_explained(path, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_open_stays_inside),
		TEST(test_no_links_means_none),
		TEST(test_descriptors_are_close_on_exec),
		TEST(test_make_directory),
		TEST(test_make_directory_through_links),
		TEST(test_make_directory_refuses),
		TEST(test_link_limit),
		TEST(test_magic_links),
		TEST(test_make_file),
		TEST(test_make_file_through_links),
		TEST(test_open_parent),
		TEST(test_exchanged_directory),
		TEST(test_exchanged_directory_of_a_file),
		TEST(test_explain),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
