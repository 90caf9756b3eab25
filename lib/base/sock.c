#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/own.h"

typedef int (*address_fn)(int sock, const struct sockaddr *address, socklen_t len);

static int in_directory(int dir_fd, const char *name, int sock, address_fn act)
{
	own_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int result, e;

	if (strlen(name) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, name);
	if (here < 0 || fchdir(dir_fd) < 0)
		return -1;
	result = act(sock, (struct sockaddr *)&address, sizeof address);
	e = errno;
	if (fchdir(here) < 0)
		return -1;
	errno = e;
	return result;
}

int sock_listen(int dir_fd, const char *name, int type, int backlog)
{
	own_fd int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (sock < 0 || (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) ||
	    in_directory(dir_fd, name, sock, bind) < 0 || listen(sock, backlog) < 0)
		return -1;
	return steal_fd(&sock);
}

int sock_bind(int dir_fd, const char *name)
{
	own_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0 || (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) ||
	    in_directory(dir_fd, name, sock, bind) < 0 || fchmodat(dir_fd, name, 0777, 0) < 0)
		return -1;
	return steal_fd(&sock);
}

int sock_connect(int dir_fd, const char *name, int type)
{
	own_fd int sock = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (sock < 0 || in_directory(dir_fd, name, sock, connect) < 0)
		return -1;
	return steal_fd(&sock);
}

int sock_connect_path(const char *path, int type)
{
	own_ptr char *copy = strdup(path);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	own_fd int dir = -1;

	if (!slash) {
		errno = EINVAL;
		return -1;
	}
	*slash = '\0';
	dir = open(slash == copy ? "/" : copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : sock_connect(dir, slash + 1, type);
}
