/*
 * swapper SECONDS A B - exchanges A and B (renameat2(2), RENAME_EXCHANGE) as fast as it can: the
 * hostile half of every race between a runtime's check of a path and its use.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	time_t end;

	if (argc != 4)
		return fprintf(stderr, "usage: swapper SECONDS A B\n"), 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	end = time(NULL) + atoi(argv[1]);
	while (time(NULL) < end)
		for (int i = 0; i < 1000; i++)
			if (syscall(SYS_renameat2, AT_FDCWD, argv[2], AT_FDCWD, argv[3],
				    RENAME_EXCHANGE) < 0)
				return perror("renameat2"), 1;
	return 0;
}
