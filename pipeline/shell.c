#include "shell.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/place.h"

enum { COMMENT_MAX = 1024 };

static char *format(const char *fmt, va_list args)
{
	own_ptr char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return NULL;
	}
	return err_escape(text, COMMENT_MAX);
}

void shell_stage(const struct shell *sh, const char *name, const char *fmt, ...)
{
	own_ptr char *text = NULL;
	va_list args;

	va_start(args, fmt);
	text = format(fmt, args);
	va_end(args);
	fprintf(sh->out, "\n# ---- %s%s%s\n", name, text && *text ? ": " : "", text ? text : "");
}

void shell_comment(const struct shell *sh, const char *pointer, const char *fmt, ...)
{
	own_ptr char *text = NULL, *at = NULL;
	va_list args;

	va_start(args, fmt);
	text = format(fmt, args);
	va_end(args);
	fputs("#", sh->out);
	if (pointer) {
		struct place_pair place = place_find(sh->bundle->text, sh->bundle->len, pointer);

		at = err_escape(pointer, COMMENT_MAX);
		fprintf(sh->out, " %s (config.json:%u)", at ? at : "", place.value.line);
	}
	if (text && *text)
		fprintf(sh->out, "%s %s", pointer ? ":" : "", text);
	fputc('\n', sh->out);
}

void shell_run(const struct shell *sh, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(sh->out, fmt, args);
	va_end(args);
	fputc('\n', sh->out);
}

static bool is_plain(const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_-./,:=+@%";

	return *text && text[strspn(text, plain)] == '\0';
}

char *shell_quote(const char *text)
{
	char *quoted, *end;

	if (is_plain(text))
		return strdup(text);
	quoted = end = malloc(strlen(text) * 4 + 3);
	if (!quoted)
		return NULL;
	*end++ = '\'';
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *c;
	}
	stpcpy(end, "'");
	return quoted;
}

char *shell_path(const char *path)
{
	own_ptr char *quoted = NULL;
	char *word = NULL;
	int n;

	while (*path == '/')
		path++;
	if (is_plain(path) || !*path) {
		n = asprintf(&word, "\"$ROOTFS/%s\"", path);
	} else {
		quoted = shell_quote(path);
		n = quoted ? asprintf(&word, "\"$ROOTFS\"/%s", quoted) : -1;
	}
	return n < 0 ? NULL : word;
}

char *shell_words(const struct json_object *array)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < json_length(array); i++) {
		own_ptr char *word = shell_quote(json_item_string(array, i));

		fprintf(out, "%s%s", i ? " " : "", word ? word : "");
	}
	fclose(out);
	return text;
}
