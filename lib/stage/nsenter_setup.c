/*
 * oci-nsenter-setup
 *
 * Purpose: make or join the namespaces, and clone the container's first process
 *   (init) straight into them and into its cgroup.
 * Runs in: the caller's namespaces. The launcher, a child that runs init's
 *   program from a sealed memory file, does the joining and the cloning.
 * Should: record init's pid before init may go on, so that whatever kills us
 *   leaves either no init or one that oci-delete knows. Until then init ends
 *   with our end of the control socket; afterwards with the driver's leash.
 * Mustn't: hand any descriptor to the launcher but those in enum launcher_fd,
 *   the standard streams and --preserve-fds.
 * Undo: oci-delete kills init; its namespaces end with it.
 * Specification: config-linux.md "Namespaces", "User namespace mappings",
 *   "Offset for Time Namespace"; config.md "Hostname", "Domainname".
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sock.h"
#include "init/protocol.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_further.h"
#include "kernel/cgroup_stats.h"
#include "kernel/launcher.h"
#include "kernel/netdev.h"
#include "kernel/ns.h"
#include "kernel/proc.h"
#include "kernel/rdt.h"
#include "kernel/userns.h"
#include "stage/stage.h"

enum { LISTEN_BACKLOG = 16 };

static int open_joins(struct launcher *l, const struct json_object *list, struct oci_err *err)
{
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *ns = json_item(list, i);
		const struct ns_type *type = ns_find(json_string(ns, "type"));
		const char *path = json_string(ns, "path");
		int fd;

		if (!type || !path || !*path)
			continue;
		if (l->setup.n_joins == SETUP_JOINS_MAX)
			return err_set(err, FAULT_CONFIG, "too many namespaces to join");
		fd = ns_open(type, path, err);
		if (fd < 0)
			return err_at(err, "/linux/namespaces/%zu/path", i);
		l->setup.join_types[l->setup.n_joins] = type->flag;
		l->fds[LAUNCHER_JOIN + l->setup.n_joins++] = fd;
	}
	return 0;
}

static int copy_name(char *name, const char *text, const char *what, struct oci_err *err)
{
	if (!text)
		return 0;
	if (strlen(text) >= SETUP_NAME_MAX) {
		err_set(err, FAULT_CONFIG, "the %s is longer than %d bytes", what,
			SETUP_NAME_MAX - 1);
		return err_at(err, "/%s", what);
	}
	strcpy(name, text);
	return 0;
}

/* How init gets into its cgroup v2. */
enum entry {
	ENTRY_CLONE,   /* CLONE_INTO_CGROUP */
	ENTRY_WALK,    /* it moves itself there, as it does into those of v1 */
	ENTRY_BROUGHT, /* the launcher is moved there by systemd */
};

static int open_cgroups(const struct container *c, struct launcher *l, enum entry entry,
			struct oci_err *err)
{
	int *moves = l->fds + LAUNCHER_JOIN + l->setup.n_joins;
	size_t n = SETUP_CGROUPS_MAX - 1;

	if (cgroup_open_v1(c->state->cgroup, moves, &n, err) < 0)
		return -1;
	l->setup.n_cgroups = (uint32_t)n;
	l->fds[LAUNCHER_CGROUP] = cgroup_open_v2(c->state->cgroup, err);
	if (l->fds[LAUNCHER_CGROUP] < 0)
		return err->fault ? -1 : 0;
	l->setup.into_cgroup = entry == ENTRY_CLONE;
	if (entry != ENTRY_WALK)
		return 0;
	moves[n] = openat(l->fds[LAUNCHER_CGROUP], "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (moves[n] < 0)
		return err_sys(err, errno, "cannot open cgroup.procs of the container's cgroup");
	l->setup.n_cgroups++;
	return 0;
}

/*
 * The stages of a user can join it only then. Processes that are in a joined user namespace
 * already could trace it, but do not see it in a new pid namespace.
 */
static bool must_be_dumpable(uint64_t new_ns, uint64_t listed)
{
	return geteuid() != 0 && (listed & CLONE_NEWUSER) &&
	       (new_ns & (CLONE_NEWUSER | CLONE_NEWPID));
}

static int prepare(const struct container *c, struct launcher *l, enum entry entry,
		   struct oci_err *err)
{
	const uint64_t later = CLONE_NEWCGROUP | CLONE_NEWTIME;
	uint64_t new_ns = ns_new(c->config), listed = ns_listed(c->config);
	struct init_setup *s = &l->setup;

