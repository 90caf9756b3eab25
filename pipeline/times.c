#include "times.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"

enum { NAME_WIDTH = 15, BAR_WIDTH = 40 };

int64_t times_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

void times_begin(struct times *times, const char *name)
{
	if (!times || times->n == TIMES_MAX)
		return;
	times->spans[times->n++] = (struct span){.name = name, .begin = times_now()};
}

/* Hooks are named one by one in a pipeline; people think of them by their own name. */
static const char *short_name(const char *name)
{
	return strncmp(name, "hook ", 5) == 0 ? name + 5 : name;
}

static void print_line(const struct span *span)
{
	if (strcmp(span->outcome, "none") == 0)
		return;
	fprintf(stderr, "%-*s %5.1f ms  %s\n", NAME_WIDTH, short_name(span->name),
		(double)(span->end - span->begin) / 1000, span->text ? span->text : span->outcome);
}

void times_end(struct times *times, const char *outcome, char *text)
{
	struct span *span;

	if (!times || times->n == 0) {
		free(text);
		return;
	}
	span = &times->spans[times->n - 1];
	span->end = times_now();
	span->outcome = outcome;
	span->text = text;
	if (times->lines)
		print_line(span);
}

/* The bar of one span, as spaces and blocks: at least one block for what took any time at all. */
static void draw_bar(const struct span *span, int64_t begin, int64_t total, FILE *out)
{
	int from = (int)((span->begin - begin) * BAR_WIDTH / total);
	int to = (int)((span->end - begin) * BAR_WIDTH / total);

	if (to <= from)
		to = from + 1;
	fprintf(out, "%*s", from, "");
	for (int i = from; i < to; i++)
		fputs("\u2588", out);
	fprintf(out, "%*s", BAR_WIDTH + 1 - to, "");
}

void times_draw(const struct times *times, FILE *out)
{
	int64_t begin, total;

	if (times->n == 0)
		return;
	begin = times->spans[0].begin;
	total = times->spans[times->n - 1].end - begin;
	if (total <= 0)
		total = 1;
	for (unsigned i = 0; i < times->n; i++) {
		const struct span *span = &times->spans[i];

		if (strcmp(span->outcome, "none") == 0)
			continue;
		fprintf(out, "%-*s \u258f", NAME_WIDTH, short_name(span->name));
		draw_bar(span, begin, total, out);
		fprintf(out, " %6.1f ms%s\n", (double)(span->end - span->begin) / 1000,
			strcmp(span->outcome, "failed") == 0 ? "  failed" : "");
	}
	fprintf(out, "%-*s %*s %6.1f ms\n", NAME_WIDTH, "", BAR_WIDTH + 2, "total",
		(double)total / 1000);
}

static struct json_object *event(const struct span *span, const char *id)
{
	struct json_object *e = json_object_new_object(), *args = json_object_new_object();

	json_object_object_add(args, "container", json_object_new_string(id));
	json_object_object_add(args, "outcome", json_object_new_string(span->outcome));
	if (span->text)
		json_object_object_add(args, "what", json_object_new_string(span->text));
	json_object_object_add(e, "name", json_object_new_string(span->name));
	json_object_object_add(e, "cat", json_object_new_string("stage"));
	json_object_object_add(e, "ph", json_object_new_string("X"));
	json_object_object_add(e, "ts", json_object_new_int64(span->begin));
	json_object_object_add(e, "dur", json_object_new_int64(span->end - span->begin));
	json_object_object_add(e, "pid", json_object_new_int(getpid()));
	json_object_object_add(e, "tid", json_object_new_int(getpid()));
	json_object_object_add(e, "args", args);
	return e;
}

int times_trace(const struct times *times, const char *file, const char *id, struct oci_err *err)
{
	own_fd int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	own_json struct json_object *trace = json_object_new_object();
	struct json_object *events = json_object_new_array();
	const char *text;

	if (fd < 0)
		return err_sys(err, errno, "cannot write the trace \"%s\"", file);
	for (unsigned i = 0; i < times->n; i++)
		json_object_array_add(events, event(&times->spans[i], id));
	json_object_object_add(trace, "traceEvents", events);
	json_object_object_add(trace, "displayTimeUnit", json_object_new_string("ms"));
	text = json_object_to_json_string_ext(trace, JSON_C_TO_STRING_NOSLASHESCAPE);
	if (fd_write_all(fd, text, strlen(text)) < 0 || fd_write_all(fd, "\n", 1) < 0)
		return err_sys(err, errno, "cannot write the trace \"%s\"", file);
	return 0;
}

void times_clear(struct times *times)
{
	for (unsigned i = 0; i < times->n; i++)
		free(times->spans[i].text);
	times->n = 0;
}
