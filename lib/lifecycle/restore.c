/*
 * Purpose: make a container from what criu has saved.
 * Runs in: the runtime's namespaces; criu in a mount namespace of its own, and in the
 *   container's cgroup.
 * Should: be a creation like any other: validated, its cgroup and limits made first, its first
 *   process recorded before it runs on.
 * Mustn't: take a path of the host from the images; they may come from anywhere.
 * Undo: lifecycle_abort().
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/pid_file.h"
#include "base/sock.h"
#include "kernel/cgroup.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "lifecycle/checkpoint.h"
#include "lifecycle/criu_mounts.h"
#include "lifecycle/criu_request.h"
#include "lifecycle/lifecycle.h"
#include "stage/hook.h"
#include "stage/stage.h"

enum { NAMESPACES_MAX = 8, DESCRIPTORS_SIZE_MAX = 64 << 10 };

static char log_name[] = "restore.log";

struct restoring {
	struct container *c;
	struct criu_request request;
	int fds[NAMESPACES_MAX]; /* of namespaces, for criu */
	size_t n_fds;
	int terminal;
	const char *console_socket;
	bool pid_file_written;
};

/* What led out of the container, to a pipe or a file, leads to ours now. */
static int inherit_stream(struct restoring *r, const char *target, int i, struct oci_err *err)
{
	struct stat st;

	if (strncmp(target, "pipe:", 5) != 0 && strncmp(target, "file[", 5) != 0)
		return 0;
	/* criu goes to where the process was in the file. */
	if (*target == 'f' && (fstat(i, &st) < 0 || !S_ISREG(st.st_mode)))
		return err_set(err, FAULT_STATE,
			       "descriptor %d of the process was a file when it was saved: ours, "
			       "which it is to get, has to be one too",
			       i);
	return criu_request_inherit(&r->request, target, i, err);
}

static int inherit_streams(struct restoring *r, struct oci_err *err)
{
	own_json struct json_object *list = NULL;
	own_ptr char *text = NULL;
	size_t len;

	if (fd_read_file(r->request.images, "descriptors.json", DESCRIPTORS_SIZE_MAX, &text, &len) <
	    0)
		return errno == ENOENT
			       ? 0
			       : err_sys(err, errno, "cannot read descriptors.json of the images");
	list = json_parse(text, len, "descriptors.json", err);
	for (int i = 0; list && i < 3 && (size_t)i < json_length(list); i++)
		if (inherit_stream(r, json_item_string(list, (size_t)i), i, err) < 0)
			return -1;
	return list ? 0 : -1;
}

static int join(struct restoring *r, const struct ns_type *type, const char *path,
		struct oci_err *err)
{
	const char *name = type->flag == CLONE_NEWNET ? "extRootNetNS" : "extRootPidNS";
	int fd;

	if (type->flag & (CLONE_NEWIPC | CLONE_NEWUTS))
		return criu_request_join(&r->request, type->file, path, err);
	if (!(type->flag & (CLONE_NEWNET | CLONE_NEWPID)))
		return err_set(err, FAULT_UNSUPPORTED,
			       "criu cannot restore a container into the %s namespace \"%s\"",
			       type->name, path);
	fd = ns_open(type, path, err);
	if (fd < 0)
		return -1;
	r->fds[r->n_fds++] = fd;
	return criu_request_inherit(&r->request, name, fd, err);
}

static int join_namespaces(struct restoring *r, struct oci_err *err)
{
	const struct json_object *list = json_path(r->c->config, "linux", "namespaces", NULL);

	for (size_t i = 0; i < json_length(list); i++) {
		const struct ns_type *type = ns_find(json_string(json_item(list, i), "type"));
		const char *path = json_string(json_item(list, i), "path");

		if (type && path && *path && r->n_fds < NAMESPACES_MAX &&
		    join(r, type, path, err) < 0)
			return err_at(err, "/linux/namespaces/%zu/path", i);
	}
	return 0;
}

static int fill(struct restoring *r, const struct restore *what, struct oci_err *err)
{
	CriuOpts *o = &r->request.opts;
	struct cgroup_location place;
	own_ptr char *root = NULL;

	if (asprintf(&root, "%s/%s", r->c->root, r->c->id) < 0)
		return err_sys(err, ENOMEM, "cannot prepare the request to criu");
	o->root = criu_request_string(&r->request, root, err);
	if (!o->root)
		return -1;
	if (criu_request_config(&r->request, r->c, err) < 0)
		return -1;
	o->has_rst_sibling = o->rst_sibling = true;
	o->has_evasive_devices = o->evasive_devices = true;
	o->has_tcp_close = o->tcp_close = what->tcp_close;
	if (what->lsm_profile)
		o->lsm_profile = criu_request_string(&r->request, what->lsm_profile, err);
	if (what->lsm_mount_context)
		o->lsm_mount_context =
			criu_request_string(&r->request, what->lsm_mount_context, err);
	if ((what->lsm_profile && !o->lsm_profile) ||
	    (what->lsm_mount_context && !o->lsm_mount_context))
		return -1;
	if (cgroup_location(r->c->state->cgroup, 0, &place) &&
	    criu_request_cgroup(&r->request, NULL, place.path, err) < 0)
		return -1;
	if (criu_mounts_restored(r->c, &r->request, err) < 0 || join_namespaces(r, err) < 0)
		return -1;
	return inherit_streams(r, err);
}

/* On record before it runs on: whatever ends us, delete knows it, and what criu has done by then.
 */
