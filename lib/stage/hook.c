/*
 * Purpose: run the programs that config.json names as hooks.
 * Runs in: the caller's namespaces (prestart, createRuntime, poststart, poststop); a
 *   child of the caller's, in the container's namespaces (createContainer).
 * Should: open the program before joining; become non-dumpable before joining;
 *   give the hook nothing of ours: no descriptor, no environment, no terminal.
 * Mustn't: run a createContainer hook when the user's program already lives in the
 *   container (stage_run() refuses); resolve a name inside the container.
 * Undo: a hook's deeds are its author's to undo, with poststop hooks.
 * Specification: config.md "POSIX-platform Hooks", runtime.md "Lifecycle" 3-5, 9, 13.
 */
#include "stage/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/memfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "kernel/joined.h"
#include "kernel/proc.h"
#include "stage/stage.h"

static const struct json_object *hooks_of(const struct container *c, const char *kind)
{
	return json_path(c->config, "hooks", kind, NULL);
}

bool hooks_has(const struct container *c, const char *kind)
{
	return json_length(hooks_of(c, kind)) > 0;
}

/* ---- In the container's namespaces --------------------------------------------------------- */

struct join {
	int pidfd;
	int flags;	/* CLONE_NEW* */
	int time_ns_fd; /* -1: none of its own */
};

static int join(void *arg, const char **ret_what)
{
	const struct join *j = arg;

	*ret_what = "cannot become non-dumpable";
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -1;
	*ret_what = "cannot join the container's namespaces";
	if (j->flags && setns(j->pidfd, j->flags) < 0)
		return -1;
	*ret_what = "cannot join the container's time namespace";
	if (j->time_ns_fd >= 0 && setns(j->time_ns_fd, CLONE_NEWTIME) < 0)
		return -1;
	if (!(j->flags & CLONE_NEWUSER))
		return 0;
	/* EINVAL: root is not mapped there; EPERM: no setgroups in the namespace. */
	*ret_what = "cannot become root in the container's user namespace";
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -1;
	if ((setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) && errno != EINVAL)
		return -1;
	/* A change of ids undoes it where suid_dumpable is set. */
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

static int prepare_join(const struct container *c, struct join *j, struct oci_err *err)
{
	int proc = proc_fd(err);
	struct stat theirs, ours;
	char path[48];

	j->pidfd = proc < 0 ? -1 : proc_open(&c->state->init, err);
	if (j->pidfd < 0)
		return -1;
	/* In another user namespace one has no right to join what is the host's. */
	j->flags = joined_differing(c->state->init.pid, JOINED_ALL | CLONE_NEWUSER, err);
	if (j->flags < 0)
		return -1;
	/* Init is in it only after its exec; what it forks is in it now. */
	snprintf(path, sizeof path, "%d/ns/time_for_children", (int)c->state->init.pid);
	j->time_ns_fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (j->time_ns_fd < 0 || fstat(j->time_ns_fd, &theirs) < 0 ||
	    fstatat(proc, "self/ns/time", &ours, 0) < 0)
		return errno == ENOENT
			       ? 0 /* a kernel without them */
			       : err_sys(err, errno, "cannot open the container's time namespace");
	/* To join our own again would be refused from within another user namespace. */
	if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		close(steal_fd(&j->time_ns_fd));
	return 0;
}

/* ---- One hook ------------------------------------------------------------------------------ */

struct hook {
	const char *kind;
	size_t index;
	const struct json_object *config;
	const char *path;
};

static const char **strings_of(const struct json_object *array)
{
	size_t n = json_length(array);
	const char **strings = calloc(n + 1, sizeof *strings);

	for (size_t i = 0; strings && i < n; i++)
		strings[i] = json_item_string(array, i);
	return strings;
}

static unsigned timeout_ms(const struct json_object *hook)
{
	int64_t seconds = json_int(hook, "timeout", 0);

	if (seconds <= 0)
		return 0;
	return seconds > UINT_MAX / 1000 ? UINT_MAX / 1000 * 1000 : (unsigned)seconds * 1000;
}

/* What an errno of the exec means when the path itself is in order. */
static const char *explain_exec(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return "the interpreter in its #! line, or its loader, does not exist";
	case EACCES:
		return "it is not executable";
	case ENOEXEC:
		return "it is no program, nor has it a #! line";
	default:
		return "";
	}
}

static int not_run(const struct hook *h, struct oci_err *err)
{
	own_ptr char *path = err->errnum ? path_explain(h->path) : NULL;
	own_ptr char *what = strdup(err->message ? err->message : "out of memory");
	const char *why = path && *path ? path : explain_exec(err->errnum);

	err_set(err, FAULT_HOOK, "error running %s hook #%zu: \"%s\" did not run: %s%s%s", h->kind,
		h->index, h->path, what, *why ? ": " : "", why);
	return err_at(err, "/hooks/%s/%zu", h->kind, h->index);
}

