/*
 * recvtty SOCKET [OUTPUT] - an engine's side of --console-socket: listens on SOCKET, takes one
 * terminal from it, and copies what the terminal says to OUTPUT (default: standard output) and its
 * own standard input to the terminal, until the terminal hangs up. The name that came with the
 * descriptor is its first line: "received NAME".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int receive(int connection, char *name, size_t size)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {name, size - 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(connection, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd;

	if (n < 0 || !c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof fd))
		return -1;
	name[n] = 0;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static void copy(int tty, int out)
{
	struct pollfd p[] = {{tty, POLLIN, 0}, {0, POLLIN, 0}};
	char buf[4096];

	while (poll(p, 2, -1) > 0) {
		ssize_t n;

		if (p[0].revents) {
			n = read(tty, buf, sizeof buf);
			if (n <= 0 || write(out, buf, (size_t)n) < 0)
				return;
		}
		if (p[1].revents) {
			n = read(0, buf, sizeof buf);
			if (n <= 0)
				p[1].fd = -1;
			else if (write(tty, buf, (size_t)n) < 0)
				return;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int out = 1, listener, connection, tty;
	char name[4096];

	if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path)
		return fprintf(stderr, "usage: recvtty SOCKET [OUTPUT]\n"), 2;
	strcpy(address.sun_path, argv[1]);
	if (argc > 2)
		out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (out < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(listener, 1) < 0)
		return perror(argv[1]), 1;
	connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	tty = connection < 0 ? -1 : receive(connection, name, sizeof name);
	if (tty < 0)
		return fprintf(stderr, "recvtty: no descriptor came\n"), 1;
	dprintf(out, "received %s\n", name);
	close(connection);
	copy(tty, out);
	return 0;
}
