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

/*
 * Characters that change how others are shown, or that nobody sees: directions (Trojan Source,
 * CVE-2021-42574), line separators, joiners, the byte order mark. n: bytes of the character at s.
 */
static bool is_deceptive(const char *s, size_t n)
{
	static const struct {
		unsigned first, last;
	} ranges[] = {
		{0x80, 0x9f},	  {0xad, 0xad},	    {0x61c, 0x61c},   {0x180e, 0x180e},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x2069}, {0xfeff, 0xfeff},
	};
	const unsigned char *c = (const unsigned char *)s;
	unsigned value;

	if (n == 2)
		value = (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
	else if (n == 3)
		value = (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
	else
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (value >= ranges[i].first && value <= ranges[i].last)
			return true;
	return false;
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
		bool plain = n > 0 && c >= 0x20 && c != 0x7f && !is_deceptive(text + i, n);

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
