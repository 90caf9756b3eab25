#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/device_cgroup.h"

enum {
	R = BPF_DEVCG_ACC_READ,
	W = BPF_DEVCG_ACC_WRITE,
	M = BPF_DEVCG_ACC_MKNOD,
};

static struct device_rules make_rules(const char *json)
{
	own_json struct json_object *resources = json_tokener_parse(json);
	own_err struct oci_err err = ERR_INIT;
	struct device_rules rules;

	assert_non_null(resources);
	assert_int_equal(device_rules_make(resources, &rules, &err), 0);
	return rules;
}

/* What the rules mean, word for word: of those that match, the last one decides about a bit. */
static bool meant(const struct device_rules *rules, char type, unsigned major, unsigned minor,
		  unsigned access)
{
	for (unsigned bit = 1; bit <= W; bit <<= 1) {
		bool allowed = false;

		if (!(access & bit))
			continue;
		for (size_t i = 0; i < rules->n; i++) {
			const struct device_rule *r = &rules->items[i];

			if ((r->type == 'a' || r->type == type) &&
			    (r->major == DEVICE_ANY || r->major == major) &&
			    (r->minor == DEVICE_ANY || r->minor == minor) && (r->access & bit))
				allowed = r->allow;
		}
		if (!allowed)
			return false;
	}
	return true;
}

static uint32_t operand(const struct bpf_insn *i, const uint64_t *reg)
{
	return BPF_SRC(i->code) == BPF_X ? (uint32_t)reg[i->src_reg] : (uint32_t)i->imm;
}

static struct bpf_cgroup_dev_ctx context_of(char type, uint32_t major, uint32_t minor,
					    uint32_t access)
{
	uint32_t kind = type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK;

	return (struct bpf_cgroup_dev_ctx){access << 16 | kind, major, minor};
}

/* The few instructions that the programs use; anything else fails the test. */
static void calculate(const struct bpf_insn *i, const struct bpf_cgroup_dev_ctx *context,
		      uint64_t *reg)
{
	uint32_t left = (uint32_t)reg[i->dst_reg], right = operand(i, reg);

	switch (i->code) {
	case BPF_LDX | BPF_MEM | BPF_W:
		assert_int_equal(i->src_reg, BPF_REG_1);
		memcpy(&left, (const char *)context + i->off, sizeof left);
		break;
	case BPF_ALU | BPF_MOV | BPF_X:
	case BPF_ALU64 | BPF_MOV | BPF_K:
		left = right;
		break;
	case BPF_ALU | BPF_AND | BPF_K:
		left &= right;
		break;
	case BPF_ALU | BPF_OR | BPF_X:
		left |= right;
		break;
	case BPF_ALU | BPF_RSH | BPF_K:
		left >>= right;
		break;
	case BPF_ALU | BPF_LSH | BPF_K:
		left <<= right;
		break;
	default:
		fail_msg("instruction %02x", i->code);
	}
	reg[i->dst_reg] = left;
}

static bool jumps(const struct bpf_insn *i, const uint64_t *reg)
{
	uint32_t left = (uint32_t)reg[i->dst_reg], right = operand(i, reg);

	switch (i->code) {
	case BPF_JMP | BPF_JA:
		return true;
	case BPF_JMP32 | BPF_JEQ | BPF_K:
		return left == right;
	case BPF_JMP32 | BPF_JNE | BPF_K:
		return left != right;
	case BPF_JMP32 | BPF_JSET | BPF_K:
		return left & right;
	default:
		fail_msg("instruction %02x", i->code);
		return false;
	}
}

static bool run(const struct bpf_insn *insns, size_t n, char type, uint32_t major, uint32_t minor,
		uint32_t access)
{
	const struct bpf_cgroup_dev_ctx context = context_of(type, major, minor, access);
	uint64_t reg[11] = {0};

	for (size_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];

		if (i->code == (BPF_JMP | BPF_EXIT))
			return reg[0] != 0;
		if (BPF_CLASS(i->code) != BPF_JMP && BPF_CLASS(i->code) != BPF_JMP32) {
			calculate(i, &context, reg);
		} else if (jumps(i, reg)) {
			assert_true(i->off >= 0);
			pc += (size_t)i->off;
		}
	}
	fail_msg("the program does not end");
	return false;
}

