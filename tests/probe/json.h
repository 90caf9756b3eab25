/*
 * Writes JSON to standard output, value by value. A comma is due before everything but the first of
 * an object or array.
 */
#ifndef PROBE_JSON_H
#define PROBE_JSON_H

#include <stdbool.h>
#include <stdio.h>

static bool comma;

static void text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void item(void)
{
	if (comma)
		putchar(',');
	comma = true;
}

static void key(const char *name)
{
	item();
	text(name);
	putchar(':');
}

static void begin(char bracket)
{
	putchar(bracket);
	comma = false;
}

static void end(char bracket)
{
	putchar(bracket);
	comma = true;
}

static void number(const char *name, long long value)
{
	key(name);
	printf("%lld", value);
}

static void string(const char *name, const char *value)
{
	key(name);
	if (value)
		text(value);
	else
		printf("null");
}

static void boolean(const char *name, bool value)
{
	key(name);
	printf(value ? "true" : "false");
}

#endif
