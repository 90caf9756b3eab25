#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/own.h"
#include "init/plan.h"
#include "kernel/plan.h"

/* Init's own check of a plan: everything that is built here must pass it. */
#include "init/plan_check.c"

static struct oci_state state = {
	.oci_version = (char *)(uintptr_t) "1.3.0",
	.id = (char *)(uintptr_t) "box",
	.bundle = (char *)(uintptr_t) "/b",
};

struct built {
	struct plan *plan; /* mapped, writable for this process only */
	size_t size;
	struct json_object *warnings;
	struct oci_err err;
};

static struct built build_json(struct json_object *config, const char *home)
{
	struct container c = {.state = &state, .config = config};
	own_plan_draft struct plan_draft *draft = NULL;
	struct built b = {0};
	own_fd int fd = -1;
	struct stat st;

	state.init.pid = getpid();
	draft = plan_draft(&c, &b.warnings, &b.err);
	fd = draft ? plan_seal(draft, home, &b.err) : -1;
	if (fd < 0)
		return b;
	assert_int_equal(fstat(fd, &st), 0);
	b.size = (size_t)st.st_size;
	b.plan = mmap(NULL, b.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(b.plan, MAP_FAILED);
	assert_int_equal(plan_check(b.plan, b.size), 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return b;
}

static struct json_object *parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	struct json_object *config = json_parse(text, strlen(text), "config.json", &err);

	if (!config)
		fail_msg("%s", err.message);
	return config;
}

static struct built build(const char *text, const char *home)
{
	own_json struct json_object *config = parse(text);

	return build_json(config, home);
}

static void release(struct built *b)
{
	if (b->plan)
		munmap(b->plan, b->size);
	json_object_put(b->warnings);
	err_clear(&b->err);
}

static void assert_list(const struct built *b, const struct plan_list *list,
			const char *const *expected)
{
	const char *text = plan_at(b->plan, list->text);
	uint32_t n = 0;

	for (; expected[n]; n++, text += strlen(text) + 1) {
		assert_true(n < list->n);
		assert_string_equal(text, expected[n]);
	}
	assert_int_equal(n, list->n);
}

#define PROCESS(more) "{\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"]" more "}}"

static void assert_refused(const char *text, enum oci_fault fault, const char *pointer,
			   const char *words)
{
	struct built b = build(text, NULL);

	assert_null(b.plan);
	assert_int_equal(b.err.fault, fault);
	assert_string_equal(b.err.pointer, pointer);
	if (!strstr(b.err.message, words))
		fail_msg("\"%s\" does not say \"%s\"", b.err.message, words);
	release(&b);
}

static void test_command(void **unused)
{
	struct built b =
		build("{\"process\": {\"cwd\": \"/tmp\", \"args\": [\"sh\", \"\", \"a b\"],"
		      "\"env\": [\"PATH=/bin\", \"A=1\", \"B=\", \"plain\"]}}",
		      "/root");
	static const char *const args[] = {"sh", "", "a b", NULL};
	static const char *const env[] = {"PATH=/bin", "A=1", "B=", "plain", "HOME=/root", NULL};

	(void)unused;
	assert_non_null(b.plan);
	assert_string_equal(plan_at(b.plan, b.plan->cwd), "/tmp");
	assert_list(&b, &b.plan->args, args);
	assert_list(&b, &b.plan->env, env);
	release(&b);
}

static void test_environment_last_wins(void **unused)
{
	struct built b =
		build(PROCESS(", \"env\": [\"A=1\", \"HOME=/a\", \"A=2\", \"HOME=/b\"]"), "/root");
	static const char *const env[] = {"A=2", "HOME=/b", NULL};

	(void)unused;
	assert_list(&b, &b.plan->env, env);
	release(&b);
}

static void test_empty_home_is_none(void **unused)
{
	struct built b = build(PROCESS(", \"env\": [\"HOME=\"]"), "/home");
	static const char *const env[] = {"HOME=/home", NULL};

	(void)unused;
	assert_list(&b, &b.plan->env, env);
	release(&b);
}

static void test_user(void **unused)
{
	struct built b =
		build(PROCESS(", \"user\": {\"uid\": 4294967294, \"gid\": 7, \"umask\": 63,"
			      "\"additionalGids\": [5, 4294967294]}"),
		      NULL);
	const uint32_t *groups = plan_at(b.plan, b.plan->groups);

	(void)unused;
	assert_int_equal(b.plan->uid, 4294967294u);
	assert_int_equal(b.plan->gid, 7);
	assert_int_equal(b.plan->umask, 077);
	assert_int_equal(b.plan->groups.size, 8);
	assert_int_equal(groups[0], 5);
	assert_int_equal(groups[1], 4294967294u);
	assert_true(b.plan->flags & PLAN_SETGROUPS);
	release(&b);
	b = build(PROCESS(""), NULL);
	assert_int_equal(b.plan->umask, 022);
	assert_int_equal(b.plan->groups.size, 0);
	assert_int_equal(b.plan->cap_bounding, 0);
	release(&b);
}

static void test_no_process(void **unused)
{
	struct built b = build("{}", NULL);

	(void)unused;
	assert_int_equal(b.plan->flags, PLAN_NO_PROCESS | PLAN_KEYRING);
	release(&b);
}

/* T-BIG: a string of len bytes is taken as it is, or refused. */
static void try_long(const char *key, size_t len, bool fits)
{
	own_json struct json_object *config = parse(PROCESS(", \"env\": []"));
	own_ptr char *text = malloc(len + 1);
	char pointer[40];
	struct built b;

	memset(text, 'x', len);
	text[len] = '\0';
	json_object_array_add(json_path(config, "process", key, NULL),
			      json_object_new_string(text));
	b = build_json(config, NULL);
	if (fits) {
		const struct plan_list *list = strcmp(key, "env") ? &b.plan->args : &b.plan->env;
		const char *end = plan_at(b.plan, list->text);

		assert_non_null(b.plan);
		end += list->text.size;
		assert_string_equal(end - len - 1, text);
	} else {
		assert_null(b.plan);
		snprintf(pointer, sizeof pointer, "/process/%s/%d", key, strcmp(key, "env") != 0);
		assert_string_equal(b.err.pointer, pointer);
		assert_non_null(strstr(b.err.message, "E2BIG"));
	}
	release(&b);
}

static void test_long_strings(void **unused)
{
	static const char *const keys[] = {"args", "env"};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		try_long(keys[i], (64 << 10) - 1, true);
		try_long(keys[i], 64 << 10, true);
		try_long(keys[i], (64 << 10) + 1, true);
		try_long(keys[i], (128 << 10) - 1, true);
		try_long(keys[i], 128 << 10, false);
		try_long(keys[i], 1 << 20, false);
	}
}

