#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/mountopt.h"

/* Parses {"type": ..., "options": [...]}, given as JSON, as /mounts/7. */
struct parsed {
	struct json_object *mount;
	struct mountopt opt;
	struct oci_err err;
	int result;
};

static struct parsed parse(const char *json)
{
	struct parsed p = {.err = ERR_INIT};

	p.mount = json_tokener_parse(json);
	assert_non_null(p.mount);
	p.result = mountopt_parse(p.mount, 7, &p.opt, &p.err);
	return p;
}

static void drop(struct parsed *p)
{
	mountopt_free(&p->opt);
	json_object_put(p->mount);
	err_clear(&p->err);
}

#define own_parsed __attribute__((cleanup(drop)))

static void assert_attributes(const char *json, uint64_t set, uint64_t clear)
{
	own_parsed struct parsed p = parse(json);

	assert_int_equal(p.result, 0);
	assert_int_equal(p.opt.set, set);
	assert_int_equal(p.opt.clear, clear);
}

static void assert_refused(const char *json, const char *pointer, const char *word,
			   const char *hint)
{
	own_parsed struct parsed p = parse(json);

	assert_int_equal(p.result, -1);
	assert_int_equal(p.err.fault, FAULT_CONFIG);
	assert_string_equal(p.err.pointer, pointer);
	if (!strstr(p.err.message, word))
		fail_msg("\"%s\" is not in \"%s\"", word, p.err.message);
	if (hint)
		assert_string_equal(p.err.hint, hint);
	else
		assert_null(p.err.hint);
}

static void test_table_is_sorted(void **state)
{
	(void)state;
	for (size_t i = 1; i < mountopt_table_rows; i++)
		if (strcmp(mountopt_table[i - 1].name, mountopt_table[i].name) >= 0)
			fail_msg("%s", mountopt_table[i].name);
}

/* config.md, "Linux mount options", version 1.3; and what is its own opposite there. */
static void test_table_is_the_specification(void **state)
{
	static const char *const must[] = {
		"async",      "atime",	    "bind",	  "defaults",	   "dev",
		"diratime",   "dirsync",    "exec",	  "iversion",	   "lazytime",
		"loud",	      "noatime",    "nodev",	  "nodiratime",	   "noexec",
		"noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid",
		"private",    "rbind",	    "relatime",	  "remount",	   "ro",
		"rprivate",   "rshared",    "rslave",	  "runbindable",   "rw",
		"shared",     "silent",	    "slave",	  "strictatime",   "suid",
		"sync",	      "unbindable",
	};
	static const char *const should[] = {
		"nosymfollow",	"ratime",	"rdev",	      "rdiratime",   "rexec",
		"rnoatime",	"rnodiratime",	"rnoexec",    "rnorelatime", "rnostrictatime",
		"rnosuid",	"rnosymfollow", "rrelatime",  "rro",	     "rrw",
		"rstrictatime", "rsuid",	"rsymfollow", "symfollow",   "idmap",
		"ridmap",	"rnodev",
	};
	static const char *const may[] = {"mand", "nomand", "tmpcopyup"};
	size_t counted = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(must); i++)
		assert_int_equal(mountopt_find(must[i])->requirement, MOUNTOPT_MUST);
	for (size_t i = 0; i < ARRAY_SIZE(should); i++)
		assert_int_equal(mountopt_find(should[i])->requirement, MOUNTOPT_SHOULD);
	for (size_t i = 0; i < ARRAY_SIZE(may); i++)
		assert_int_equal(mountopt_find(may[i])->requirement, MOUNTOPT_MAY);
	for (size_t i = 0; i < mountopt_table_rows; i++)
		counted += mountopt_table[i].requirement != MOUNTOPT_EXTRA;
	assert_int_equal(counted, ARRAY_SIZE(must) + ARRAY_SIZE(should) + ARRAY_SIZE(may));
}

static void test_attributes(void **state)
{
	(void)state;
	assert_attributes("{\"options\": [\"bind\"]}", 0, 0);
	assert_attributes(
		"{\"options\": [\"bind\", \"ro\", \"nosuid\", \"nodev\", \"noexec\"]}",
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0);
	assert_attributes("{\"options\": [\"bind\", \"rw\", \"suid\", \"dev\", \"exec\"]}", 0,
			  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC);
	assert_attributes("{\"options\": [\"bind\", \"nosymfollow\", \"nodiratime\"]}",
			  MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME, 0);
}

static void test_last_one_wins(void **state)
{
	(void)state;
	assert_attributes("{\"options\": [\"bind\", \"ro\", \"rw\"]}", 0, MOUNT_ATTR_RDONLY);
	assert_attributes("{\"options\": [\"bind\", \"rw\", \"ro\"]}", MOUNT_ATTR_RDONLY, 0);
}

