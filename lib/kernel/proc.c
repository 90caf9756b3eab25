#include "kernel/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/own.h"
#include "base/sys.h"

/* The root directory of every procfs has this inode number. */
enum { PROC_ROOT_INO = 1 };

/* PID_FS_MAGIC of linux/magic.h, since Linux 6.10. */
enum { PIDFS_MAGIC = 0x50494446 };

/* PF_EXITING of Linux, in a process's flags. */
enum { FLAG_EXITING = 4 };

static int proc_root = -1;

static int private_instance(void)
{
	own_fd int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
	    fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC,
		       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int proc_open_host(struct oci_err *err)
{
	own_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return err_sys(err, errno, "cannot open /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO)
		return err_set(err, FAULT_UNSUPPORTED, "/proc is not the root of a procfs");
	return steal_fd(&fd);
}

int proc_fd(struct oci_err *err)
{
	if (proc_root < 0)
		proc_root = private_instance();
	if (proc_root < 0)
		proc_root = proc_open_host(err);
	return proc_root;
}

/*
 * The /proc that is there, if it is a procfs of our own pid namespace: enough for who
 * joins no namespace, and what is mounted over parts of it is not crossed into
 * (RESOLVE_NO_XDEV). A private instance costs 0.2 ms, most of it when its mount goes.
 */
static int plain_instance(void)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_fd int fd = proc_open_host(&ignored);
	char self[16], expected[16];
	ssize_t n;

	if (fd < 0)
		return -1;
	n = readlinkat(fd, "self", self, sizeof self);
	snprintf(expected, sizeof expected, "%d", (int)getpid());
	if (n != (ssize_t)strlen(expected) || memcmp(self, expected, (size_t)n) != 0)
		return -1;
	return steal_fd(&fd);
}

void proc_use_host(void)
{
	if (proc_root < 0)
		proc_root = plain_instance();
}

static int open_beneath(const char *path, int flags)
{
	static int plain = -1;
	own_err struct oci_err err = ERR_INIT;
	int root;

	if (proc_root < 0 && plain < 0)
		plain = plain_instance();
	root = proc_root < 0 && plain >= 0 ? plain : proc_fd(&err);
	if (root < 0) {
		errno = err.errnum ? err.errnum : ENOSYS;
		return -1;
	}
	return sys_openat2(root, path, (uint64_t)flags | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
}

/* Field n, from 3 on, of the text after the name in /proc/PID/stat; 0 if there is none. */
static uint64_t stat_field(const char *text, int n)
{
	for (int i = 3; i < n && text; i++) {
		text = strchr(text, ' ');
		text = text ? text + 1 : NULL;
	}
	return text ? strtoull(text, NULL, 10) : 0;
}

/*
 * Reads /proc/PID/stat: the state and the start time. The second field is the
 * program's name in parentheses and may hold anything: the last ')' ends it.
 */
static bool read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
{
	char path[32], text[1024], *field;
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "%d/stat", (int)pid);
	fd = open_beneath(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	field = strrchr(text, ')');
	if (!field || field[1] != ' ')
		return false;
	field += 2;
	*ret_state = *field;
	*ret_start = stat_field(field, 22);
	return *ret_start != 0;
}

uint64_t proc_start_time(pid_t pid)
{
	uint64_t start = 0;
	char state;

	return read_stat(pid, &state, &start) ? start : 0;
}

/* 0 before Linux 6.9, and where inode numbers have fewer than 64 bits and recur. */
static uint64_t pidfd_inode(int pidfd)
{
	struct statfs fs;
	struct stat st;

	if (sizeof(long) < sizeof(uint64_t) || fstatfs(pidfd, &fs) < 0 ||
	    fs.f_type != PIDFS_MAGIC || fstat(pidfd, &st) < 0)
		return 0;
	return st.st_ino;
}

struct proc_id proc_identify(pid_t pid)
{
	own_fd int pidfd = pidfd_open(pid, 0);

	return (struct proc_id){pid, proc_start_time(pid), pidfd < 0 ? 0 : pidfd_inode(pidfd)};
}

/* Whether pidfd, which was opened by the pid of id, is that of id. */
static bool is_process(int pidfd, const struct proc_id *id)
{
	struct stat st;
	uint64_t start;
	char state;

	if (id->inode)
		return fstat(pidfd, &st) == 0 && st.st_ino == id->inode;
	return read_stat(id->pid, &state, &start) && start == id->start_time;
}

pid_t proc_innermost_pid(pid_t pid)
{
	char path[32], text[4096], *line, *last;
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "%d/status", (int)pid);
	fd = open_beneath(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	line = strstr(text, "\nNSpid:\t");
	if (!line)
		return 0;
	/* One number for each namespace, from the procfs's own to the innermost. */
	line += strlen("\nNSpid:\t");
	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return (pid_t)strtol(last ? last + 1 : line, NULL, 10);
}

const char *proc_boot_id(void)
{
	static char id[40];
	own_fd int fd = -1;
	ssize_t n;

	if (id[0])
		return id;
	/* Not from the private instance: "subset=pid" leaves sys/ out. It is no secret and not used
	 * beyond a comparison. */
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, id, 36);
	id[n < 0 ? 0 : n] = '\0';
	return id;
}

bool proc_other_boot(const char *boot_id)
{
	const char *now = proc_boot_id();

	return *boot_id && *now && strcmp(boot_id, now) != 0;
}

int proc_open(const struct proc_id *id, struct oci_err *err)
{
	own_fd int pidfd = -1;

	if (!id->pid)
		return err_set(err, FAULT_STATE, "the container has no process");
	pidfd = pidfd_open(id->pid, 0);
	if (pidfd < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot open process %d", (int)id->pid);
	/* Opened first, compared second: the pidfd cannot change hands any more. */
	if (pidfd < 0 || !is_process(pidfd, id))
		return err_set(err, FAULT_STATE, "the container's process %d has ended",
			       (int)id->pid);
	return steal_fd(&pidfd);
}

int proc_open_root(const struct proc_id *id, struct oci_err *err)
{
	int proc = proc_fd(err);
	own_fd int root = -1;
	char path[32];

	if (proc < 0)
		return -1;
	snprintf(path, sizeof path, "%d/root", (int)id->pid);
	root = openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 && errno != ENOENT && errno != ESRCH)
		return err_sys(err, errno, "cannot open the root of the container's process");
	/* Opened first, compared second: the number may have been another's by then. */
	if (root < 0 || !proc_alive(id))
		return err_set(err, FAULT_STATE, "the container's process %d has ended",
			       (int)id->pid);
	return steal_fd(&root);
}

bool proc_alive(const struct proc_id *id)
{
	own_fd int pidfd = id->pid && id->inode ? pidfd_open(id->pid, 0) : -1;
	uint64_t start;
	char state;

	/* A third of the time that /proc takes. */
	if (pidfd >= 0)
		return is_process(pidfd, id) && !proc_wait(pidfd, 0);
	return id->pid && read_stat(id->pid, &state, &start) && start == id->start_time &&
	       state != 'Z' && state != 'X';
}

bool proc_dying(const struct proc_id *id)
{
	char path[32], text[1024], *name_end;
	own_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "%d/stat", (int)id->pid);
	fd = open_beneath(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return true;
	text[n] = '\0';
	name_end = strrchr(text, ')');
	if (!name_end || !name_end[1] || stat_field(name_end + 2, 22) != id->start_time)
		return true;
	/* Of a signal that is to end it, each thread has SIGKILL pending. */
	return name_end[2] == 'Z' || name_end[2] == 'X' ||
	       (stat_field(name_end + 2, 9) & FLAG_EXITING) ||
	       (stat_field(name_end + 2, 31) >> (SIGKILL - 1) & 1);
}

bool proc_wait(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n == 1;
}