/* Asks program and rules about all devices near those that are named. */
static void assert_program(const struct device_rules *rules)
{
	own_err struct oci_err err = ERR_INIT;
	static const unsigned numbers[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 136, 200, 4095};
	size_t n;
	own_ptr struct bpf_insn *insns = device_program(rules, &n, &err);

	assert_non_null(insns);
	for (const char *type = "bc"; *type; type++)
		for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
			for (unsigned j = 0; j < ARRAY_SIZE(numbers); j++)
				for (unsigned access = 1; access <= DEVICE_ACCESS_ALL; access++)
					if (run(insns, n, *type, numbers[i], numbers[j], access) !=
					    meant(rules, *type, numbers[i], numbers[j], access))
						fail_msg("%c %u:%u access %u", *type, numbers[i],
							 numbers[j], access);
}

static void test_defaults(void **state)
{
	struct device_rules rules =
		make_rules("{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]}");

	(void)state;
	assert_false(device_rules_allow_all(&rules));
	assert_true(meant(&rules, 'c', 1, 3, R | W | M));
	assert_true(meant(&rules, 'c', 136, 77, R | W));
	assert_true(meant(&rules, 'b', 8, 0, M));
	assert_false(meant(&rules, 'b', 8, 0, R));
	assert_false(meant(&rules, 'c', 1, 1, R));
	assert_program(&rules);
	free(rules.items);
}

/* A configuration that says nothing of devices has the same list: nobody gets everything by
 * silence. */
static void test_deny_by_default(void **state)
{
	struct device_rules silent = make_rules("{}");

	(void)state;
	assert_false(meant(&silent, 'b', 8, 0, R));
	assert_true(meant(&silent, 'c', 1, 3, R));
	assert_program(&silent);
	free(silent.items);
}

static void test_privileged(void **state)
{
	struct device_rules rules =
		make_rules("{\"devices\": [{\"allow\": false, \"access\": \"rwm\"},"
			   "{\"allow\": true, \"access\": \"rwm\"}]}");

	(void)state;
	assert_true(device_rules_allow_all(&rules));
	assert_program(&rules);
	free(rules.items);
}

static void test_order_decides(void **state)
{
	struct device_rules rules =
		make_rules("{\"devices\": [{\"allow\": true, \"type\": \"c\", \"major\": 10, "
			   "\"access\": \"rw\"},"
			   "{\"allow\": false, \"type\": \"c\", \"major\": 10, \"minor\": 200, "
			   "\"access\": \"w\"},"
			   "{\"allow\": true, \"minor\": 7, \"access\": \"r\"}]}");

	(void)state;
	assert_true(meant(&rules, 'c', 10, 200, R));
	assert_false(meant(&rules, 'c', 10, 200, W));
	assert_false(meant(&rules, 'c', 10, 200, R | W));
	assert_true(meant(&rules, 'c', 10, 1, R | W));
	assert_true(meant(&rules, 'b', 200, 7, R));
	assert_program(&rules);
	free(rules.items);
}

static struct device_rule random_rule(void)
{
	static const int64_t numbers[] = {DEVICE_ANY, DEVICE_ANY, 1, 3, 5, 8, 10, 136, 5000000000};

	return (struct device_rule){
		.allow = rand() & 1,
		.type = "abc"[rand() % 3],
		.major = numbers[rand() % (int)ARRAY_SIZE(numbers)],
		.minor = numbers[rand() % (int)ARRAY_SIZE(numbers)],
		.access = (unsigned)(1 + rand() % DEVICE_ACCESS_ALL),
	};
}

