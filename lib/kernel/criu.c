/*
 * Purpose: talk to criu.
 * Runs in: the caller's namespaces; criu in a mount namespace of its own where it restores.
 * Should: leave nothing of the setting-up on the machine: mounts are made in criu's
 *   namespace only.
 * Mustn't: look for criu in PATH; give it a descriptor that was not named.
 * Undo: criu undoes what it has begun when its caller goes away.
 */
#include "kernel/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_options.h"
#include "kernel/mount.h"
#include "kernel/proc.h"

enum {
	PACKET_MAX = 64 << 10,
	LOG_MAX = 64 << 20,
	LOG_LINE_MAX = 400,
	CGROUPS_MAX = 32,
	VERSION_LEAST = 315, /* 3.15: external pid namespaces */
	ERRNO_NAMES = 134,
};

static const char *const places[] = {"/usr/sbin/criu", "/usr/local/sbin/criu", "/usr/bin/criu",
				     "/usr/local/bin/criu"};

static char *const environment[] = {
	(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};

static int find(struct oci_err *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open(places[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	err_set(err, FAULT_UNSUPPORTED, "criu is not installed: there is no \"%s\"", places[0]);
	return err_hint(err, "checkpoint and restore need the program criu, 3.15 or newer");
}

/* The child's own setting-up; 0, or an exit code that says what failed. */
enum failed { FAILED_CGROUP = 1, FAILED_FD, FAILED_EXEC };

static const char *const failures[] = {
	[FAILED_CGROUP] = "enter the container's cgroup",
	[FAILED_FD] = "inherit its descriptors",
	[FAILED_EXEC] = "be executed",
};

struct child {
	const struct criu_start *start;
	int cgroups[CGROUPS_MAX];
	size_t n_cgroups;
	int program, sock;
	int report; /* a pipe, close-on-exec: struct report, if it fails */
};

struct report {
	int what, errnum;
};

static enum failed become(const struct child *c)
{
	char number[16];
	char *argv[] = {(char[]){"criu"}, (char[]){"swrk"}, number, NULL};

	for (size_t i = 0; i < c->n_cgroups; i++)
		if (write(c->cgroups[i], "0", 1) != 1)
			return FAILED_CGROUP;
	for (size_t i = 0; i < c->start->n_fds; i++)
		if (fcntl(c->start->fds[i], F_SETFD, 0) < 0)
			return FAILED_FD;
	if (fcntl(c->sock, F_SETFD, 0) < 0)
		return FAILED_FD;
	snprintf(number, sizeof number, "%d", c->sock);
	fexecve(c->program, argv, environment);
	return FAILED_EXEC;
}

static _Noreturn void run_child(const struct child *c)
{
	struct report report;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	report.what = become(c);
	report.errnum = errno;
	fd_write_all(c->report, &report, sizeof report);
	_exit(1);
}

static int open_cgroups(struct child *c, struct oci_err *err)
{
	own_fd int v2 = -1;

	if (!c->start->cgroup)
		return 0;
	c->n_cgroups = CGROUPS_MAX - 1;
	if (cgroup_open_v1(c->start->cgroup, c->cgroups, &c->n_cgroups, err) < 0)
		return -1;
	v2 = cgroup_open_v2(c->start->cgroup, err);
	if (v2 < 0)
		return err->fault ? -1 : 0;
	c->cgroups[c->n_cgroups] = openat(v2, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (c->cgroups[c->n_cgroups] < 0)
		return err_sys(err, errno, "cannot open cgroup.procs of the container's cgroup");
	c->n_cgroups++;
	return 0;
}

static int launch(struct criu *criu, struct child *c, struct oci_err *err)
{
	struct report report;
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot make a pipe");
	c->report = ends[1];
	criu->pid = fork();
	if (criu->pid == 0)
		run_child(c);
	close(ends[1]);
	if (criu->pid < 0) {
		close(ends[0]);
		return err_sys(err, errno, "cannot start criu");
	}
	while ((n = read(ends[0], &report, sizeof report)) < 0 && errno == EINTR)
		;
	close(ends[0]);
	if (n == (ssize_t)sizeof report)
		return err_sys(err, report.errnum, "criu cannot %s", failures[report.what]);
	return 0;
}

/* The tree is cloned where its mount is: in the namespace that is about to be left. */
static int mount_root(const struct criu_start *start, struct oci_err *err)
{
	own_fd int tree = mount_clone(start->rootfs, true), target = -1;

	if (tree < 0)
		return err_sys(err, errno, "cannot clone the root filesystem");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(err, errno, "cannot make a mount namespace for criu");
	target = open(start->root_mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0 || mount_attach(tree, target) < 0)
		return err_sys(err, errno, "cannot mount the root filesystem on \"%s\"",
			       start->root_mount);
	return start->inside(start->arg, err);
}

/* Starts it in its mount namespace, which we leave at once: hooks are to run in ours. */
static int launch_inside(struct criu *criu, struct child *c, struct oci_err *err)
{
	int proc = proc_fd(err), result;
	own_fd int ours = proc < 0 ? -1 : openat(proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (ours < 0)
		return proc < 0 ? -1 : err_sys(err, errno, "cannot open our mount namespace");
	result = mount_root(c->start, err) < 0 ? -1 : launch(criu, c, err);
	if (setns(ours, CLONE_NEWNS) < 0)
		return err_sys(err, errno, "cannot return to our mount namespace");
	return result;
}

static int check_version(struct criu *criu, struct oci_err *err)
{
	CriuRequest request = CRIU_REQUEST__INIT;
	CriuResponse *response = NULL;
	int version;

	request.type = CRIU_TYPE__VERSION;
	request.has_keep_open = request.keep_open = true;
	if (criu_call(criu, &request, NULL, NULL, &response, err) < 0)
		return err_wrap(err, "cannot ask criu for its version");
	version = response->version
			  ? response->version->major_number * 100 + response->version->minor_number
			  : 0;
	criu_response__free_unpacked(response, NULL);
	if (version < VERSION_LEAST)
		return err_set(err, FAULT_UNSUPPORTED,
			       "criu %d.%d is too old: 3.15 or newer is needed", version / 100,
			       version % 100);
	return 0;
}

int criu_start(struct criu *criu, const struct criu_start *start, struct oci_err *err)
{
	struct child c = {.start = start, .program = find(err)};
	int pair[2], result;

	if (c.program < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		close(c.program);
		return err_sys(err, errno, "cannot make a socket pair");
	}
	criu->sock = pair[0];
	criu->cgroup_options = cgroup_options();
	c.sock = pair[1];
	result = open_cgroups(&c, err);
	if (result == 0)
		result = start->rootfs < 0 ? launch(criu, &c, err) : launch_inside(criu, &c, err);
	for (size_t i = 0; i < c.n_cgroups; i++)
		own_close_fd(&c.cgroups[i]);
	close(c.sock);
	close(c.program);
	return result < 0 ? -1 : check_version(criu, err);
}

static int send_request(const struct criu *criu, const CriuRequest *request, struct oci_err *err)
{
	size_t size = criu_request__get_packed_size(request);
	own_ptr uint8_t *packet = malloc(size ? size : 1);

	if (!packet)
		return err_sys(err, ENOMEM, "cannot ask criu");
	criu_request__pack(request, packet);
	if (send(criu->sock, packet, size, MSG_NOSIGNAL) != (ssize_t)size)
		return err_sys(err, errno, "cannot ask criu");
	return 0;
}

static CriuResponse *receive(const struct criu *criu, int *ret_fd, struct oci_err *err)
{
	own_ptr uint8_t *packet = malloc(PACKET_MAX);
	CriuResponse *response = NULL;
	size_t n_fds = 1;
	ssize_t n;

	*ret_fd = -1;
	if (!packet) {
		err_sys(err, ENOMEM, "cannot hear criu");
		return NULL;
	}
	n = fd_receive(criu->sock, packet, PACKET_MAX, ret_fd, &n_fds);
	if (n_fds == 0)
		*ret_fd = -1;
	if (n > 0)
		response = criu_response__unpack(NULL, (size_t)n, packet);
	if (!response && n < 0)
		err_sys(err, errno, "cannot hear criu");
	else if (!response)
		err_set(err, FAULT_SYSTEM,
			n ? "criu's answer is no message of its protocol"
			  : "criu has ended without an answer");
	return response;
}

/* Tells notify, and criu what it says. */
static int answer(struct criu *criu, const CriuNotify *step, criu_notify_fn notify, void *arg,
		  int fd, struct oci_err *err)
{
	CriuRequest request = CRIU_REQUEST__INIT;
	const char *script = step && step->script ? step->script : "";
	pid_t pid = step && step->has_pid ? step->pid : 0;
	int result = notify && !err->fault ? notify(arg, script, pid, fd, err) : 0;

	request.type = CRIU_TYPE__NOTIFY;
	request.has_notify_success = true;
	request.notify_success = result == 0;
	return send_request(criu, &request, err);
}

/* What criu says of it is in its log too, with the errors before it: criu_explain(). */
static int fail(const CriuResponse *response, struct oci_err *err)
{
	if (err->fault)
		return -1; /* notify's */
	if (response->has_cr_errno && response->cr_errno)
		return err_sys(err, response->cr_errno, "criu has failed");
	return err_set(err, FAULT_SYSTEM, "criu has failed");
}

int criu_call(struct criu *criu, const CriuRequest *request, criu_notify_fn notify, void *arg,
	      CriuResponse **ret_response, struct oci_err *err)
{
	CriuResponse *response;

	if (send_request(criu, request, err) < 0)
		return -1;
	for (;;) {
		int fd, result = 0;

		response = receive(criu, &fd, err);
		if (!response)
			return -1;
		if (response->type != CRIU_TYPE__NOTIFY)
			break;
		result = answer(criu, response->notify, notify, arg, fd, err);
		own_close_fd(&fd);
		criu_response__free_unpacked(response, NULL);
		if (result < 0)
			return -1;
	}
	if (response->success && !err->fault) {
		if (ret_response)
			*ret_response = response;
		else
			criu_response__free_unpacked(response, NULL);
		return 0;
	}
	fail(response, err);
	criu_response__free_unpacked(response, NULL);
	return -1;
}

/* A copy with the names of errors in place of their texts, in which engines see a failed exec. */
static char *name_errors(const char *line)
{
	char *text = strdup(line);

	for (int e = 1; text && e < ERRNO_NAMES; e++) {
		const char *words = strerror(e), *name = err_name(e);
		char *at = strcasestr(text, words);
		size_t rest = strlen(words);

		if (!at || strlen(name) > rest)
			continue;
		memcpy(at, name, strlen(name));
		memmove(at + strlen(name), at + rest, strlen(at + rest) + 1);
	}
	return text;
}

void criu_explain(int work_fd, const char *work_path, const char *name, struct oci_err *err)
{
	own_ptr char *log = NULL, *text = NULL, *before = strdup(err->message ? err->message : "");
	char *line, *end;
	size_t len;

	err_hint(err, "criu's log: \"%s/%s\"", work_path, name);
	if (!before || fd_read_file(work_fd, name, LOG_MAX, &log, &len) < 0)
		return;
	line = strstr(log, "Error (");
	if (!line)
		return;
	end = strchrnul(line, '\n');
	if (end - line > LOG_LINE_MAX)
		end = line + LOG_LINE_MAX;
	*end = '\0';
	text = name_errors(line);
	if (text)
		err_set(err, err->fault, "%s: %s, in \"%s/%s\"", before, text, work_path, name);
}

void criu_end(struct criu *criu)
{
	own_err struct oci_err ignored = ERR_INIT;

	own_close_fd(&criu->sock);
	criu->sock = -1;
	if (criu->pid > 0)
		while (waitpid(criu->pid, NULL, 0) < 0 && errno == EINTR)
			;
	criu->pid = 0;
	cgroup_options_set(criu->cgroup_options, &ignored);
}
