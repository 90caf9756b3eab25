#include "base/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_background(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	/* ENOTTY: it is not the one that controls us, and knows no jobs. */
	return foreground > 0 && foreground != getpgrp();
}

/* The kernel stops us here, with the usual signal, while we are in the background. */
static int change(int fd, const struct termios *modes)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, before;
	sigset_t ttou, mask;
	int result;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigaction(SIGTTOU, &standard, &before);
	sigprocmask(SIG_UNBLOCK, &ttou, &mask);
	do
		result = tcsetattr(fd, TCSANOW, modes);
	while (result < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTTOU, &before, NULL);
	return result;
}

bool terminal_raw(int fd, struct termios *ret_before)
{
	struct termios modes;

	/* The same modes once more: what a shell has set meanwhile is read when we may change it.
	 */
	if (tcgetattr(fd, &modes) < 0 || (terminal_background(fd) && change(fd, &modes) < 0) ||
	    tcgetattr(fd, ret_before) < 0)
		return false;
	modes = *ret_before;
	cfmakeraw(&modes);
	return change(fd, &modes) == 0;
}

void terminal_restore(int fd, const struct termios *before)
{
	if (!terminal_background(fd))
		tcsetattr(fd, TCSANOW, before);
}

void terminal_copy_size(int master)
{
	struct winsize size;

	for (int fd = 0; fd <= 2; fd++) {
		if (ioctl(fd, TIOCGWINSZ, &size) < 0)
			continue;
		/* 0 is what a terminal has that nobody gave a size: config.json's may be better. */
		if (size.ws_row && size.ws_col)
			ioctl(master, TIOCSWINSZ, &size);
		return;
	}
}

void terminal_prepare(int master)
{
	struct termios modes;

	terminal_copy_size(master);
	if (isatty(STDOUT_FILENO) || tcgetattr(master, &modes) < 0)
		return;
	modes.c_oflag &= ~(tcflag_t)ONLCR;
	tcsetattr(master, TCSANOW, &modes);
}

int terminal_eof(int master)
{
	struct termios modes;

	/* Asked of the master, Linux answers for the other end. */
	if (tcgetattr(master, &modes) < 0 || !(modes.c_lflag & ICANON) ||
	    modes.c_cc[VEOF] == _POSIX_VDISABLE)
		return -1;
	return modes.c_cc[VEOF];
}
