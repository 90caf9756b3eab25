/* --pidfd-socket: who made a process hands out a descriptor of it. */
#ifndef BASE_PIDFD_SOCKET_H
#define BASE_PIDFD_SOCKET_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Connects to the listening Unix stream socket at path and sends it one message: the text kind
 * ("standard" for a container's first process, "setns" for a further one, as runc
 * says it) with pidfd beside it.
 */
int pidfd_socket_send(const char *path, int pidfd, const char *kind, struct oci_err *err);

#endif
