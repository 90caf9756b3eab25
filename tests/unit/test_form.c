#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "oci/validate_form.h"

enum verdict { FINE, WARNED, REFUSED };

static char path_too_long[5000], name_too_long[300];

static const struct {
	enum spec_form form;
	const char *text;
	enum verdict verdict;
} cases[] = {
	{FORM_NOT_EMPTY, "", REFUSED},
	{FORM_NOT_EMPTY, " ", FINE},
	{FORM_LINE, "", FINE},
	{FORM_LINE, "a\tb", FINE},
	{FORM_LINE, "a\nb", REFUSED},
	{FORM_LINE, "a\x7f", REFUSED},
	{FORM_WORD, "mlx5_1", FINE},
	{FORM_WORD, "", REFUSED},
	{FORM_WORD, "a b", REFUSED},
	{FORM_WORD, "a\n", REFUSED},
	{FORM_FILE_NAME, "memory.high", FINE},
	{FORM_FILE_NAME, "...", FINE},
	{FORM_FILE_NAME, "", REFUSED},
	{FORM_FILE_NAME, ".", REFUSED},
	{FORM_FILE_NAME, "..", REFUSED},
	{FORM_FILE_NAME, "a/b", REFUSED},
	{FORM_FILE_NAME, "a\n", REFUSED},
	{FORM_FILE_NAME, name_too_long, REFUSED},
	{FORM_ABSOLUTE_PATH, "/", FINE},
	{FORM_ABSOLUTE_PATH, "", REFUSED},
	{FORM_ABSOLUTE_PATH, "a", REFUSED},
	{FORM_ABSOLUTE_PATH, path_too_long, REFUSED},
	{FORM_ABSOLUTE_OR_EMPTY, "", FINE},
	{FORM_ABSOLUTE_OR_EMPTY, "a", REFUSED},
	{FORM_DESTINATION, "/a", FINE},
	{FORM_DESTINATION, "a", WARNED},
	{FORM_DESTINATION, "", REFUSED},
	{FORM_DESTINATION, path_too_long, REFUSED},
	{FORM_CGROUP_PATH, "", FINE},
	{FORM_CGROUP_PATH, "/a/..b/c..", FINE},
	{FORM_CGROUP_PATH, "/a/..", REFUSED},
	{FORM_CGROUP_PATH, "../a", REFUSED},
	{FORM_CGROUP_PATH, "a/../../b", REFUSED},
	{FORM_CGROUP_PATH, "a\nb", REFUSED},
	{FORM_CGROUP_PATH, path_too_long, REFUSED},
	{FORM_ENVIRONMENT, "A=", FINE},
	{FORM_ENVIRONMENT, "A", WARNED},
	{FORM_ENVIRONMENT, "=A", WARNED},
	{FORM_NUMBER_LIST, "", FINE},
	{FORM_NUMBER_LIST, "0", FINE},
	{FORM_NUMBER_LIST, "0-3,7", FINE},
	{FORM_NUMBER_LIST, "5-5,009-10", FINE},
	{FORM_NUMBER_LIST, "3-0", REFUSED},
	{FORM_NUMBER_LIST, "0,10-9", REFUSED},
	{FORM_NUMBER_LIST, "0-3, 7", FINE},
	{FORM_NUMBER_LIST, ",", REFUSED},
	{FORM_NUMBER_LIST, "1,", REFUSED},
	{FORM_NUMBER_LIST, "-1", REFUSED},
	{FORM_NUMBER_LIST, "1-", REFUSED},
	{FORM_NUMBER_LIST, "1-2-3", REFUSED},
	{FORM_NUMBER_LIST, "1 2", REFUSED},
	{FORM_NUMBER_LIST, "0x1", REFUSED},
	{FORM_NUMBER_LIST, "1\n", REFUSED},
	{FORM_PAGE_SIZE, "64KB", FINE},
	{FORM_PAGE_SIZE, "1GB", FINE},
	{FORM_PAGE_SIZE, "02MB", REFUSED},
	{FORM_PAGE_SIZE, "MB", REFUSED},
	{FORM_PAGE_SIZE, "2M", REFUSED},
	{FORM_PAGE_SIZE, "2MBs", REFUSED},
	{FORM_PAGE_SIZE, "2", REFUSED},
	{FORM_HOST_NAME, "", FINE},
	{FORM_HOST_NAME, "a.b-c", FINE},
	{FORM_HOST_NAME, "a\nb", REFUSED},
	{FORM_HOST_NAME, name_too_long, REFUSED},
	{FORM_INTERFACE, "eth0", FINE},
	{FORM_INTERFACE, "abcdefghijklmno", FINE},
	{FORM_INTERFACE, "abcdefghijklmnop", REFUSED},
	{FORM_INTERFACE, "", REFUSED},
	{FORM_INTERFACE, "..", REFUSED},
	{FORM_INTERFACE, "a/b", REFUSED},
	{FORM_INTERFACE, "eth0:1", REFUSED},
	{FORM_INTERFACE, "a b", REFUSED},
	{FORM_DEVICE_ACCESS, "", FINE},
	{FORM_DEVICE_ACCESS, "mrw", FINE},
	{FORM_DEVICE_ACCESS, "x", REFUSED},
	{FORM_SYSCTL, "net.ipv4.conf.eth0/1.forwarding", FINE},
	{FORM_SYSCTL, "net/ipv4/conf/a-b_c:d@e", FINE},
	{FORM_SYSCTL, "", REFUSED},
	{FORM_SYSCTL, "net..x", REFUSED},
	{FORM_SYSCTL, "net./x", REFUSED},
	{FORM_SYSCTL, "net/", REFUSED},
	{FORM_SYSCTL, "/net", REFUSED},
	{FORM_SYSCTL, "net.\xc3\xa4", REFUSED},
	{FORM_CLOCK, "boottime", FINE},
	{FORM_CLOCK, "monotonic", FINE},
	{FORM_CLOCK, "realtime", REFUSED},
	{FORM_CLASS_OF_SERVICE, "/", FINE},
	{FORM_CLASS_OF_SERVICE, "gold", FINE},
	{FORM_CLASS_OF_SERVICE, "../gold", REFUSED},
	{FORM_MEMORY_BANDWIDTH, "MB:0=20", FINE},
	{FORM_MEMORY_BANDWIDTH, "L3:0=7f", REFUSED},
	{FORM_MEMORY_BANDWIDTH, "MB:0=20\nL3:0=1", REFUSED},
	{FORM_PERSONALITY_FLAG, "ADDR_NO_RANDOMIZE", REFUSED},
};

static void test_forms(void **state)
{
	(void)state;
	memset(path_too_long, '/', sizeof path_too_long - 1);
	memset(name_too_long, 'a', sizeof name_too_long - 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool warning;
		const char *problem = form_problem(cases[i].form, cases[i].text, &warning);
		enum verdict verdict = !problem ? FINE : warning ? WARNED : REFUSED;

		if (verdict != cases[i].verdict)
			fail_msg("form %d, \"%s\": %s", (int)cases[i].form, cases[i].text,
				 problem ? problem : "fine");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
