/*
 * rootrace SECONDS: with CAP_SYS_PTRACE, opens /proc/PID/root of the processes that appear in its
 * pid namespace; says HIT if that is another directory than its own root.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int newest(void)
{
	int pid = fork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	struct stat own, other;
	char path[64];

	stat("/", &own);
	printf("looking\n");
	fflush(stdout);
	while (time(NULL) < end) {
		int next = newest() + 1;

		for (int i = 0; i < 20000; i++) {
			for (int pid = next; pid < next + 2; pid++) {
				snprintf(path, sizeof path, "/proc/%d/root", pid);
				if (stat(path, &other) < 0)
					continue;
				if (other.st_dev != own.st_dev || other.st_ino != own.st_ino)
					printf("HIT %d\n", pid);
				else
					printf("seen %d\n", pid);
				fflush(stdout);
				i = 20000;
			}
		}
	}
	printf("finished\n");
	return 0;
}
