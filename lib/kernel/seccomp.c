#include "kernel/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/seccomp_enosys.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

enum { ARGS_MAX = 6, ERRNO_MAX = 0xffff };

static const struct action {
	const char *name;
	uint32_t value;
	bool takes_errno;
} actions[] = {
	{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false},
	{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true},
	{"SCMP_ACT_KILL", SCMP_ACT_KILL, false},
	{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false},
	{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false},
	{"SCMP_ACT_LOG", SCMP_ACT_LOG, false},
	{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, false},
	{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true},
	{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, false},
};

/* 0: this libseccomp does not know it, so it is not this machine's: no program can come from it. */
static const struct word {
	const char *name;
	uint32_t value;
} architectures[] = {
	{"SCMP_ARCH_X86", SCMP_ARCH_X86},
	{"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
	{"SCMP_ARCH_X32", SCMP_ARCH_X32},
	{"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
	{"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
	{"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
	{"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
	{"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
	{"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
	{"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
	{"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
	{"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
	{"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
	{"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
	{"SCMP_ARCH_S390", SCMP_ARCH_S390},
	{"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
	{"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
	{"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
	{"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
#ifdef SCMP_ARCH_LOONGARCH64 /* libseccomp 2.6 */
	{"SCMP_ARCH_LOONGARCH64", SCMP_ARCH_LOONGARCH64},
	{"SCMP_ARCH_M68K", SCMP_ARCH_M68K},
	{"SCMP_ARCH_SH", SCMP_ARCH_SH},
	{"SCMP_ARCH_SHEB", SCMP_ARCH_SHEB},
#else
	{"SCMP_ARCH_LOONGARCH64", 0},
	{"SCMP_ARCH_M68K", 0},
	{"SCMP_ARCH_SH", 0},
	{"SCMP_ARCH_SHEB", 0},
#endif
};

static const struct word operators[] = {
	{"SCMP_CMP_NE", SCMP_CMP_NE},
	{"SCMP_CMP_LT", SCMP_CMP_LT},
	{"SCMP_CMP_LE", SCMP_CMP_LE},
	{"SCMP_CMP_EQ", SCMP_CMP_EQ},
	{"SCMP_CMP_GE", SCMP_CMP_GE},
	{"SCMP_CMP_GT", SCMP_CMP_GT},
	{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

static const struct word filter_flags[] = {
	{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

static const struct word *find(const struct word *words, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static void own_release_context(const scmp_filter_ctx *context)
{
	if (*context)
		seccomp_release(*context);
}

#define own_context __attribute__((cleanup(own_release_context)))

struct compilation {
	scmp_filter_ctx context;
	uint32_t architectures[ARRAY_SIZE(architectures) + 1]; /* and the machine's own */
	size_t n_architectures;
	uint32_t default_action;
	struct seccomp_filter *filter;
	struct oci_err *err;
};

static int fail(struct compilation *c, const char *what, int errnum)
{
	return err_sys(c->err, errnum, "cannot compile the seccomp filter: %s", what);
}

/* The action of the object's two members as libseccomp's number. */
static int parse_action(struct compilation *c, const struct json_object *object, const char *key,
			const char *errno_key, uint32_t *ret_action)
{
	const char *name = json_string(object, key);
	const uint64_t errnum = json_uint(object, errno_key, EPERM);

	for (size_t i = 0; name && i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		if (json_has(object, errno_key) && !actions[i].takes_errno)
			return err_set(c->err, FAULT_CONFIG, "%s has no errno, %s is not for it",
				       name, errno_key);
		if (errnum > ERRNO_MAX)
			return err_set(c->err, FAULT_CONFIG, "%s: %llu is no errno", errno_key,
				       (unsigned long long)errnum);
		*ret_action = actions[i].value | (actions[i].takes_errno ? (uint32_t)errnum : 0);
		c->filter->notifies |= actions[i].value == SCMP_ACT_NOTIFY;
		return 0;
	}
	return err_set(c->err, FAULT_CONFIG, "unknown seccomp action \"%s\"", name ? name : "");
}

static int add_architectures(struct compilation *c, const struct json_object *seccomp)
{
	const struct json_object *list = json_member(seccomp, "architectures");
	const size_t n = json_length(list);

	c->architectures[c->n_architectures++] = seccomp_arch_native();
	for (size_t i = 0; i < n; i++) {
		const char *name = json_item_string(list, i);
		const struct word *w = find(architectures, ARRAY_SIZE(architectures), name);
		int result;

		if (!w) {
			err_set(c->err, FAULT_CONFIG, "unknown architecture \"%s\"", name);
			return err_at(c->err, "/linux/seccomp/architectures/%zu", i);
		}
		if (!w->value)
			continue;
		result = seccomp_arch_add(c->context, w->value);
		/* EDOM: of the other byte order, so it cannot be this machine's either. */
		if (result < 0 && result != -EEXIST && result != -EDOM) {
			fail(c, name, -result);
			return err_at(c->err, "/linux/seccomp/architectures/%zu", i);
		}
		if (result != -EDOM && c->n_architectures < ARRAY_SIZE(c->architectures))
			c->architectures[c->n_architectures++] = w->value;
	}
	return 0;
}

static int parse_flags(struct compilation *c, const struct json_object *seccomp)
{
	const struct json_object *list = json_member(seccomp, "flags");
	const size_t n = json_length(list);

	for (size_t i = 0; i < n; i++) {
		const char *name = json_item_string(list, i);
		const struct word *w = find(filter_flags, ARRAY_SIZE(filter_flags), name);

		if (!w) {
			err_set(c->err, FAULT_CONFIG, "unknown flag \"%s\"", name);
			return err_at(c->err, "/linux/seccomp/flags/%zu", i);
		}
		c->filter->flags |= w->value;
	}
	return 0;
}

static int parse_arg(struct compilation *c, const struct json_object *arg, struct scmp_arg_cmp *ret)
{
	const char *op = json_string(arg, "op");
	const struct word *w = find(operators, ARRAY_SIZE(operators), op);
	const uint64_t index = json_uint(arg, "index", ARGS_MAX);

	if (!w)
		return err_set(c->err, FAULT_CONFIG, "unknown operator \"%s\"", op ? op : "");
	if (index >= ARGS_MAX)
		return err_set(c->err, FAULT_CONFIG, "a system call has the arguments 0 to %d",
			       ARGS_MAX - 1);
	*ret = (struct scmp_arg_cmp){
		.arg = (unsigned)index,
		.op = (enum scmp_compare)w->value,
		.datum_a = json_uint(arg, "value", 0),
		.datum_b = json_uint(arg, "valueTwo", 0),
	};
	return 0;
}

struct conditions {
	struct scmp_arg_cmp *items;
	unsigned n;
	bool separate; /* one rule each: some are about the same argument */
};

static int parse_args(struct compilation *c, const struct json_object *rule, size_t rule_index,
		      struct conditions *ret)
{
	const struct json_object *list = json_member(rule, "args");
	const size_t n = json_length(list);
	unsigned seen = 0;

	if (!n)
		return 0;
	ret->items = calloc(n, sizeof *ret->items);
	if (!ret->items)
		return fail(c, "conditions", ENOMEM);
	for (size_t i = 0; i < n; i++) {
		if (parse_arg(c, json_item(list, i), &ret->items[i]) < 0)
			return err_at(c->err, "/linux/seccomp/syscalls/%zu/args/%zu", rule_index,
				      i);
		/*
		 * libseccomp has no "and" of two conditions on one argument. They
		 * have always been taken for "or", and profiles are written for that.
		 */
		ret->separate |= seen & 1u << ret->items[i].arg;
		seen |= 1u << ret->items[i].arg;
	}
	ret->n = (unsigned)n;
	return 0;
}

static int add_rule(struct compilation *c, uint32_t action, int number,
		    const struct conditions *when)
{
	int result = 0;

	if (!when->separate)
		return seccomp_rule_add_array(c->context, action, number, when->n, when->items);
	for (unsigned i = 0; i < when->n && (result == 0 || result == -EEXIST); i++)
		result = seccomp_rule_add_array(c->context, action, number, 1, &when->items[i]);
	return result;
}

static int add_names(struct compilation *c, const struct json_object *names, uint32_t action,
		     const struct conditions *when)
{
	const size_t n = json_length(names);

	for (size_t i = 0; i < n; i++) {
		const char *name = json_item_string(names, i);
		int number = seccomp_syscall_resolve_name(name), result;

		if (number == __NR_SCMP_ERROR)
			continue;
		result = add_rule(c, action, number, when);
		if (result < 0 && result != -EEXIST)
			return fail(c, name, -result);
	}
	return 0;
}

static int add_rules(struct compilation *c, const struct json_object *seccomp)
{
	const struct json_object *list = json_member(seccomp, "syscalls");
	const size_t n = json_length(list);

	for (size_t i = 0; i < n; i++) {
		const struct json_object *rule = json_item(list, i);
		struct conditions when = {0};
		own_ptr struct scmp_arg_cmp *items = NULL;
		uint32_t action;
		int result;

		if (parse_action(c, rule, "action", "errnoRet", &action) < 0)
			return err_at(c->err, "/linux/seccomp/syscalls/%zu/action", i);
		result = parse_args(c, rule, i, &when);
		items = when.items;
		/* libseccomp refuses a rule that says what holds anyway. */
		if (result == 0 && action != c->default_action)
			result = add_names(c, json_member(rule, "names"), action, &when);
		if (result < 0)
			return err_at(c->err, "/linux/seccomp/syscalls/%zu", i);
	}
	return 0;
}

static int export_program(struct compilation *c)
{
	own_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	char *program;
	int result;

	if (fd < 0)
		return fail(c, "memory file", errno);
	result = seccomp_export_bpf(c->context, fd);
	if (result < 0)
		return fail(c, "export", -result);
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, BPF_MAXINSNS * sizeof(struct sock_filter),
						      &program, &c->filter->size) < 0)
		return errno == EFBIG ? err_set(c->err, FAULT_CONFIG,
						"the seccomp filter has more than %d instructions",
						BPF_MAXINSNS)
				      : fail(c, "memory file", errno);
	c->filter->program = program;
	return 0;
}

/* An agent or a tracer is asked about what is new too, and what allows everything allows that. */
static int answer_enosys(struct compilation *c, const struct json_object *seccomp)
{
	const uint32_t action = c->default_action;

	if (action == SCMP_ACT_ALLOW || action == SCMP_ACT_LOG || action == SCMP_ACT_NOTIFY ||
	    (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE ||
	    action == SCMP_ACT_ERRNO(ENOSYS))
		return 0;
	if (seccomp_add_enosys(c->filter, seccomp, c->architectures, c->n_architectures) < 0)
		return fail(c, "its answer to what is new", errno);
	return 0;
}

/*
 * Init has one thread, which is to be filtered, and with a listener another for
 * a moment, which must not be: TSYNC would do nothing for the first.
 */
static void add_listener_flags(struct seccomp_filter *filter)
{
	if (!filter->notifies)
		return;
	filter->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	filter->flags &= ~(uint32_t)SECCOMP_FILTER_FLAG_TSYNC;
}

int seccomp_compile(const struct json_object *seccomp, struct seccomp_filter *ret_filter,
		    struct oci_err *err)
{
	own_context scmp_filter_ctx context = NULL;
	struct compilation c = {.filter = ret_filter, .err = err};

	*ret_filter = (struct seccomp_filter){0};
	if (!seccomp)
		return 0;
	if (parse_action(&c, seccomp, "defaultAction", "defaultErrnoRet", &c.default_action) < 0)
		return err_at(err, "/linux/seccomp/defaultAction");
	context = c.context = seccomp_init(c.default_action);
	if (!context)
		return fail(&c, "no memory", ENOMEM);
	if (add_architectures(&c, seccomp) < 0 || parse_flags(&c, seccomp) < 0 ||
	    add_rules(&c, seccomp) < 0 || export_program(&c) < 0 || answer_enosys(&c, seccomp) < 0)
		return err_at(err, "/linux/seccomp");
	add_listener_flags(ret_filter);
	return 0;
}
