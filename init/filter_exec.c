/*
 * Purpose: know before the exec whether the filter kills who executes. It cannot be told
 * afterwards: a program that runs and a process that was killed both close their descriptors, and a
 * program may end at once, or be killed itself. Runs in: the container, as the user, before the
 * filter is installed or under it. Should: compute what the kernel will: seccomp's part of classic
 * BPF (seccomp(2), net/core/filter.c of Linux: seccomp_check_filter()). Mustn't: make a system
 * call; forbid what it does not understand.
 */
#include "init/init.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define INIT_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define INIT_AUDIT_ARCH AUDIT_ARCH_AARCH64
#elif defined __riscv
#define INIT_AUDIT_ARCH AUDIT_ARCH_RISCV64
#else
#error "which AUDIT_ARCH_* is this?"
#endif

struct machine {
	const struct seccomp_data *data;
	uint32_t a, x, memory[BPF_MEMWORDS];
	uint32_t result;
};

static uint32_t compute(uint16_t operation, uint32_t a, uint32_t b)
{
	switch (operation) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return b ? a / b : 0;
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return b < 32 ? a << b : 0;
	case BPF_RSH:
		return b < 32 ? a >> b : 0;
	default:
		return -a; /* BPF_NEG */
	}
}

static int is_true(uint16_t operation, uint32_t a, uint32_t b)
{
	switch (operation) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return (a & b) != 0; /* BPF_JSET */
	}
}

/* What an instruction loads; 0 if that is not known. */
static int loaded(const struct machine *m, const struct sock_filter *i, uint32_t *ret_value)
{
	uint32_t ip = offsetof(struct seccomp_data, instruction_pointer);

	if (BPF_MODE(i->code) == BPF_IMM)
		*ret_value = i->k;
	else if (BPF_MODE(i->code) == BPF_MEM)
		*ret_value = m->memory[i->k % BPF_MEMWORDS];
	else if (BPF_MODE(i->code) == BPF_LEN)
		*ret_value = sizeof *m->data;
	else if (i->k > sizeof *m->data - sizeof *ret_value ||
		 (i->k >= ip && i->k < ip + sizeof m->data->instruction_pointer))
		return 0;
	else
		memcpy(ret_value, (const char *)m->data + i->k, sizeof *ret_value);
	return 1;
}

/* Returns how many of the next instructions to skip; -1: at its end, or not understood. */
static long step(struct machine *m, const struct sock_filter *i)
{
	uint32_t operand = BPF_SRC(i->code) == BPF_X ? m->x : i->k;

	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		return loaded(m, i, &m->a) ? 0 : -1;
	case BPF_LDX:
		return loaded(m, i, &m->x) ? 0 : -1;
	case BPF_ST:
		m->memory[i->k % BPF_MEMWORDS] = m->a;
		return 0;
	case BPF_STX:
		m->memory[i->k % BPF_MEMWORDS] = m->x;
		return 0;
	case BPF_ALU:
		m->a = compute(BPF_OP(i->code), m->a, operand);
		return 0;
	case BPF_JMP:
		if (BPF_OP(i->code) == BPF_JA)
			return (long)i->k;
		return is_true(BPF_OP(i->code), m->a, operand) ? i->jt : i->jf;
	case BPF_MISC:
		if (BPF_MISCOP(i->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return 0;
	default:
		m->result = BPF_RVAL(i->code) == BPF_A ? m->a : i->k;
		return -1;
	}
}

/* What is not understood is allowed: the kernel decides in the end. */
static uint32_t run(const struct sock_filter *program, size_t n, const struct seccomp_data *data)
{
	struct machine m = {.data = data, .result = SECCOMP_RET_ALLOW};

	for (size_t at = 0; at < n; at++) {
		long skip = step(&m, &program[at]);

		if (skip < 0)
			break;
		at += (size_t)skip;
	}
	return m.result & SECCOMP_RET_ACTION_FULL;
}

int check_exec_filter(const struct plan *plan, const char *path, const char *const *argv,
		      const char *const *envp, struct init_reply *reply)
{
	const struct seccomp_data data = {
		.nr = SYS_execve,
		.arch = INIT_AUDIT_ARCH,
		.args = {(uintptr_t)path, (uintptr_t)argv, (uintptr_t)envp},
	};
	uint32_t action = run(plan_at(plan, plan->filter),
			      plan->filter.size / sizeof(struct sock_filter), &data);

	if (action != SECCOMP_RET_KILL_PROCESS && action != SECCOMP_RET_KILL_THREAD &&
	    action != SECCOMP_RET_TRAP)
		return 0;
	reply->flags |= INIT_EXEC_ERROR;
	return reply_error_at(reply, "/linux/seccomp", 0,
			      "exec: \"%s\": killed by SIGSYS at its exec: the seccomp filter does "
			      "not allow execve",
			      (const char *)plan_at(plan, plan->args.text));
}
