/*
 * Both sides of sd_notify(3):
 *
 *	notify send TEXT...	each TEXT is one message to $NOTIFY_SOCKET; \n is understood
 *	notify receive SOCKET	listens on SOCKET ("@..." is abstract), prints each message as a
 *line, newlines as blanks, and "+fd" if a descriptor came with it, which it closes
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t fill(struct sockaddr_un *address, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len >= sizeof address->sun_path) {
		fprintf(stderr, "notify: no socket\n");
		exit(2);
	}
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, name, len + 1);
	if (name[0] != '@')
		return sizeof *address;
	address->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int say(int sock, const struct sockaddr_un *address, socklen_t len, const char *text)
{
	char message[4096];
	size_t n = 0;

	for (; *text && n < sizeof message; text++) {
		int newline = text[0] == '\\' && text[1] == 'n';

		message[n++] = newline ? '\n' : *text;
		text += newline;
	}
	return sendto(sock, message, n, 0, (const struct sockaddr *)address, len) == (ssize_t)n;
}

static int hear(int sock)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	char text[4096];
	struct iovec iov = {text, sizeof text - 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fd = -1;

	if (n < 0)
		return 0;
	text[n] = 0;
	for (char *p = text; (p = strchr(p, '\n'));)
		*p = ' ';
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	printf("%s%s\n", text, fd >= 0 ? " +fd" : "");
	fflush(stdout);
	if (fd >= 0)
		close(fd);
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address;
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), sends;
	socklen_t len;

	if (argc < 3)
		return fprintf(stderr, "usage: notify send TEXT... | receive SOCKET\n"), 2;
	sends = strcmp(argv[1], "send") == 0;
	len = fill(&address, sends ? getenv("NOTIFY_SOCKET") : argv[2]);
	if (!sends) {
		if (bind(sock, (struct sockaddr *)&address, len) < 0)
			return perror(argv[2]), 1;
		while (hear(sock))
			;
		return 1;
	}
	for (int i = 2; i < argc; i++)
		if (!say(sock, &address, len, argv[i]))
			return perror("notify"), 1;
	return 0;
}
