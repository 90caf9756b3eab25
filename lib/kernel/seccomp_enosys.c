#include "kernel/seccomp_enosys.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

enum {
	SECTION_MAX = 8, /* instructions for one architecture */
	X32_BIT = 0x40000000,
	NONE = -1,
};

/* The highest number that a rule names, whatever its action; NONE if no name is of this one. */
static int last_of(const struct json_object *seccomp, uint32_t architecture)
{
	const struct json_object *rules = json_member(seccomp, "syscalls");
	int last = NONE;

	for (size_t i = 0; i < json_length(rules); i++) {
		const struct json_object *names = json_member(json_item(rules, i), "names");

		for (size_t j = 0; j < json_length(names); j++) {
			int number = seccomp_syscall_resolve_name_arch(architecture,
								       json_item_string(names, j));

			/* Negative: not there, or only as a part of another one. */
			last = number > last ? number : last;
		}
	}
	return last;
}

static bool has(const uint32_t *architectures, size_t n, uint32_t wanted)
{
	for (size_t i = 0; i < n; i++)
		if (architectures[i] == wanted)
			return true;
	return false;
}

/* Distances to the end of the prefix are not known yet: a jump there is 0 until finish(). */
struct prefix {
	struct sock_filter *code;
	size_t n;
};

static void add(struct prefix *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->code[p->n++] = (struct sock_filter){code, jt, jf, k};
}

static void add_comparison(struct prefix *p, int last)
{
	add(p, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 0, 1);
	add(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
	add(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

/* last_x32: of x32, whose calls are x86-64's with a bit; NONE: the filter knows what to do. */
static void add_section(struct prefix *p, uint32_t architecture, int last, int last_x32)
{
	const size_t begin = p->n;

	add(p, BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 0);
	add(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	if (architecture == SCMP_ARCH_X86_64)
		add(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 3, 0);
	add_comparison(p, last);
	if (architecture == SCMP_ARCH_X86_64 && last_x32 != NONE)
		add_comparison(p, last_x32);
	/* The number of another architecture is still in the accumulator there. */
	p->code[begin].jf = (uint8_t)(p->n - begin - 1);
}

/* What jumps to the filter jumps over the rest. */
static void finish(struct prefix *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->code[i].code == (BPF_JMP | BPF_JA))
			p->code[i].k = (uint32_t)(p->n - i - 1);
}

static int prepend(struct seccomp_filter *filter, const struct prefix *p)
{
	const size_t size = p->n * sizeof *p->code;
	char *program;

	if (filter->size + size > BPF_MAXINSNS * sizeof *p->code)
		return 0;
	program = malloc(filter->size + size);
	if (!program)
		return -1;
	memcpy(program, p->code, size);
	memcpy(program + size, filter->program, filter->size);
	free(filter->program);
	filter->program = program;
	filter->size += size;
	return 0;
}

int seccomp_add_enosys(struct seccomp_filter *filter, const struct json_object *seccomp,
		       const uint32_t *architectures, size_t n)
{
	own_ptr struct sock_filter *code = calloc(1 + n * SECTION_MAX, sizeof *code);
	struct prefix p = {.code = code};
	int last_x32 = NONE;

	if (!code)
		return -1;
	if (has(architectures, n, SCMP_ARCH_X32))
		last_x32 = last_of(seccomp, SCMP_ARCH_X32);
	add(&p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	for (size_t i = 0; i < n; i++) {
		const uint32_t architecture = architectures[i];
		const int last =
			architecture == SCMP_ARCH_X32 ? NONE : last_of(seccomp, architecture);

		if (last != NONE && !has(architectures, i, architecture))
			add_section(&p, architecture, last, last_x32);
	}
	finish(&p);
	return p.n > 1 ? prepend(filter, &p) : 0;
}
