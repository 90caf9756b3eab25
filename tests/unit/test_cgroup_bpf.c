/*
 * wrap: syscall
 *
 * The device programs of a v2 cgroup against a kernel of the test's own, which writes past
 * the request of a query, as Linux 6.17 to 7.1 does: with sanitizers nothing else may be hit.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/device_cgroup.h"

enum { DIRECTORY = 1000, PROGRAMS = 32, BEYOND = 128, FIRST_ID = 7000 };

/* A program has a descriptor for each that was given out, and the id FIRST_ID + its place. */
static struct {
	char name[BPF_OBJ_NAME_LEN];
	uint8_t tag[BPF_TAG_SIZE];
	bool attached;
} programs[PROGRAMS];
static unsigned n_programs;

/* The program of each descriptor. */
static int by_fd[256];

static int new_fd(int program)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_in_range(fd, 0, 255);
	by_fd[fd] = program;
	return fd;
}

static int refuse(int errnum)
{
	errno = errnum;
	return -1;
}

static int load(const union bpf_attr *attr)
{
	const uint8_t *bytes = (const uint8_t *)(uintptr_t)attr->insns;
	const size_t size = attr->insn_cnt * sizeof(struct bpf_insn);

	assert_int_equal(attr->prog_type, BPF_PROG_TYPE_CGROUP_DEVICE);
	assert_in_range(n_programs, 0, PROGRAMS - 1);
	strcpy(programs[n_programs].name, attr->prog_name);
	memset(programs[n_programs].tag, 0, BPF_TAG_SIZE);
	for (size_t i = 0; i < size; i++)
		programs[n_programs].tag[i % BPF_TAG_SIZE] =
			(uint8_t)(programs[n_programs].tag[i % BPF_TAG_SIZE] * 31 + bytes[i]);
	programs[n_programs].attached = false;
	return new_fd((int)n_programs++);
}

static int attach(const union bpf_attr *attr)
{
	assert_int_equal(attr->target_fd, DIRECTORY);
	assert_true(attr->attach_flags & BPF_F_ALLOW_MULTI);
	if (attr->attach_flags & BPF_F_REPLACE) {
		assert_true(programs[by_fd[attr->replace_bpf_fd]].attached);
		programs[by_fd[attr->replace_bpf_fd]].attached = false;
	}
	programs[by_fd[attr->attach_bpf_fd]].attached = true;
	return 0;
}

static int query(union bpf_attr *attr)
{
	volatile char *end = (volatile char *)attr + sizeof *attr;
	uint32_t *ids = (uint32_t *)(uintptr_t)attr->query.prog_ids, found = 0;

	for (unsigned i = 0; i < n_programs; i++)
		if (programs[i].attached && found < attr->query.prog_cnt)
			ids[found++] = FIRST_ID + i;
	attr->query.prog_cnt = found;
	for (unsigned i = 0; i < BEYOND; i++)
		end[i] = (char)0xaa;
	return 0;
}

static int get_info(const union bpf_attr *attr)
{
	struct bpf_prog_info *info = (struct bpf_prog_info *)(uintptr_t)attr->info.info;

	assert_int_equal(attr->info.info_len, sizeof *info);
	memcpy(info->name, programs[by_fd[attr->info.bpf_fd]].name, sizeof info->name);
	memcpy(info->tag, programs[by_fd[attr->info.bpf_fd]].tag, sizeof info->tag);
	return 0;
}

static int kernel_bpf(int command, union bpf_attr *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
		return load(attr);
	case BPF_PROG_ATTACH:
		return attach(attr);
	case BPF_PROG_DETACH:
		programs[by_fd[attr->attach_bpf_fd]].attached = false;
		return 0;
	case BPF_PROG_QUERY:
		return query(attr);
	case BPF_PROG_GET_FD_BY_ID:
		return new_fd((int)(attr->prog_id - FIRST_ID));
	case BPF_OBJ_GET_INFO_BY_FD:
		return get_info(attr);
	}
	return refuse(EINVAL);
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number != SYS_bpf)
		return __real_syscall(number, a, b, c, d, e, f);
	assert_int_equal(c, sizeof(union bpf_attr));
	return kernel_bpf((int)a, (union bpf_attr *)b);
}

static unsigned attached(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_programs; i++)
		n += programs[i].attached;
	return n;
}

static int forget(void **unused)
{
	(void)unused;
	n_programs = 0;
	return 0;
}

static struct device_rules rules_of(const char *json)
{
	own_json struct json_object *resources = json_tokener_parse(json);
	own_err struct oci_err err = ERR_INIT;
	struct device_rules rules;

	assert_int_equal(device_rules_make(resources, &rules, &err), 0);
	return rules;
}

static const char none[] = "{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]}";
static const char one[] =
	"{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}, {\"allow\": true, "
	"\"type\": \"c\", \"major\": 10, \"minor\": 200, \"access\": \"r\"}]}";
static const char all[] = "{\"devices\": [{\"allow\": true, \"access\": \"rwm\"}]}";

/* The lowest free descriptor: the same afterwards, if none was left open. */
static int lowest(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void test_a_life(void **unused)
{
	struct device_rules first = rules_of(none), second = rules_of(one), third = rules_of(all);
	own_err struct oci_err err = ERR_INIT;
	const int before = lowest();
	bool has;

	(void)unused;
	for (int i = 0; i < 100; i++) {
		n_programs = 0;
		assert_int_equal(device_cgroup_v2(DIRECTORY, &first, &err), 0);
		assert_int_equal(device_cgroup_v2_has(DIRECTORY, &first, &has, &err), 0);
		assert_true(has);
		assert_int_equal(device_cgroup_v2_has(DIRECTORY, &second, &has, &err), 0);
		assert_false(has);
		assert_int_equal(device_cgroup_v2_update(DIRECTORY, &second, &err), 0);
		assert_int_equal(attached(), 1);
		assert_int_equal(device_cgroup_v2_has(DIRECTORY, &second, &has, &err), 0);
		assert_true(has);
		/* Rules that allow everything need none. */
		assert_int_equal(device_cgroup_v2_update(DIRECTORY, &third, &err), 0);
		assert_int_equal(attached(), 0);
		assert_int_equal(lowest(), before);
	}
	free(first.items);
	free(second.items);
	free(third.items);
}

static void test_programs_of_others_stay(void **unused)
{
	struct device_rules rules = rules_of(none);
	own_err struct oci_err err = ERR_INIT;

	(void)unused;
	strcpy(programs[0].name, "systemd_devices");
	programs[0].attached = true;
	n_programs = 1;
	assert_int_equal(device_cgroup_v2(DIRECTORY, &rules, &err), 0);
	assert_int_equal(device_cgroup_v2_update(DIRECTORY, &rules, &err), 0);
	assert_int_equal(attached(), 2);
	assert_int_equal(device_cgroup_v2_detach(DIRECTORY, &err), 0);
	assert_int_equal(attached(), 1);
	assert_true(programs[0].attached);
	free(rules.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_life, forget),
		cmocka_unit_test_setup(test_programs_of_others_stay, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
