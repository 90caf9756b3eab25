#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/identity.h"

static const uint32_t groups[] = {7, 5};

static const struct identity want = {
	.ids_known = true,
	.uid = 1000,
	.gid = 1001,
	.groups_known = true,
	.groups = groups,
	.n_groups = 2,
	.caps = {.bounding = 7, .effective = 1, .permitted = 3, .inheritable = 4, .ambient = 0},
	.no_new_privs = true,
	.filtered = true,
	.session = true,
};

static const char good[] =
	"Name:\tUid: 0\nPid:\t77\nUid:\t1000\t1000\t1000\t1000\n"
	"Gid:\t1001\t1001\t1001\t1001\nGroups:\t5 7 \nNSpid:\t77\t1\nNSsid:\t77\t1\n"
	"CapInh:\t0000000000000004\nCapPrm:\t0000000000000003\n"
	"CapEff:\t0000000000000001\nCapBnd:\t0000000000000007\n"
	"CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";

static void test_as_wanted(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct identity any = {.caps = want.caps};

	(void)state;
	if (identity_compare(good, &want, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(identity_compare(good, &any, &err), 0);
}

/* The text with "from" replaced by "to"; the caller frees it. */
static char *changed(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	char *text = NULL;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from)) > 0);
	return text;
}

static void test_differences(void **state)
{
	static const struct {
		const char *from, *to, *names;
	} table[] = {
		{"Uid:\t1000\t1000", "Uid:\t1000\t0", "Uid"},
		{"1000\t1000\n", "1000\t0\n", "Uid"},
		{"Uid:\t1000\t1000\t1000\t1000\n", "", "Uid"},
		{"Gid:\t1001", "Gid:\t1", "Gid"},
		{"Groups:\t5 7 ", "Groups:\t5 7 8 ", "Groups"},
		{"Groups:\t5 7 ", "Groups:\t5 ", "Groups"},
		{"Groups:\t5 7 ", "Groups:\t", "Groups"},
		{"Groups:\t5 7 ", "Groups:\t5 6 ", "Groups"},
		{"Groups:\t5 7 ", "Groups:\t5 x ", "Groups"},
		{"CapInh:\t0000000000000004", "CapInh:\t0000000000000005", "CapInh"},
		{"CapPrm:\t0000000000000003", "CapPrm:\t000001ffffffffff", "CapPrm"},
		{"CapEff:\t0000000000000001", "CapEff:\t0000000000000003", "CapEff"},
		{"CapBnd:\t0000000000000007", "CapBnd:\t000001ffffffffff", "CapBnd"},
		{"CapAmb:\t0000000000000000", "CapAmb:\t0000000000000001", "CapAmb"},
		{"NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs"},
		{"Seccomp:\t2", "Seccomp:\t0", "Seccomp"},
		{"NSsid:\t77\t1", "NSsid:\t50\t0", "session"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		own_ptr char *text = changed(table[i].from, table[i].to);
		own_err struct oci_err err = ERR_INIT;

		if (identity_compare(text, &want, &err) == 0)
			fail_msg("not found: %s", table[i].to);
		if (!strstr(err.message, table[i].names))
			fail_msg("\"%s\" does not name %s", err.message, table[i].names);
	}
}

static void test_no_groups(void **state)
{
	own_ptr char *none = changed("Groups:\t5 7 ", "Groups:\t"), *space = changed("5 7 ", " ");
	own_err struct oci_err err = ERR_INIT;
	struct identity want_none = want;

	(void)state;
	want_none.n_groups = 0;
	want_none.groups = NULL;
	assert_int_equal(identity_compare(none, &want_none, &err), 0);
	assert_int_equal(identity_compare(space, &want_none, &err), 0);
	assert_int_equal(identity_compare(good, &want_none, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_wanted),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_no_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
