/*
 * Each test is a small family: the relay in a process of its own, the program that it
 * serves as that one's child, and the test, which plays the person in front of both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/relay.h"
#include "base/terminal.h"

enum { PATIENCE_MS = 60000 };

struct family {
	pid_t relay;
	int in, out; /* the other ends of its standard input and output; the same for a terminal */
	char text[1 << 20]; /* what it has said so far */
	size_t len;
};

static struct family f;

static int new_terminal(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	*ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*ret_slave >= 0);
	return master;
}

static void become_program(int terminal, const char *script)
{
	sigset_t none;

	if (terminal >= 0) {
		setsid();
		ioctl(terminal, TIOCSCTTY, 0);
		for (int fd = 0; fd <= 2; fd++)
			dup2(terminal, fd);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(99);
}

static int relay_program(const char *script, bool with_terminal)
{
	static struct relay relay;
	own_err struct oci_err err = ERR_INIT;
	int slave = -1, master = with_terminal ? new_terminal(&slave) : -1, pidfd, code;
	pid_t pid;

	if (relay_open(&relay, master, &err) < 0)
		return 98;
	pid = fork();
	if (pid == 0)
		become_program(slave, script);
	own_close_fd(&slave);
	pidfd = pidfd_open(pid, 0);
	if (relay_run(&relay, pidfd, &code, &err) < 0)
		return 97;
	relay_close(&relay);
	return code;
}

/* The relay's process, with these as its standard streams and, if it has one, its terminal. */
static void begin(int in, int out, bool own_session, const char *script, bool with_terminal)
{
	f.len = 0;
	f.relay = fork();
	if (f.relay == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (own_session) {
			setsid();
			ioctl(in, TIOCSCTTY, 0);
		}
		dup2(in, 0);
		dup2(out, 1);
		close_range(3, ~0U, 0);
		_exit(relay_program(script, with_terminal));
	}
}

static void begin_with_pipes(const char *script)
{
	int to[2], from[2];

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	begin(to[0], from[1], false, script, true);
	close(to[0]);
	close(from[1]);
	f.in = to[1];
	f.out = from[0];
}

static void begin_with_terminal(const char *script)
{
	struct winsize size = {.ws_row = 33, .ws_col = 77};
	int slave;

	f.in = f.out = new_terminal(&slave);
	ioctl(f.in, TIOCSWINSZ, &size);
	begin(slave, slave, true, script, true);
	close(slave);
}

static void say(const char *text)
{
	assert_int_equal(write(f.in, text, strlen(text)), (ssize_t)strlen(text));
}

static bool hear_more(void)
{
	struct pollfd p = {f.out, POLLIN, 0};
	ssize_t n;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(f.len < sizeof f.text - 1);
	n = read(f.out, f.text + f.len, sizeof f.text - 1 - f.len);
	f.len += n > 0 ? (size_t)n : 0;
	f.text[f.len] = '\0';
	return n > 0;
}

static void hear(const char *text)
{
	while (!strstr(f.text, text))
		assert_true(hear_more());
}

static bool has_ended(void)
{
	siginfo_t info = {0};

	waitid(P_PID, (id_t)f.relay, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid != 0;
}

static void await_end(void)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)f.relay, &info, WEXITED | WNOWAIT), 0);
}

/* The end of the relay's process; its exit status. */
static int end(void)
{
	int status, pidfd = pidfd_open(f.relay, 0);
	struct pollfd p = {pidfd, POLLIN, 0};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(waitpid(f.relay, &status, 0), f.relay);
	assert_true(WIFEXITED(status));
	close(pidfd);
	if (f.in >= 0)
		close(f.in);
	if (f.out >= 0 && f.out != f.in)
		close(f.out);
	return WEXITSTATUS(status);
}

static int setup(void **state)
{
	(void)state;
	f.in = f.out = -1;
	f.len = 0;
	f.text[0] = '\0';
	return 0;
}

