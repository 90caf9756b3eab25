/*
 * onpty [STEP...] -- COMMAND [ARG...] - plays the person at a terminal: runs COMMAND on a new one,
 *with a session of its own, and does the steps one after the other:
 *
 *	expect TEXT	wait until the command has said it (after what was expected before)
 *	type TEXT	\r, \n, \x03 and the like are understood
 *	size ROWS COLUMNS
 *	signal NUMBER	to the command
 *	hangup		close the terminal
 *
 * What the command says goes to standard output. Its exit status is that of onpty (128+n for a
 * signal); 125 if it does not come to that within a minute. The last line on standard error says
 *how the command has left the terminal: "canonical" or "raw".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, TEXT_MAX = 1 << 20 };

static char text[TEXT_MAX + 1];
static size_t len, seen;
static int tty, keep;
static pid_t child;

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "onpty: %s %s\n", what, detail);
	kill(child, SIGKILL);
	exit(125);
}

/* False: the other end is closed. */
static int hear(void)
{
	struct pollfd p = {tty, POLLIN, 0};
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) <= 0)
		die("heard nothing for a minute, after:", text);
	n = read(tty, text + len, TEXT_MAX - len);
	if (n <= 0)
		return 0;
	if (write(1, text + len, (size_t)n) != n)
		exit(125);
	len += (size_t)n;
	text[len] = 0;
	return 1;
}

static void expect(const char *wanted)
{
	char *found;

	while (!(found = strstr(text + seen, wanted)))
		if (!hear())
			die("never heard", wanted);
	seen = (size_t)(found - text) + strlen(wanted);
}

static void type(const char *typed)
{
	char bytes[4096];
	size_t n = 0;

	for (; *typed && n < sizeof bytes; typed++) {
		char c = *typed;

		if (c == '\\' && typed[1]) {
			c = *++typed;
			if (c == 'x') {
				char hex[3] = {typed[1], typed[2], 0};

				c = (char)strtol(hex, NULL, 16);
				typed += 2;
			} else {
				c = c == 'r' ? '\r' : c == 'n' ? '\n' : c;
			}
		}
		bytes[n++] = c;
	}
	if (write(tty, bytes, n) != (ssize_t)n)
		die("cannot type", typed);
}

static char **do_step(char **step)
{
	struct winsize size = {0};

	if (strcmp(step[0], "hangup") == 0) {
		close(keep);
		close(tty);
		tty = keep = -1;
		return step + 1;
	}
	if (!step[1])
		die("what to", step[0]);
	if (strcmp(step[0], "expect") == 0)
		return expect(step[1]), step + 2;
	if (strcmp(step[0], "type") == 0)
		return type(step[1]), step + 2;
	if (strcmp(step[0], "signal") == 0)
		return kill(child, atoi(step[1])), step + 2;
	if (strcmp(step[0], "size") != 0 || !step[2])
		die("unknown step", step[0]);
	size.ws_row = (unsigned short)atoi(step[1]);
	size.ws_col = (unsigned short)atoi(step[2]);
	ioctl(tty, TIOCSWINSZ, &size);
	return step + 3;
}

static void run(char **command)
{
	int other = ioctl(tty, TIOCGPTPEER, O_RDWR | O_NOCTTY);

	setsid();
	ioctl(other, TIOCSCTTY, 0);
	for (int fd = 0; fd <= 2; fd++)
		dup2(other, fd);
	if (other > 2)
		close(other);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

static void say_modes(void)
{
	struct termios modes;

	if (keep >= 0 && tcgetattr(keep, &modes) == 0)
		fprintf(stderr, "%s\n",
			(modes.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG)
				? "canonical"
				: "raw");
}

int main(int argc, char **argv)
{
	char **step = argv + 1, **command = step;
	int status;

	while (command < argv + argc && strcmp(*command, "--") != 0)
		command++;
	if (command + 1 >= argv + argc)
		return fprintf(stderr, "usage: onpty [STEP...] -- COMMAND\n"), 125;
	*command++ = NULL;
	tty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty < 0 || unlockpt(tty) < 0)
		return perror("onpty"), 125;
	/* Sizes before the command are those that it finds. */
	while (*step && strcmp(*step, "size") == 0)
		step = do_step(step);
	keep = ioctl(tty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	signal(SIGHUP, SIG_IGN);
	child = fork();
	if (child == 0) {
		signal(SIGHUP, SIG_DFL);
		run(command);
	}
	while (*step)
		step = do_step(step);
	/* Our own descriptor of the other end keeps it from hanging up: wait for the child first.
	 */
	for (int waited = 0; waitpid(child, &status, WNOHANG) == 0;) {
		struct pollfd p = {tty, POLLIN, 0};

		if (poll(&p, 1, 20) > 0) {
			if (!hear())
				return 125;
		} else if ((waited += 20) > PATIENCE_MS) {
			die("does not end:", *command);
		}
	}
	say_modes();
	if (keep >= 0)
		close(keep);
	while (tty >= 0 && hear())
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
