/*
 * Purpose: small questions to the kernel.
 * Runs in: the runtime's namespaces; what would change the process, in a child.
 * Mustn't: leave anything behind, load a module, wait for anybody.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

enum { PROC_FILE_MAX = 1 << 20, ERRNO_BITS = 0xff };

int host_try(int (*f)(const void *), const void *arg)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(f(arg) & ERRNO_BITS);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int make_namespaces(const void *arg)
{
	return unshare(*(const int *)arg) < 0 ? errno : 0;
}

int host_try_namespaces(uint64_t flags)
{
	const int arg = (int)flags;

	return host_try(make_namespaces, &arg);
}

bool host_has_capability(int capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t caps = cap_get_proc();
	bool has;

	has = caps && cap_get_flag(caps, capability, CAP_EFFECTIVE, &value) == 0 &&
	      value == CAP_SET;
	if (caps)
		cap_free(caps);
	return has;
}

bool host_has_seccomp_action(const char *name)
{
	static const struct {
		const char *name;
		uint32_t value;
	} actions[] = {
		{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
		{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO},
		{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
		{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
		{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
		{"SCMP_ACT_LOG", SECCOMP_RET_LOG},
		{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
		{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE},
		{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
				       &actions[i].value) == 0;
	return false;
}

bool host_has_seccomp_flag(const char *name)
{
	static const struct {
		const char *name;
		unsigned long value;
	} flags[] = {
		{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
		{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
		{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		/* Of a filter with a listener only. */
		{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
		 SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER},
	};

	/* The flags are looked at before the program, which is not there: EFAULT. */
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(flags[i].name, name) == 0)
			return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags[i].value, NULL) <
				       0 &&
			       errno == EFAULT;
	return false;
}

char *host_read_proc(const char *name)
{
	own_err struct oci_err err = ERR_INIT;
	own_fd int proc = proc_open_host(&err);
	own_fd int fd = -1;
	char *text = NULL;
	size_t len;

	if (proc < 0) {
		errno = err.errnum ? err.errnum : ENOENT;
		return NULL;
	}
	fd = sys_openat2(proc, name, O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	if (fd < 0 || fd_read_all(fd, PROC_FILE_MAX, &text, &len) < 0)
		return NULL;
	return text;
}