/* The kernel clears the field as a whole, and has EINVAL for anything else. */
static void test_atime_is_one_field(void **state)
{
	(void)state;
	assert_attributes("{\"options\": [\"bind\", \"noatime\"]}", MOUNT_ATTR_NOATIME,
			  MOUNT_ATTR__ATIME);
	assert_attributes("{\"options\": [\"bind\", \"noatime\", \"strictatime\"]}",
			  MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
	assert_attributes("{\"options\": [\"bind\", \"strictatime\", \"relatime\"]}", 0,
			  MOUNT_ATTR__ATIME);
	assert_attributes("{\"options\": [\"bind\", \"strictatime\", \"norelatime\"]}",
			  MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME);
}

static void test_recursive_attributes_are_apart(void **state)
{
	own_parsed struct parsed p =
		parse("{\"options\": [\"rbind\", \"rro\", \"rw\", \"rnoatime\"]}");

	(void)state;
	assert_int_equal(p.result, 0);
	assert_int_equal(p.opt.set, 0);
	assert_int_equal(p.opt.clear, MOUNT_ATTR_RDONLY);
	assert_int_equal(p.opt.recursive_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME);
	assert_int_equal(p.opt.recursive_clear, MOUNT_ATTR__ATIME);
}

static void test_propagation_keeps_its_order(void **state)
{
	own_parsed struct parsed p = parse("{\"options\": [\"rbind\", \"rslave\", \"shared\"]}");

	(void)state;
	assert_int_equal(p.opt.n_propagation, 2);
	assert_int_equal(p.opt.propagation[0].type, MS_SLAVE);
	assert_true(p.opt.propagation[0].recursive);
	assert_int_equal(p.opt.propagation[1].type, MS_SHARED);
	assert_false(p.opt.propagation[1].recursive);
	assert_refused("{\"options\": [\"bind\", \"slave\", \"shared\", \"slave\", \"shared\", "
		       "\"private\"]}",
		       "/mounts/7/options/5", "private", NULL);
}

static void test_actions(void **state)
{
	own_parsed struct parsed tmpfs = parse("{\"type\": \"tmpfs\", \"options\": "
					       "[\"tmpcopyup\", \"remount\"]}");
	own_parsed struct parsed mapped = parse("{\"options\": [\"rbind\", \"ridmap\"]}");
	own_parsed struct parsed typed = parse("{\"type\": \"bind\"}");

	(void)state;
	assert_int_equal(tmpfs.opt.actions, MOUNTOPT_COPY_UP | MOUNTOPT_REMOUNT);
	assert_int_equal(mapped.opt.actions, MOUNTOPT_RBIND | MOUNTOPT_RIDMAP);
	assert_int_equal(typed.opt.actions, MOUNTOPT_BIND);
}

static void test_data_is_the_filesystems(void **state)
{
	own_parsed struct parsed p =
		parse("{\"type\": \"tmpfs\", \"options\": [\"size=64k\", \"nosuid\", \"sync\", "
		      "\"noswap\", \"context=\\\"u:r:t:s0:c1,c2\\\"\"]}");

	(void)state;
	assert_int_equal(p.result, 0);
	assert_int_equal(p.opt.n_data, 3);
	assert_string_equal(p.opt.data[0].text, "size=64k");
	assert_int_equal(p.opt.data[0].index, 0);
	assert_string_equal(p.opt.data[1].text, "noswap");
	assert_int_equal(p.opt.data[1].index, 3);
	assert_string_equal(p.opt.data[2].text, "context=\"u:r:t:s0:c1,c2\"");
	assert_int_equal(p.opt.n_superblock, 1);
	assert_string_equal(p.opt.superblock[0], "sync");
}

static void test_flags_are_few(void **state)
{
	own_parsed struct parsed p =
		parse("{\"type\": \"tmpfs\", \"options\": [\"sync\", \"sync\", \"async\"]}");

	(void)state;
	assert_int_equal(p.opt.n_superblock, 2);
}

static void test_bind_is_a_closed_set(void **state)
{
	(void)state;
	assert_refused("{\"options\": [\"bind\", \"size=1k\"]}", "/mounts/7/options/1", "size=1k",
		       NULL);
	assert_refused("{\"options\": [\"nosiud\", \"rbind\"]}", "/mounts/7/options/0", "nosiud",
		       "did you mean \"nosuid\"?");
	assert_refused("{\"type\": \"bind\", \"options\": [\"x\"]}", "/mounts/7/options/0", "\"x\"",
		       NULL);
}

static void test_misspelt_options_of_tmpfs(void **state)
{
	own_parsed struct parsed ext4 = parse("{\"type\": \"ext4\", \"options\": [\"nosiud\"]}");

	(void)state;
	assert_refused("{\"type\": \"tmpfs\", \"options\": [\"strictatme\"]}",
		       "/mounts/7/options/0", "strictatme", "did you mean \"strictatime\"?");
	/* Of a filesystem on a disk nobody here knows all the options: xfs has nouuid. */
	assert_int_equal(ext4.result, 0);
	assert_int_equal(ext4.opt.n_data, 1);
}

static void test_text_that_could_be_two_options(void **state)
{
	static const char *const bad[] = {"rbind,foo", "a\\nb", "", "size=1k,mode=777", "\\u007f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char json[128];

		for (int bind = 0; bind < 2; bind++) {
			own_parsed struct parsed p;

			snprintf(json, sizeof json, "{\"type\": \"%s\", \"options\": [\"%s\"]}",
				 bind ? "bind" : "tmpfs", bad[i]);
			p = parse(json);
			if (p.result == 0)
				fail_msg("%s", json);
			assert_string_equal(p.err.pointer, "/mounts/7/options/0");
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sorted),
		cmocka_unit_test(test_table_is_the_specification),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_last_one_wins),
		cmocka_unit_test(test_atime_is_one_field),
		cmocka_unit_test(test_recursive_attributes_are_apart),
		cmocka_unit_test(test_propagation_keeps_its_order),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_data_is_the_filesystems),
		cmocka_unit_test(test_flags_are_few),
		cmocka_unit_test(test_bind_is_a_closed_set),
		cmocka_unit_test(test_misspelt_options_of_tmpfs),
		cmocka_unit_test(test_text_that_could_be_two_options),
	};

	return cmocka_run_group_tests_name("mountopt", tests, NULL, NULL);
}