	s->clone_flags = new_ns & ~later;
	s->new_cgroup_ns = (new_ns & CLONE_NEWCGROUP) != 0;
	s->new_time_ns = (new_ns & CLONE_NEWTIME) != 0;
	s->become_root = (listed & CLONE_NEWUSER) != 0;
	s->dumpable = must_be_dumpable(new_ns, listed);
	s->loopback_up = (new_ns & CLONE_NEWNET) != 0;
	if (copy_name(s->hostname, json_string(c->config, "hostname"), "hostname", err) < 0 ||
	    copy_name(s->domainname, json_string(c->config, "domainname"), "domainname", err) < 0 ||
	    open_joins(l, json_path(c->config, "linux", "namespaces", NULL), err) < 0)
		return -1;
	l->fds[LAUNCHER_LISTEN] =
		sock_listen(c->dir_fd, "init.sock", SOCK_SEQPACKET, LISTEN_BACKLOG);
	if (l->fds[LAUNCHER_LISTEN] < 0)
		return err_sys(err, errno, "cannot listen on \"%s/%s/init.sock\"", c->root, c->id);
	if (c->leash_fd >= 0) {
		l->fds[LAUNCHER_LEASH] = fcntl(c->leash_fd, F_DUPFD_CLOEXEC, 3);
		if (l->fds[LAUNCHER_LEASH] < 0)
			return err_sys(err, errno, "cannot use the leash");
		s->leashed = 1;
	}
	return open_cgroups(c, l, entry, err);
}

/* time_namespaces(7): "CLOCK SECONDS NANOSECONDS". */
static int write_offsets(const struct container *c, pid_t pid, int proc, struct oci_err *err)
{
	static const char *const clocks[] = {"monotonic", "boottime"};
	const struct json_object *offsets = json_path(c->config, "linux", "timeOffsets", NULL);
	char path[48], line[96];

	snprintf(path, sizeof path, "%d/timens_offsets", (int)pid);
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		const struct json_object *offset = json_member(offsets, clocks[i]);

		if (!offset)
			continue;
		snprintf(line, sizeof line, "%s %lld %llu", clocks[i],
			 (long long)json_int(offset, "secs", 0),
			 (unsigned long long)json_uint(offset, "nanosecs", 0));
		if (fd_write_control(proc, path, line) < 0) {
			err_sys(err, errno, "cannot set the time offset \"%s\"", line);
			return err_at(err, "/linux/timeOffsets/%s", clocks[i]);
		}
	}
	return 0;
}