static void test_many_strings(void **unused)
{
	own_json struct json_object *config = parse(PROCESS(", \"env\": []"));
	struct json_object *env = json_path(config, "process", "env", NULL);
	struct built b;
	char text[32];

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof text, "V%d=%d", i, i);
		json_object_array_add(env, json_object_new_string(text));
	}
	b = build_json(config, NULL);
	assert_int_equal(b.plan->env.n, 100000);
	release(&b);
}

static void test_hooks(void **unused)
{
	struct built b =
		build("{\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"]}, \"linux\": "
		      "{\"namespaces\": [{\"type\": \"pid\"}]}, \"hooks\": {\"startContainer\": ["
		      "{\"path\": \"/bin/a\", \"args\": [\"a\", \"b\"], \"env\": [\"X=1\"],"
		      "\"timeout\": 2}, {\"path\": \"/bin/c\"}]}}",
		      NULL);
	const struct plan_hook *hooks = plan_at(b.plan, b.plan->hooks);
	static const char *const args[] = {"a", "b", NULL}, *const env[] = {"X=1", NULL},
				 *const own[] = {"/bin/c", NULL}, *const none[] = {NULL};
	char expected[128];

	(void)unused;
	snprintf(expected, sizeof expected,
		 "{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"created\",\"pid\":%d,"
		 "\"bundle\":\"/b\"}\n",
		 (int)getpid());
	assert_int_equal(b.plan->hooks.size, 2 * sizeof *hooks);
	assert_string_equal(plan_at(b.plan, hooks[0].path), "/bin/a");
	assert_list(&b, &hooks[0].args, args);
	assert_list(&b, &hooks[0].env, env);
	assert_int_equal(hooks[0].timeout_ms, 2000);
	assert_list(&b, &hooks[1].args, own);
	assert_list(&b, &hooks[1].env, none);
	assert_int_equal(hooks[1].timeout_ms, 0);
	assert_int_equal(b.plan->hook_state.size, strlen(expected));
	assert_memory_equal(plan_at(b.plan, b.plan->hook_state), expected, strlen(expected));
	release(&b);
}

