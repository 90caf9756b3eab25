#include "kernel/init.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sock.h"
#include "init/protocol.h"

int init_connect(const struct container *c, struct oci_err *err)
{
	int sock = sock_connect(c->dir_fd, "init.sock", SOCK_SEQPACKET);

	if (sock >= 0)
		return sock;
	if (errno == ECONNREFUSED || errno == ENOENT)
		return err_set(err, FAULT_STATE,
			       "init of container \"%s\" does not listen: it runs the program "
			       "already, or has ended",
			       c->id);
	return err_sys(err, errno, "cannot connect to init of container \"%s\"", c->id);
}

bool init_listens(const struct container *c)
{
	/* EAGAIN: so many wait for its answer already that it must be listening. */
	own_fd int sock = sock_connect(c->dir_fd, "init.sock", SOCK_SEQPACKET | SOCK_NONBLOCK);

	return sock >= 0 || errno == EAGAIN;
}

static int fail(const struct init_reply *reply, struct oci_err *err)
{
	if (reply->flags & INIT_EXEC_ERROR)
		err_set(err, FAULT_CONFIG, "%s", reply->text);
	else if (reply->status)
		err_sys(err, reply->status, "%s", reply->text);
	else
		err_set(err, FAULT_HOOK, "%s", reply->text);
	if (reply->flags & INIT_HOOK_ERROR)
		err->fault = FAULT_HOOK;
	err->errnum = reply->status;
	if (reply->pointer[0])
		err_at(err, "%s", reply->pointer);
	return -1;
}

/* One reply, with at most one descriptor. 1: a reply; 0: the connection was closed. */
static int receive(int connection, struct init_reply *reply, int *ret_fd, struct oci_err *err)
{
	size_t n_fds = 1;
	int fd = -1;
	ssize_t n = fd_receive(connection, reply, sizeof *reply, &fd, &n_fds);

	if (n < 0 && errno == ECONNRESET)
		n = 0;
	if (n < 0)
		return err_sys(err, errno, "cannot hear init's answer");
	if (n_fds == 1 && ret_fd)
		*ret_fd = fd;
	else
		own_close_fd(&fd);
	if (n == 0)
		return 0;
	if ((size_t)n != sizeof *reply || reply->version != INIT_VERSION)
		return err_set(err, FAULT_STATE, "init speaks another version of the protocol");
	reply->text[sizeof reply->text - 1] = '\0';
	reply->pointer[sizeof reply->pointer - 1] = '\0';
	return 1;
}

static int ask(int connection, const struct init_request *request, size_t len, const int *fds,
	       size_t n_fds, struct oci_err *err)
{
	if (fd_send(connection, request, len, fds, n_fds) < 0)
		return err_sys(err, errno, "cannot ask init");
	return 0;
}

static int answer(int connection, int *ret_fd, struct oci_err *err)
{
	struct init_reply reply;
	int n = receive(connection, &reply, ret_fd, err);

	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(err, FAULT_STATE, "init ended without an answer");
	return reply.status || (reply.flags & (INIT_EXEC_ERROR | INIT_HOOK_ERROR))
		       ? fail(&reply, err)
		       : 0;
}

static const struct init_request empty_request = {.version = INIT_VERSION};

static int add_text(struct init_request *request, size_t *used, const char *text)
{
	size_t len = strlen(text) + 1;

	if (*used + len > sizeof request->text)
		return -1;
	memcpy(request->text + *used, text, len);
	*used += len;
	return 0;
}

int init_make_mount(int connection, const char *fstype, const char *source,
		    const char *const *options, size_t n, uint64_t attributes, struct oci_err *err)
{
	struct init_request request;
	size_t used = 0;
	int fd = -1;

	memcpy(&request, &empty_request, offsetof(struct init_request, text));
	request.op = INIT_MOUNT;
	request.attributes = attributes;
	request.n_options = (uint32_t)n;
	if (n > INIT_OPTIONS_MAX || strlen(fstype) >= sizeof request.fstype ||
	    add_text(&request, &used, source ? source : "none") < 0)
		return err_set(err, FAULT_CONFIG, "too many or too long options for a mount of %s",
			       fstype);
	strcpy(request.fstype, fstype);
	for (size_t i = 0; i < n; i++)
		if (add_text(&request, &used, options[i]) < 0)
			return err_set(err, FAULT_CONFIG, "too long options for a mount of %s",
				       fstype);
	if (ask(connection, &request, offsetof(struct init_request, text) + used, NULL, 0, err) <
		    0 ||
	    answer(connection, &fd, err) < 0)
		return -1;
	if (fd < 0)
		return err_set(err, FAULT_STATE, "init's answer brings no mount");
	return fd;
}

static void add_fd(struct init_request *request, int *fds, size_t *n, int fd, uint32_t flag)
{
	if (fd < 0)
		return;
	request->flags |= flag;
	fds[(*n)++] = fd;
}

int init_hello(int connection, struct oci_err *err)
{
	struct init_request request = empty_request;

	request.op = INIT_HELLO;
	if (ask(connection, &request, offsetof(struct init_request, text), NULL, 0, err) < 0)
		return -1;
	return answer(connection, NULL, err);
}

int init_get_ready(int connection, const struct init_ready *ready, struct oci_err *err)
{
	struct init_request request = empty_request;
	int fds[INIT_FDS_MAX] = {ready->plan};
	size_t n = 1;

	request.op = INIT_READY;
	request.attributes = ready->hooks;
	add_fd(&request, fds, &n, ready->console, INIT_HAS_CONSOLE);
	add_fd(&request, fds, &n, ready->root, INIT_HAS_ROOT);
	add_fd(&request, fds, &n, ready->agent, INIT_HAS_AGENT);
	for (int i = 0; i < __builtin_popcountll(ready->hooks); i++)
		add_fd(&request, fds, &n, ready->programs[i], 0);
	if (ask(connection, &request, offsetof(struct init_request, text), fds, n, err) < 0)
		return -1;
	return answer(connection, NULL, err);
}

int init_explain_silence(const struct json_object *config, struct oci_err *err)
{
	const struct json_object *seccomp = json_path(config, "linux", "seccomp", NULL);

	if (err->fault != FAULT_STATE || !seccomp ||
	    json_true(json_member(config, "process"), "noNewPrivileges"))
		return -1;
	err_set(err, FAULT_CONFIG,
		"init ended without an answer: without noNewPrivileges the seccomp filter is in "
		"force until the program is executed, and must allow capset, sendmsg, poll, "
		"accept4, "
		"recvmsg, close and execve");
	return err_at(err, "/linux/seccomp");
}

int init_start(int connection, struct oci_err *err)
{
	struct init_request request = empty_request;
	struct init_reply reply;
	bool executing = false;

	request.op = INIT_START;
	if (ask(connection, &request, offsetof(struct init_request, text), NULL, 0, err) < 0)
		return -1;
	for (;;) {
		int n = receive(connection, &reply, NULL, err);

		if (n < 0)
			return -1;
		/* The socket is close-on-exec: its end after the announcement is the exec's
		 * success. */
		if (n == 0 && executing)
			return 0;
		if (n == 0)
			return err_set(err, FAULT_STATE,
				       "init was killed before it could run the program");
		if (reply.status || (reply.flags & (INIT_EXEC_ERROR | INIT_HOOK_ERROR)))
			return fail(&reply, err);
		executing = reply.flags & INIT_EXECUTING;
	}
}
