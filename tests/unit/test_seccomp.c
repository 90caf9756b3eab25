#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/seccomp.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

/* The part of classic BPF that seccomp allows, enough to ask a filter what it decides. */
static uint32_t decide(const struct seccomp_filter *f, const struct seccomp_data *data)
{
	const struct sock_filter *code = f->program;
	const size_t n = f->size / sizeof *code;
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + i->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %#x is not known here", i->code);
		}
	}
	fail_msg("the filter has no end");
	return 0;
}

struct compiled {
	struct seccomp_filter filter;
	struct oci_err err;
	int result;
};

static struct compiled compile(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *json = json_parse(text, strlen(text), "seccomp", &err);
	struct compiled c = {0};

	if (!json)
		fail_msg("%s", err.message);
	c.result = seccomp_compile(json, &c.filter, &c.err);
	return c;
}

static void release(struct compiled *c)
{
	free(c->filter.program);
	err_clear(&c->err);
}

static struct compiled compile_well(const char *text)
{
	struct compiled c = compile(text);

	if (c.result < 0)
		fail_msg("%s: %s", c.err.pointer, c.err.message);
	return c;
}

static uint32_t call(const struct compiled *c, long number, uint64_t arg0, uint64_t arg1)
{
	const struct seccomp_data data = {
		.nr = (int)number,
		.arch = NATIVE,
		.args = {arg0, arg1},
	};

	return decide(&c->filter, &data);
}

