#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"

enum { PROGRAM_SIZE_MAX = 64 << 20 };

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* expected: the size of a regular file that has one, otherwise 0. */
static int read_all(int fd, off_t expected, size_t max, char **ret_text, size_t *ret_len)
{
	size_t size = expected > 0 ? (size_t)expected + 1 : 4096, len = 0;
	own_ptr char *text = NULL;

	if (expected > 0 && (size_t)expected > max) {
		errno = EFBIG;
		return -1;
	}
	text = malloc(size + 1);
	if (!text)
		return -1;
	for (;;) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
		/* There was room for more: the end, of a file that says how long it is. */
		if (expected > 0 && len == (size_t)expected)
			break;
		if (len > max) {
			errno = EFBIG;
			return -1;
		}
		if (len == size) {
			char *larger = realloc(text, size * 2 + 1);

			if (!larger)
				return -1;
			text = larger;
			size *= 2;
		}
	}
	text[len] = '\0';
	*ret_len = len;
	*ret_text = steal_ptr(&text);
	return 0;
}

int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_len)
{
	struct stat st;
	off_t expected = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;

	return read_all(fd, expected, max, ret_text, ret_len);
}

int fd_read_file(int dirfd, const char *name, size_t max, char **ret_text, size_t *ret_len)
{
	own_fd int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return read_all(fd, st.st_size, max, ret_text, ret_len);
}

int fd_write_control(int dirfd, const char *name, const char *text)
{
	own_fd int fd = openat(dirfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int fd_memory_file(const char *name, const void *data, size_t len, unsigned seals)
{
	own_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || fd_write_all(fd, data, len) < 0 || fcntl(fd, F_ADD_SEALS, (int)seals) < 0)
		return -1;
	return steal_fd(&fd);
}

int fd_memory_copy(const char *name, int from)
{
	own_fd int to = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	if (to < 0 || fstat(from, &st) < 0)
		return -1;
	if (st.st_size > PROGRAM_SIZE_MAX) {
		errno = EFBIG;
		return -1;
	}
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(to, from, &done, (size_t)(st.st_size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
	}
	if (fchmod(to, 0555) < 0 ||
	    fcntl(to, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -1;
	return steal_fd(&to);
}

static unsigned inherited;

static int open_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		/* The lowest free descriptor is fd, since those below it are open. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return -1;
	}
	return 0;
}

int fd_begin(void)
{
	if (open_standard() < 0)
		return -1;
	while (fcntl(3 + (int)inherited, F_GETFD) >= 0)
		inherited++;
	return close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

unsigned fd_inherited(void)
{
	return inherited;
}

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (n_fds > FD_PASS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n != len) {
		errno = EMSGSIZE;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

static void take_fds(struct msghdr *msg, int *fds, size_t max, size_t *ret_n)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
			if (n < max)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	*ret_n = n;
}

ssize_t fd_receive(int sock, void *data, size_t size, int *fds, size_t *n_fds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FD_PASS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control.space,
	};
	size_t max = n_fds ? *n_fds : 0, got = 0;
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	take_fds(&msg, fds, max, &got);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (size_t i = 0; i < got; i++)
			close(fds[i]);
		errno = EMSGSIZE;
		return -1;
	}
	if (n_fds)
		*n_fds = got;
	return n;
}