static int run_hook(const struct hook *h, int state_fd, struct join *j, struct oci_err *err)
{
	own_ptr const char **argv = NULL, **envp = strings_of(json_member(h->config, "env"));
	own_ptr char *explained = NULL;
	own_fd int program = -1;
	struct spawn spawn = SPAWN_INIT;
	struct spawn_result result;

	if (json_has(h->config, "args"))
		argv = strings_of(json_member(h->config, "args"));
	spawn.path = h->path;
	spawn.argv = argv && argv[0] ? argv : NULL;
	spawn.envp = envp;
	spawn.stdin_fd = state_fd;
	spawn.timeout_ms = timeout_ms(h->config);
	if (j) {
		program = open(h->path, O_PATH | O_CLOEXEC);
		if (program < 0) {
			err_sys(err, errno, "cannot open it");
			return not_run(h, err);
		}
		spawn.program_fd = program;
		spawn.join = join;
		spawn.join_arg = j;
	}
	if (spawn_run(&spawn, &result, err) < 0)
		return not_run(h, err);
	explained = spawn_explain(&spawn, &result);
	if (!explained)
		return 0;
	err_set(err, FAULT_HOOK, "error running %s hook #%zu: \"%s\" failed: %s", h->kind, h->index,
		h->path, explained);
	return err_at(err, "/hooks/%s/%zu", h->kind, h->index);
}

static int run_item(const struct container *c, const char *kind, size_t i, int state_fd,
		    struct join *j, struct oci_err *err)
{
	struct hook h = {.kind = kind, .index = i, .config = json_item(hooks_of(c, kind), i)};

	h.path = json_string(h.config, "path");
	/* The one open file description is handed to every hook: each reads from the beginning. */
	if (lseek(state_fd, 0, SEEK_SET) < 0)
		return err_sys(err, errno, "cannot rewind the state for hooks");
	return run_hook(&h, state_fd, j, err);
}

static int state_file(const struct container *c, enum oci_status status, pid_t pid,
		      struct oci_err *err)
{
	own_ptr char *text = state_for_hooks(c->state, status, pid);
	int fd = -1;

	if (text)
		fd = fd_memory_file("oci-hook-state", text, strlen(text),
				    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return fd < 0 ? err_sys(err, errno, "cannot make the state for hooks") : fd;
}

int hooks_run(const struct container *c, const char *kind, enum oci_status status,
	      struct oci_err *err)
{
	own_fd int state_fd = -1;

	if (!hooks_has(c, kind))
		return 0;
	state_fd = state_file(c, status, status == STATUS_STOPPED ? 0 : c->state->init.pid, err);
	if (state_fd < 0)
		return -1;
	for (size_t i = 0; i < json_length(hooks_of(c, kind)); i++)
		if (run_item(c, kind, i, state_fd, NULL, err) < 0)
			return -1;
	return 0;
}

static void warn(struct container *c, const struct oci_err *err)
{
	container_warn(c, "%s", err->message);
}

void hooks_run_all(struct container *c, const char *kind, enum oci_status status)
{
	own_err struct oci_err no_state = ERR_INIT;
	own_fd int state_fd = -1;

	if (!hooks_has(c, kind))
		return;
	state_fd =
		state_file(c, status, status == STATUS_STOPPED ? 0 : c->state->init.pid, &no_state);
	if (state_fd < 0)
		warn(c, &no_state);
	for (size_t i = 0; state_fd >= 0 && i < json_length(hooks_of(c, kind)); i++) {
		own_err struct oci_err err = ERR_INIT;

		if (run_item(c, kind, i, state_fd, NULL, &err) < 0)
			warn(c, &err);
	}
}

/* ---- The stages ---------------------------------------------------------------------------- */

int stage_hook_prestart(struct container *c, struct oci_err *err)
{
	return hooks_run(c, "prestart", STATUS_CREATING, err);
}

int stage_hook_create_runtime(struct container *c, struct oci_err *err)
{
	return hooks_run(c, "createRuntime", STATUS_CREATING, err);
}

int stage_hook_create_container(struct container *c, struct oci_err *err)
{
	static const char kind[] = "createContainer";
	own_fd int state_fd = -1, pidfd = -1, time_ns_fd = -1;
	struct join j = {-1, 0, -1};
	int result;

	if (!hooks_has(c, kind))
		return 0;
	result = prepare_join(c, &j, err);
	pidfd = j.pidfd;
	time_ns_fd = j.time_ns_fd;
	if (result < 0)
		return -1;
	state_fd = state_file(c, STATUS_CREATING, proc_innermost_pid(c->state->init.pid), err);
	if (state_fd < 0)
		return -1;
	for (size_t i = 0; i < json_length(hooks_of(c, kind)); i++)
		if (run_item(c, kind, i, state_fd, &j, err) < 0)
			return -1;
	return 0;
}

static char *describe(const struct container *c, const char *kind)
{
	size_t n = json_length(hooks_of(c, kind));
	char *text = NULL;

	if (n == 0)
		return strdup("none");
	return asprintf(&text, "%zu %s hook%s", n, kind, n == 1 ? "" : "s") < 0 ? NULL : text;
}

char *describe_hook_prestart(const struct container *c)
{
	return describe(c, "prestart");
}

char *describe_hook_create_runtime(const struct container *c)
{
	return describe(c, "createRuntime");
}

char *describe_hook_create_container(const struct container *c)
{
	return describe(c, "createContainer");
}