static void test_exit_status(void **state)
{
	(void)state;
	begin(0, 1, false, "exit 7", false);
	assert_int_equal(end(), 7);
	begin(0, 1, false, "kill -KILL $$", false);
	assert_int_equal(end(), 128 + SIGKILL);
}

static void test_signal_without_terminal(void **state)
{
	int from[2];

	(void)state;
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	begin(0, from[1], false,
	      "trap 'exit 5' USR1; trap 'echo term' TERM; echo ready; while :; do sleep 0.05; done",
	      false);
	close(from[1]);
	f.out = from[0];
	hear("ready");
	kill(f.relay, SIGTERM);
	hear("term");
	kill(f.relay, SIGUSR1);
	assert_int_equal(end(), 5);
}

static void test_signals_that_are_ours(void **state)
{
	(void)state;
	begin_with_pipes("trap 'exit 9' CHLD URG PIPE; trap 'exit 5' USR1; echo ready; "
			 "while :; do read x || :; done");
	hear("ready");
	kill(f.relay, SIGURG);
	kill(f.relay, SIGPIPE);
	kill(f.relay, SIGCHLD);
	kill(f.relay, SIGUSR1);
	assert_int_equal(end(), 5);
}

static void test_both_ways(void **state)
{
	(void)state;
	begin_with_pipes("read x; echo \"got <$x>\"; exit 3");
	say("hello\n");
	hear("got <hello>\n");
	assert_null(strchr(f.text, '\r'));
	assert_int_equal(end(), 3);
}

static void test_end_of_input(void **state)
{
	(void)state;
	begin_with_pipes("cat; echo over");
	say("one\ntwo");
	close(f.in);
	f.in = -1;
	hear("one\n");
	hear("two");
	hear("over");
	assert_int_equal(end(), 0);
}

/* More than the terminal holds, written just before the end, to a reader that comes late. */
static void test_nothing_is_lost(void **state)
{
	(void)state;
	begin_with_pipes("stty -opost; i=0; while [ $i -lt 3000 ]; do "
			 "echo 'line that is somewhat longer than a short one'; i=$((i+1)); "
			 "done; echo the end");
	/* Neither a slow reader nor the wait keeps a signal from being handled. */
	kill(f.relay, SIGWINCH);
	hear("the end");
	while (hear_more())
		;
	assert_int_equal(f.len, 3000 * 46 + strlen("the end\n"));
	assert_int_equal(end(), 0);
}

static void test_reader_that_does_not_read(void **state)
{
	(void)state;
	begin_with_pipes("trap '' TERM; trap 'exit 5' USR1; while :; do echo "
			 "0123456789012345678901234567890123; done");
	hear("0123456789");
	kill(f.relay, SIGUSR1);
	/* It has ended, but its output is not taken. */
	kill(f.relay, SIGTERM);
	while (!has_ended()) {
		kill(f.relay, SIGTERM);
		poll(NULL, 0, 20);
	}
	assert_int_equal(end(), 5);
}

static void test_nobody_reads(void **state)
{
	(void)state;
	/* A write to a terminal that is gone fails, but for the signal, which is ignored here. */
	begin_with_pipes(
		"trap '' HUP; echo ready; read x; while echo much; do :; done 2>&-; exit 6");
	hear("ready");
	close(f.out);
	f.out = -1;
	say("go\n");
	assert_int_equal(end(), 6);
}

static void test_raw(void **state)
{
	struct termios now;

	(void)state;
	/* ^C is typed, and is the program's: its own terminal makes a signal of it. */
	begin_with_terminal("trap 'exit 5' INT; echo ready; while :; do read x || :; done");
	hear("ready");
	assert_int_equal(tcgetattr(f.in, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ISIG | ECHO), 0);
	say("\003");
	assert_int_equal(end(), 5);
}

