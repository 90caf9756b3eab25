/* A file with a pid: written aside, renamed. */
#include "base/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

int pid_file_write(const char *path, pid_t pid, struct oci_err *err)
{
	own_ptr char *aside = NULL;
	char text[24];
	own_fd int fd = -1;

	if (asprintf(&aside, "%s.%d", path, (int)getpid()) < 0)
		return err_sys(err, ENOMEM, "cannot write the pid file \"%s\"", path);
	snprintf(text, sizeof text, "%d", (int)pid);
	fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_sys(err, errno, "cannot write the pid file \"%s\"", path);
	if (fd_write_all(fd, text, strlen(text)) < 0 || rename(aside, path) < 0) {
		int e = errno;

		unlink(aside);
		return err_sys(err, e, "cannot write the pid file \"%s\"", path);
	}
	return 0;
}

void pid_file_remove(const char *path)
{
	unlink(path);
}
