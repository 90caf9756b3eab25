/* oci/state.h, oci/container.h: the record, the directory, the lock. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "oci/container.h"

static char root[] = "/tmp/oci-test-XXXXXX";
static int cleared;

static int make_dir(void **unused)
{
	(void)unused;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_dir(void **unused)
{
	(void)unused;
	return rmdir(root);
}

static int clear(struct container *remains, struct oci_err *err)
{
	cleared++;
	(void)remains;
	(void)err;
	return 0;
}

static struct oci_state *new_state(const char *id)
{
	struct oci_state *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->oci_version = strdup("1.3.0");
	s->id = strdup(id);
	s->bundle = strdup("/b");
	s->rootfs = strdup("/b/rootfs");
	s->boot_id = strdup("boot");
	s->created = strdup("2026-01-02T03:04:05Z");
	s->root_ino = UINT64_MAX;
	s->stages = json_object_new_array();
	return s;
}

static void test_state_survives_the_file(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct oci_state *s = new_state("a"), *back;
	own_ptr char *text = NULL;

	(void)unused;
	s->init = (struct proc_id){4711, 99, 7};
	s->options.preserve_fds = 2;
	s->options.console_socket = strdup("/s");
	state_add_stage(s, "validate", 1234);
	text = state_format(s);
	assert_non_null(strstr(text, "1.234"));
	back = state_parse(text, strlen(text), &err);
	assert_non_null(back);
	assert_int_equal(back->init.pid, 4711);
	assert_int_equal(back->init.start_time, 99);
	assert_int_equal(back->init.inode, 7);
	assert_true(back->root_ino == UINT64_MAX);
	assert_int_equal(back->options.preserve_fds, 2);
	assert_string_equal(back->options.console_socket, "/s");
	assert_non_null(state_stage(back, "validate"));
	assert_null(state_stage(back, "mount"));
	state_free(s);
	state_free(back);
}

static void test_stages_are_left_out(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct oci_state *s = new_state("a"), *back;
	own_ptr char *text = NULL;
	size_t len, less;

	(void)unused;
	/* What looks like them within a string is not them. */
	s->annotations = json_object_new_object();
	json_object_object_add(s->annotations, "x",
			       json_object_new_string(",\"stages\":[ \\,\"stages\":["));
	state_add_stage(s, "validate]", 1234);
	state_add_stage(s, "mount", 1);
	text = state_format(s);
	len = strlen(text);
	less = state_leave_out_stages(text, len);
	assert_true(less < len);
	back = state_parse(text, less, &err);
	assert_non_null(back);
	assert_int_equal(json_length(back->stages), 0);
	assert_string_equal(json_string(back->annotations, "x"), json_string(s->annotations, "x"));
	state_free(back);
	state_free(s);
}

/* Whatever it is, nothing beyond its end is touched, and what was no state is none afterwards. */
static void test_stages_of_what_is_no_state(void **unused)
{
	static const char *const texts[] = {
		"",
		",\"stages\":[",
		",\"stages\":[]",
		",\"stages\":[{\"a\":[",
		",\"stages\":[\"]",
		",\"stages\":[}",
		",\"stages\":[1]}}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		own_err struct oci_err err = ERR_INIT;
		/* Without a NUL at its end, for the sanitizer to watch. */
		size_t len = strlen(texts[i]);
		own_ptr char *exact = malloc(len ? len : 1);

		assert_non_null(exact);
		memcpy(exact, texts[i], len);
		len = state_leave_out_stages(exact, len);
		assert_true(len <= strlen(texts[i]));
		assert_null(state_parse(exact, len, &err));
	}
}

/* All that this program writes is known to it: nothing of it is kept as a later version's. */
static void test_nothing_of_ours_is_taken_for_a_later_version_s(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct oci_state *s = new_state("a"), *back;
	own_ptr char *text = NULL;

	(void)unused;
	s->init = s->creator = (struct proc_id){4711, 99, 5};
	s->annotations = json_object_new_object();
	s->cgroup = json_object_new_object();
	s->net_devices = json_object_new_array();
	s->rdt = json_object_new_object();
	s->options = (struct create_options){
		.console_socket = strdup("/s"),
		.pid_file = strdup("/p"),
		.pidfd_socket = strdup("/f"),
		.listen_names = strdup("n"),
		.pipeline = strdup("/l"),
		.preserve_fds = 1,
		.listen_fds = 1,
		.notify = true,
		.no_pivot = true,
		.no_new_keyring = true,
		.systemd_cgroup = true,
		.no_cgroup = true,
	};
	text = state_format(s);
	back = state_parse(text, strlen(text), &err);
	assert_non_null(back);
	assert_null(back->later);
	assert_null(back->later_ours);
	assert_null(back->later_options);
	state_free(s);
	state_free(back);
}

static void test_foreign_state_is_refused(void **unused)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"oci\": {\"version\": 2}}",
		"{\"id\": \"a\", \"status\": \"stopped\", \"oci\": {\"version\": 1}}",
		"{\"id\": 1, \"bundle\": \"/\", \"status\": \"created\", \"oci\": {\"version\": 1, "
		"\"bootId\": \"x\", \"rootfs\": \"/\", \"stages\": []}}",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		own_err struct oci_err err = ERR_INIT;

		assert_null(state_parse(texts[i], strlen(texts[i]), &err));
		assert_int_equal(err.fault, FAULT_STATE);
	}
}

