/*
 * Purpose: init's first steps in its new namespaces, in turns with
 *   oci-nsenter-setup, which alone can write id maps, v1 cgroups and time offsets.
 * Runs in: the container's namespaces, in the host's root directory still.
 * Should: become root of the user namespace; unshare what has to be unshared
 *   only now; set names; bring up loopback.
 * Mustn't: outlive the stage before it listens.
 * Specification: config-linux.md "Namespaces", "Offset for Time Namespace";
 *   config.md "Hostname", "Domainname".
 */
#include "init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void tell(int control, uint32_t step)
{
	struct setup_message message = {.step = step};

	if (send(control, &message, sizeof message, MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* Waits for a step; *ret_fd: the descriptor that came with it. The end of the connection ends init.
 */
static void await(int control, uint32_t step, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space;
	struct setup_message message;
	struct iovec iov = {&message, sizeof message};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &space,
		.msg_controllen = sizeof space,
	};
	struct cmsghdr *c;

	if (recvmsg(control, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof message ||
	    message.step != step)
		_exit(1);
	c = CMSG_FIRSTHDR(&msg);
	if (ret_fd && c && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
}

static void become_root(int control)
{
	/* setgroups is refused where an unprivileged user made the namespace: nothing to drop then.
	 */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		setup_fail(control, errno, "cannot drop the caller's groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		setup_fail(control, errno, "cannot become root of the user namespace");
}

/*
 * The offsets can be written only while the namespace is empty, and only from
 * outside do we have a procfs: unshare, let the stage write, and enter by the
 * descriptor that it sends.
 */
static void enter_time_ns(int control)
{
	int fd = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		setup_fail(control, errno, "cannot make a time namespace");
	tell(control, SETUP_TIME);
	await(control, SETUP_TIME_DONE, &fd);
	if (setns(fd, CLONE_NEWTIME) < 0)
		setup_fail(control, errno, "cannot enter the time namespace");
	close(fd);
}

static void loopback_up(int control)
{
	struct ifreq request = {.ifr_name = "lo"};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* A kernel without IPv4 has other sockets. */
	if (sock < 0)
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &request) < 0)
		setup_fail(control, errno, "cannot look at the loopback interface");
	request.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &request) < 0)
		setup_fail(control, errno, "cannot bring up the loopback interface");
	close(sock);
}

static void on_signal(int signal)
{
	_exit(128 + signal);
}

/*
 * As pid 1 of its namespace init would be deaf to signals that it has no
 * handler for, and a container that is only created could not be ended kindly.
 */
static void heed_signals(void)
{
	static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
	struct sigaction action = {.sa_handler = on_signal};

	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
		sigaction(ending[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

void setup(int base, const struct init_setup *s)
{
	int control = base + LAUNCHER_CONTROL;

	heed_signals();
	await(control, SETUP_JOIN_DONE, NULL);
	if (s->become_root)
		become_root(control);
	if (s->new_cgroup_ns && unshare(CLONE_NEWCGROUP) < 0)
		setup_fail(control, errno, "cannot make a cgroup namespace");
	if (s->new_time_ns)
		enter_time_ns(control);
	/*
	 * An unprivileged user's stages may join us only while we are dumpable: until we are
	 * ready. The user namespace is new then, and whoever is in another one may not trace us,
	 * of the same user or not (ptrace(2), "Ptrace access mode checking").
	 */
	if (prctl(PR_SET_DUMPABLE, s->dumpable) < 0)
		setup_fail(control, errno, "cannot become non-dumpable");
	if (s->hostname[0] && sethostname(s->hostname, strnlen(s->hostname, SETUP_NAME_MAX)) < 0)
		setup_fail(control, errno, "cannot set the hostname \"%s\"", s->hostname);
	if (s->domainname[0] &&
	    setdomainname(s->domainname, strnlen(s->domainname, SETUP_NAME_MAX)) < 0)
		setup_fail(control, errno, "cannot set the domainname \"%s\"", s->domainname);
	if (s->loopback_up)
		loopback_up(control);
	/* pivot_root moves only those whose directory is the old root itself. */
	if (chdir("/") < 0)
		setup_fail(control, errno, "cannot change to \"%s\"", "/");
	tell(control, SETUP_UP);
	close(control);
	close(base + LAUNCHER_CGROUP);
	for (uint32_t i = 0; i < s->n_joins; i++)
		close(base + LAUNCHER_JOIN + (int)i);
}
