#include "kernel/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "init/plan.h"
#include "kernel/caps.h"
#include "kernel/identity.h"
#include "kernel/lsm.h"
#include "kernel/ns.h"
#include "kernel/plan_data.h"
#include "kernel/proc.h"
#include "kernel/scheduling.h"
#include "kernel/seccomp_cache.h"

enum {
	/* MAX_ARG_STRLEN of Linux: 32 pages, with the NUL. */
	STRING_SIZE_MAX = 128 << 10,
	/* What runc and crun set, where the specification leaves the caller's. */
	UMASK_DEFAULT = 0022,
	/* PROC_USER_INIT_INO of Linux: the inode of the first user namespace. */
	FIRST_USER_NS = (int)0xEFFFFFFD,
};

struct plan_draft {
	const struct container *c;
	pid_t pid; /* of the process that it is for */
	const struct json_object *process;
	struct plan plan;
	struct plan_data data;
	const char *listener;
	struct json_object *warnings;
	struct oci_err *err;
};

/* ---- Arguments and environment ----------------------------------------------------------- */

static int check_lengths(struct plan_draft *b, const char *key)
{
	const struct json_object *list = json_member(b->process, key);
	const size_t n = json_length(list);

	for (size_t i = 0; i < n; i++) {
		const size_t len = strlen(json_item_string(list, i));

		if (len < STRING_SIZE_MAX)
			continue;
		err_set(b->err, FAULT_CONFIG,
			"E2BIG: a string of %zu bytes; Linux executes with at most %d", len,
			STRING_SIZE_MAX - 1);
		return err_at(b->err, "/process/%s/%zu", key, i);
	}
	return 0;
}

static bool is_variable(const char *entry, const char *name)
{
	const size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

bool plan_wants_home(const struct json_object *config)
{
	const struct json_object *env = json_path(config, "process", "env", NULL);
	const size_t n = json_length(env);
	bool wants = json_has(config, "process");

	for (size_t i = 0; i < n; i++) {
		const char *entry = json_item_string(env, i);

		if (is_variable(entry, "HOME"))
			wants = entry[strlen("HOME=")] == '\0';
	}
	return wants;
}

/* The name with its "=", or the whole entry if it has none; the caller frees it. */
static char *variable_key(const char *entry)
{
	const char *equals = strchr(entry, '=');

	return equals ? strndup(entry, (size_t)(equals - entry) + 1) : strdup(entry);
}

/* An object keeps its members in order, and replaces the value of one that is there. */
static int put_variable(struct json_object *variables, const char *entry)
{
	own_ptr char *key = variable_key(entry);
	struct json_object *value = json_object_new_string(entry);

	if (key && value && json_object_object_add(variables, key, value) == 0)
		return 0;
	json_object_put(value);
	return -1;
}

static int put(struct json_object *variables, const char *name, const char *value)
{
	own_ptr char *entry = NULL;

	if (asprintf(&entry, "%s=%s", name, value) < 0) {
		entry = NULL;
		return -1;
	}
	return put_variable(variables, entry);
}

static int put_number(struct json_object *variables, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof text, "%u", value);
	return put(variables, name, text);
}

static int put_own_variables(struct plan_draft *b, const char *home, struct json_object *variables)
{
	const struct create_options *options = &b->c->state->options;

	if (home && plan_wants_home(b->c->config) && put(variables, "HOME", home) < 0)
		return -1;
	if (options->notify && put(variables, "NOTIFY_SOCKET", NOTIFY_IN_CONTAINER) < 0)
		return -1;
	if (!options->listen_fds)
		return 0;
	if (put_number(variables, "LISTEN_FDS", options->listen_fds) < 0 ||
	    put_number(variables, "LISTEN_PID", (unsigned)proc_innermost_pid(b->pid)) < 0)
		return -1;
	return options->listen_names ? put(variables, "LISTEN_FDNAMES", options->listen_names) : 0;
}

/* Of a name that is there twice the last one counts, as with runc and crun. */
static int add_environment(struct plan_draft *b, const char *home)
{
	const struct json_object *env = json_member(b->process, "env");
	const size_t n = json_length(env);
	own_json struct json_object *variables = json_object_new_object();
	int result = variables ? 0 : -1;

	for (size_t i = 0; result == 0 && i < n; i++)
		result = put_variable(variables, json_item_string(env, i));
	if (result == 0)
		result = put_own_variables(b, home, variables);
	if (result < 0)
		return err_sys(b->err, ENOMEM, "cannot prepare the environment");
	b->plan.env = plan_list_begin(&b->data);
	json_object_object_foreach (variables, key, value) {
		(void)key;
		plan_list_add(&b->data, &b->plan.env, json_object_get_string(value));
	}
	return 0;
}

