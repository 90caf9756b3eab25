/*
 * Purpose: start init's program, and speak with it until its process listens.
 * Runs in: the host's namespaces.
 * Should: hand on exactly the descriptors that are named.
 * Mustn't: exec a file: through /proc/PID/exe nobody may reach, or change, one of the host.
 * Undo: the end of the control socket ends what was started.
 */
#include "kernel/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_further.h"

/* Init's program, put into this executable by the build. */
extern const char init_image[], init_image_end[];

void launcher_init(struct launcher *l)
{
	*l = (struct launcher){.setup.version = INIT_VERSION, .control = -1, .program = -1};
	for (size_t i = 0; i < LAUNCHER_FDS_MAX; i++)
		l->fds[i] = -1;
}

void launcher_close(struct launcher *l)
{
	for (size_t i = 0; i < LAUNCHER_FDS_MAX; i++)
		own_close_fd(&l->fds[i]);
	own_close_fd(&l->control);
	own_close_fd(&l->program);
	/* Without our end of the control socket it ends by itself, if it has not yet. */
	if (l->pid > 0)
		while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
			;
	launcher_init(l);
}

static int open_program(struct launcher *l, struct oci_err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, errno, "cannot make a socket pair");
	l->control = pair[0];
	l->fds[LAUNCHER_CONTROL] = pair[1];
	l->program = fd_memory_file("oci-init", init_image, (size_t)(init_image_end - init_image),
				    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	return l->program < 0 ? err_sys(err, errno, "cannot make a memory file for init") : 0;
}

/*
 * In a vforked child: puts the descriptors in their places and becomes the
 * launcher. They are moved out of the way first, since a source may lie where
 * another has to go.
 */
static _Noreturn void become(struct launcher *l, int base, pid_t parent)
{
	int moved[LAUNCHER_FDS_MAX], program;
	char number[16];
	char *argv[] = {(char[]){"oci-init"}, number, NULL}, *env[] = {NULL};
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (int i = 0; i < LAUNCHER_FDS_MAX; i++) {
		moved[i] = l->fds[i] < 0
				   ? -1
				   : fcntl(l->fds[i], F_DUPFD_CLOEXEC, base + LAUNCHER_FDS_MAX);
		if (l->fds[i] >= 0 && moved[i] < 0)
			_exit(1);
	}
	program = fcntl(l->program, F_DUPFD_CLOEXEC, base + LAUNCHER_FDS_MAX);
	for (int i = 0; i < LAUNCHER_FDS_MAX; i++)
		if (moved[i] >= 0 && dup2(moved[i], base + i) < 0)
			_exit(1);
	for (int fd = 3; fd < base; fd++)
		if (fcntl(fd, F_SETFD, 0) < 0 && errno != EBADF)
			_exit(1);
	if (l->has_affinity && sched_setaffinity(0, sizeof l->affinity, &l->affinity) < 0) {
		l->affinity_errno = errno;
		_exit(1);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(number, sizeof number, "%d", base);
	syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
	_exit(1);
}

int launcher_start(struct launcher *l, unsigned preserve_fds, struct oci_err *err)
{
	int base = 3 + (int)preserve_fds;
	pid_t parent = getpid();

	if (open_program(l, err) < 0)
		return -1;
	l->pid = vfork();
	if (l->pid == 0)
		become(l, base, parent);
	if (l->pid < 0)
		return err_sys(err, errno, "cannot start the launcher");
	own_close_fd(&l->fds[LAUNCHER_CONTROL]);
	l->fds[LAUNCHER_CONTROL] = -1;
	/* Written by the child in our memory, which it shares until it executes. */
	if (l->affinity_errno) {
		err_sys(err, l->affinity_errno, "cannot set the CPUs of the process");
		return err_at(err, "/process/execCPUAffinity/initial");
	}
	if (l->brought && cgroup_further_bring(l->brought, l->pid, err) < 0)
		return -1;
	if (fd_send(l->control, &l->setup, sizeof l->setup, NULL, 0) < 0)
		return err_sys(err, errno, "cannot tell the launcher what to do");
	return 0;
}

int launcher_await(const struct launcher *l, enum setup_step step, struct setup_message *ret,
		   struct oci_err *err)
{
	union {
		struct setup_message message;
		struct init_reply reply;
	} in;
	ssize_t n = fd_receive(l->control, &in, sizeof in, NULL, NULL);

	if (n == (ssize_t)sizeof in.reply) {
		in.reply.text[sizeof in.reply.text - 1] = '\0';
		return err_sys(err, in.reply.status, "%s", in.reply.text);
	}
	if (n == (ssize_t)sizeof in.message && in.message.step == step) {
		*ret = in.message;
		return 0;
	}
	if (n < 0 && errno != ECONNRESET)
		return err_sys(err, errno, "cannot hear the launcher");
	return err_set(err, FAULT_SYSTEM, "the process ended while it was set up");
}

int launcher_tell(const struct launcher *l, enum setup_step step, int fd, struct oci_err *err)
{
	struct setup_message message = {.step = step};

	if (fd_send(l->control, &message, sizeof message, &fd, fd >= 0) < 0)
		return err_sys(err, errno, "cannot tell init to go on");
	return 0;
}
