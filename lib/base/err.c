#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/utf8.h"

const char *err_name(int errnum)
{
	static char number[24];
	const char *name = strerrorname_np(errnum);

	if (name)
		return name;
	snprintf(number, sizeof number, "errno %d", errnum);
	return number;
}

char *err_escape(const char *text, unsigned max)
{
	size_t len = strlen(text), out = 0;
	char *copy = malloc(max + 8);

	if (!copy)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(text + i, len - i);
		unsigned char c = (unsigned char)text[i];
		bool plain = n > 0 && c >= 0x20 && c != 0x7f;

		if (n == 2 && c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
			plain = false; /* C1 controls */
		if (out + (plain ? n : 4) > max) {
			memcpy(copy + (out < max - 3 ? out : max - 3), "...", 3);
			out = (out < max - 3 ? out : max - 3) + 3;
			break;
		}
		if (plain) {
			memcpy(copy + out, text + i, n);
			out += n;
			i += n;
		} else {
			snprintf(copy + out, 5, "\\x%02x", c);
			out += 4;
			i++;
		}
	}
	copy[out] = '\0';
	return copy;
}

static void replace(char **field, char *text)
{
	free(*field);
	*field = err_escape(text ? text : "out of memory", ERR_MESSAGE_MAX);
	free(text);
}

static char *format(const char *fmt, va_list args)
{
	char *text = NULL;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

/* What comes before an error's reason is cut first: a long name must not push the reason out. */
static char *format_context(const char *fmt, va_list args)
{
	own_ptr char *text = format(fmt, args);

	return text ? err_escape(text, ERR_MESSAGE_MAX / 2) : NULL;
}

int err_set(struct oci_err *err, enum oci_fault fault, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err->fault = fault;
	err->errnum = 0;
	replace(&err->message, format(fmt, args));
	va_end(args);
	return -1;
}

int err_sys(struct oci_err *err, int errnum, const char *fmt, ...)
{
	own_ptr char *what = NULL;
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	what = format_context(fmt, args);
	va_end(args);
	if (!what || asprintf(&text, "%s: %s", what, err_name(errnum)) < 0)
		text = NULL;
	err->fault = FAULT_SYSTEM;
	err->errnum = errnum;
	replace(&err->message, text);
	return -1;
}

int err_wrap(struct oci_err *err, const char *fmt, ...)
{
	own_ptr char *what = NULL;
	char *text = NULL;
	va_list args;

	va_start(args, fmt);
	what = format_context(fmt, args);
	va_end(args);
	if (!what || asprintf(&text, "%s: %s", what, err->message) < 0)
		text = NULL;
	replace(&err->message, text);
	return -1;
}

int err_at(struct oci_err *err, const char *fmt, ...)
{
	va_list args;

	if (err->pointer)
		return -1;
	va_start(args, fmt);
	replace(&err->pointer, format(fmt, args));
	va_end(args);
	return -1;
}

int err_hint(struct oci_err *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	replace(&err->hint, format(fmt, args));
	va_end(args);
	return -1;
}

int err_details(struct oci_err *err, char *report)
{
	free(err->details);
	err->details = report;
	return -1;
}

void err_clear(struct oci_err *err)
{
	free(err->pointer);
	free(err->message);
	free(err->hint);
	free(err->details);
	*err = ERR_INIT;
}