static int add_command(struct plan_draft *b)
{
	const char *cwd = json_string(b->process, "cwd");

	if (check_lengths(b, "args") < 0 || check_lengths(b, "env") < 0)
		return -1;
	if (!cwd || cwd[0] != '/') {
		err_set(b->err, FAULT_CONFIG, "the working directory is no absolute path");
		return err_at(b->err, "/process/cwd");
	}
	if (json_length(json_member(b->process, "args")) == 0) {
		err_set(b->err, FAULT_CONFIG, "no program to run");
		return err_at(b->err, "/process/args");
	}
	b->plan.cwd = plan_add_string(&b->data, cwd);
	b->plan.args = plan_add_array(&b->data, json_member(b->process, "args"));
	return 0;
}

/* ---- User and rights ------------------------------------------------------------------------ */

/* 1: setgroups(2) is denied in init's user namespace; 0: not; -1 with the error. */
static int denies_setgroups(struct plan_draft *b)
{
	const bool listed = ns_listed(b->c->config) & CLONE_NEWUSER;
	int proc = proc_fd(b->err);
	own_fd int fd = -1;
	char path[40], text[8];
	struct stat st;
	ssize_t n;

	if (proc < 0)
		return -1;
	if (!listed && fstatat(proc, "self/ns/user", &st, 0) == 0 &&
	    st.st_ino == (unsigned)FIRST_USER_NS)
		return 0;
	snprintf(path, sizeof path, "%d/setgroups", (int)b->c->state->init.pid);
	fd = sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return err_sys(b->err, errno, "cannot read /proc/%s", path);
	text[n] = '\0';
	return strcmp(text, "deny\n") == 0;
}

static int add_groups(struct plan_draft *b, const struct json_object *user)
{
	const struct json_object *list = json_member(user, "additionalGids");
	const size_t n = json_length(list);
	own_ptr uint32_t *groups = NULL;
	int denied = denies_setgroups(b);

	if (denied < 0)
		return -1;
	if (denied && n) {
		err_set(b->err, FAULT_UNSUPPORTED,
			"additional groups are asked for, but setgroups(2) is denied in the user "
			"namespace");
		err_hint(b->err, "it was mapped without newgidmap(1) or CAP_SETGID");
		return err_at(b->err, "/process/user/additionalGids");
	}
	if (!denied)
		b->plan.flags |= PLAN_SETGROUPS;
	groups = calloc(n + 1, sizeof *groups);
	if (!groups)
		return err_sys(b->err, ENOMEM, "cannot prepare the groups");
	for (size_t i = 0; i < n; i++)
		groups[i] = (uint32_t)json_object_get_int64(json_item(list, i));
	b->plan.groups = plan_add(&b->data, groups, n * sizeof *groups, sizeof *groups);
	return 0;
}

static int add_user(struct plan_draft *b)
{
	const struct json_object *user = json_member(b->process, "user");

	b->plan.uid = (uint32_t)json_int(user, "uid", 0);
	b->plan.gid = (uint32_t)json_int(user, "gid", 0);
	b->plan.umask = (uint32_t)json_int(user, "umask", UMASK_DEFAULT) & 0777;
	return add_groups(b, user);
}

static int add_capabilities(struct plan_draft *b)
{
	const struct json_object *wanted = json_member(b->process, "capabilities");
	struct caps held = {0}, caps;

	/* Init has all of them in a user namespace, whatever we have. */
	if (ns_listed(b->c->config) & CLONE_NEWUSER)
		held = caps_all();
	else if (wanted && caps_held(&held, b->err) < 0)
		return -1;
	caps = caps_parse(wanted, &held, b->warnings);
	b->plan.cap_bounding = caps.bounding;
	b->plan.cap_effective = caps.effective;
	b->plan.cap_permitted = caps.permitted;
	b->plan.cap_inheritable = caps.inheritable;
	b->plan.cap_ambient = caps.ambient;
	if (json_true(b->process, "noNewPrivileges"))
		b->plan.flags |= PLAN_NO_NEW_PRIVS;
	return 0;
}

static int add_label(struct plan_draft *b, const char *key, const char *module,
		     bool (*is_there)(void), struct plan_span *ret_span)
{
	const char *label = json_string(b->process, key);

	if (!label || !*label)
		return 0;
	if (!is_there()) {
		err_set(b->err, FAULT_UNSUPPORTED,
			"\"%s\" is asked for, but %s is not enabled on this machine", label,
			module);
		return err_at(b->err, "/process/%s", key);
	}
	*ret_span = plan_add_string(&b->data, label);
	return 0;
}

