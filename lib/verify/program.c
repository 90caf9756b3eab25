/*
 * The program that runs: arguments, environment, working directory.
 *
 * A program may exec another one, as sh -c "exec ..." does; then its arguments and environment say
 * nothing about config.json. So other arguments are no difference, but noted, and the environment
 * is compared only while the arguments are those of config.json.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/path.h"
#include "verify/area.h"

/* Whether the strings, each with its NUL, are those of the array from its item `first` on. */
static bool equal(const char *text, size_t len, const struct json_object *array, size_t first)
{
	const char *end = text + len;

	for (size_t i = first; i < json_length(array); i++) {
		const char *want = json_item_string(array, i);
		const size_t n = strlen(want) + 1;

		if ((size_t)(end - text) < n || memcmp(text, want, n) != 0)
			return false;
		text += n;
	}
	return text == end;
}

/* "#!/bin/sh" puts the interpreter, and perhaps an argument, before a script's path. */
static bool is_script(const char *text, size_t len, const struct json_object *args)
{
	for (int skipped = 0; skipped < 3 && len > 0; skipped++) {
		size_t n = strnlen(text, len) + 1;

		if (n > len)
			return false;
		text += n;
		len -= n;
		if (equal(text, len, args, 1))
			return true;
	}
	return false;
}

static void compare_args(struct verify *v)
{
	const struct json_object *args = json_member(v->process, "args");
	own_ptr char *text = NULL, *shown = NULL;
	size_t len = 0;

	if (!v->started) {
		verify_hidden(v, "/process/args", "the program is not started yet");
		return;
	}
	text = verify_read(v, "cmdline", &len);
	if (!text) {
		verify_hidden(v, "/process/args", "the command line cannot be read");
		return;
	}
	verify_compared(v);
	v->same_program = equal(text, len, args, 0) || is_script(text, len, args);
	if (v->same_program)
		return;
	for (size_t i = 0; i + 1 < len; i++)
		if (!text[i])
			text[i] = ' ';
	shown = err_escape(text, 200);
	verify_hidden(v, "/process/args",
		      "the process calls itself \"%s\" now: a program may exec another one, or "
		      "write over its arguments",
		      shown ? shown : "");
}

static const char *find_variable(const char *text, size_t len, const char *entry)
{
	const char *equals = strchr(entry, '=');
	const size_t n = equals ? (size_t)(equals - entry) + 1 : strlen(entry) + 1;
	const char *found = NULL;

	for (const char *c = text; c < text + len; c += strlen(c) + 1)
		if (strncmp(c, entry, n) == 0)
			found = c;
	return found;
}

/* Whether a later entry sets the same variable: of two the last counts. */
static bool is_replaced(const struct json_object *env, size_t index)
{
	const char *entry = json_item_string(env, index), *equals = strchr(entry, '=');
	const size_t n = equals ? (size_t)(equals - entry) + 1 : strlen(entry) + 1;

	for (size_t i = index + 1; i < json_length(env); i++)
		if (strncmp(json_item_string(env, i), entry, n) == 0)
			return true;
	return false;
}

static void compare_env(struct verify *v)
{
	const struct json_object *env = json_member(v->process, "env");
	own_ptr char *text = NULL;
	char where[64];
	size_t len = 0;

	if (json_length(env) == 0)
		return;
	if (!v->started || !v->same_program) {
		verify_hidden(v, "/process/env", "what runs is not the program of /process/args");
		return;
	}
	text = verify_read(v, "environ", &len);
	if (!text) {
		verify_hidden(v, "/process/env", "the environment cannot be read");
		return;
	}
	verify_place(v, "environ", where);
	for (size_t i = 0; i < json_length(env); i++) {
		const char *want = json_item_string(env, i), *found;

		/* An empty HOME is filled in. */
		if (strcmp(want, "HOME=") == 0 || is_replaced(env, i))
			continue;
		found = find_variable(text, len, want);
		verify_text(v, verify_at("/process/env/%zu", i).text, where, want,
			    found ? found : "no such variable");
	}
}

static void compare_cwd(struct verify *v)
{
	const char *cwd = json_string(v->process, "cwd");
	struct stat want, found;
	char target[PATH_MAX], where[64];
	own_fd int fd = -1;
	ssize_t n;

	if (!cwd)
		return;
	verify_place(v, "cwd", where);
	fd = path_open_in_root(v->root, cwd, O_PATH);
	n = readlinkat(v->proc, "cwd", target, sizeof target - 1);
	target[n < 0 ? 0 : n] = '\0';
	verify_compared(v);
	if (fd >= 0 && fstat(fd, &want) == 0 && fstatat(v->proc, "cwd", &found, 0) == 0 &&
	    want.st_dev == found.st_dev && want.st_ino == found.st_ino)
		return;
	verify_differs(v, "/process/cwd", where, cwd, target);
}

int verify_program(struct verify *v, struct oci_err *err)
{
	(void)err;
	if (!v->process)
		return 0;
	compare_args(v);
	compare_env(v);
	compare_cwd(v);
	return 0;
}
