/* Who holds a lock: /proc/locks. */
#ifndef KERNEL_HOLDER_H
#define KERNEL_HOLDER_H

/*
 * A pidfd of the process that took the flock(2) on the file of fd; -1 with
 * errno: ESRCH if nobody holds it, or somebody whom this pid namespace cannot see.
 */
int holder_open(int fd);

#endif
