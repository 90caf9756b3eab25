/*
 * oci-pivot
 *
 * Purpose: make the prepared root filesystem the container's "/", close what
 *   config.json wants closed, and have init take on the user's identity.
 * Runs in: opens and limits in the caller's namespaces; masks, pivots and talks to
 *   init inside the container's, where no program of the container runs yet.
 * Should: leave nothing of the host mounted in the container but what config.json
 *   names; report what init cannot do ("executable file not found") as an error
 *   of the creation.
 * Mustn't: open a path of the container by name after the pivot: the root
 *   descriptor is from before it.
 * Undo: the mount namespace ends with init.
 * Specification: config.md "Root", "Process"; config-linux.md "Masked Paths",
 *   "Readonly Paths", "Rootfs Mount Propagation", "Sysctl".
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/path.h"
#include "base/sock.h"
#include "base/sys.h"
#include "kernel/cgroup_stats.h"
#include "kernel/hook_program.h"
#include "kernel/init.h"
#include "kernel/joined.h"
#include "kernel/mask.h"
#include "kernel/mount.h"
#include "kernel/mount_hide.h"
#include "kernel/netdev.h"
#include "kernel/ns.h"
#include "kernel/oom.h"
#include "kernel/passwd.h"
#include "kernel/plan.h"
#include "kernel/rlimit.h"
#include "kernel/scheduling.h"
#include "kernel/sysctl.h"
#include "stage/stage.h"

enum { FEW_DESCRIPTORS = 64 };

/* What is opened before joining. */
struct pivot {
	const struct container *c;
	int init;	/* connection */
	int console;	/* connected console socket, or -1 */
	int agent;	/* connected socket of the seccomp agent, or -1 */
	int sysctl;	/* a procfs, or -1 */
	int null_mount; /* for masked files, or -1 */
	struct plan_draft *plan;
	struct hook_programs programs;
	struct json_object *warnings;
};

static void close_pivot(struct pivot *p)
{
	own_close_fd(&p->init);
	own_close_fd(&p->console);
	own_close_fd(&p->agent);
	own_close_fd(&p->sysctl);
	own_close_fd(&p->null_mount);
	plan_free(p->plan);
	hook_programs_close(&p->programs);
}

static int open_console(struct pivot *p, struct oci_err *err)
{
	const char *path = p->c->state->options.console_socket;

	if (!json_true(json_member(p->c->config, "process"), "terminal"))
		return path ? err_set(err, FAULT_USAGE,
				      "cannot use console socket if oci will not detach or "
				      "allocate "
				      "tty: process.terminal is not true")
			    : 0;
	if (path)
		p->console = sock_connect_path(path, SOCK_STREAM);
	else if (p->c->console_fd >= 0)
		p->console = fcntl(p->c->console_fd, F_DUPFD_CLOEXEC, 3);
	else {
		err_set(err, FAULT_USAGE,
			"cannot allocate tty if oci will detach without setting console socket: "
			"process.terminal is true, and there is no --console-socket");
		return err_at(err, "/process/terminal");
	}
	return p->console < 0 ? err_sys(err, errno, "cannot connect to the console socket \"%s\"",
					path ? path : "")
			      : 0;
}

static const struct json_object *start_hooks(const struct container *c)
{
	return json_path(c->config, "hooks", "startContainer", NULL);
}

static int open_agent(struct pivot *p, struct oci_err *err)
{
	const char *path = plan_listener(p->plan);

	if (!path)
		return 0;
	p->agent = sock_connect_path(path, SOCK_STREAM);
	if (p->agent >= 0)
		return 0;
	err_sys(err, errno, "cannot connect to the seccomp agent \"%s\"", path);
	return err_at(err, "/linux/seccomp/listenerPath");
}

/*
 * A limit of descriptors that is small for init too: it has to accept the connection first, and can
 * then say what it lacks. poll(2) refuses more descriptors than the limit, so not even that with
 * one.
 */
static int prepare_few(const struct pivot *p, const struct json_object *rlimits,
		       struct oci_err *err)
{
	for (size_t i = 0; i < json_length(rlimits); i++) {
		const struct json_object *limit = json_item(rlimits, i);
		const char *type = json_string(limit, "type");
		const uint64_t soft = json_uint(limit, "soft", UINT64_MAX);

		if (!type || strcmp(type, "RLIMIT_NOFILE") != 0 || soft >= FEW_DESCRIPTORS)
			continue;
		if (soft >= 2)
			return init_hello(p->init, err);
		err_sys(err, EMFILE, "init cannot take the descriptors that it needs (%s is %u)",
			type, (unsigned)soft);
		return err_at(err, "/process/rlimits/%zu", i);
	}
	return 0;
}

