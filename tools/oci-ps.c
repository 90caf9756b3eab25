/* oci-ps: list the processes of a container. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

enum { COMMAND_MAX = 120 };

static const char *const ps_paths[] = {"/usr/bin/ps", "/bin/ps"};

static const char *format = "table";

static const struct opt options[] = {
	{'f', "format", "FORMAT", OPT_STRING, &format, "table or json"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-ps",
	.operands = "CONTAINER-ID [PS-OPTIONS]",
	.purpose = "List the processes of a container, with their pids as the host sees them.",
	.example = "oci-ps --format json web | jq length",
	.min_operands = 1,
	/* runc hands what follows to ps. */
	.max_operands = -1,
	.stop_at_operand = true,
	.options = options,
};

static void print_json(const pid_t *pids, size_t n)
{
	own_json struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_int(pids[i]));
	puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN));
}

/* Written by the process itself: it may hold anything. */
static void print_command(int proc, pid_t pid)
{
	own_ptr char *text = NULL, *shown = NULL;
	own_fd int fd = -1;
	char path[32];
	size_t len = 0;

	snprintf(path, sizeof path, "%d/cmdline", (int)pid);
	fd = sys_openat2(proc, path, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fd_read_all(fd, 1 << 22, &text, &len) < 0)
		return;
	for (size_t i = 0; i + 1 < len; i++)
		if (!text[i])
			text[i] = ' ';
	shown = err_escape(text, COMMAND_MAX);
	printf("%-8d %s\n", (int)pid, shown ? shown : "");
}

static int print_table(const pid_t *pids, size_t n, struct oci_err *err)
{
	int proc = proc_fd(err);

	if (proc < 0)
		return -1;
	printf("%-8s %s\n", "PID", "COMMAND");
	for (size_t i = 0; i < n; i++)
		print_command(proc, pids[i]);
	return 0;
}

/* ---- By ps(1) of the host ------------------------------------------------------------------- */

static const char *find_ps(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(ps_paths); i++)
		if (faccessat(AT_FDCWD, ps_paths[i], X_OK, AT_EACCESS) == 0)
			return ps_paths[i];
	return NULL;
}

/* A stream of what it says, which may be any amount: of other containers' processes too. */
static FILE *run_ps(const char *ps, int argc, char **argv, struct oci_err *err)
{
	static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	own_fd int out = memfd_create("ps", MFD_CLOEXEC);
	own_ptr const char **args = calloc((size_t)argc + 3, sizeof *args);
	own_ptr char *how = NULL;
	struct spawn spawn = SPAWN_INIT;
	struct spawn_result result;
	FILE *stream;

	if (out < 0 || !args) {
		err_sys(err, errno, "cannot run \"%s\"", ps);
		return NULL;
	}
	args[0] = "ps";
	args[1] = "-ef";
	for (int i = 0; i < argc; i++)
		args[i + 1] = argv[i];
	spawn.path = ps;
	spawn.argv = args;
	spawn.envp = env;
	spawn.stdout_fd = out;
	if (spawn_run(&spawn, &result, err) < 0)
		return NULL;
	how = spawn_explain(&spawn, &result);
	if (how) {
		err_set(err, FAULT_USAGE, "\"%s\" failed: %s", ps, how);
		return NULL;
	}
	stream = lseek(out, 0, SEEK_SET) < 0 ? NULL : fdopen(out, "r");
	if (!stream)
		err_sys(err, errno, "cannot read what \"%s\" says", ps);
	else
		steal_fd(&out);
	return stream;
}

/* The n-th word of the line, not terminated; NULL if it has fewer. */
static const char *word(const char *line, size_t n)
{
	for (;; n--) {
		line += strspn(line, " ");
		if (!*line)
			return NULL;
		if (n == 0)
			return line;
		line += strcspn(line, " ");
	}
}

/* Which column is headed PID; -1: none. */
static int pid_column(const char *header)
{
	const char *at;

	for (int n = 0; (at = word(header, (size_t)n)); n++)
		if (strncmp(at, "PID", 3) == 0 && (at[3] == ' ' || at[3] == '\0'))
			return n;
	return -1;
}

static bool is_listed(const char *line, int column, const pid_t *pids, size_t n)
{
	const char *at = word(line, (size_t)column);
	own_ptr char *text = at ? strndup(at, strcspn(at, " ")) : NULL;
	uint64_t pid;

	if (!text || !num_uint(text, 1, INT32_MAX, &pid))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint64_t)pids[i] == pid)
			return true;
	return false;
}

static int print_by_ps(const char *ps, int argc, char **argv, const pid_t *pids, size_t n,
		       struct oci_err *err)
{
	own_file FILE *stream = run_ps(ps, argc, argv, err);
	own_ptr char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int column = -1;

	if (!stream)
		return -1;
	for (bool header = true; (len = getline(&line, &size, stream)) > 0; header = false) {
		line[strcspn(line, "\n")] = '\0';
		if (header)
			column = pid_column(line);
		if (column < 0)
			break;
		if (header || is_listed(line, column, pids, n))
			puts(line);
	}
	if (ferror(stream))
		return err_sys(err, errno, "cannot read what \"%s\" says", ps);
	return column < 0 ? err_set(err, FAULT_USAGE,
				    "cannot tell the container's processes: ps prints no column "
				    "PID")
			  : 0;
}

static int print(int argc, char **argv, const pid_t *pids, size_t n, struct oci_err *err)
{
	const char *ps = find_ps();

	if (ps)
		return print_by_ps(ps, argc, argv, pids, n, err);
	if (argc)
		return err_set(err, FAULT_UNSUPPORTED,
			       "\"%s\" is for ps(1), which this machine has not", argv[0]);
	return print_table(pids, n, err);
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_ptr pid_t *pids = NULL;
	size_t n = 0;
	bool json;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	json = strcmp(format, "json") == 0;
	if (!json && strcmp(format, "table") != 0) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": table or json", format);
		return tool_fail(&err);
	}
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c)
		return tool_fail(&err);
	/* One that has stopped has none. */
	if (lifecycle_pids(c, &pids, &n, &err) < 0 && lifecycle_status(c) != STATUS_STOPPED)
		return tool_fail_at(&err, c);
	err_clear(&err);
	if (json)
		print_json(pids, n);
	else if (print(argc - 1, argv + 1, pids, n, &err) < 0)
		return tool_fail(&err);
	return 0;
}
