/* Descriptors: whole reads and writes, memory files, small files. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Writes all len bytes; -1 with errno. */
int fd_write_all(int fd, const void *data, size_t len);

/*
 * Reads to the end of the file, at most max bytes, into *ret_text (the caller
 * frees it; a NUL byte follows the *ret_len bytes). -1 with errno; EFBIG beyond max.
 */
int fd_read_all(int fd, size_t max, char **ret_text, size_t *ret_len);

/*
 * Reads a regular file of at most max bytes that lies beneath dirfd without
 * following a symbolic link in the last component and without blocking on a
 * FIFO. -1 with errno: EFBIG beyond max, EINVAL for what is no regular file.
 */
int fd_read_file(int dirfd, const char *name, size_t max, char **ret_text, size_t *ret_len);

/* Writes text to an existing control file (cgroupfs, procfs) in one write; -1 with errno. */
int fd_write_control(int dirfd, const char *name, const char *text);

/* A sealed memory file with these bytes, close-on-exec; -1 with errno. */
int fd_memory_file(const char *name, const void *data, size_t len, unsigned seals);

/*
 * A program's file, copied into a sealed memory file that anybody may execute. -1 with errno: EFBIG
 * beyond 64 MiB.
 */
int fd_memory_copy(const char *name, int from);

/*
 * What a program does first: makes sure that descriptors 0, 1 and 2 are open,
 * counts what it was given beyond them, and sets all of that close-on-exec. -1
 * with errno.
 */
int fd_begin(void);

/*
 * How many descriptors from 3 on, one after another, the program was started
 * with: at most these can be handed on. A higher number would be one that we opened.
 */
unsigned fd_inherited(void);

/*
 * Sends len bytes and up to FD_PASS_MAX descriptors as one message; receives
 * one. Received descriptors are close-on-exec. fd_receive() returns the bytes
 * received (0 at the end), stores at most *n_fds descriptors and closes any
 * further ones. -1 with errno (EMSGSIZE if the message was cut).
 */
enum { FD_PASS_MAX = 16 };
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t n_fds);
ssize_t fd_receive(int sock, void *data, size_t size, int *fds, size_t *n_fds);

#endif