static void test_ids(void **unused)
{
	static const char *const good[] = {"a", "0", "_", "+", "a.b-c", "A_+9"};
	static const char *const bad[] = {"",	 ".",	"..",  "-x",	  ".x",
					  "a/b", "a b", "a\n", "\xc3\xa9"};
	own_err struct oci_err err = ERR_INIT;
	char longest[257];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(container_check_id(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(container_check_id(bad[i], &err), -1);
		assert_int_equal(err.fault, FAULT_USAGE);
	}
	memset(longest, 'a', 256);
	longest[256] = '\0';
	assert_int_equal(container_check_id(longest, &err), -1);
	longest[255] = '\0';
	assert_int_equal(container_check_id(longest, &err), 0);
}

static void test_an_id_is_used_once(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct container *c = container_new(root, "one", clear, &err), *second;

	(void)unused;
	assert_non_null(c);
	/* While it is being created: the lock. */
	assert_null(container_new(root, "one", clear, &err));
	assert_int_equal(err.fault, FAULT_STATE);
	c->state = new_state("one");
	assert_int_equal(container_save(c, &err), 0);
	container_close(c);
	/* Afterwards: the state. */
	assert_null(container_new(root, "one", clear, &err));
	assert_non_null(strstr(err.message, "exists already"));
	second = container_open(root, "one", LOCK_TRY, -1, &err);
	assert_non_null(second);
	assert_null(container_open(root, "one", LOCK_TRY, -1, &err));
	assert_int_equal(container_remove(second, &err), 0);
	container_close(second);
	assert_null(container_open(root, "one", LOCK_NONE, -1, &err));
	assert_non_null(strstr(err.message, "does not exist"));
}

static void test_remains_are_cleared(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct container *c = container_new(root, "half", clear, &err);

	(void)unused;
	assert_non_null(c);
	c->state = new_state("half");
	c->state->creator = (struct proc_id){1, 1, 0};
	assert_int_equal(container_save(c, &err), 0);
	container_close(c);
	cleared = 0;
	c = container_new(root, "half", clear, &err);
	/* This clear() removes nothing, so the second look finds it again and again. */
	assert_null(c);
	assert_true(cleared > 0);
	c = container_open(root, "half", LOCK_TRY, -1, &err);
	assert_int_equal(container_remove(c, &err), 0);
	container_close(c);
}

static void test_of_many_one_wins(void **unused)
{
	int winners = 0, status;

	(void)unused;
	for (int i = 0; i < 20; i++)
		if (fork() == 0) {
			struct oci_err err = ERR_INIT;
			struct container *c = container_new(root, "race", clear, &err);

			if (c) {
				c->state = new_state("race");
				_exit(container_save(c, &err) < 0 ? 3 : 0);
			}
			_exit(err.fault == FAULT_STATE ? 1 : 2);
		}
	for (int i = 0; i < 20; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		winners += WEXITSTATUS(status) == 0;
	}
	assert_int_equal(winners, 1);
	own_err struct oci_err err = ERR_INIT;
	struct container *c = container_open(root, "race", LOCK_TRY, -1, &err);

	assert_int_equal(container_remove(c, &err), 0);
	container_close(c);
}

static void test_a_root_that_others_write_is_refused(void **unused)
{
	own_err struct oci_err err = ERR_INIT;

	(void)unused;
	assert_int_equal(chmod(root, 0770), 0);
	assert_null(container_new(root, "x", clear, &err));
	assert_int_equal(err.fault, FAULT_STATE);
	assert_int_equal(chmod(root, 0700), 0);
}

static void test_a_torn_state_is_no_state(void **unused)
{
	own_err struct oci_err err = ERR_INIT;
	struct container *c = container_new(root, "torn", clear, &err);
	char path[64];
	struct stat st;

	(void)unused;
	c->state = new_state("torn");
	assert_int_equal(container_save(c, &err), 0);
	container_close(c);
	snprintf(path, sizeof path, "%s/torn/state.json", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	assert_null(container_open(root, "torn", LOCK_NONE, -1, &err));
	assert_int_equal(err.fault, FAULT_STATE);
	c = container_open_remains(root, "torn", LOCK_TRY, -1, &err);
	assert_non_null(c);
	assert_null(c->state);
	container_close(c);
	assert_int_equal(unlink(path), 0);
	/* No state at all: what a killed creation leaves; the next one takes it. */
	c = container_new(root, "torn", clear, &err);
	assert_non_null(c);
	assert_int_equal(container_remove(c, &err), 0);
	container_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_survives_the_file),
		cmocka_unit_test(test_stages_are_left_out),
		cmocka_unit_test(test_stages_of_what_is_no_state),
		cmocka_unit_test(test_nothing_of_ours_is_taken_for_a_later_version_s),
		cmocka_unit_test(test_foreign_state_is_refused),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_an_id_is_used_once),
		cmocka_unit_test(test_remains_are_cleared),
		cmocka_unit_test(test_of_many_one_wins),
		cmocka_unit_test(test_a_root_that_others_write_is_refused),
		cmocka_unit_test(test_a_torn_state_is_no_state),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