static void test_actions(void **state)
{
	struct compiled c = compile_well(
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
		"{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ERRNO\"},"
		"{\"names\": [\"getppid\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 38},"
		"{\"names\": [\"getuid\"], \"action\": \"SCMP_ACT_KILL\"},"
		"{\"names\": [\"geteuid\"], \"action\": \"SCMP_ACT_KILL_PROCESS\"},"
		"{\"names\": [\"getgid\"], \"action\": \"SCMP_ACT_KILL_THREAD\"},"
		"{\"names\": [\"getegid\"], \"action\": \"SCMP_ACT_TRAP\"},"
		"{\"names\": [\"getpgid\"], \"action\": \"SCMP_ACT_TRACE\", \"errnoRet\": 7},"
		"{\"names\": [\"getsid\"], \"action\": \"SCMP_ACT_LOG\"}]}");

	(void)state;
	assert_int_equal(call(&c, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&c, SYS_getpid, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(call(&c, SYS_getppid, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(call(&c, SYS_getuid, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(call(&c, SYS_geteuid, 0, 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(call(&c, SYS_getgid, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(call(&c, SYS_getegid, 0, 0), SECCOMP_RET_TRAP);
	assert_int_equal(call(&c, SYS_getpgid, 0, 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(call(&c, SYS_getsid, 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(c.filter.flags, 0);
	assert_false(c.filter.notifies);
	release(&c);
}

static void test_default_errno(void **state)
{
	struct compiled c =
		compile_well("{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,"
			     "\"syscalls\": [{\"names\": [\"read\", \"write\"], \"action\":"
			     "\"SCMP_ACT_ALLOW\"}]}");

	(void)state;
	assert_int_equal(call(&c, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&c, SYS_close, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	release(&c);
	c = compile_well("{\"defaultAction\": \"SCMP_ACT_ERRNO\"}");
	assert_int_equal(call(&c, SYS_close, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	release(&c);
}

/* A rule that says what the default says; one of a call that this library does not know. */
static void test_idle_rules(void **state)
{
	struct compiled c = compile_well(
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": ["
		"{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1},"
		"{\"names\": [\"no_such_call\", \"write\"], \"action\": \"SCMP_ACT_ALLOW\"},"
		"{\"names\": [\"write\"], \"action\": \"SCMP_ACT_ALLOW\"},"
		"{\"names\": [\"arm_fadvise64_64\"], \"action\": \"SCMP_ACT_ALLOW\"}]}");

	(void)state;
	assert_int_equal(call(&c, SYS_read, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(call(&c, SYS_write, 0, 0), SECCOMP_RET_ALLOW);
	release(&c);
}

#define COMPARING(op, value, two)                                                             \
	"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], "     \
	"\"action\": "                                                                        \
	"\"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 1, \"op\": \"" op "\", \"value\": " value \
	", \"valueTwo\": " two "}]}]}"

static void test_operators(void **state)
{
	static const struct {
		const char *text;
		uint64_t allowed[2], refused[2];
	} table[] = {
		{COMPARING("SCMP_CMP_NE", "5", "0"), {4, 6}, {5, 5}},
		{COMPARING("SCMP_CMP_LT", "5", "0"), {4, 0}, {5, UINT64_MAX}},
		{COMPARING("SCMP_CMP_LE", "5", "0"), {5, 0}, {6, UINT64_MAX}},
		{COMPARING("SCMP_CMP_EQ", "18446744073709551615", "0"),
		 {UINT64_MAX, UINT64_MAX},
		 {UINT32_MAX, 0}},
		{COMPARING("SCMP_CMP_GE", "4294967296", "0"), {1ULL << 32, UINT64_MAX}, {5, 0}},
		{COMPARING("SCMP_CMP_GT", "4294967296", "0"),
		 {(1ULL << 32) + 1, UINT64_MAX},
		 {5, 1ULL << 32}},
		{COMPARING("SCMP_CMP_MASKED_EQ", "240", "16"), {0x10, 0x1f}, {0x20, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct compiled c = compile_well(table[i].text);

		for (int j = 0; j < 2; j++) {
			assert_int_equal(call(&c, SYS_read, 0, table[i].allowed[j]),
					 SECCOMP_RET_ALLOW);
			assert_int_equal(call(&c, SYS_read, 0, table[i].refused[j]),
					 SECCOMP_RET_ERRNO | EPERM);
		}
		release(&c);
	}
}

static void test_several_conditions(void **state)
{
	/* Of different arguments: all; of one argument: any. */
	struct compiled both = compile_well(
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"],"
		"\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 0, \"op\": \"SCMP_CMP_EQ\","
		"\"value\": 1}, {\"index\": 1, \"op\": \"SCMP_CMP_EQ\", \"value\": 2}]}]}");
	struct compiled any = compile_well(
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"],"
		"\"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 0, \"op\": \"SCMP_CMP_EQ\","
		"\"value\": 1}, {\"index\": 0, \"op\": \"SCMP_CMP_EQ\", \"value\": 2}]}]}");

	(void)state;
	assert_int_equal(call(&both, SYS_read, 1, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&both, SYS_read, 1, 3), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(call(&any, SYS_read, 1, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&any, SYS_read, 2, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call(&any, SYS_read, 3, 0), SECCOMP_RET_ERRNO | EPERM);
	release(&both);
	release(&any);
}

static void test_architectures(void **state)
{
	static const char text[] =
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86_64\","
		"\"SCMP_ARCH_X86\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_AARCH64\", "
		"\"SCMP_ARCH_LOONGARCH64\","
		"\"SCMP_ARCH_S390X\"],"
		"\"syscalls\": [{\"names\": [\"getpid\"], \"action\": \"SCMP_ACT_ERRNO\"}]}";
	struct compiled c = compile_well(text);
	struct seccomp_data data = {.nr = 20, .arch = AUDIT_ARCH_I386}; /* getpid there */

	(void)state;
	assert_int_equal(call(&c, SYS_getpid, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(decide(&c.filter, &data), SECCOMP_RET_ERRNO | EPERM);
	data.nr = 3;
	assert_int_equal(decide(&c.filter, &data), SECCOMP_RET_ALLOW);
	data.arch = AUDIT_ARCH_RISCV64;
	assert_int_equal(decide(&c.filter, &data), SECCOMP_RET_KILL_THREAD);
	release(&c);
}

static void test_flags(void **state)
{
	struct compiled c = compile_well(
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\","
		"\"SECCOMP_FILTER_FLAG_TSYNC\", \"SECCOMP_FILTER_FLAG_SPEC_ALLOW\","
		"\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"], \"syscalls\": [{\"names\": "
		"[\"mkdir\"],"
		"\"action\": \"SCMP_ACT_NOTIFY\"}]}");

	(void)state;
	assert_true(c.filter.notifies);
	/* Not TSYNC: it would reach the thread that sends the listener. */
	assert_int_equal(c.filter.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
						 1 << 5 | SECCOMP_FILTER_FLAG_NEW_LISTENER);
	release(&c);
}

static void assert_refused(const char *text, const char *pointer, const char *words)
{
	struct compiled c = compile(text);

	assert_int_equal(c.result, -1);
	assert_int_equal(c.err.fault, FAULT_CONFIG);
	assert_string_equal(c.err.pointer, pointer);
	if (!strstr(c.err.message, words))
		fail_msg("\"%s\" does not say \"%s\"", c.err.message, words);
	assert_null(c.filter.program);
	release(&c);
}

#define RULE(more) \
	"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"]" more "}]}"

static void test_refusals(void **state)
{
	(void)state;
	assert_refused("{\"defaultAction\": \"SCMP_ACT_PERHAPS\"}", "/linux/seccomp/defaultAction",
		       "SCMP_ACT_PERHAPS");
	assert_refused("{\"defaultAction\": \"SCMP_ACT_KILL\", \"defaultErrnoRet\": 1}",
		       "/linux/seccomp/defaultAction", "has no errno");
	assert_refused(RULE(", \"action\": \"SCMP_ACT_KILL\", \"errnoRet\": 1"),
		       "/linux/seccomp/syscalls/0/action", "has no errno");
	assert_refused(RULE(", \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 65536"),
		       "/linux/seccomp/syscalls/0/action", "65536");
	assert_refused(
		RULE(", \"action\": \"SCMP_ACT_KILL\", \"args\": [{\"index\": 6, \"value\": 1,"
		     "\"op\": \"SCMP_CMP_EQ\"}]"),
		"/linux/seccomp/syscalls/0/args/0", "0 to 5");
	assert_refused(
		RULE(", \"action\": \"SCMP_ACT_KILL\", \"args\": [{\"index\": 0, \"value\": 1,"
		     "\"op\": \"SCMP_CMP_IS\"}]"),
		"/linux/seccomp/syscalls/0/args/0", "SCMP_CMP_IS");
	assert_refused(
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_VAX\"]}",
		"/linux/seccomp/architectures/0", "SCMP_ARCH_VAX");
	assert_refused(
		"{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"SECCOMP_FILTER_FLAG_X\"]}",
		"/linux/seccomp/flags/0", "SECCOMP_FILTER_FLAG_X");
}

static void test_none(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct seccomp_filter filter;

	(void)state;
	assert_int_equal(seccomp_compile(NULL, &filter, &err), 0);
	assert_null(filter.program);
	assert_int_equal(filter.size, 0);
}

static uint32_t call_of(const struct compiled *c, uint32_t architecture, uint32_t number)
{
	const struct seccomp_data data = {.nr = (int)number, .arch = architecture};

	return decide(&c->filter, &data);
}

/* read is named, and the highest number; what lies between them, and what is newer. */
#define NEWER(more)                                                                     \
	"{" more "\"syscalls\": [{\"names\": [\"read\", \"no_such_call\"], \"action\":" \
	"\"SCMP_ACT_ALLOW\"}, {\"names\": [\"close_range\"], \"action\": \"SCMP_ACT_ERRNO\"}]}"

static void test_newer(void **state)
{
	static const char *const refusing[] = {
		NEWER("\"defaultAction\": \"SCMP_ACT_ERRNO\","),
		NEWER("\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 1,"),
		NEWER("\"defaultAction\": \"SCMP_ACT_KILL_PROCESS\","),
		NEWER("\"defaultAction\": \"SCMP_ACT_TRAP\","),
	};
	static const char *const asking[] = {
		NEWER("\"defaultAction\": \"SCMP_ACT_ALLOW\","),
		NEWER("\"defaultAction\": \"SCMP_ACT_LOG\","),
		NEWER("\"defaultAction\": \"SCMP_ACT_NOTIFY\","),
		NEWER("\"defaultAction\": \"SCMP_ACT_TRACE\","),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusing); i++) {
		struct compiled c = compile_well(refusing[i]);

		assert_int_equal(call(&c, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(call(&c, SYS_close_range, 0, 0), SECCOMP_RET_ERRNO | EPERM);
		assert_int_not_equal(call(&c, SYS_openat, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
		assert_int_equal(call(&c, SYS_close_range + 1, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
		assert_int_equal(call(&c, 100000, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
		release(&c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
		struct compiled c = compile_well(asking[i]);

		assert_int_equal(call(&c, 100000, 0, 0), call(&c, SYS_openat, 0, 0));
		release(&c);
	}
}

#if defined(__x86_64__)
/* Each architecture has its own highest number; one that is not in the filter has none. */
static void test_newer_elsewhere(void **state)
{
	enum { X32 = 0x40000000 };
	struct compiled c = compile_well(
		NEWER("\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\":"
		      "[\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\"],"));

	(void)state;
	assert_int_equal(call_of(&c, AUDIT_ARCH_I386, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(call_of(&c, AUDIT_ARCH_I386, 5), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(call_of(&c, AUDIT_ARCH_I386, 437), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(call_of(&c, AUDIT_ARCH_X86_64, X32 | 0), SECCOMP_RET_ALLOW);
	assert_int_equal(call_of(&c, AUDIT_ARCH_X86_64, X32 | 2), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(call_of(&c, AUDIT_ARCH_X86_64, X32 | 600), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(call_of(&c, AUDIT_ARCH_X86_64, 600), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(call_of(&c, AUDIT_ARCH_AARCH64, 600), SECCOMP_RET_KILL_THREAD);
	release(&c);
	c = compile_well(NEWER("\"defaultAction\": \"SCMP_ACT_ERRNO\","));
	assert_int_equal(call_of(&c, AUDIT_ARCH_X86_64, X32 | 600), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(call_of(&c, AUDIT_ARCH_I386, 600), SECCOMP_RET_KILL_THREAD);
	release(&c);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newer),
#if defined(__x86_64__)
		cmocka_unit_test(test_newer_elsewhere),
#endif
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_default_errno),
		cmocka_unit_test(test_idle_rules),
		cmocka_unit_test(test_operators),
		cmocka_unit_test(test_several_conditions),
		cmocka_unit_test(test_architectures),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
