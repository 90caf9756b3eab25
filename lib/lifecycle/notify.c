/*
 * Purpose: pass on that the program is ready.
 * Runs in: the caller's namespaces.
 * Should: have the manager know the container's process before we exit, who are its main process
 *   until then.
 * Mustn't: pass on what the container has written; wait for a manager for ever.
 * Specification: sd_notify(3), sd_notify_barrier(3).
 */
#include "lifecycle/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sock.h"

enum { MESSAGE_MAX = 4096, BARRIER_MS = 30000 };

static int connect_abstract(const char *name)
{
	own_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(name);

	if (len > sizeof address.sun_path - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path + 1, name, len);
	if (sock < 0 || connect(sock, (struct sockaddr *)&address,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) < 0)
		return -1;
	return steal_fd(&sock);
}

int notify_open(struct notify *n, const struct container *c, const char *socket,
		struct oci_err *err)
{
	own_fd int dir = -1;

	if (!socket || !c->state->options.notify)
		return 0;
	n->manager = socket[0] == '@' ? connect_abstract(socket + 1)
				      : sock_connect_path(socket, SOCK_DGRAM);
	if (n->manager < 0)
		return err_sys(err, errno, "cannot connect to NOTIFY_SOCKET \"%s\"", socket);
	dir = openat(c->dir_fd, NOTIFY_DIRECTORY, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	n->fd = dir < 0 ? -1 : sock_bind(dir, NOTIFY_SOCKET_NAME);
	if (n->fd < 0)
		return err_sys(err, errno, "cannot make the socket \"%s\" of container \"%s\"",
			       NOTIFY_DIRECTORY "/" NOTIFY_SOCKET_NAME, c->id);
	return 0;
}

/* A line of its own, as sd_notify(3) has it. */
static bool says_ready(const char *text)
{
	static const char ready[] = "READY=1";
	const size_t len = sizeof ready - 1;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, ready, len) == 0 && (line[len] == '\n' || line[len] == '\0'))
			return true;
	}
	return false;
}

/* The manager closes our pipe when it comes to this message, and so has read those before. */
static void await_manager(int manager)
{
	static const char barrier[] = "BARRIER=1";
	int ends[2];
	struct pollfd p;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	p = (struct pollfd){.fd = ends[0]};
	if (fd_send(manager, barrier, sizeof barrier - 1, &ends[1], 1) == 0) {
		close(ends[1]);
		ends[1] = -1;
		while (poll(&p, 1, BARRIER_MS) < 0 && errno == EINTR)
			;
	}
	own_close_fd(&ends[0]);
	own_close_fd(&ends[1]);
}

bool notify_pass(const struct notify *n, pid_t pid)
{
	char text[MESSAGE_MAX + 1];
	ssize_t len = recv(n->fd, text, MESSAGE_MAX, MSG_DONTWAIT);
	int out;

	if (len <= 0)
		return false;
	text[len] = '\0';
	if (!says_ready(text))
		return false;
	/* In one message, so that the manager never takes us for the main process of what is ready.
	 */
	out = snprintf(text, sizeof text, "MAINPID=%d\nREADY=1\n", (int)pid);
	/* A manager that has gone away does not wait. */
	(void)!fd_send(n->manager, text, (size_t)out, NULL, 0);
	return true;
}

void notify_wait(struct notify *n, int pidfd, pid_t pid)
{
	struct pollfd p[] = {{.fd = n->fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

	while (n->fd >= 0) {
		if (poll(p, 2, -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		/* What it said before it ended counts. */
		if (p[0].revents && notify_pass(n, pid)) {
			await_manager(n->manager);
			return;
		}
		if (!p[0].revents && p[1].revents)
			return;
	}
}

void notify_close(struct notify *n)
{
	own_close_fd(&n->fd);
	own_close_fd(&n->manager);
	*n = NOTIFY_INIT;
}