static void test_terminal_is_restored(void **state)
{
	struct termios now;
	int keep;

	(void)state;
	begin_with_terminal("echo ready; read x; exit 0");
	keep = ioctl(f.in, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(keep >= 0);
	hear("ready");
	say("x\r");
	await_end();
	assert_int_equal(tcgetattr(keep, &now), 0);
	assert_int_equal(now.c_lflag & (ICANON | ISIG | ECHO), ICANON | ISIG | ECHO);
	close(keep);
	assert_int_equal(end(), 0);
}

static void test_size(void **state)
{
	struct winsize size = {.ws_row = 11, .ws_col = 22};

	(void)state;
	begin_with_terminal("stty size; trap 'stty size; exit 4' WINCH; echo ready; "
			    "while :; do sleep 0.05; done");
	hear("33 77");
	hear("ready");
	/* The kernel tells the relay, whose terminal it is. */
	ioctl(f.in, TIOCSWINSZ, &size);
	hear("11 22");
	assert_int_equal(end(), 4);
}

static void test_terminal_that_is_reopened(void **state)
{
	(void)state;
	begin_with_pipes("t=$(tty); exec </dev/null >/dev/null 2>&1; sleep 0.3; "
			 "echo one >$t; sleep 0.3; echo two >$t; exit 8");
	hear("one");
	hear("two");
	assert_int_equal(end(), 8);
}

static void test_other_children_are_reaped(void **state)
{
	(void)state;
	/* The grandchild becomes the relay's, which is a subreaper here. */
	f.relay = fork();
	if (f.relay == 0) {
		int code;

		prctl(PR_SET_CHILD_SUBREAPER, 1);
		code = relay_program("(sh -c 'echo $$ >/dev/null' & ) ; p=$PPID; i=0; "
				     "while :; do n=$(ps -o stat= --ppid $p | grep -c Z); "
				     "[ $n = 0 ] && exit 0; i=$((i+1)); [ $i -lt 500 ] || exit 1; "
				     "sleep 0.05; done",
				     false);
		_exit(code);
	}
	assert_int_equal(end(), 0);
}

static void test_nohup(void **state)
{
	(void)state;
	signal(SIGHUP, SIG_IGN);
	begin_with_pipes("trap 'exit 9' HUP; trap 'exit 5' USR1; echo ready; "
			 "while :; do read x || :; done");
	signal(SIGHUP, SIG_DFL);
	hear("ready");
	kill(f.relay, SIGHUP);
	kill(f.relay, SIGUSR1);
	assert_int_equal(end(), 5);
}

static void test_no_child(void **state)
{
	static struct relay relay;
	own_err struct oci_err err = ERR_INIT;
	own_fd int pidfd = pidfd_open(getppid(), 0);
	sigset_t before, after;
	int code;

	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(relay_open(&relay, -1, &err), 0);
	relay.ended = true;
	assert_int_equal(relay_run(&relay, pidfd, &code, &err), -1);
	assert_string_equal(err.message, "cannot learn how the process has ended: ECHILD");
	relay_close(&relay);
	sigprocmask(SIG_SETMASK, &before, &after);
	assert_true(sigismember(&after, SIGTERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exit_status, setup),
		cmocka_unit_test_setup(test_signal_without_terminal, setup),
		cmocka_unit_test_setup(test_signals_that_are_ours, setup),
		cmocka_unit_test_setup(test_both_ways, setup),
		cmocka_unit_test_setup(test_end_of_input, setup),
		cmocka_unit_test_setup(test_nothing_is_lost, setup),
		cmocka_unit_test_setup(test_reader_that_does_not_read, setup),
		cmocka_unit_test_setup(test_nobody_reads, setup),
		cmocka_unit_test_setup(test_raw, setup),
		cmocka_unit_test_setup(test_terminal_is_restored, setup),
		cmocka_unit_test_setup(test_size, setup),
		cmocka_unit_test_setup(test_terminal_that_is_reopened, setup),
		cmocka_unit_test_setup(test_other_children_are_reaped, setup),
		cmocka_unit_test_setup(test_nohup, setup),
		cmocka_unit_test_setup(test_no_child, setup),
	};

	return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
