/*
 * Purpose: init's waiting. One connection at a time, one request at a time,
 *   until it is asked to start.
 * Runs in: the container, before any of its programs run.
 * Should: end when the leash ends before the creation is committed.
 * Mustn't: trust the lengths of what it is told.
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PASSED_MAX = INIT_FDS_MAX };

struct passed {
	int fds[PASSED_MAX];
	int n;
};

static int leash = -1;
static const struct plan *plan;

int send_reply(int connection, const struct init_reply *reply, int fd)
{
	return send_message(connection, reply, sizeof *reply, fd);
}

/* The driver died before it committed: there is nobody left to undo us but ourselves. */
static void check_leash(short revents)
{
	char byte;

	if (!revents)
		return;
	if (read(leash, &byte, 1) != 1 || byte != INIT_COMMIT)
		_exit(1);
	close(leash);
	leash = -1;
}

static void wait_for(int fd)
{
	struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};

	do {
		p[0].revents = p[1].revents = 0;
		p[1].fd = leash; /* -1 is skipped */
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		check_leash(p[1].revents);
	} while (!p[0].revents);
}

static void close_passed(const struct passed *passed)
{
	for (int i = 0; i < passed->n; i++)
		if (passed->fds[i] >= 0)
			close(passed->fds[i]);
}

static ssize_t receive(int connection, struct init_request *request, struct passed *passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} space;
	struct iovec iov = {request, sizeof *request};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof space.space,
	};
	ssize_t n = recvmsg(connection, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;

	passed->n = 0;
	if (n <= 0)
		return n;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		passed->n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(passed->fds, CMSG_DATA(c), (size_t)passed->n * sizeof(int));
	}
	if (msg.msg_flags & MSG_CTRUNC) {
		struct init_reply reply = {0};

		close_passed(passed);
		reply_error(&reply, EMFILE, "init cannot take the descriptors that it needs");
		send_reply(connection, &reply, -1);
		return 0;
	}
	if ((msg.msg_flags & MSG_TRUNC) || (size_t)n < offsetof(struct init_request, text) ||
	    request->version != INIT_VERSION) {
		close_passed(passed);
		return 0;
	}
	return n;
}

/* Maps the plan for the rest of init's life. It must be sealed: its writer cannot change it later.
 */
static int map_plan(int fd, struct init_reply *reply)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;
	void *map;

	if (fstat(fd, &st) < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals)
		return reply_error(reply, EPERM, "the plan is not sealed");
	if ((size_t)st.st_size < sizeof *plan || st.st_size > PLAN_SIZE_MAX)
		return reply_error(reply, EINVAL, "the plan has a wrong size");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return reply_error(reply, errno, "cannot map the plan");
	if (plan_check(map, (size_t)st.st_size) < 0)
		return reply_error(reply, EINVAL, "the plan is malformed");
	plan = map;
	return 0;
}

static int steal(struct passed *passed, int *next, int flag)
{
	int fd = -1;

	if (flag && *next < passed->n) {
		fd = passed->fds[*next];
		passed->fds[(*next)++] = -1;
	}
	return fd;
}

static int get_ready(const struct init_request *request, struct passed *passed,
		     struct init_reply *reply)
{
	struct ready_fds fds = {.hooks = request->attributes};
	int next = 1;

	if (plan)
		return reply_error(reply, EALREADY, "init is ready already");
	if (passed->n < 1)
		return reply_error(reply, EINVAL, "no plan came with the request");
	if (map_plan(passed->fds[0], reply) < 0)
		return -1;
	fds.console = steal(passed, &next, request->flags & INIT_HAS_CONSOLE);
	fds.root = steal(passed, &next, request->flags & INIT_HAS_ROOT);
	fds.agent = steal(passed, &next, request->flags & INIT_HAS_AGENT);
	for (int i = 0; i < INIT_HOOK_PROGRAMS_MAX; i++)
		fds.programs[i] = steal(passed, &next, 1);
	return init_ready(plan, &fds, reply);
}

/* One request. A failed "get ready" is the end: what has been done to this process cannot be
 * undone. */
static void handle(int connection, const struct init_request *request, size_t len,
		   struct passed *passed)
{
	struct init_reply reply = {.version = INIT_VERSION};
	int mount = -1, result = 0;

	switch (request->op) {
	case INIT_MOUNT:
		if (plan)
			reply_error(&reply, EPERM, "init is ready: too late for mounts");
		else
			mount = make_mount(request, len, &reply);
		break;
	case INIT_READY:
		result = get_ready(request, passed, &reply);
		break;
	case INIT_START:
		close_passed(passed);
		if (plan)
			init_start(plan, connection);
		reply_error(&reply, EINVAL, "the container is not ready to start");
		break;
	case INIT_HELLO:
		break;
	default:
		reply_error(&reply, EINVAL, "unknown request");
	}
	/* Who gets no answer must not wait for it. */
	if (send_reply(connection, &reply, mount) < 0)
		shutdown(connection, SHUT_RDWR);
	if (mount >= 0)
		close(mount);
	if (request->op == INIT_READY && result < 0 && plan)
		_exit(1);
}

static void converse(int connection)
{
	static struct init_request request;
	struct passed passed;

	for (;;) {
		ssize_t n;

		wait_for(connection);
		n = receive(connection, &request, &passed);
		if (n <= 0)
			return;
		handle(connection, &request, (size_t)n, &passed);
		close_passed(&passed);
	}
}

_Noreturn void serve_one(int connection)
{
	converse(connection);
	_exit(1);
}

_Noreturn void serve(int base, const struct init_setup *s)
{
	int listener = base + LAUNCHER_LISTEN;

	if (s->leashed)
		leash = base + LAUNCHER_LEASH;
	for (;;) {
		int connection;

		wait_for(listener);
		connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		/* Anything else will be so again: better gone than spinning. */
		if (connection < 0 && errno != EINTR && errno != ECONNABORTED && errno != EAGAIN)
			_exit(1);
		if (connection < 0)
			continue;
		converse(connection);
		close(connection);
	}
}
