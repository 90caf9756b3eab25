/* verify: the table has a row for every property; values of control files; mountinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cgroup_compare.h"
#include "oci/spec.h"
#include "verify/mountinfo.h"
#include "verify/verify.h"

static void test_every_property_has_a_row(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (size_t i = 1; i < spec_n_rows; i++) {
		const struct verify_row *row = verify_find(spec_rows[i].pointer);

		if (spec_rows[i].ignored || (row && (row->area || row->hidden)))
			continue;
		print_error("nobody verifies %s\n", spec_rows[i].pointer);
		missing++;
	}
	assert_int_equal(missing, 0);
}

static void test_values(void **state)
{
	static const struct {
		const char *file, *wanted, *found;
		bool same;
	} cases[] = {
		{"pids.max", "100", "100", true},
		{"pids.max", "100", "101", false},
		{"pids.max", "4095", "4096", false},
		{"pids.max", "max", "max", true},
		{"memory.max", "65537", "65536", true},
		{"memory.max", "65537", "61440", false},
		{"memory.high", "64K", "65536", true},
		{"memory.limit_in_bytes", "-1", "9223372036854771712", true},
		{"memory.limit_in_bytes", "-1", "65536", false},
		{"memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0", true},
		{"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 1", false},
		{"hugetlb.2MB.max", "4194305", "4194304", true},
		{"hugetlb.2MB.max", "4194305", "2097152", false},
		{"cpu.max", "50000 100000", "50000 100000", true},
		{"cpu.max", "50000", "50000 100000", true},
		{"cpu.max", "max 100000", "max 50000", false},
		{"cpuset.cpus", "0,1,2", "0-2", true},
		{"cpuset.cpus", "0,2", "0-2", false},
		{"io.weight", "100", "default 100", true},
		{"io.weight", "100", "default 200", false},
		{"io.weight", "8:0 50", "default 100\n8:0 50", true},
		{"io.max", "8:0 wbps=4096", "8:0 rbps=max wbps=4096 riops=max wiops=max", true},
		{"io.max", "8:0 wbps=4096", "8:16 rbps=max wbps=4096", false},
		{"io.max", "8:0 wbps=max", "", true},
		{"blkio.throttle.read_bps_device", "8:0 0", "", true},
		{"blkio.throttle.read_bps_device", "8:0 0", "8:0 1024", false},
		{"net_prio.ifpriomap", "lo 5", "lo 5\neth0 0", true},
		{"rdma.max", "mlx hca_handle=2", "mlx hca_handle=2 hca_object=max", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (cgroup_value_matches(cases[i].file, cases[i].wanted, cases[i].found) !=
		    cases[i].same)
			fail_msg("%s: \"%s\" and \"%s\"", cases[i].file, cases[i].wanted,
				 cases[i].found);
}

static void test_mountinfo(void **state)
{
	char text[] =
		"30 20 0:5 / /a\\040b rw,nosuid shared:3 master:1 - tmpfs a\\011b rw,size=4k\n"
		"garbage\n"
		"7 1 8:1 /root / ro - ext4 /dev/sda1 ro,errors=continue";
	struct mountinfos infos;
	const struct mountinfo *info;
	const char *value;
	size_t len;

	(void)state;
	assert_int_equal(mountinfo_parse(text, &infos), 0);
	assert_int_equal(infos.n, 2);
	info = mountinfo_find(&infos, 30);
	assert_non_null(info);
	assert_string_equal(info->point, "/a b");
	assert_string_equal(info->optional, "shared:3 master:1");
	assert_string_equal(info->source, "a\tb");
	assert_true(mountinfo_has(info->options, "nosuid"));
	assert_false(mountinfo_has(info->options, "no"));
	value = mountinfo_value(info->super, "size", &len);
	assert_non_null(value);
	assert_int_equal(len, 2);
	assert_string_equal(mountinfo_find(&infos, 7)->optional, "");
	assert_null(mountinfo_find(&infos, 8));
	mountinfo_free(&infos);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_property_has_a_row),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_mountinfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
