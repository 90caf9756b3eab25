/*
 * Groups of resctrl, in a directory that stands for it. As the kernel does, each directory that is
 * made has its files at once, and one that is removed loses them.
 * wrap: mkdirat unlinkat
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/rdt.h"

static char tree[] = "/tmp/oci-test-rdt.XXXXXX";
static int root;
static int full; /* errno of the next mkdirat */

int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags);

static const char *const files[] = {"tasks", "schemata"};

static void put(const char *group, const char *file, const char *text)
{
	char path[128];
	own_fd int fd = -1;

	snprintf(path, sizeof path, "%s/%s", group, file);
	fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	char mon[128];

	if (full) {
		errno = full;
		return -1;
	}
	if (__real_mkdirat(dir, path, mode) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(path, files[i], "");
	snprintf(mon, sizeof mon, "%s/mon_groups", path);
	return __real_mkdirat(dir, mon, 0755);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
	char inner[128];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(inner, sizeof inner, "%s/%s", path, files[i]);
		__real_unlinkat(dir, inner, 0);
	}
	snprintf(inner, sizeof inner, "%s/mon_groups", path);
	__real_unlinkat(dir, inner, AT_REMOVEDIR);
	return __real_unlinkat(dir, path, flags);
}

static int make_tree(void **state)
{
	(void)state;
	strcpy(strrchr(tree, '.'), ".XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	root = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	full = 0;
	put(".", "tasks", "");
	put(".", "schemata", "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n");
	__real_mkdirat(root, "info", 0755);
	put("info", "last_cmd_status", "ok\n");
	return __real_mkdirat(root, "mon_groups", 0755);
}

static int remove_tree(void **state)
{
	char command[64];

	(void)state;
	close(root);
	snprintf(command, sizeof command, "rm -r %s", tree);
	return system(command);
}

static const char *text_of(const char *path)
{
	static char *text;
	size_t len;

	free(text);
	text = NULL;
	if (fd_read_file(root, path, 4096, &text, &len) < 0)
		return "(none)";
	return text;
}

static bool there(const char *path)
{
	return faccessat(root, path, F_OK, 0) == 0;
}

static struct json_object *record;

/* Plans and applies for the container "web" with pid 7; the message of an error, or NULL. */
static const char *apply(const char *config)
{
	static struct oci_err err;
	own_json struct json_object *rdt = json_tokener_parse(config);

	assert_non_null(rdt);
	json_object_put(record);
	record = NULL;
	err_clear(&err);
	err = ERR_INIT;
	if (rdt_plan(root, tree, "web", rdt, &record, &err) == 0 &&
	    rdt_apply(root, record, rdt, 7, &err) == 0)
		return NULL;
	return err.message;
}

static const char *pointer_of(const char *config, const char **ret_message)
{
	static struct oci_err err;
	own_json struct json_object *rdt = json_tokener_parse(config);

	json_object_put(record);
	record = NULL;
	err_clear(&err);
	err = ERR_INIT;
	if (rdt_plan(root, tree, "web", rdt, &record, &err) == 0)
		rdt_apply(root, record, rdt, 7, &err);
	*ret_message = err.message ? err.message : "";
	return err.pointer ? err.pointer : "";
}

static void clear(bool undo)
{
	own_err struct oci_err err = ERR_INIT;

	assert_int_equal(rdt_remove(root, record, undo, &err), 0);
}

static void test_by_id(void **state)
{
	(void)state;
	assert_null(apply("{}"));
	assert_string_equal(text_of("web/tasks"), "7");
	assert_string_equal(text_of("web/schemata"), "");
	assert_string_equal(json_string(record, "made"), "id");
	clear(false);
	assert_false(there("web"));
	clear(false);
	/* One that was there stays. */
	assert_int_equal(mkdirat(root, "web", 0755), 0);
	assert_null(apply("{\"memBwSchema\": \"MB:0=20\"}"));
	assert_string_equal(text_of("web/schemata"), "MB:0=20\n");
	assert_false(json_has(record, "made"));
	clear(true);
	assert_true(there("web"));
}

/* A FIFO keeps all that is written: the single schemas first, and each line in a write of its own.
 */
static void test_schemas(void **state)
{
	char text[128] = "";
	own_fd int fifo = -1;

	(void)state;
	assert_int_equal(mkdirat(root, "web", 0755), 0);
	__real_unlinkat(root, "web/schemata", 0);
	assert_int_equal(mkfifoat(root, "web/schemata", 0600), 0);
	fifo = openat(root, "web/schemata", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_null(apply("{\"schemata\": [\"L2:0=1\", \"L3:1=3\"], \"memBwSchema\": \"MB:0=20\","
			  "\"l3CacheSchema\": \"L3:0=f\"}"));
	assert_true(read(fifo, text, sizeof text - 1) > 0);
	assert_string_equal(text, "L3:0=f\nMB:0=20\nL2:0=1\nL3:1=3\n");
	assert_string_equal(text_of("web/tasks"), "7");
}

static void test_clos_id(void **state)
{
	const char *message;

	(void)state;
	assert_string_equal(pointer_of("{\"closID\": \"gold\"}", &message),
			    "/linux/intelRdt/closID");
	assert_non_null(strstr(message, "there is no resctrl group \"gold\""));
	assert_false(there("gold"));
	assert_null(apply("{\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"}"));
	clear(false);
	assert_true(there("gold"));
	/* The same again: compared, not written; and without a schema. */
	put("gold", "schemata", "    MB:0=100;1=100\n    L3:0=00f;1=7ff\n");
	assert_null(apply("{\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=f\"}"));
	assert_null(apply("{\"closID\": \"gold\"}"));
	assert_string_equal(text_of("gold/schemata"), "    MB:0=100;1=100\n    L3:0=00f;1=7ff\n");
	assert_string_equal(
		pointer_of("{\"closID\": \"gold\", \"l3CacheSchema\": \"L3:0=7\"}", &message),
		"/linux/intelRdt/l3CacheSchema");
	assert_non_null(strstr(message, "its schema is not \"L3:0=7\""));
	clear(true);
	assert_true(there("gold"));
	/* A creation that is given up takes with it what it has made. */
	assert_null(apply("{\"closID\": \"new\", \"schemata\": [\"L3:0=f\"]}"));
	clear(true);
	assert_false(there("new"));
}

static void test_root_group(void **state)
{
	const char *message;

	(void)state;
	assert_null(apply("{\"closID\": \"/\"}"));
	assert_string_equal(text_of("tasks"), "7");
	assert_null(apply("{\"closID\": \"/\", \"memBwSchema\": \"MB:1=100\"}"));
	assert_string_equal(
		pointer_of("{\"closID\": \"/\", \"memBwSchema\": \"MB:1=50\"}", &message),
		"/linux/intelRdt/memBwSchema");
	clear(true);
	assert_true(there("tasks"));
}

static void test_monitoring(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	const char *message;

	(void)state;
	assert_int_equal(mkdirat(root, "gold", 0755), 0);
	assert_null(apply("{\"closID\": \"gold\", \"enableMonitoring\": true}"));
	assert_string_equal(text_of("gold/tasks"), "7");
	assert_string_equal(text_of("gold/mon_groups/web/tasks"), "7");
	assert_int_equal(rdt_add_process(root, record, 8, &err), 0);
	assert_string_equal(text_of("gold/tasks"), "8");
	assert_string_equal(text_of("gold/mon_groups/web/tasks"), "8");
	assert_string_equal(
		pointer_of("{\"closID\": \"gold\", \"enableMonitoring\": true}", &message),
		"/linux/intelRdt/enableMonitoring");
	assert_null(apply("{\"closID\": \"/\", \"enableMonitoring\": true}"));
	assert_string_equal(text_of("mon_groups/web/tasks"), "7");
	clear(false);
	assert_false(there("mon_groups/web"));
	assert_true(there("gold/mon_groups/web"));
}

static void test_failures(void **state)
{
	const char *message;

	(void)state;
	full = ENOSPC;
	put("info", "last_cmd_status", "Out of CLOSIDs\n");
	assert_string_equal(pointer_of("{}", &message), "/linux/intelRdt");
	assert_string_equal(message,
			    "cannot make the group \"web\" of resctrl: Out of CLOSIDs: ENOSPC");
	clear(true);
	full = 0;
	assert_int_equal(mkdirat(root, "web", 0755), 0);
	__real_unlinkat(root, "web/schemata", 0);
	put("info", "last_cmd_status", "Unknown or unsupported resource name 'L9'\n");
	assert_string_equal(pointer_of("{\"schemata\": [\"L9:0=1\"]}", &message),
			    "/linux/intelRdt/schemata/0");
	assert_non_null(strstr(message, "\"L9:0=1\": "));
	assert_non_null(strstr(message, "unsupported resource name 'L9'"));
}

static void test_matching(void **state)
{
	static const char text[] = "    MB:0=100;1= 50\n  L3CODE:0=7ff\n    L3:0=7ff;10=00f\n";

	(void)state;
	assert_true(rdt_schema_matches(text, "L3:0=7ff"));
	assert_true(rdt_schema_matches(text, "L3:10=F;0=07ff"));
	assert_true(rdt_schema_matches(text, "L3CODE:0=7ff"));
	assert_true(rdt_schema_matches(text, "MB:0=100"));
	assert_false(rdt_schema_matches(text, "L3:0=7fe"));
	assert_false(rdt_schema_matches(text, "L3:1=f"));
	assert_false(rdt_schema_matches(text, "L3:0=7ff;1=f"));
	assert_false(rdt_schema_matches(text, "L2:0=7ff"));
	assert_false(rdt_schema_matches(text, "L"));
	assert_false(rdt_schema_matches(text, ""));
	assert_false(rdt_schema_matches("", "L3:0=1"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		TEST(test_by_id),      TEST(test_schemas),    TEST(test_clos_id),
		TEST(test_root_group), TEST(test_monitoring), TEST(test_failures),
		TEST(test_matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
