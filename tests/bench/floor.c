/*
 * floor ROUNDS ROOTFS - what the kernel alone takes for one container's life.
 *
 * The system calls that a container of the default config.json cannot do
 * without (five namespaces, seven mounts, devices, masked and read-only paths,
 * pivot_root, exec, kill, rmdir of the cgroup), in one process that reads no configuration
 * and keeps no state; and three starts of a static program that does nothing, because
 * a life is three commands. No runtime can be faster than the sum of the medians.
 *
 * ROOTFS: /bin/sleep, and the directories proc, sys, dev.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum part { CREATE, START, DELETE, PROGRAMS, PARTS };

static const char *const part_names[PARTS] = {"create", "start", "delete", "3 empty programs"};

static const char *const masked_paths[] = {
	"proc/acpi",	   "proc/kcore",       "proc/keys",    "proc/latency_stats",
	"proc/timer_list", "proc/sched_debug", "sys/firmware", "proc/scsi",
};

static const char *const read_only_paths[] = {
	"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger",
};

static const struct {
	const char *type, *target, *data;
	unsigned long flags;
} mounts[] = {
	{"proc", "proc", NULL, 0},
	{"tmpfs", "dev", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
	{"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
	{"tmpfs", "dev/shm", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
	{"mqueue", "dev/mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
	{"sysfs", "sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
	{"cgroup2", "sys/fs/cgroup", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
};

static const struct {
	const char *path;
	unsigned major, minor;
} devices[] = {
	{"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
	{"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static const struct {
	const char *target, *path;
} links[] = {
	{"/proc/self/fd", "dev/fd"},	   {"/proc/self/fd/0", "dev/stdin"},
	{"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
	{"pts/ptmx", "dev/ptmx"},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void check(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		_exit(1);
	}
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void make_mounts(void)
{
	for (size_t i = 0; i < COUNT(mounts); i++) {
		if (mounts[i].target[0] == 'd')
			mkdir(mounts[i].target, 0755);
		check(mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			    mounts[i].data),
		      mounts[i].target);
	}
	for (size_t i = 0; i < COUNT(devices); i++)
		check(mknod(devices[i].path, S_IFCHR | 0666,
			    makedev(devices[i].major, devices[i].minor)),
		      devices[i].path);
	for (size_t i = 0; i < COUNT(links); i++)
		check(symlink(links[i].target, links[i].path), links[i].path);
}

static void close_paths(void)
{
	const unsigned long ro =
		MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct stat st;

	for (size_t i = 0; i < COUNT(masked_paths); i++) {
		const char *path = masked_paths[i];

		if (stat(path, &st) < 0)
			continue;
		check(S_ISDIR(st.st_mode) ? mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL)
					  : mount("dev/null", path, NULL, MS_BIND, NULL),
		      path);
	}
	for (size_t i = 0; i < COUNT(read_only_paths); i++) {
		const char *path = read_only_paths[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
			check(mount(NULL, path, NULL, ro, NULL), path);
	}
}

static void contain(const char *rootfs, int ready, int start)
{
	char byte = 0;

	umask(0);
	check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "/");
	check(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
	check(chdir(rootfs), rootfs);
	make_mounts();
	close_paths();
	check(sethostname("floor", 5), "sethostname");
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir");
	check(write(ready, &byte, 1), "ready");
	check(read(start, &byte, 1), "start");
	execl("/bin/sleep", "sleep", "100", (char *)NULL);
	_exit(127);
}

/* The times of one life go to us[]. */
static void one_life(const char *group, const char *rootfs, double us[PARTS])
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
			 CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
	};
	double t[4] = {now_us()};
	int ready[2], start[2], cgroup;
	char byte;
	pid_t pid;

	mkdir(group, 0755);
	cgroup = open(group, O_DIRECTORY | O_CLOEXEC);
	check(cgroup, group);
	check(pipe2(ready, O_CLOEXEC), "pipe");
	check(pipe2(start, O_CLOEXEC), "pipe");
	args.cgroup = (unsigned long long)cgroup;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	check(pid, "clone3");
	if (pid == 0)
		contain(rootfs, ready[1], start[0]);
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	t[1] = now_us();
	check(write(start[1], &byte, 1), "start");
	/* Closed by the exec. */
	check(read(ready[0], &byte, 1), "exec");
	t[2] = now_us();
	check(kill(pid, SIGKILL), "kill");
	check(waitpid(pid, NULL, 0), "wait");
	while (rmdir(group) < 0)
		;
	t[3] = now_us();
	close(cgroup);
	close(ready[0]);
	close(start[0]);
	close(start[1]);
	for (int k = CREATE; k <= DELETE; k++)
		us[k] = t[k + 1] - t[k];
}

static double empty_program(void)
{
	char *argv[] = {(char[]){"floor"}, NULL};
	double begin = now_us();
	pid_t pid;

	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ))
		exit(1);
	check(waitpid(pid, NULL, 0), "wait");
	return now_us() - begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int unified = access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0;
	const char *group = unified ? "/sys/fs/cgroup/floor" : "/sys/fs/cgroup/unified/floor";
	int rounds = argc == 3 ? atoi(argv[1]) : 0;
	double *us[PARTS], sum = 0;

	if (argc == 1)
		return 0; /* the empty program */
	if (rounds < 1) {
		fprintf(stderr, "usage: floor ROUNDS ROOTFS\n");
		return 2;
	}
	for (int k = 0; k < PARTS; k++)
		us[k] = calloc((size_t)rounds, sizeof(double));
	for (int i = 0; i < rounds; i++) {
		double once[PARTS];

		one_life(group, argv[2], once);
		once[PROGRAMS] = empty_program() + empty_program() + empty_program();
		for (int k = 0; k < PARTS; k++)
			us[k][i] = once[k];
	}
	for (int k = 0; k < PARTS; k++) {
		qsort(us[k], (size_t)rounds, sizeof(double), by_value);
		sum += us[k][rounds / 2];
		printf("%s %.0f us, ", part_names[k], us[k][rounds / 2]);
	}
	printf("floor %.0f us\n", sum);
	return 0;
}
