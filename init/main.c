/*
 * oci-init BASE - started by oci-nsenter-setup and oci-exec only: descriptors from BASE on
 * are those of enum launcher_fd, what is below is the container's.
 */
#include "init/init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BASE_MAX = 1 << 20 };

static int parse_base(const char *text)
{
	int value = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > BASE_MAX / 10)
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value;
}

int main(int argc, char **argv)
{
	int base = argc == 2 ? parse_base(argv[1]) : -1;

	/* First of all: an exec has made us dumpable. */
	if (base < 3 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    syscall(SYS_close_range, base, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return 1;
	/* Not the name of a memory file, for those who look at the host's processes. */
	prctl(PR_SET_NAME, "oci-init");
	launch(base);
}