static int serve_time(const struct container *c, const struct launcher *l, struct oci_err *err)
{
	pid_t pid = c->state->init.pid;
	struct setup_message message;
	own_fd int fd = -1;
	char path[48];
	int proc = proc_fd(err);

	if (proc < 0 || launcher_await(l, SETUP_TIME, &message, err) < 0 ||
	    write_offsets(c, pid, proc, err) < 0)
		return -1;
	snprintf(path, sizeof path, "%d/ns/time_for_children", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open init's time namespace");
	return launcher_tell(l, SETUP_TIME_DONE, fd, err);
}

/* init is ours alone until SETUP_JOIN_DONE: its pid is in the record before it may go on. */
static int bring_up(struct container *c, struct launcher *l, struct oci_err *err)
{
	const struct json_object *config = json_member(c->config, "linux");
	struct setup_message message;
	pid_t pid;

	if (launcher_await(l, SETUP_CLONED, &message, err) < 0)
		return -1;
	pid = message.pid;
	c->state->init = proc_identify(pid);
	if (!c->state->init.start_time)
		return err_set(err, FAULT_SYSTEM, "the container's first process ended at once");
	if (container_save(c, err) < 0)
		return -1;
	if ((l->setup.clone_flags & CLONE_NEWUSER) &&
	    userns_write_maps(pid, json_member(config, "uidMappings"),
			      json_member(config, "gidMappings"), err) < 0)
		return -1;
	if (launcher_tell(l, SETUP_JOIN_DONE, -1, err) < 0)
		return -1;
	if (l->setup.new_time_ns && serve_time(c, l, err) < 0)
		return -1;
	return launcher_await(l, SETUP_UP, &message, err);
}

/*
 * After a failure: whether the kernel has killed init. Without our end of the control socket it
 * ends, but for one that is further than we have heard, which would wait for what comes next.
 */
static bool was_killed(const struct container *c, struct launcher *l, bool gone)
{
	pid_t pid = c->state->init.pid;
	int status;

	own_close_fd(&l->control);
	l->control = -1;
	if (!gone && pid) {
		own_err struct oci_err ignored = ERR_INIT;
		own_fd int pidfd = proc_open(&c->state->init, &ignored);

		if (pidfd >= 0)
			pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	}
	while (pid && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return gone && pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* *ret_next: how to try it again, if that may help; ENTRY_CLONE if not. */
static int attempt(struct container *c, enum entry entry, enum entry *ret_next, struct oci_err *err)
{
	const struct cgroup_further own = {.record = c->state->cgroup};
	__attribute__((cleanup(launcher_close))) struct launcher l;
	bool gone;

	*ret_next = ENTRY_CLONE;
	launcher_init(&l);
	l.brought = entry == ENTRY_BROUGHT ? &own : NULL;
	if (prepare(c, &l, entry, err) < 0 ||
	    launcher_start(&l, c->state->options.preserve_fds, err) < 0)
		return -1;
	if (bring_up(c, &l, err) == 0)
		return 0;
	if (!c->state->init.pid && err->errnum == EACCES && cgroup_further_can_bring(&own))
		*ret_next = ENTRY_BROUGHT;
	/* It was gone before we heard of it, or before it heard us. */
	gone = err->errnum == 0 || err->errnum == EPIPE;
	if (was_killed(c, &l, gone) && l.setup.into_cgroup)
		*ret_next = ENTRY_WALK;
	return -1;
}

/*
 * Kernels with cgroup.kill (Linux 5.14) kill what is cloned into a cgroup in
 * which cgroup.kill was ever used, unless it was as often used in the cloner's:
 * they compare with the wrong one. Such a cgroup, of the engine's making and used
 * before, is entered on foot. And a user's process cannot be cloned from a login session into a
 * unit of the user's systemd (EACCES): that can bring it there.
 */
int stage_nsenter_setup(struct container *c, struct oci_err *err)
{
	enum entry next;
	int result;

	if (container_load_config(c, err) < 0 || proc_fd(err) < 0)
		return -1;
	result = attempt(c, ENTRY_CLONE, &next, err);
	if (result < 0 && next != ENTRY_CLONE) {
		err_clear(err);
		c->state->init = (struct proc_id){0};
		result = attempt(c, next, &next, err);
	}
	if (result < 0)
		return cgroup_explain_kill(c->state->cgroup, err);
	if (cgroup_settle(c->state->cgroup, json_path(c->config, "linux", "resources", NULL), err) <
	    0)
		return -1;
	return rdt_setup(c, err) < 0 ? -1 : netdev_move(c, err);
}

char *describe_nsenter_setup(const struct container *c)
{
	const struct json_object *list = json_path(c->config, "linux", "namespaces", NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "init is pid %d", (int)c->state->init.pid);
	for (int joined = 0; joined <= 1; joined++)
		for (size_t i = 0, n = 0; i < json_length(list); i++) {
			const char *path = json_string(json_item(list, i), "path");

			if ((path && *path) != joined)
				continue;
			if (n++ == 0)
				fputs(joined ? ", joined" : " in new", out);
			fprintf(out, " %s", json_string(json_item(list, i), "type"));
		}
	fclose(out);
	return text;
}
