#include "init/init.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

ssize_t send_some(int socket, const void *data, size_t len, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space = {0};
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c = &space.header;

		msg.msg_control = &space;
		msg.msg_controllen = sizeof space.space;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	return sendmsg(socket, &msg, MSG_NOSIGNAL);
}

int send_message(int socket, const void *data, size_t len, int fd)
{
	ssize_t n;

	do
		n = send_some(socket, data, len, fd);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}
