/* How a command reports its one error: to people, to a log, to the driver. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/place.h"
#include "base/timestamp.h"
#include "stage/stage.h"
#include "tool.h"

/* What the error is about: "oci-mount" for one of the stage mount. */
static const char *reporter(const struct oci_err *err)
{
	const struct stage *stage = err->stage ? stage_find(err->stage) : NULL;

	return stage ? stage->command : tool.command;
}

/* " (config.json:52)"; nothing if the text is not at hand. The caller frees it. */
static char *config_line(const struct oci_err *err, const struct container *c)
{
	struct place_pair place;
	char *text = NULL;

	if (!c || !c->config_text)
		return NULL;
	place = place_find(c->config_text, c->config_len, err->pointer);
	if (!place.value.line || asprintf(&text, " (config.json:%u)", place.value.line) < 0)
		return NULL;
	return text;
}

static char *error_line(const struct oci_err *err, const struct container *c)
{
	const char *message = err->message ? err->message : "unknown error";
	own_ptr char *at = NULL;
	char *line = NULL;
	int n;

	if (err->pointer && *err->pointer) {
		at = config_line(err, c);
		n = asprintf(&line, "%s: %s%s: %s", reporter(err), err->pointer, at ? at : "",
			     message);
	} else {
		n = asprintf(&line, "%s: %s", reporter(err), message);
	}
	return n < 0 ? NULL : line;
}

static char *log_line(const char *level, const char *message)
{
	own_json struct json_object *object = json_object_new_object();
	char now[TIMESTAMP_SIZE], *line = NULL;
	const char *quoted;
	int n;

	timestamp_now(now);
	json_object_object_add(object, "level", json_object_new_string(level));
	json_object_object_add(object, "msg", json_object_new_string(message));
	json_object_object_add(object, "time", json_object_new_string(now));
	if (strcmp(tool.log_format, "json") == 0) {
		n = asprintf(
			&line, "%s\n",
			json_object_to_json_string_ext(
				object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	} else {
		quoted = json_object_to_json_string_ext(json_member(object, "msg"),
							JSON_C_TO_STRING_NOSLASHESCAPE);
		n = asprintf(&line, "time=\"%s\" level=%s msg=%s\n", now, level, quoted);
	}
	return n < 0 ? NULL : line;
}

/* The log is opened only to report: a command that succeeds leaves no file. */
static void write_log(const char *level, const char *message)
{
	own_ptr char *line = NULL;
	own_fd int fd = -1;

	if (!tool.log)
		return;
	fd = open(tool.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	line = log_line(level, message);
	if (fd < 0 || !line || fd_write_all(fd, line, strlen(line)) < 0)
		dprintf(2, "%s: cannot write the log \"%s\": %s\n", tool.command, tool.log,
			err_name(errno));
}

void tool_debug(const char *fmt, ...)
{
	own_ptr char *message = NULL, *safe = NULL, *line = NULL;
	va_list args;
	int n;

	if (!tool.debug)
		return;
	va_start(args, fmt);
	n = vasprintf(&message, fmt, args);
	va_end(args);
	if (n < 0) {
		message = NULL;
		return;
	}
	safe = err_escape(message, ERR_MESSAGE_MAX);
	if (!safe)
		return;
	if (tool.log) {
		write_log("debug", safe);
		return;
	}
	line = log_line("debug", safe);
	if (line)
		(void)!fd_write_all(STDERR_FILENO, line, strlen(line));
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	if (text)
		json_object_object_add(object, key, json_object_new_string(text));
}

/* The whole error, for a driver that reports it in our place. */
static void write_error(int fd, const struct oci_err *err)
{
	own_json struct json_object *object = json_object_new_object();
	const char *text;

	json_object_object_add(object, "fault", json_object_new_int((int)err->fault));
	json_object_object_add(object, "errnum", json_object_new_int(err->errnum));
	add_text(object, "pointer", err->pointer);
	add_text(object, "message", err->message);
	add_text(object, "hint", err->hint);
	add_text(object, "details", err->details);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	if (fd_write_all(fd, text, strlen(text)) < 0)
		dprintf(2, "%s: cannot write the error: %s\n", tool.command, err_name(errno));
}

bool tool_read_error(const char *text, size_t len, struct oci_err *err)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_json struct json_object *object = json_parse(text, len, "error", &ignored);
	const char *value;

	if (!json_string(object, "message"))
		return false;
	err_set(err, (enum oci_fault)json_int(object, "fault", FAULT_SYSTEM), "%s",
		json_string(object, "message"));
	err->errnum = (int)json_int(object, "errnum", 0);
	value = json_string(object, "pointer");
	if (value)
		err_at(err, "%s", value);
	value = json_string(object, "hint");
	if (value)
		err_hint(err, "%s", value);
	value = json_string(object, "details");
	if (value)
		err_details(err, strdup(value));
	return true;
}

static void print(const struct oci_err *err, const char *line)
{
	if (err->details)
		dprintf(2, "%s", err->details);
	else
		dprintf(2, "%s\n", line);
	if (err->hint && !err->details && (tool.debug || isatty(2)))
		dprintf(2, "%s\n", err->hint);
}

int tool_fail_at(const struct oci_err *err, const struct container *c)
{
	own_ptr char *line = error_line(err, c);

	fflush(stdout);
	if (tool.error_fd >= 0) {
		write_error(tool.error_fd, err);
	} else {
		print(err, line ? line : "out of memory");
		write_log("error", line ? line : "out of memory");
	}
	if (tool.front_end)
		return 1;
	return err->fault ? (int)err->fault : FAULT_SYSTEM;
}

int tool_fail(const struct oci_err *err)
{
	return tool_fail_at(err, NULL);
}
