#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <poll.h>
#include <time.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/spawn.h"

static const char *const path_env[] = {"PATH=/usr/bin:/bin", NULL};

struct run {
	struct spawn spawn;
	struct spawn_result result;
	char out[8192];
};

/* Runs a shell command; what it prints is in r->out. */
static int shell(struct run *r, const char *command, struct oci_err *err)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	own_fd int out = memfd_create("out", MFD_CLOEXEC);
	int result;
	ssize_t n;

	if (!r->spawn.path) {
		int stdin_fd = r->spawn.stdin_fd;
		unsigned timeout_ms = r->spawn.timeout_ms;

		r->spawn = SPAWN_INIT;
		r->spawn.path = "/bin/sh";
		r->spawn.stdin_fd = stdin_fd ? stdin_fd : -1;
		r->spawn.timeout_ms = timeout_ms;
		r->spawn.envp = path_env;
	}
	r->spawn.argv = argv;
	r->spawn.stdout_fd = out;
	result = spawn_run(&r->spawn, &r->result, err);
	n = pread(out, r->out, sizeof r->out - 1, 0);
	r->out[n < 0 ? 0 : n] = '\0';
	return result;
}

static void assert_prints(const char *command, const char *expected)
{
	own_err struct oci_err err = ERR_INIT;
	struct run r = {0};

	assert_int_equal(shell(&r, command, &err), 0);
	assert_int_equal(r.result.status, 0);
	assert_string_equal(r.out, expected);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_environment(void **state)
{
	static const char *const env[] = {"A=1", "B=two words", NULL};
	static const char *const argv[] = {"env", NULL};
	own_err struct oci_err err = ERR_INIT;
	own_fd int out = memfd_create("out", MFD_CLOEXEC);
	struct spawn s = SPAWN_INIT;
	struct spawn_result result;
	char text[100] = "";

	(void)state;
	setenv("LD_PRELOAD", "/evil.so", 1);
	s.path = "/usr/bin/env";
	s.argv = argv;
	s.envp = env;
	s.stdout_fd = out;
	assert_int_equal(spawn_run(&s, &result, &err), 0);
	assert_true(pread(out, text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "A=1\nB=two words\n");
	s.envp = NULL;
	assert_int_equal(ftruncate(out, 0), 0);
	assert_int_equal(spawn_run(&s, &result, &err), 0);
	assert_int_equal(pread(out, text, sizeof text, 0), 0);
	unsetenv("LD_PRELOAD");
}

static void test_default_argv(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct spawn s = SPAWN_INIT;
	struct spawn_result result;

	(void)state;
	s.path = "/bin/true";
	assert_int_equal(spawn_run(&s, &result, &err), 0);
	assert_null(spawn_explain(&s, &result));
}

static void test_stdin(void **state)
{
	own_fd int in = fd_memory_file("in", "{\"id\":\"x\"}\n", 11, F_SEAL_WRITE);
	own_err struct oci_err err = ERR_INIT;
	struct run r = {.spawn.stdin_fd = in};

	(void)state;
	lseek(in, 0, SEEK_SET);
	assert_int_equal(shell(&r, "cat; cat", &err), 0);
	assert_string_equal(r.out, "{\"id\":\"x\"}\n");
	/* Nobody has to read it. */
	lseek(in, 0, SEEK_SET);
	assert_int_equal(shell(&r, "exec <&-", &err), 0);
	assert_int_equal(r.result.status, 0);
}

static void test_descriptors(void **state)
{
	int extra = open("/", O_RDONLY), more = fcntl(extra, F_DUPFD, 200);

	(void)state;
	/* The last one is ls's own. */
	assert_prints("ls /proc/self/fd", "0\n1\n2\n3\n");
	close(extra);
	close(more);
}

/* They may be taken from the place where the program's own are to be. */
static void test_low_descriptors(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	int saved = fcntl(1, F_DUPFD_CLOEXEC, 10), saved_in = fcntl(0, F_DUPFD_CLOEXEC, 10);
	struct run r = {0};
	int result;

	(void)state;
	fflush(stdout);
	close(1);
	close(0);
	result = shell(&r, "echo out; echo err >&2", &err);
	dup2(saved, 1);
	dup2(saved_in, 0);
	close(saved);
	close(saved_in);
	assert_int_equal(result, 0);
	assert_string_equal(r.out, "out\n");
	assert_string_equal(r.result.tail, "err\n");
}

static void test_surroundings(void **state)
{
	(void)state;
	umask(0);
	assert_prints("pwd; umask", "/\n0022\n");
	umask(022);
	/* Field 4 of stat after the name: pgrp; 5: session; 6: terminal. */
	assert_prints("set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $6 = $$ ] && [ $7 = 0 ] "
		      "&& echo own",
		      "own\n");
}

static void test_signals(void **state)
{
	sigset_t set, old;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	assert_prints("exec grep -E '^Sig(Blk|Ign)' /proc/self/status",
		      "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* Our parent may have set it so; it must not make a failure a success. */
static void test_ignored_children(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct run r = {0};
	int result;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	result = shell(&r, "exit 3", &err);
	signal(SIGCHLD, SIG_DFL);
	assert_int_equal(result, 0);
	assert_int_equal(WEXITSTATUS(r.result.status), 3);
}

static void test_failures(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *status = NULL, *killed = NULL, *silent = NULL;
	struct run r = {0};

	(void)state;
	assert_int_equal(shell(&r, "echo cannot find eth0 >&2; echo giving up >&2; exit 3", &err),
			 0);
	status = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(status, "exit status 3, its stderr: cannot find eth0|giving up");
	assert_int_equal(shell(&r, "kill -SEGV $$", &err), 0);
	killed = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(killed, "killed by SIGSEGV");
	assert_int_equal(shell(&r, "exit 255", &err), 0);
	silent = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(silent, "exit status 255");
}

static void test_not_there(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct spawn s = SPAWN_INIT;
	struct spawn_result result;

	(void)state;
	s.path = "/no/such/program";
	assert_int_equal(spawn_run(&s, &result, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_string_equal(err.message, "cannot execute it: ENOENT");
	s.path = "/etc/passwd";
	assert_int_equal(spawn_run(&s, &result, &err), -1);
	assert_int_equal(err.errnum, EACCES);
	s.path = "/bin/true";
	s.cwd = "/no/such";
	assert_int_equal(spawn_run(&s, &result, &err), -1);
	assert_string_equal(err.message, "cannot change to its working directory: ENOENT");
}

static void test_tail(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct run r = {0};

	(void)state;
	/* More than a pipe holds. */
	assert_int_equal(shell(&r,
			       "i=0; while [ $i -lt 4000 ]; do echo line $i of a long story that "
			       "ends badly; i=$((i+1)); done >&2; echo the end >&2; exit 1",
			       &err),
			 0);
	assert_int_equal(r.result.tail_len, SPAWN_TAIL_MAX);
	assert_int_equal(strlen(r.result.tail), SPAWN_TAIL_MAX);
	assert_string_equal(r.result.tail + SPAWN_TAIL_MAX - 8, "the end\n");
	assert_non_null(strstr(r.result.tail, "line 3999 of"));
}

static bool lives(pid_t pid)
{
	own_fd int fd = pidfd_open(pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&p, 1, 5000) == 0;
}

/* The processes whose pids are in out; waits for each. */
static int count_living(const char *out)
{
	int n = 0;
	char *end;

	for (const char *p = out; *p; p = end + (*end == '\n')) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		assert_true(pid > 1);
		n += lives((pid_t)pid);
	}
	return n;
}

static void test_timeout(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *how = NULL;
	struct run r = {.spawn.timeout_ms = 150};
	int64_t begin = now_ms();

	(void)state;
	/* It ignores what can be ignored, and so do its children; one has closed everything. */
	assert_int_equal(shell(&r,
			       "trap '' TERM HUP INT; sleep 100 & echo $!; "
			       "sh -c 'exec sleep 100 >&- 2>&- <&-' & echo $!; echo $$; "
			       "echo waiting >&2; while :; do sleep 100; done",
			       &err),
			 0);
	assert_true(r.result.timed_out);
	assert_in_range(now_ms() - begin, 150, 2000);
	assert_int_equal(count_living(r.out), 0);
	how = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(how, "killed after its timeout of 150 ms, its stderr: waiting");
	r.spawn.timeout_ms = 2000;
	free(how);
	how = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(how, "killed after its timeout of 2 s, its stderr: waiting");
}

static void test_in_time(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct run r = {.spawn.timeout_ms = 60000};

	(void)state;
	assert_int_equal(shell(&r, "exit 0", &err), 0);
	assert_false(r.result.timed_out);
	assert_int_equal(r.result.status, 0);
}

/* A hook may start a daemon: it is neither waited for nor killed. */
static void test_daemon(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct run r = {0};
	int64_t begin = now_ms();
	pid_t pid;

	(void)state;
	assert_int_equal(shell(&r, "sleep 100 & echo $!", &err), 0);
	assert_true(now_ms() - begin < 5000);
	pid = (pid_t)strtol(r.out, NULL, 10);
	assert_int_equal(kill(pid, 0), 0);
	kill(pid, SIGKILL);
}

static void test_caller_dies(void **state)
{
	char text[64] = "";
	int fds[2];
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		static const char *const argv[] = {
			"sh", "-c", "sleep 100 & echo $! $$ | tr ' ' '\\n'; wait", NULL};
		own_err struct oci_err err = ERR_INIT;
		struct spawn s = SPAWN_INIT;
		struct spawn_result result;

		s.path = "/bin/sh";
		s.argv = argv;
		s.envp = path_env;
		s.stdout_fd = fds[1];
		spawn_run(&s, &result, &err);
		_exit(0);
	}
	close(fds[1]);
	for (size_t used = 0; (n = read(fds[0], text + used, sizeof text - 1 - used)) > 0;) {
		used += (size_t)n;
		if (strchr(text, '\n') != strrchr(text, '\n'))
			break;
	}
	close(fds[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(count_living(text), 0);
}

static void caught(int signal)
{
	(void)signal;
	spawn_stop = 1;
}

static void test_interrupted(void **state)
{
	struct itimerval soon = {.it_value.tv_usec = 50000};
	struct sigaction action = {.sa_handler = caught}, before;
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *how = NULL;
	struct run r = {0};
	int64_t begin = now_ms();

	(void)state;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(shell(&r, "sleep 100 & echo $!; echo $$; wait", &err), 0);
	sigaction(SIGALRM, &before, NULL);
	spawn_stop = 0;
	assert_true(r.result.interrupted);
	assert_true(now_ms() - begin < 2000);
	assert_int_equal(count_living(r.out), 0);
	how = spawn_explain(&r.spawn, &r.result);
	assert_string_equal(how, "killed, because we were told to end");
}

/* ---- Joining ---- */

struct joined {
	int root_fd;
	bool refuse;
};

static int join(void *arg, const char **ret_what)
{
	const struct joined *j = arg;

	*ret_what = "cannot join";
	if (j->refuse) {
		errno = EPERM;
		return -1;
	}
	return j->root_fd < 0 ? 0 : fchdir(j->root_fd) < 0 || chroot(".") < 0 ? -1 : 0;
}

static void test_join(void **state)
{
	own_err struct oci_err err = ERR_INIT;
	struct joined j = {.root_fd = -1};
	own_fd int sh = open("/bin/sh", O_PATH | O_CLOEXEC);
	struct run r = {.spawn = SPAWN_INIT};

	(void)state;
	r.spawn.path = "/no/such/path";
	r.spawn.program_fd = sh;
	r.spawn.join = join;
	r.spawn.join_arg = &j;
	r.spawn.envp = path_env;
	assert_int_equal(shell(&r, "echo yes; exit 4", &err), 0);
	assert_int_equal(WEXITSTATUS(r.result.status), 4);
	assert_string_equal(r.out, "yes\n");
	j.refuse = true;
	assert_int_equal(shell(&r, "echo yes", &err), -1);
	assert_string_equal(err.message, "cannot join: EPERM");
}

static void write_script(const char *path, const char *text)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* The interpreter is told a name, which must mean the file that was opened. */
static void test_join_script(void **state)
{
	char dir[] = "/tmp/test_spawn.XXXXXX", script[64], other[64];
	own_err struct oci_err err = ERR_INIT;
	struct joined j = {.root_fd = -1};
	struct run r = {.spawn = SPAWN_INIT};
	own_fd int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(script, sizeof script, "%s/script", dir);
	snprintf(other, sizeof other, "%s/other", dir);
	write_script(script, "#!/bin/sh\necho script\n");
	write_script(other, "#!/bin/sh\necho other\n");
	fd = open(script, O_PATH | O_CLOEXEC);
	r.spawn.path = script;
	r.spawn.program_fd = fd;
	r.spawn.join = join;
	r.spawn.join_arg = &j;
	r.spawn.envp = path_env;
	assert_int_equal(shell(&r, "", &err), 0);
	assert_string_equal(r.out, "script\n");
	r.spawn.path = other;
	assert_int_equal(shell(&r, "", &err), -1);
	assert_int_equal(err.errnum, ESTALE);
	assert_string_equal(r.out, "");
	unlink(script);
	unlink(other);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_default_argv),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_low_descriptors),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_ignored_children),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_in_time),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_caller_dies),
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_join_script),
		cmocka_unit_test(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