/* Limits are set from here: init may have no right to raise its own. */
static int limit_init(const struct pivot *p, struct oci_err *err)
{
	const struct container *c = p->c;
	const struct json_object *process = json_member(c->config, "process");
	pid_t pid = c->state->init.pid;

	scheduling_all_cpus(pid);
	if (prepare_few(p, json_member(process, "rlimits"), err) < 0 ||
	    rlimit_apply(pid, json_member(process, "rlimits"), err) < 0)
		return -1;
	return json_has(process, "oomScoreAdj")
		       ? oom_apply(pid, (int)json_int(process, "oomScoreAdj", 0), err)
		       : 0;
}

static int before(struct pivot *p, struct oci_err *err)
{
	const struct json_object *linux_config = json_member(p->c->config, "linux");

	p->init = init_connect(p->c, err);
	if (p->init < 0 || open_console(p, err) < 0 || limit_init(p, err) < 0)
		return -1;
	p->plan = plan_draft(p->c, &p->warnings, err);
	if (!p->plan || open_agent(p, err) < 0)
		return -1;
	hook_programs_open(&p->programs, start_hooks(p->c));
	if (json_has(linux_config, "sysctl")) {
		p->sysctl = sysctl_open(err);
		if (p->sysctl < 0)
			return -1;
	}
	if (json_length(json_member(linux_config, "maskedPaths"))) {
		p->null_mount = mask_open_null(err);
		if (p->null_mount < 0 && err->errnum != EPERM)
			return -1;
		if (p->null_mount < 0)
			err_clear(err);
	}
	return 0;
}

static int close_paths(struct pivot *p, int root_fd, struct oci_err *err)
{
	const struct json_object *config = p->c->config;
	const struct json_object *linux_config = json_member(config, "linux");

	const struct json_object *masked = json_member(linux_config, "maskedPaths");

	/* An unprivileged user may clone mounts only in here. */
	if (json_length(masked) && p->null_mount < 0) {
		p->null_mount = mask_open_null(err);
		if (p->null_mount < 0)
			return -1;
	}
	if (mask_paths(root_fd, config, steal_fd(&p->null_mount), err) < 0 ||
	    read_only_paths(root_fd, config, err) < 0)
		return -1;
	return json_true(json_member(config, "root"), "readonly") ? read_only_root(root_fd, err)
								  : 0;
}

/* Whatever was called: "/" must be the root filesystem now, not the host's. */
static int check_root(int root_fd, struct oci_err *err)
{
	struct statx root, slash;

	if (statx(root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &root) < 0 ||
	    statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &slash) < 0)
		return err_sys(err, errno, "cannot look at the new root");
	if (root.stx_ino != slash.stx_ino || root.stx_mnt_id != slash.stx_mnt_id)
		return err_set(err, FAULT_SYSTEM, "the root filesystem has not become \"/\"");
	return 0;
}

/*
 * pivot_root(".", ".") puts the old root on top of the new one, from where it
 * is detached: no directory for it is needed. Init, whose root and working
 * directory are the old root, is moved by the kernel.
 */
static int pivot_to(int root_fd, struct oci_err *err)
{
	if (fchdir(root_fd) < 0)
		return err_sys(err, errno, "cannot enter the root filesystem");
	if (sys_pivot_root(".", ".") < 0) {
		err_sys(err, errno, "cannot pivot to the root filesystem");
		if (err->errnum == EINVAL)
			err_hint(err,
				 "from an initramfs, which cannot be pivoted from, use --no-pivot");
		return -1;
	}
	if (check_root(root_fd, err) < 0)
		return -1;
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(err, errno, "cannot detach the old root");
	if (chdir("/") < 0)
		return err_sys(err, errno, "cannot change to the new root");
	return 0;
}

