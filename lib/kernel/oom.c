#include "kernel/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

enum { OOM_MIN = -1000, OOM_MAX = 1000 };

static int open_score(int proc, pid_t pid, uint64_t flags)
{
	char path[40];

	snprintf(path, sizeof path, "%d/oom_score_adj", (int)pid);
	return sys_openat2(proc, path, flags | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

static int read_score(int proc, pid_t pid, int64_t *ret_score)
{
	own_fd int fd = open_score(proc, pid, O_RDONLY);
	char text[16];
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	if (n < 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return num_int(text, OOM_MIN, OOM_MAX, ret_score) ? 0 : -1;
}

int oom_apply(pid_t pid, int score_adj, struct oci_err *err)
{
	own_fd int fd = -1;
	int proc = proc_fd(err);
	int64_t now = 0;
	char text[16];
	int len, errnum;

	if (proc < 0)
		return -1;
	if (read_score(proc, pid, &now) == 0 && now == score_adj)
		return 0;
	len = snprintf(text, sizeof text, "%d", score_adj);
	fd = open_score(proc, pid, O_WRONLY);
	if (fd >= 0 && write(fd, text, (size_t)len) == len)
		return 0;
	errnum = errno;
	if (errnum == EACCES || errnum == EPERM) {
		err_set(err, FAULT_UNSUPPORTED,
			"cannot set the OOM score adjustment: %s: to lower it from %d to %d takes "
			"CAP_SYS_RESOURCE",
			err_name(errnum), (int)now, score_adj);
		err->errnum = errnum;
	} else {
		err_sys(err, errnum, "cannot set the OOM score adjustment to %d", score_adj);
	}
	return err_at(err, "/process/oomScoreAdj");
}