static int record(struct restoring *r, pid_t pid, const char *const *done, struct oci_err *err)
{
	for (; *done; done++)
		state_add_stage(r->c->state, *done, 0);
	r->c->state->init = proc_identify(pid);
	if (!r->c->state->init.start_time)
		return err_set(err, FAULT_SYSTEM, "the restored process has ended at once");
	return container_save(r->c, err);
}

static int take_terminal(struct restoring *r, int fd, struct oci_err *err)
{
	static const char name[] = "terminal";
	own_fd int sock = -1;

	if (fd < 0)
		return err_set(err, FAULT_SYSTEM, "criu has sent no terminal");
	if (!r->console_socket) {
		r->terminal = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return r->terminal < 0 ? err_sys(err, errno, "cannot keep the terminal") : 0;
	}
	sock = sock_connect_path(r->console_socket, SOCK_STREAM);
	if (sock < 0 || fd_send(sock, name, sizeof name - 1, &fd, 1) < 0)
		return err_sys(err, errno, "cannot send the terminal to the console socket \"%s\"",
			       r->console_socket);
	return 0;
}

static int notify(void *arg, const char *script, pid_t pid, int fd, struct oci_err *err)
{
	/* The stages of a creation whose work it is. */
	static const char *const first[] = {"nsenter-setup", "prepare-root", "mount", NULL};
	static const char *const last[] = {"pivot", NULL};
	struct restoring *r = arg;

	if (strcmp(script, "setup-namespaces") == 0) {
		if (record(r, pid, first, err) < 0 ||
		    hooks_run(r->c, "prestart", STATUS_CREATING, err) < 0)
			return -1;
		return hooks_run(r->c, "createRuntime", STATUS_CREATING, err);
	}
	if (strcmp(script, "post-restore") == 0)
		return record(r, pid, last, err) < 0 ? -1 : criu_mounts_protect(r->c, err);
	if (strcmp(script, "orphan-pts-master") == 0)
		return take_terminal(r, fd, err);
	return 0;
}

static int reopen(void *arg, struct oci_err *err)
{
	return criu_request_reopen(arg, err);
}

static int run_criu(struct restoring *r, struct oci_err *err)
{
	struct criu criu = CRIU_INIT;
	own_fd int rootfs = rootfs_open(r->c, err);
	struct criu_start start = {
		.cgroup = r->c->state->cgroup,
		.rootfs = rootfs,
		.root_mount = r->request.opts.root,
		.inside = reopen,
		.arg = &r->request,
		.fds = r->fds,
		.n_fds = r->n_fds,
	};
	int result = rootfs < 0 ? -1 : criu_start(&criu, &start, err);

	if (result == 0) {
		result = criu_call(&criu, &r->request.message, notify, r, NULL, err);
		if (result < 0 && err->fault != FAULT_HOOK)
			criu_explain(r->request.work, r->request.work_path, log_name, err);
	}
	criu_end(&criu);
	return result;
}

static int commit(struct restoring *r, struct oci_err *err)
{
	struct oci_state *state = r->c->state;

	if (cgroup_settle(state->cgroup, json_path(r->c->config, "linux", "resources", NULL), err) <
	    0)
		return -1;
	if (state->options.pid_file) {
		if (pid_file_write(state->options.pid_file, state->init.pid, err) < 0)
			return -1;
		r->pid_file_written = true;
	}
	state->status = STATUS_RUNNING;
	state->creator = (struct proc_id){0};
	return container_save(r->c, err);
}

static int make(struct restoring *r, const struct restore *what, struct oci_err *err)
{
	if (stage_run(stage_find("cgroup"), r->c, NULL, err) < 0)
		return -1;
	if (criu_request_begin(&r->request, CRIU_TYPE__RESTORE, &what->options, log_name, err) < 0)
		return -1;
	if (fill(r, what, err) < 0 || run_criu(r, err) < 0 || commit(r, err) < 0)
		return err_wrap(err, "cannot restore container \"%s\"", r->c->id);
	return 0;
}

static void abandon(struct restoring *r, struct oci_err *err)
{
	own_err struct oci_err second = ERR_INIT;

	if (r->pid_file_written)
		unlink(r->c->state->options.pid_file);
	if (lifecycle_abort(r->c, &second) < 0)
		err_hint(err, "undoing it failed too: %s", second.message);
	container_close(r->c);
	r->c = NULL;
}

struct container *lifecycle_restore(const struct restore *what, int *ret_terminal,
				    struct oci_err *err)
{
	struct proc_id self = proc_identify(getpid());
	struct restoring r = {
		.terminal = -1,
		.request = {.images = -1, .work = -1},
		.console_socket = what->create.console_socket,
	};

	/* A mistyped path must not become an empty directory of images. */
	if (access(what->options.image_path, F_OK) < 0) {
		err_sys(err, errno, "cannot open the images \"%s\"", what->options.image_path);
		return NULL;
	}
	r.c = stage_validate(what->root, what->id, what->bundle, &what->create, &self, NULL, err);
	if (!r.c)
		return NULL;
	if (make(&r, what, err) < 0)
		abandon(&r, err);
	for (size_t i = 0; i < r.n_fds; i++)
		own_close_fd(&r.fds[i]);
	criu_request_free(&r.request);
	if (r.c)
		*ret_terminal = steal_fd(&r.terminal);
	own_close_fd(&r.terminal);
	return r.c;
}
