/*
 * agent SOCKET STATE - a seccomp agent (config-linux.md, listenerPath): listens on SOCKET, takes
 * one container process state, which it writes to the file STATE, and answers what comes from its
 * listener until the process is gone: mkdir and mkdirat fail with ENOMEDIUM, all else goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int take_state(int connection, const char *file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char text[16384];
	struct iovec iov = {text, sizeof text};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	int out = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600), fd = -1;
	ssize_t n = recvmsg(connection, &msg, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (n <= 0 || out < 0 || !c || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	/* The connection ends after one state. */
	do
		if (write(out, text, (size_t)n) != n)
			return -1;
	while ((n = read(connection, text, sizeof text)) > 0);
	close(out);
	return n < 0 ? -1 : fd;
}

static int answer(int listener)
{
	struct seccomp_notif ask = {0};
	struct seccomp_notif_resp say = {0};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
		return errno == EINTR || errno == ENOENT ? 0 : -1;
	say.id = ask.id;
	if (ask.data.nr == SYS_mkdirat
#ifdef SYS_mkdir
	    || ask.data.nr == SYS_mkdir
#endif
	)
		say.error = -ENOMEDIUM;
	else
		say.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &say);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), connection, listener;
	struct pollfd p;

	if (argc != 3 || strlen(argv[1]) >= sizeof address.sun_path)
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (bind(sock, (struct sockaddr *)&address, sizeof address) < 0 || listen(sock, 1) < 0) {
		perror(argv[1]);
		return 1;
	}
	connection = accept(sock, NULL, NULL);
	listener = take_state(connection, argv[2]);
	if (listener < 0)
		return 1;
	p = (struct pollfd){.fd = listener, .events = POLLIN};
	while (poll(&p, 1, -1) > 0 && !(p.revents & POLLHUP))
		if (answer(listener) < 0)
			return 1;
	return 0;
}
