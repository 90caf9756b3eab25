#include "oci/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/place.h"

static char *format_escaped(const char *fmt, va_list args)
{
	own_ptr char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return NULL;
	}
	return err_escape(text, ERR_MESSAGE_MAX);
}

struct finding *finding_add(struct findings *found, enum finding_severity severity,
			    enum finding_at at, const char *pointer, const char *fmt, ...)
{
	struct finding *items, *f;
	va_list args;

	if (severity == FINDING_ERROR)
		found->n_errors++;
	else
		found->n_warnings++;
	if (found->n == FINDINGS_MAX)
		return NULL;
	items = reallocarray(found->items, found->n + 1, sizeof *items);
	if (!items)
		return NULL;
	found->items = items;
	f = &items[found->n++];
	*f = (struct finding){.severity = severity, .at = at, .pointer = strdup(pointer)};
	va_start(args, fmt);
	f->message = format_escaped(fmt, args);
	va_end(args);
	return f;
}

void finding_hint(struct finding *finding, const char *fmt, ...)
{
	va_list args;

	if (!finding)
		return;
	va_start(args, fmt);
	free(finding->hint);
	finding->hint = format_escaped(fmt, args);
	va_end(args);
}

void finding_no_effect(struct finding *finding)
{
	if (finding)
		finding->no_effect = true;
}

void findings_clear(struct findings *found)
{
	for (size_t i = 0; i < found->n; i++) {
		free(found->items[i].pointer);
		free(found->items[i].message);
		free(found->items[i].hint);
	}
	free(found->items);
	*found = (struct findings){0};
}

static const char *or_memory(const char *text)
{
	return text ? text : "(out of memory)";
}

/* Where the caret goes. What is missing is shown at the name of the object that lacks it. */
static struct place place_of(const struct finding *f, const char *text, size_t len)
{
	struct place_pair pair = place_find(text, len, or_memory(f->pointer));

	return pair.key.line && (f->at == AT_KEY || !pair.exact) ? pair.key : pair.value;
}

static int compare_places(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(or_memory(x->message), or_memory(y->message));
}

void finding_locate(struct findings *found, const char *text, size_t len)
{
	for (size_t i = 0; i < found->n; i++) {
		struct place place = place_of(&found->items[i], text, len);

		found->items[i].line = place.line;
		found->items[i].column = place.column;
	}
	if (found->n)
		qsort(found->items, found->n, sizeof *found->items, compare_places);
}

/* ---- For people ------------------------------------------------------------------------------ */

static const char *colour_of(const struct finding *f)
{
	return f->severity == FINDING_ERROR ? "\033[1;31m" : "\033[1;35m";
}

static void report_one(FILE *out, const struct finding *f, const char *text, size_t len,
		       const char *name, bool colour)
{
	struct place place = place_of(f, text, len);
	own_ptr char *pointer = err_escape(or_memory(f->pointer), ERR_MESSAGE_MAX);
	own_ptr char *picture = place_show(text, len, &place, f->hint);

	fprintf(out, "%s%s:%u:%u:%s %s%s:%s ", colour ? "\033[1m" : "", name, f->line, f->column,
		colour ? "\033[0m" : "", colour ? colour_of(f) : "",
		f->severity == FINDING_ERROR ? "error" : "warning", colour ? "\033[0m" : "");
	if (pointer && *pointer)
		fprintf(out, "%s: ", pointer);
	fprintf(out, "%s\n%s", or_memory(f->message), picture ? picture : "");
}

static void report_sum(FILE *out, const struct findings *found)
{
	size_t more = found->n_errors + found->n_warnings - found->n;

	if (more)
		fprintf(out, "and %zu more\n", more);
	if (found->n_errors)
		fprintf(out, "%zu error%s%s", found->n_errors, found->n_errors == 1 ? "" : "s",
			found->n_warnings ? ", " : "\n");
	if (found->n_warnings)
		fprintf(out, "%zu warning%s\n", found->n_warnings,
			found->n_warnings == 1 ? "" : "s");
}

char *finding_report(const struct findings *found, const char *text, size_t len, const char *name,
		     bool colour)
{
	own_ptr char *escaped = err_escape(name, ERR_MESSAGE_MAX);
	char *report = NULL;
	size_t size;
	FILE *out = open_memstream(&report, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < found->n; i++)
		report_one(out, &found->items[i], text, len, or_memory(escaped), colour);
	report_sum(out, found);
	if (fclose(out) != 0) {
		free(report);
		return NULL;
	}
	return report;
}

/* ---- For programs ---------------------------------------------------------------------------- */

static struct json_object *finding_object(const struct finding *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
		o, "severity",
		json_object_new_string(f->severity == FINDING_ERROR ? "error" : "warning"));
	json_object_object_add(o, "pointer", json_object_new_string(or_memory(f->pointer)));
	json_object_object_add(o, "line", json_object_new_int64(f->line));
	json_object_object_add(o, "column", json_object_new_int64(f->column));
	json_object_object_add(o, "message", json_object_new_string(or_memory(f->message)));
	if (f->hint)
		json_object_object_add(o, "hint", json_object_new_string(f->hint));
	return o;
}

struct json_object *finding_json(const struct findings *found)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < found->n; i++)
		json_object_array_add(list, finding_object(&found->items[i]));
	json_object_object_add(o, "valid", json_object_new_boolean(found->n_errors == 0));
	json_object_object_add(o, "errors", json_object_new_uint64(found->n_errors));
	json_object_object_add(o, "warnings", json_object_new_uint64(found->n_warnings));
	json_object_object_add(o, "findings", list);
	return o;
}

int finding_fail(struct findings *found, const char *text, size_t len, const char *name,
		 struct oci_err *err)
{
	const struct finding *first = NULL;
	char more[48] = "";

	finding_locate(found, text, len);
	for (size_t i = 0; i < found->n && !first; i++)
		if (found->items[i].severity == FINDING_ERROR)
			first = &found->items[i];
	if (!first)
		return err_sys(err, ENOMEM, "cannot keep the errors of \"%s\"", name);
	if (found->n_errors > 1)
		snprintf(more, sizeof more, " (and %zu more error%s)", found->n_errors - 1,
			 found->n_errors == 2 ? "" : "s");
	err_set(err, FAULT_CONFIG, "%s, at %s:%u:%u%s", or_memory(first->message), name,
		first->line, first->column, more);
	err_at(err, "%s", or_memory(first->pointer));
	if (first->hint)
		err_hint(err, "%s", first->hint);
	return err_details(err, finding_report(found, text, len, name, false));
}
