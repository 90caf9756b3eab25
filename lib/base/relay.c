/*
 * Purpose: pass on what a process and whoever started it have to say to each other.
 * Should: wait for everything in one place; lose no byte that the process wrote before it ended.
 * Mustn't: make the caller's descriptors non-blocking: others have the same open files.
 * Undo: relay_close().
 */
#include "base/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/terminal.h"

enum {
	SHARED_MAX = 512,   /* what pipes and terminals take without waiting once they take any */
	LATE_MAX = 1 << 18, /* more than a terminal can hold: what comes then is others' */
	FATAL = 128,
};

/* ---- Opening --------------------------------------------------------------------------------- */

/*
 * Whether a read or write waits is a property of the open file, which we share with our parent.
 * Terminals, pipes and FIFOs can be opened once more (not by a user whose process is not dumpable).
 */
static int own_description(int fd, int flags)
{
	char name[32];
	struct stat st;
	int own = -1;

	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd))) {
		snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
		own = open(name, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static size_t writable_at_once(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode) ||
	    (fcntl(fd, F_GETFL) & O_NONBLOCK))
		return RELAY_BUFFER;
	return SHARED_MAX;
}

static int open_streams(struct relay *r, struct oci_err *err)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

	r->in = own_description(STDIN_FILENO, O_RDONLY);
	r->out = own_description(STDOUT_FILENO, O_WRONLY);
	r->events = epoll_create1(EPOLL_CLOEXEC);
	if (r->in < 0 || r->out < 0 || r->events < 0 ||
	    fcntl(r->master, F_SETFL, fcntl(r->master, F_GETFL) | O_NONBLOCK) < 0 ||
	    epoll_ctl(r->events, EPOLL_CTL_ADD, r->master, &event) < 0)
		return err_sys(err, errno, "cannot relay the terminal");
	r->in_open = true;
	r->out_max = writable_at_once(r->out);
	r->can_read = r->can_write = true;
	terminal_prepare(r->master);
	r->raw = terminal_raw(STDIN_FILENO, &r->before);
	return 0;
}

static int open_signals(struct relay *r, struct oci_err *err)
{
	struct sigaction action;
	sigset_t all;

	/* Ignored, a child would not wait to be asked for its status. */
	signal(SIGCHLD, SIG_DFL);
	r->keep_hup = sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
	sigfillset(&all);
	r->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0 || sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return err_sys(err, errno, "cannot relay signals");
	return 0;
}

int relay_open(struct relay *r, int master, struct oci_err *err)
{
	sigset_t mask;

	*r = (struct relay){
		.watch.fd = -1, .master = master, .signals = -1, .events = -1, .in = -1, .out = -1};
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (open_signals(r, err) == 0 && (master < 0 || open_streams(r, err) == 0))
		return 0;
	relay_close(r);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return -1;
}

static void drop(int *fd)
{
	own_close_fd(fd);
	*fd = -1;
}

static void put_back(struct relay *r)
{
	if (r->raw)
		terminal_restore(STDIN_FILENO, &r->before);
	r->raw = false;
}

void relay_close(struct relay *r)
{
	put_back(r);
	drop(&r->master);
	drop(&r->signals);
	drop(&r->events);
	drop(&r->in);
	drop(&r->out);
}

/* ---- From the process ------------------------------------------------------------------------ */

static void hang_up(struct relay *r)
{
	drop(&r->master);
	r->can_read = r->can_write = false;
	r->from_process = r->to_process = (struct relay_bytes){0};
}

static void read_master(struct relay *r)
{
	struct relay_bytes *bytes = &r->from_process;
	ssize_t n = r->late > LATE_MAX ? 0 : read(r->master, bytes->data, sizeof bytes->data);

	if (n > 0) {
		bytes->begin = 0;
		bytes->end = (size_t)n;
		r->late += r->ended ? (size_t)n : 0;
	} else if (n == 0 || errno != EINTR) {
		/*
		 * EAGAIN; or EIO: nobody has the other end open just now. A program like systemd
		 * closes its console and opens it again for each message.
		 */
		r->can_read = false;
	}
}