static int add_labels(struct plan_draft *b)
{
	if (add_label(b, "apparmorProfile", "AppArmor", lsm_has_apparmor, &b->plan.apparmor) < 0)
		return -1;
	return add_label(b, "selinuxLabel", "SELinux", lsm_has_selinux, &b->plan.selinux);
}

/* ---- The rest ------------------------------------------------------------------------------- */

static int add_terminal(struct plan_draft *b)
{
	const struct json_object *size = json_member(b->process, "consoleSize");
	const uint64_t height = json_uint(size, "height", 0), width = json_uint(size, "width", 0);

	if (!json_true(b->process, "terminal"))
		return 0;
	b->plan.flags |= PLAN_TERMINAL;
	if (!size)
		return 0;
	if (height > USHRT_MAX || width > USHRT_MAX) {
		err_set(b->err, FAULT_CONFIG, "a terminal has at most %d lines and columns",
			USHRT_MAX);
		return err_at(b->err, "/process/consoleSize");
	}
	b->plan.rows = (uint16_t)height;
	b->plan.columns = (uint16_t)width;
	b->plan.flags |= PLAN_CONSOLE_SIZE;
	return 0;
}

static int add_scheduling(struct plan_draft *b)
{
	struct memory_nodes nodes = {0};

	if (scheduling_fill(b->c->config, &b->plan, &nodes, b->err) < 0)
		return -1;
	b->plan.mempolicy_nodes = plan_add(&b->data, nodes.bits, nodes.n_words * sizeof *nodes.bits,
					   sizeof *nodes.bits);
	return 0;
}

static struct plan_hook add_hook(struct plan_draft *b, const struct json_object *hook)
{
	const char *path = json_string(hook, "path");
	const uint64_t seconds = json_uint(hook, "timeout", 0);
	const struct json_object *args = json_member(hook, "args");
	struct plan_hook h = {0};

	h.path = plan_add_string(&b->data, path);
	h.args = plan_add_array(&b->data, args);
	if (json_length(args) == 0 && path) {
		h.args = plan_list_begin(&b->data);
		plan_list_add(&b->data, &h.args, path);
	}
	h.env = plan_add_array(&b->data, json_member(hook, "env"));
	h.timeout_ms = seconds > INT_MAX / 1000 ? INT_MAX : (uint32_t)seconds * 1000;
	return h;
}

static int add_hooks(struct plan_draft *b)
{
	const struct json_object *list = json_path(b->c->config, "hooks", "startContainer", NULL);
	const size_t n = json_length(list);
	own_ptr struct plan_hook *hooks = NULL;
	own_ptr char *state = NULL;

	if (!n)
		return 0;
	hooks = calloc(n, sizeof *hooks);
	state = state_for_hooks(b->c->state, STATUS_CREATED,
				proc_innermost_pid(b->c->state->init.pid));
	if (!hooks || !state)
		return err_sys(b->err, ENOMEM, "cannot prepare the hooks");
	for (size_t i = 0; i < n; i++)
		hooks[i] = add_hook(b, json_item(list, i));
	b->plan.hooks = plan_add(&b->data, hooks, n * sizeof *hooks, sizeof(uint64_t));
	b->plan.hook_state = plan_add(&b->data, state, strlen(state), 1);
	return 0;
}

static int find_listener(struct plan_draft *b)
{
	b->listener =
		json_string(json_path(b->c->config, "linux", "seccomp", NULL), "listenerPath");
	if (b->listener && b->listener[0] == '/')
		return 0;
	err_set(b->err, FAULT_CONFIG, "SCMP_ACT_NOTIFY needs the absolute path of a socket");
	return err_at(b->err, "/linux/seccomp/listenerPath");
}

/* With no_new_privs the filter is the last thing before the exec, otherwise create's. */
static enum oci_status status_under_filter(const struct plan_draft *b)
{
	if (b->plan.flags & PLAN_FURTHER)
		return STATUS_RUNNING;
	return b->plan.flags & PLAN_NO_NEW_PRIVS ? STATUS_CREATED : STATUS_CREATING;
}

/* config-linux.md, "The Container Process State". */
static int add_listener_state(struct plan_draft *b)
{
	const struct json_object *seccomp = json_path(b->c->config, "linux", "seccomp", NULL);
	const struct oci_state *state = b->c->state;
	const char *metadata = json_string(seccomp, "listenerMetadata"), *text;
	own_json struct json_object *o = json_object_new_object(), *fds = json_object_new_array();

	json_object_array_add(fds, json_object_new_string("seccompFd"));
	json_object_object_add(o, "ociVersion", json_object_new_string(state->oci_version));
	json_object_object_add(o, "fds", steal_ptr(&fds));
	json_object_object_add(o, "pid", json_object_new_int(b->pid));
	if (metadata)
		json_object_object_add(o, "metadata", json_object_new_string(metadata));
	json_object_object_add(o, "state",
			       state_public(state, status_under_filter(b), state->init.pid));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return err_sys(b->err, ENOMEM, "cannot prepare the state for the seccomp agent");
	b->plan.listener_state = plan_add(&b->data, text, strlen(text), 1);
	return 0;
}

