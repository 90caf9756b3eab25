/*
 * A cgroup that somebody else removes at any moment, as systemd does, is gone, and that is no
 * error to whoever kills, lists or removes. The directory here is an ordinary one with the files of
 * a cgroup; what cgroupfs answers once it is gone is injected.
 *
 * wrap: openat64 read write
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"
#include "kernel/cgroup.h"

static const char *victim; /* the file that fails to open; NULL: none */
static int read_errno, write_errno;

int __real_openat64(int dir, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	if (victim && strcmp(path, victim) == 0) {
		errno = ENOENT;
		return -1;
	}
	return __real_openat64(dir, path, flags); /* never O_CREAT */
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	if (read_errno) {
		errno = read_errno;
		return -1;
	}
	return __real_read(fd, buf, len);
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (write_errno && fd > 2) {
		errno = write_errno;
		return -1;
	}
	return __real_write(fd, buf, len);
}

static char root[] = "/tmp/cgroup-gone-XXXXXX", leaf[sizeof root + 16];

static void put(const char *name, const char *text)
{
	char path[sizeof leaf + 32];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", leaf, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int group_setup(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	/* cgroup_find_v1() goes by the directory's name. */
	snprintf(leaf, sizeof leaf, "%s/freezer", root);
	mkdir(leaf, 0700);
	snprintf(leaf, sizeof leaf, "%s/freezer/box", root);
	return mkdir(leaf, 0700);
}

static int group_teardown(void **state)
{
	char command[sizeof root + 16];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", root);
	return system(command);
}

static int setup(void **state)
{
	(void)state;
	victim = NULL;
	read_errno = write_errno = 0;
	put("cgroup.procs", "");
	put("cgroup.kill", "");
	put("cgroup.freeze", "0\n");
	/* Frozen and thawed at once: nobody has to wait. */
	put("cgroup.events", "populated 0\nfrozen 0\nfrozen 1\n");
	put("freezer.state", "FROZEN THAWED FROZEN THAWED\n");
	return 0;
}

static struct json_object *record(int version)
{
	struct stat st;
	char text[500];
	own_err struct oci_err err = ERR_INIT;
	int n;

	assert_int_equal(stat(leaf, &st), 0);
	n = snprintf(text, sizeof text,
		     "{\"path\":\"/box\",\"hierarchies\":[{\"mount\":\"%s/freezer\",\"version\":%d,"
		     "\"made\":1,\"id\":%ju}]}",
		     root, version, (uintmax_t)st.st_ino);
	return json_parse(text, (size_t)n, "record", &err);
}

static void kill_all(int version, int signal)
{
	own_json struct json_object *r = record(version);
	own_err struct oci_err err = ERR_INIT;

	if (cgroup_signal(r, signal, &err) < 0)
		fail_msg("version %d, signal %d: %s", version, signal, err.message);
}

static void list(int version)
{
	own_json struct json_object *r = record(version);
	own_err struct oci_err err = ERR_INIT;
	pid_t *pids;
	size_t n;

	if (cgroup_pids(r, &pids, &n, &err) < 0)
		fail_msg("version %d: %s", version, err.message);
	assert_int_equal(n, 0);
	free(pids);
}

/* Freezing what is gone is an error, but the right one, and at once. */
static void freeze(int version)
{
	own_json struct json_object *r = record(version);
	own_err struct oci_err err = ERR_INIT;

	assert_int_equal(cgroup_freeze(r, true, &err), -1);
	if (err.fault != FAULT_STATE || !strstr(err.message, "container not running: its cgroup"))
		fail_msg("version %d: %s", version, err.message);
}

static void try_all(void)
{
	for (int version = 1; version <= 2; version++) {
		kill_all(version, SIGKILL);
		kill_all(version, SIGTERM);
		list(version);
	}
}

static void test_gone_before_a_file_is_opened(void **state)
{
	static const char *const files[] = {"cgroup.procs", "cgroup.kill", "cgroup.freeze",
					    "cgroup.events", "freezer.state"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		setup(NULL);
		victim = files[i];
		try_all();
	}
	victim = "cgroup.freeze";
	freeze(2);
	victim = "cgroup.events";
	freeze(2);
	victim = "freezer.state";
	freeze(1);
}

static void test_gone_before_a_file_is_written(void **state)
{
	(void)state;
	write_errno = ENODEV;
	try_all();
	freeze(1);
	freeze(2);
}

static void test_gone_before_a_file_is_read(void **state)
{
	(void)state;
	read_errno = ENODEV;
	try_all();
	freeze(1);
	freeze(2);
}

/* What else goes wrong stays an error. */
static void test_other_errors(void **state)
{
	own_json struct json_object *r = record(2);
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	write_errno = EIO;
	assert_int_equal(cgroup_signal(r, SIGKILL, &err), -1);
	assert_non_null(strstr(err.message, "cgroup.kill\": EIO"));
	assert_int_equal(cgroup_freeze(r, true, &err), -1);
	assert_non_null(strstr(err.message, "EIO"));
}

static void test_directory_is_gone(void **state)
{
	own_json struct json_object *v1 = record(1), *v2 = record(2);
	own_err struct oci_err err = ERR_INIT;
	char command[sizeof leaf + 16];

	(void)state;
	snprintf(command, sizeof command, "rm -r %s", leaf);
	assert_int_equal(system(command), 0);
	for (int i = 0; i < 2; i++) {
		struct json_object *r = i ? v2 : v1;
		pid_t *pids;
		size_t n;

		assert_int_equal(cgroup_signal(r, SIGKILL, &err), 0);
		assert_int_equal(cgroup_pids(r, &pids, &n, &err), 0);
		assert_int_equal(n, 0);
		assert_int_equal(cgroup_remove(r, &err), 0);
		assert_int_equal(cgroup_freeze(r, false, &err), -1);
		assert_non_null(strstr(err.message, "container not running"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_gone_before_a_file_is_opened, setup),
		cmocka_unit_test_setup(test_gone_before_a_file_is_written, setup),
		cmocka_unit_test_setup(test_gone_before_a_file_is_read, setup),
		cmocka_unit_test_setup(test_other_errors, setup),
		cmocka_unit_test_setup(test_directory_is_gone, setup),
	};

	return cmocka_run_group_tests_name("cgroup_gone", tests, group_setup, group_teardown);
}