static void test_random_rules(void **state)
{
	struct device_rule items[8] = {{false, 'a', DEVICE_ANY, DEVICE_ANY, DEVICE_ACCESS_ALL}};

	(void)state;
	srand(4711);
	for (int round = 0; round < 300; round++) {
		struct device_rules rules = {items, 1 + (size_t)(rand() % 8)};

		for (size_t i = 1; i < rules.n; i++)
			items[i] = random_rule();
		assert_program(&rules);
	}
}

/* The exceptions of v1, asked as the kernel asks them. */
static bool v1_allows(const struct device_rules *list, char type, unsigned major, unsigned minor,
		      unsigned access)
{
	for (size_t i = 1; i < list->n; i++) {
		const struct device_rule *e = &list->items[i];
		bool match = e->type == type && (e->major == DEVICE_ANY || e->major == major) &&
			     (e->minor == DEVICE_ANY || e->minor == minor);

		assert_true(e->allow != list->items[0].allow);
		if (match &&
		    (list->items[0].allow ? (access & e->access) != 0 : (access & ~e->access) == 0))
			return !list->items[0].allow;
	}
	return list->items[0].allow;
}

/* A single kind of access: for several at once v1 wants one exception that has them all. */
static void test_v1_says_the_same(void **state)
{
	struct device_rule items[6] = {{false, 'a', DEVICE_ANY, DEVICE_ANY, DEVICE_ACCESS_ALL}};
	static const unsigned numbers[] = {1, 3, 5, 8, 10, 136, 200};
	int said = 0;

	(void)state;
	srand(815);
	for (int round = 0; round < 2000; round++) {
		own_err struct oci_err err = ERR_INIT;
		struct device_rules rules = {items, 1 + (size_t)(rand() % 6)}, list;

		items[0].allow = rand() & 1;
		for (size_t i = 1; i < rules.n; i++)
			items[i] = random_rule();
		if (device_rules_for_v1(&rules, &list, &err) < 0) {
			assert_int_equal(err.fault, FAULT_UNSUPPORTED);
			continue;
		}
		said++;
		for (const char *type = "bc"; *type; type++)
			for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
				for (unsigned j = 0; j < ARRAY_SIZE(numbers); j++)
					for (unsigned access = 1; access <= W; access <<= 1)
						assert_int_equal(v1_allows(&list, *type, numbers[i],
									   numbers[j], access),
								 meant(&rules, *type, numbers[i],
								       numbers[j], access));
		free(list.items);
	}
	assert_true(said > 500);
}

static void test_v1_cannot_punch_holes(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct device_rules list,
		rules = make_rules("{\"devices\": [{\"allow\": true, \"type\": \"c\", \"major\": "
				   "10, \"access\": \"rw\"},"
				   "{\"allow\": false, \"type\": \"c\", \"major\": 10, \"minor\": "
				   "200, \"access\": \"w\"}]}");

	(void)state;
	assert_int_equal(device_rules_for_v1(&rules, &list, &err), -1);
	assert_int_equal(err.fault, FAULT_UNSUPPORTED);
	assert_string_equal(err.pointer, "/linux/resources/devices");
	free(rules.items);
}

static void test_many_rules(void **state)
{
	enum { MANY = 17000 };
	own_err struct oci_err err = ERR_INIT;
	own_ptr struct device_rule *items = calloc(MANY, sizeof *items);
	struct device_rules rules = {items, MANY};
	size_t n;

	(void)state;
	assert_non_null(items);
	for (int i = 0; i < MANY; i++)
		items[i] = (struct device_rule){true, 'c', 1 + i / 100, i % 100, R};
	assert_null(device_program(&rules, &n, &err));
	assert_int_equal(err.fault, FAULT_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_deny_by_default),
		cmocka_unit_test(test_privileged),
		cmocka_unit_test(test_order_decides),
		cmocka_unit_test(test_random_rules),
		cmocka_unit_test(test_v1_says_the_same),
		cmocka_unit_test(test_v1_cannot_punch_holes),
		cmocka_unit_test(test_many_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
