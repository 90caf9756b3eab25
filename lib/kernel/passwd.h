/*
 * The user's home directory by the container's own /etc/passwd, where
 * process.env has no HOME (as runc does; the specification is silent).
 */
#ifndef KERNEL_PASSWD_H
#define KERNEL_PASSWD_H

#include <sys/types.h>

/*
 * The sixth field of the first line for uid in etc/passwd beneath root_fd. "/"
 * if there is no such line or file, or if what is there is no regular file of at
 * most 1 MiB, or if the field is not an absolute path: the file is the
 * container's and proves nothing. The caller frees it; NULL without memory.
 */
char *passwd_home(int root_fd, uid_t uid);

#endif
