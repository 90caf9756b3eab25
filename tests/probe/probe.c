/*
 * probe [--stay] [SECTION...] - what a container's process sees, as one JSON object on standard
 * output. --stay: sleep afterwards, so that it can be looked at from outside. SECTION: only these.
 *
 * Numbers come from system calls wherever there is one, since /proc may be hidden, or may lie.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "json.h"

extern char **environ;

static int probe_argc;
static char **probe_argv;

/* A small file without its last newline; NULL if it cannot be read. Static storage. */
static const char *file(const char *path)
{
	static char buf[65536];
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return NULL;
	n = fread(buf, 1, sizeof buf - 1, f);
	fclose(f);
	while (n && (buf[n - 1] == '\n' || buf[n - 1] == 0))
		n--;
	buf[n] = 0;
	return buf;
}

static const char *link_target(const char *path)
{
	static char buf[4096];
	ssize_t n = readlink(path, buf, sizeof buf - 1);

	if (n < 0)
		return NULL;
	buf[n] = 0;
	return buf;
}

/* ---- sections ---- */

static void process(void)
{
	number("pid", getpid());
	number("ppid", getppid());
	number("pgid", getpgrp());
	number("sid", getsid(0));
	number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	number("personality", personality(0xffffffff));
	string("oom_score_adj", file("/proc/self/oom_score_adj"));
	string("label", file("/proc/self/attr/current"));
	number("session_keyring", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3, 0));
	string("timens_offsets", file("/proc/self/timens_offsets"));
	string("cgroup", file("/proc/self/cgroup"));
}

static void user(void)
{
	uid_t r, e, s;
	gid_t groups[1024];
	int n = getgroups(1024, groups);
	mode_t mask = umask(0);

	umask(mask);
	getresuid(&r, &e, &s);
	key("uid");
	printf("[%u,%u,%u]", r, e, s);
	getresgid(&r, &e, &s);
	key("gid");
	printf("[%u,%u,%u]", r, e, s);
	key("groups");
	begin('[');
	for (int i = 0; i < n; i++) {
		item();
		printf("%u", groups[i]);
	}
	end(']');
	number("umask", mask);
	string("uid_map", file("/proc/self/uid_map"));
	string("gid_map", file("/proc/self/gid_map"));
	string("setgroups", file("/proc/self/setgroups"));
}

static const char *const cap_names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};
enum { N_CAPS = sizeof cap_names / sizeof *cap_names };

static void cap_set(const char *name, uint64_t set)
{
	key(name);
	begin('[');
	for (int c = 0; c < N_CAPS; c++)
		if (set >> c & 1) {
			item();
			printf("\"CAP_%s\"", cap_names[c]);
		}
	end(']');
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {0};
	uint64_t bounding = 0, ambient = 0;

	syscall(SYS_capget, &header, d);
	for (int c = 0; c < N_CAPS; c++) {
		bounding |= (uint64_t)(prctl(PR_CAPBSET_READ, c) == 1) << c;
		ambient |= (uint64_t)(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) == 1)
			   << c;
	}
	key("capabilities");
	begin('{');
	cap_set("bounding", bounding);
	cap_set("effective", d[0].effective | (uint64_t)d[1].effective << 32);
	cap_set("permitted", d[0].permitted | (uint64_t)d[1].permitted << 32);
	cap_set("inheritable", d[0].inheritable | (uint64_t)d[1].inheritable << 32);
	cap_set("ambient", ambient);
	end('}');
}

static void limit(const char *name, rlim_t value)
{
	key(name);
	if (value == RLIM_INFINITY)
		printf("\"unlimited\"");
	else
		printf("%llu", (unsigned long long)value);
}