static int add_seccomp(struct plan_draft *b)
{
	struct seccomp_filter filter = {0};
	own_ptr void *program = NULL;

	if (seccomp_cache_load(b->c, &filter, b->err) < 0)
		return -1;
	program = filter.program;
	if (filter.notifies && find_listener(b) < 0)
		return -1;
	b->plan.filter = plan_add(&b->data, program, filter.size, sizeof(uint64_t));
	b->plan.filter_flags = filter.flags;
	return 0;
}

static int (*const parts[])(struct plan_draft *b) = {
	add_command,  add_user,	      add_capabilities, add_labels,
	add_terminal, add_scheduling, add_hooks,	add_seccomp,
};

/* Without a process there is nothing to do but to give up all rights. */
static int fill(struct plan_draft *b)
{
	const struct create_options *options = &b->c->state->options;

	b->plan.version = PLAN_VERSION;
	b->plan.preserve_fds = options->preserve_fds;
	b->plan.umask = UMASK_DEFAULT;
	if (!options->no_new_keyring)
		b->plan.flags |= PLAN_KEYRING;
	if (!b->process) {
		b->plan.flags |= PLAN_NO_PROCESS;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (parts[i](b) < 0)
			return -1;
	return 0;
}

struct plan_draft *plan_draft(const struct container *c, struct json_object **ret_warnings,
			      struct oci_err *err)
{
	own_json struct json_object *warnings = ret_warnings ? json_object_new_array() : NULL;
	own_plan_draft struct plan_draft *b = calloc(1, sizeof *b);

	if (!b) {
		err_sys(err, ENOMEM, "cannot prepare init's plan");
		return NULL;
	}
	b->c = c;
	b->pid = c->state->init.pid;
	b->process = json_member(c->config, "process");
	b->warnings = warnings;
	b->err = err;
	plan_data_init(&b->data, sizeof b->plan);
	if (fill(b) < 0)
		return NULL;
	if (ret_warnings)
		*ret_warnings = json_length(warnings) ? json_object_get(warnings) : NULL;
	b->warnings = NULL;
	return steal_ptr(&b);
}

void plan_for_further(struct plan_draft *b, pid_t pid)
{
	b->pid = pid;
	b->plan.flags |= PLAN_FURTHER;
}

int plan_seal(struct plan_draft *b, const char *home, struct oci_err *err)
{
	int fd;

	b->err = err;
	if (b->process && add_environment(b, home) < 0)
		return -1;
	if (b->listener && add_listener_state(b) < 0)
		return -1;
	if (b->data.failed)
		return err_set(err, FAULT_CONFIG,
			       "E2BIG: arguments, environment and hooks are more than %d bytes",
			       PLAN_SIZE_MAX);
	b->plan.size = (uint32_t)b->data.len;
	memcpy(b->data.bytes, &b->plan, sizeof b->plan);
	fd = fd_memory_file("plan", b->data.bytes, b->data.len,
			    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return fd < 0 ? err_sys(err, errno, "cannot make init's plan") : fd;
}

int plan_verify(const struct plan_draft *draft, bool joined, struct oci_err *err)
{
	const struct plan *plan = &draft->plan;
	const bool own_ids = ns_listed(draft->c->config) & CLONE_NEWUSER;
	const struct identity want = {
		.ids_known = joined || !own_ids,
		.uid = plan->uid,
		.gid = plan->gid,
		.groups_known = plan->flags & PLAN_SETGROUPS,
		.groups = (const void *)(draft->data.bytes + plan->groups.offset),
		.n_groups = plan->groups.size / sizeof(uint32_t),
		.caps = {plan->cap_bounding, plan->cap_effective, plan->cap_permitted,
			 plan->cap_inheritable, plan->cap_ambient},
		.no_new_privs = plan->flags & PLAN_NO_NEW_PRIVS,
		.filtered = plan->filter.size && !(plan->flags & PLAN_NO_NEW_PRIVS),
		.session = true,
	};

	return identity_check(draft->pid, &want, err);
}

const char *plan_listener(const struct plan_draft *draft)
{
	return draft->listener;
}

void plan_free(struct plan_draft *draft)
{
	if (!draft)
		return;
	free(draft->data.bytes);
	free(draft);
}