static ssize_t write_out(const struct relay *r, const char *data, size_t len)
{
	ssize_t n = send(r->out, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(r->out, data, len < r->out_max ? len : r->out_max)
					  : n;
}

static void write_stdout(struct relay *r)
{
	struct relay_bytes *bytes = &r->from_process;
	ssize_t n = write_out(r, bytes->data + bytes->begin, bytes->end - bytes->begin);

	r->out_ready = false;
	if (n >= 0)
		bytes->begin += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		hang_up(r);
}

static bool is_empty(const struct relay_bytes *bytes)
{
	return bytes->begin == bytes->end;
}

static void copy_out(struct relay *r)
{
	if (is_empty(&r->from_process) && r->can_read)
		read_master(r);
	if (!is_empty(&r->from_process) && r->out_ready)
		write_stdout(r);
}

/* ---- To the process -------------------------------------------------------------------------- */

/* In the middle of a line the first one only ends the line. */
static void send_eof(struct relay *r)
{
	struct relay_bytes *bytes = &r->to_process;
	int character = terminal_eof(r->master);

	r->in_open = false;
	if (character < 0)
		return;
	bytes->begin = 0;
	bytes->data[0] = bytes->data[1] = (char)character;
	bytes->end = r->last_in == '\n' || r->last_in == '\0' ? 1 : 2;
}

static void read_stdin(struct relay *r)
{
	struct relay_bytes *bytes = &r->to_process;
	ssize_t n = read(r->in, bytes->data, sizeof bytes->data);

	r->in_ready = false;
	if (n > 0) {
		bytes->begin = 0;
		bytes->end = (size_t)n;
		r->last_in = bytes->data[n - 1];
	} else if (n == 0) {
		send_eof(r);
	} else if (errno != EAGAIN && errno != EINTR) {
		/* In the background; SIGCONT says when we are not. */
		if (errno == EIO && terminal_background(r->in))
			r->in_open = false;
		else
			send_eof(r);
	}
}

static void write_master(struct relay *r)
{
	struct relay_bytes *bytes = &r->to_process;
	ssize_t n = write(r->master, bytes->data + bytes->begin, bytes->end - bytes->begin);

	if (n > 0)
		bytes->begin += (size_t)n;
	else if (n < 0 && errno == EAGAIN)
		r->can_write = false;
	else if (n < 0 && errno != EINTR)
		bytes->begin = bytes->end;
}

static void copy_in(struct relay *r)
{
	if (is_empty(&r->to_process) && r->in_ready && r->in_open)
		read_stdin(r);
	if (!is_empty(&r->to_process) && r->can_write)
		write_master(r);
}

/* ---- Signals --------------------------------------------------------------------------------- */

/* Our other children; the process itself is left for later. */
static void reap_others(int pidfd)
{
	siginfo_t other, process;

	for (;;) {
		other.si_pid = process.si_pid = 0;
		if (waitid(P_ALL, 0, &other, WEXITED | WNOHANG | WNOWAIT) < 0 || !other.si_pid ||
		    waitid(P_PIDFD, (id_t)pidfd, &process, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    process.si_pid == other.si_pid)
			return;
		waitid(P_PID, (id_t)other.si_pid, &other, WEXITED | WNOHANG);
	}
}

static void go_on(struct relay *r)
{
	struct termios shell;

	/* Whoever stopped us had the terminal in modes of its own. */
	if (r->raw && !terminal_background(STDIN_FILENO))
		terminal_raw(STDIN_FILENO, &shell);
	if (r->master >= 0 && isatty(STDIN_FILENO))
		r->in_open = true;
}

static bool is_deadly(int signal)
{
	return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

static void handle(struct relay *r, int pidfd, int signal)
{
	if (signal == SIGCHLD) {
		reap_others(pidfd);
		return;
	}
	if (signal == SIGWINCH) {
		if (r->master >= 0)
			terminal_copy_size(r->master);
		return;
	}
	if (signal == SIGPIPE || signal == SIGURG || (signal == SIGHUP && r->keep_hup))
		return;
	if (signal == SIGCONT)
		go_on(r);
	/* A reader that does not take the rest keeps us no longer. */
	r->hurried |= r->ended && is_deadly(signal);
	pidfd_send_signal(pidfd, signal, NULL, 0);
}

static void handle_signals(struct relay *r, int pidfd)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == sizeof info)
		handle(r, pidfd, (int)info.ssi_signo);
}

/* ---- The loop -------------------------------------------------------------------------------- */

enum { SIGNALS, PROCESS, MASTER, IN, OUT, WATCH, N_POLLED };

static bool is_done(const struct relay *r)
{
	return r->ended &&
	       (r->master < 0 || r->hurried || (!r->can_read && is_empty(&r->from_process)));
}

/* Whether there is something to do that needs no event. */
static bool is_busy(const struct relay *r)
{
	if (r->master < 0)
		return false;
	return (is_empty(&r->from_process) ? r->can_read : r->out_ready) ||
	       (!is_empty(&r->to_process) && r->can_write);
}

static void note_events(struct relay *r, const struct pollfd *polled)
{
	struct epoll_event event;

	if (polled[PROCESS].revents && !r->ended) {
		r->ended = true;
		r->in_open = false;
		r->can_read = r->master >= 0;
	}
	if (polled[MASTER].revents && epoll_wait(r->events, &event, 1, 0) == 1) {
		r->can_read |= (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
		r->can_write |= (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
	}
	r->in_ready |= polled[IN].revents != 0;
	r->out_ready |= polled[OUT].revents != 0;
}

static int wait_for_events(struct relay *r, int pidfd, struct oci_err *err)
{
	bool terminal = r->master >= 0;
	struct pollfd polled[N_POLLED] = {
		[SIGNALS] = {r->signals, POLLIN, 0},
		[PROCESS] = {r->ended ? -1 : pidfd, POLLIN, 0},
		[MASTER] = {terminal ? r->events : -1, POLLIN, 0},
		[IN] = {terminal && r->in_open && is_empty(&r->to_process) ? r->in : -1, POLLIN, 0},
		[OUT] = {terminal && !is_empty(&r->from_process) ? r->out : -1, POLLOUT, 0},
		[WATCH] = {r->watch.fd, POLLIN, 0},
	};

	if (poll(polled, N_POLLED, is_busy(r) ? 0 : -1) < 0)
		return errno == EINTR ? 0 : err_sys(err, errno, "cannot wait for the process");
	note_events(r, polled);
	if (polled[SIGNALS].revents)
		handle_signals(r, pidfd);
	if (polled[WATCH].revents)
		r->watch.ready(r->watch.arg);
	return 0;
}

static int reap(int pidfd, int *ret_code, struct oci_err *err)
{
	siginfo_t info = {0};

	while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(err, errno, "cannot learn how the process has ended");
	*ret_code = info.si_code == CLD_EXITED ? info.si_status : FATAL + info.si_status;
	return 0;
}

int relay_run(struct relay *r, int pidfd, int *ret_code, struct oci_err *err)
{
	int result = 0;

	while (result == 0 && !is_done(r)) {
		result = wait_for_events(r, pidfd, err);
		if (result == 0 && r->master >= 0)
			copy_in(r);
		if (result == 0 && r->master >= 0)
			copy_out(r);
	}
	put_back(r);
	return result < 0 ? -1 : reap(pidfd, ret_code, err);
}
