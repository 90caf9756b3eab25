#include "kernel/holder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/own.h"

/* A line: "1: FLOCK  ADVISORY  WRITE 4711 00:1a:5678 0 EOF"; waiters have "->" after the number. */
static pid_t find_holder(const struct stat *st)
{
	own_file FILE *locks = fopen("/proc/locks", "re");
	char line[256];

	while (locks && fgets(line, sizeof line, locks)) {
		unsigned major_number, minor_number;
		unsigned long long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_number,
			   &minor_number, &inode) == 4 &&
		    inode == st->st_ino && makedev(major_number, minor_number) == st->st_dev)
			return pid;
	}
	return 0;
}

int holder_open(int fd)
{
	own_fd int pidfd = -1;
	struct stat st;
	pid_t pid;

	if (fstat(fd, &st) < 0)
		return -1;
	pid = find_holder(&st);
	if (pid > 0)
		pidfd = pidfd_open(pid, 0);
	/* Opened first, compared second: it held the lock while we had its pidfd. */
	if (pidfd < 0 || find_holder(&st) != pid) {
		errno = ESRCH;
		return -1;
	}
	return steal_fd(&pidfd);
}