/* --no-pivot: the root filesystem is moved over "/"; init then changes its root to it. */
static int move_to(const char *rootfs, int root_fd, struct oci_err *err)
{
	if (mount_hide_host(rootfs, err) < 0)
		return -1;
	if (fchdir(root_fd) < 0)
		return err_sys(err, errno, "cannot enter the root filesystem");
	if (move_mount(root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, errno, "cannot move the root filesystem to \"/\"");
	return 0;
}

/* Here, since init finds the root filesystem read-only if it is to be so. */
static int make_working_directory(const struct container *c, int root_fd, struct oci_err *err)
{
	const char *cwd = json_string(json_member(c->config, "process"), "cwd");
	own_fd int fd = cwd ? path_make_directory(root_fd, cwd, 0755) : -1;

	if (!cwd || fd >= 0)
		return 0;
	err_sys(err, errno, "cannot make the working directory \"%s\"", cwd);
	return err_at(err, "/process/cwd");
}

/* change_root: the directory that init has to chroot to, or -1. joined: we are in its namespaces.
 */
static int get_ready(struct pivot *p, int root_fd, int change_root, bool joined,
		     struct oci_err *err)
{
	const struct json_object *user = json_path(p->c->config, "process", "user", NULL);
	own_ptr char *home = NULL;
	own_fd int plan = -1;
	struct init_ready ready = {.console = p->console, .root = change_root, .agent = p->agent};

	if (plan_wants_home(p->c->config))
		home = passwd_home(root_fd, (uid_t)json_uint(user, "uid", 0));
	plan = plan_seal(p->plan, home, err);
	if (plan < 0 ||
	    hook_programs_copy(&p->programs, start_hooks(p->c), root_fd, &ready, err) < 0)
		return -1;
	ready.plan = plan;
	if (init_get_ready(p->init, &ready, err) < 0)
		return init_explain_silence(p->c->config, err);
	return plan_verify(p->plan, joined, err);
}

static int inside(void *arg, struct oci_err *err)
{
	struct pivot *p = arg;
	bool no_pivot = p->c->state->options.no_pivot;
	own_fd int root_fd = rootfs_open(p->c, err);

	if (root_fd < 0 || make_working_directory(p->c, root_fd, err) < 0 ||
	    close_paths(p, root_fd, err) < 0)
		return -1;
	if (p->sysctl >= 0 &&
	    sysctl_write(p->sysctl, json_path(p->c->config, "linux", "sysctl", NULL), err) < 0)
		return -1;
	if ((no_pivot ? move_to(p->c->state->rootfs, root_fd, err) : pivot_to(root_fd, err)) < 0 ||
	    mount_root_propagation(p->c->config, root_fd, err) < 0)
		return -1;
	return get_ready(p, root_fd, no_pivot ? root_fd : -1, true, err);
}

/* Without a mount namespace of its own nothing is mounted: init changes its root, no more. */
static int inside_shared(void *arg, struct oci_err *err)
{
	struct pivot *p = arg;

	return p->sysctl < 0 ? 0
			     : sysctl_write(p->sysctl,
					    json_path(p->c->config, "linux", "sysctl", NULL), err);
}

/*
 * In a mount namespace that was joined by path the directory is opened inside: one of
 * our own namespace would have the host's files above it, for whoever leaves the chroot.
 */
static int inside_joined(void *arg, struct oci_err *err)
{
	struct pivot *p = arg;
	own_fd int root_fd = -1;

	if (inside_shared(arg, err) < 0)
		return -1;
	root_fd = rootfs_open(p->c, err);
	if (root_fd < 0 || make_working_directory(p->c, root_fd, err) < 0)
		return -1;
	return get_ready(p, root_fd, root_fd, true, err);
}

/* Whether linux.namespaces gives a mount namespace by path that is not ours anyway. */
static bool joins_mounts(const struct json_object *config)
{
	const struct json_object *list = json_path(config, "linux", "namespaces", NULL);
	const struct ns_type *mount = ns_find("mount");

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *ns = json_item(list, i);
		const char *path = json_string(ns, "path");

		if (ns_find(json_string(ns, "type")) == mount && path && *path)
			return !ns_is_ours(mount, path);
	}
	return false;
}

static int change_root(struct pivot *p, int flags, struct oci_err *err)
{
	own_fd int root_fd = rootfs_open(p->c, err);

	if (root_fd < 0 || make_working_directory(p->c, root_fd, err) < 0 ||
	    (flags && joined_run(p->c, flags, inside_shared, p, err) < 0))
		return -1;
	return get_ready(p, root_fd, root_fd, false, err);
}

static int pivot(struct container *c, struct oci_err *err)
{
	__attribute__((cleanup(close_pivot))) struct pivot p = {
		.c = c, .init = -1, .console = -1, .agent = -1, .sysctl = -1, .null_mount = -1};
	int flags = 0, result;

	if (before(&p, err) < 0)
		return -1;
	/* The parameters are those of these namespaces. */
	if (p.sysctl >= 0)
		flags = (int)(ns_listed(c->config) & (CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
	if (mount_namespace_is_own(c->config))
		result = joined_run(c, flags | CLONE_NEWNS, inside, &p, err);
	else if (joins_mounts(c->config))
		result = joined_run(c, flags | CLONE_NEWNS, inside_joined, &p, err);
	else
		result = change_root(&p, flags, err);
	if (result < 0)
		return cgroup_explain_kill(c->state->cgroup, err);
	for (size_t i = 0; i < json_length(p.warnings); i++)
		container_warn(c, "%s", json_item_string(p.warnings, i));
	json_object_put(p.warnings);
	return 0;
}

/* Init ends if it cannot get ready, and its network namespace with it: too early for the undoing.
 */
int stage_pivot(struct container *c, struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_fd int network = -1;

	if (container_load_config(c, err) < 0)
		return -1;
	network = netdev_hold(c);
	if (pivot(c, err) == 0)
		return 0;
	if (network >= 0)
		netdev_put_back(c, network, &ignored);
	return -1;
}

char *describe_pivot(const struct container *c)
{
	const struct json_object *linux_config = json_member(c->config, "linux");
	char *text = NULL;

	if (asprintf(&text, "/ is the root filesystem%s; %zu masked, %zu read-only paths",
		     json_true(json_member(c->config, "root"), "readonly") ? ", read-only" : "",
		     json_length(json_member(linux_config, "maskedPaths")),
		     json_length(json_member(linux_config, "readonlyPaths"))) < 0)
		return NULL;
	return text;
}
