/*
 * Unix sockets in a directory.
 *
 * An address has room for 107 bytes, a path may be longer: the socket is named
 * relative to its directory, which is the working directory for a moment. That makes
 * these functions unfit for a process with threads. Type: SOCK_STREAM,
 * SOCK_SEQPACKET or SOCK_DGRAM; sockets are close-on-exec. -1 with errno.
 */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

/* Replaces what is there of that name. */
int sock_listen(int dir_fd, const char *name, int type, int backlog);

/* Datagrams; the same for their receiver, whom anybody may write to who sees the name. */
int sock_bind(int dir_fd, const char *name);

int sock_connect(int dir_fd, const char *name, int type);

/* The same for an absolute path. */
int sock_connect_path(const char *path, int type);

#endif