static void limits(void)
{
	static const char *const names[] = {
		[RLIMIT_CPU] = "CPU",		[RLIMIT_FSIZE] = "FSIZE",
		[RLIMIT_DATA] = "DATA",		[RLIMIT_STACK] = "STACK",
		[RLIMIT_CORE] = "CORE",		[RLIMIT_RSS] = "RSS",
		[RLIMIT_NPROC] = "NPROC",	[RLIMIT_NOFILE] = "NOFILE",
		[RLIMIT_MEMLOCK] = "MEMLOCK",	[RLIMIT_AS] = "AS",
		[RLIMIT_LOCKS] = "LOCKS",	[RLIMIT_SIGPENDING] = "SIGPENDING",
		[RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
		[RLIMIT_RTPRIO] = "RTPRIO",	[RLIMIT_RTTIME] = "RTTIME",
	};
	struct rlimit r;
	char name[32];

	key("limits");
	begin('{');
	for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
		if (getrlimit(i, &r) < 0)
			continue;
		snprintf(name, sizeof name, "RLIMIT_%s", names[i]);
		key(name);
		begin('{');
		limit("soft", r.rlim_cur);
		limit("hard", r.rlim_max);
		end('}');
	}
	end('}');
}

static void namespaces(void)
{
	static const char *const types[] = {"cgroup", "ipc",
					    "mnt",    "net",
					    "pid",    "pid_for_children",
					    "time",   "time_for_children",
					    "user",   "uts"};
	char path[64];

	key("namespaces");
	begin('{');
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", types[i]);
		string(types[i], link_target(path));
	}
	end('}');
}

static void mounts(void)
{
	char line[8192], *f[64], *save;
	FILE *info = fopen("/proc/self/mountinfo", "re");

	key("mounts");
	begin('[');
	while (info && fgets(line, sizeof line, info)) {
		int n = 0, dash = 0;

		for (char *w = strtok_r(line, " \n", &save); w && n < 63;
		     w = strtok_r(NULL, " \n", &save))
			f[n++] = w;
		f[n] = NULL;
		for (dash = 6; dash < n && strcmp(f[dash], "-"); dash++)
			;
		if (dash + 2 >= n)
			continue;
		item();
		begin('{');
		number("id", atoi(f[0]));
		number("parent", atoi(f[1]));
		string("device", f[2]);
		string("root", f[3]);
		string("destination", f[4]);
		string("options", f[5]);
		string("propagation", dash > 6 ? f[6] : "private");
		string("type", f[dash + 1]);
		string("source", f[dash + 2]);
		string("super", f[dash + 3] ? f[dash + 3] : "");
		end('}');
	}
	if (info)
		fclose(info);
	end(']');
}

static void devices(void)
{
	DIR *dir = opendir("/dev");
	char path[512];
	struct stat st;

	key("devices");
	begin('{');
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof path, "/dev/%s", e->d_name);
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || lstat(path, &st) < 0)
			continue;
		key(e->d_name);
		begin('{');
		string("type", S_ISCHR(st.st_mode)    ? "c"
			       : S_ISBLK(st.st_mode)  ? "b"
			       : S_ISDIR(st.st_mode)  ? "d"
			       : S_ISLNK(st.st_mode)  ? "l"
			       : S_ISFIFO(st.st_mode) ? "p"
						      : "f");
		number("major", major(st.st_rdev));
		number("minor", minor(st.st_rdev));
		number("mode", st.st_mode & 07777);
		number("uid", st.st_uid);
		number("gid", st.st_gid);
		if (S_ISLNK(st.st_mode))
			string("target", link_target(path));
		end('}');
	}
	if (dir)
		closedir(dir);
	end('}');
}

static void seccomp(void)
{
	const char *status = file("/proc/self/status"), *at;

	key("seccomp");
	begin('{');
	at = status ? strstr(status, "\nSeccomp:") : NULL;
	number("mode", at ? atoi(at + 9) : -1);
	at = status ? strstr(status, "\nSeccomp_filters:") : NULL;
	number("filters", at ? atoi(at + 17) : -1);
	end('}');
}

static void list(const char *name, char **strings, int n)
{
	key(name);
	begin('[');
	for (int i = 0; n < 0 ? strings[i] != NULL : i < n; i++) {
		item();
		text(strings[i]);
	}
	end(']');
}

static void program(void)
{
	char buf[4096];

	list("args", probe_argv, probe_argc);
	list("env", environ, -1);
	string("cwd", getcwd(buf, sizeof buf));
}

