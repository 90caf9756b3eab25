/* oci-ps: list the processes of a container. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

enum { COMMAND_MAX = 120 };

static const char *format = "table";

static const struct opt options[] = {
	{'f', "format", "FORMAT", OPT_STRING, &format, "table or json"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-ps",
	.operands = "CONTAINER-ID",
	.purpose = "List the processes of a container, with their pids as the host sees them.",
	.example = "oci-ps --format json web | jq length",
	.min_operands = 1,
	/* runc hands what follows to ps. */
	.max_operands = -1,
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
	if (!c || lifecycle_pids(c, &pids, &n, &err) < 0)
		return tool_fail_at(&err, c);
	if (json)
		print_json(pids, n);
	else if (print_table(pids, n, &err) < 0)
		return tool_fail(&err);
	return 0;
}