static void test_scheduling(void **unused)
{
	struct built b = build(
		"{\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], \"scheduler\": {\"policy\": "
		"\"SCHED_BATCH\", \"nice\": -3, \"flags\": [\"SCHED_FLAG_RESET_ON_FORK\"]},"
		"\"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 6}}, \"linux\": {"
		"\"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"0-2,65\", \"flags\": "
		"[\"MPOL_F_STATIC_NODES\"]}, \"personality\": {\"domain\": \"LINUX32\"}}}",
		NULL);
	const uint64_t *nodes = plan_at(b.plan, b.plan->mempolicy_nodes);

	(void)unused;
	assert_int_equal(b.plan->flags &
				 (PLAN_SCHEDULER | PLAN_IOPRIO | PLAN_MEMPOLICY | PLAN_PERSONALITY),
			 PLAN_SCHEDULER | PLAN_IOPRIO | PLAN_MEMPOLICY | PLAN_PERSONALITY);
	assert_int_equal(b.plan->scheduler.policy, 3);
	assert_int_equal(b.plan->scheduler.nice, -3);
	assert_int_equal(b.plan->scheduler.flags, 1);
	assert_int_equal(b.plan->ioprio, 2 << 13 | 6);
	assert_int_equal(b.plan->mempolicy_mode, 2);
	assert_int_equal(b.plan->mempolicy_flags, 1 << 15);
	assert_int_equal(b.plan->mempolicy_nodes.size, 16);
	assert_int_equal(nodes[0], 7);
	assert_int_equal(nodes[1], 2);
	assert_int_equal(b.plan->personality, 8);
	release(&b);
}

static void test_refusals(void **unused)
{
	(void)unused;
	assert_refused("{\"process\": {\"cwd\": \"tmp\", \"args\": [\"sh\"]}}", FAULT_CONFIG,
		       "/process/cwd", "absolute");
	assert_refused("{\"process\": {\"cwd\": \"/\", \"args\": []}}", FAULT_CONFIG,
		       "/process/args", "no program");
	assert_refused(PROCESS(", \"scheduler\": {\"policy\": \"SCHED_FAST\"}"), FAULT_CONFIG,
		       "/process/scheduler/policy", "SCHED_FAST");
	assert_refused(PROCESS(", \"ioPriority\": {\"class\": \"BE\"}"), FAULT_CONFIG,
		       "/process/ioPriority/class", "BE");
	assert_refused(PROCESS(", \"terminal\": true, \"consoleSize\": {\"height\": 65536,"
			       "\"width\": 80}"),
		       FAULT_CONFIG, "/process/consoleSize", "65535");
	assert_refused("{\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"]}, \"linux\": {"
		       "\"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"3-1\"}}}",
		       FAULT_CONFIG, "/linux/memoryPolicy/nodes", "3-1");
}

/* Every span that points outside, is not aligned or does not end must be found. */
static void test_check_finds_damage(void **unused)
{
	static const char text[] =
		"{\"process\": {\"cwd\": \"/\", \"args\": [\"sh\"], \"user\": {\"additionalGids\": "
		"[1]}},"
		"\"hooks\": {\"startContainer\": [{\"path\": \"/x\"}]},"
		"\"linux\": {\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\"}}}";
	struct built b = build(text, NULL);
	struct plan good = *b.plan;
	struct plan_hook *hook = (struct plan_hook *)(uintptr_t)plan_at(b.plan, b.plan->hooks);

	(void)unused;
#define DAMAGED(change)                                     \
	do {                                                \
		*b.plan = good;                             \
		change;                                     \
		if (plan_check(b.plan, b.size) == 0)        \
			fail_msg("not found: %s", #change); \
	} while (0)
	DAMAGED(b.plan->version++);
	DAMAGED(b.plan->size--);
	DAMAGED(b.plan->cwd.offset = b.plan->size);
	DAMAGED(b.plan->cwd.size = 0);
	DAMAGED(b.plan->cwd.size--);
	DAMAGED(b.plan->cwd.size = UINT32_MAX);
	DAMAGED(b.plan->args.n++);
	DAMAGED(b.plan->args.text.size--);
	DAMAGED((b.plan->args.n = 0, b.plan->args.text.size = 0));
	DAMAGED(b.plan->env.text.offset = UINT32_MAX);
	DAMAGED(b.plan->groups.offset++);
	DAMAGED(b.plan->groups.size = 3);
	DAMAGED(b.plan->filter.size -= 4);
	DAMAGED(b.plan->filter.offset += 4);
	DAMAGED(b.plan->hooks.size++);
	DAMAGED(b.plan->hook_state.size = b.plan->size);
	DAMAGED(hook->path.offset = b.plan->size);
	*b.plan = good;
	assert_int_equal(plan_check(b.plan, sizeof good - 1), -1);
	release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_environment_last_wins),
		cmocka_unit_test(test_empty_home_is_none),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_many_strings),
		cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_scheduling),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_check_finds_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
