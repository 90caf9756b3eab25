#include "base/pidfd_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sock.h"

int pidfd_socket_send(const char *path, int pidfd, const char *kind, struct oci_err *err)
{
	own_fd int sock = sock_connect_path(path, SOCK_STREAM);

	if (sock < 0)
		return err_sys(err, errno, "cannot connect to the pidfd socket \"%s\"", path);
	if (fd_send(sock, kind, strlen(kind), &pidfd, 1) < 0)
		return err_sys(err, errno, "cannot send a pidfd to the socket \"%s\"", path);
	return 0;
}