static void descriptors(void)
{
	char path[64];
	struct stat st;

	key("descriptors");
	begin('{');
	for (int fd = 0; fd < 4096; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0)
			continue;
		snprintf(path, sizeof path, "%d", fd);
		key(path);
		begin('{');
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		string("target", link_target(path));
		boolean("cloexec", flags & FD_CLOEXEC);
		if (fstat(fd, &st) == 0) {
			number("type", st.st_mode & S_IFMT);
			number("dev", (long long)st.st_dev);
			number("ino", (long long)st.st_ino);
			number("rdev", (long long)st.st_rdev);
		}
		end('}');
	}
	end('}');
}

static void names(void)
{
	struct utsname uts;

	uname(&uts);
	string("hostname", uts.nodename);
	string("domainname", uts.domainname);
}

static void terminal(void)
{
	struct winsize w = {0};
	bool tty = isatty(0);

	boolean("tty", tty);
	string("ttyname", tty ? ttyname(0) : NULL);
	if (tty && ioctl(0, TIOCGWINSZ, &w) == 0) {
		number("rows", w.ws_row);
		number("columns", w.ws_col);
	}
	number("foreground", tcgetpgrp(0));
}

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static void scheduler(void)
{
	struct attr a = {.size = sizeof a};
	cpu_set_t cpus;

	key("scheduler");
	begin('{');
	if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) == 0) {
		number("policy", a.policy);
		number("flags", (long long)a.flags);
		number("nice", a.nice);
		number("priority", a.priority);
		number("runtime", (long long)a.runtime);
		number("deadline", (long long)a.deadline);
		number("period", (long long)a.period);
	}
	number("ioprio", syscall(SYS_ioprio_get, 1, 0));
	key("cpus");
	begin('[');
	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof cpus, &cpus);
	for (int c = 0; c < CPU_SETSIZE; c++)
		if (CPU_ISSET(c, &cpus)) {
			item();
			printf("%d", c);
		}
	end(']');
	end('}');
}

static void mempolicy(void)
{
	unsigned long nodes[16] = {0};
	int mode = -1;

	syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 0);
	key("mempolicy");
	begin('{');
	number("mode", mode);
	number("nodes", (long long)nodes[0]);
	end('}');
}

static void signals(void)
{
	struct sigaction sa;
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, NULL, &blocked);
	key("signals");
	begin('{');
	key("blocked");
	begin('[');
	for (int s = 1; s < 65; s++)
		if (sigismember(&blocked, s) == 1) {
			item();
			printf("%d", s);
		}
	end(']');
	key("ignored");
	begin('[');
	for (int s = 1; s < 65; s++)
		if (sigaction(s, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN) {
			item();
			printf("%d", s);
		}
	end(']');
	end('}');
}

static void network(void)
{
	struct if_nameindex *all = if_nameindex();
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	key("network");
	begin('{');
	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		struct ifreq r = {0};

		snprintf(r.ifr_name, sizeof r.ifr_name, "%s", i->if_name);
		key(i->if_name);
		begin('{');
		boolean("up", ioctl(s, SIOCGIFFLAGS, &r) == 0 && r.ifr_flags & IFF_UP);
		end('}');
	}
	end('}');
	if (all)
		if_freenameindex(all);
	close(s);
}

static const struct section {
	const char *name;
	void (*print)(void);
} sections[] = {
	{"process", process},
	{"user", user},
	{"capabilities", capabilities},
	{"limits", limits},
	{"namespaces", namespaces},
	{"mounts", mounts},
	{"devices", devices},
	{"seccomp", seccomp},
	{"program", program},
	{"descriptors", descriptors},
	{"names", names},
	{"terminal", terminal},
	{"scheduler", scheduler},
	{"mempolicy", mempolicy},
	{"signals", signals},
	{"network", network},
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 0;
}

int main(int argc, char **argv)
{
	bool stay = argc > 1 && !strcmp(argv[1], "--stay");

	probe_argc = argc;
	probe_argv = argv;
	argv += 1 + stay;
	argc -= 1 + stay;
	begin('{');
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		if (wanted(sections[i].name, argc, argv))
			sections[i].print();
	end('}');
	putchar('\n');
	fflush(stdout);
	while (stay)
		pause();
	return 0;
}
