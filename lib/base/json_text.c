#include "base/json_text.h"

#include <stdbool.h>
#include <string.h>

static void advance(struct json_text *t, size_t n)
{
	t->p = (size_t)(t->end - t->p) > n ? t->p + n : t->end;
}

void json_text_skip_space(struct json_text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t' || *t->p == '\r'))
		t->p++;
}

void json_text_skip_string(struct json_text *t)
{
	for (advance(t, 1); t->p < t->end && *t->p != '"'; advance(t, 1))
		if (*t->p == '\\')
			advance(t, 1);
	advance(t, 1);
}

static void skip_scalar(struct json_text *t)
{
	do
		advance(t, 1);
	while (t->p < t->end && !strchr(",]} \t\r\n", *t->p));
}

void json_text_skip_value(struct json_text *t)
{
	int depth = 0;

	do {
		switch (json_text_peek(t)) {
		case '"':
			json_text_skip_string(t);
			break;
		case '{':
		case '[':
			depth++;
			advance(t, 1);
			break;
		case '}':
		case ']':
			depth--;
			advance(t, 1);
			break;
		default:
			if (depth)
				advance(t, 1);
			else
				skip_scalar(t);
		}
	} while (depth > 0 && t->p < t->end);
}

static unsigned hex_value(const char *p)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = memchr(digits, p[i] | 0x20, 16);

		value = value << 4 | (d ? (unsigned)(d - digits) : 0);
	}
	return value;
}

static size_t encode(unsigned c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

size_t json_text_character(struct json_text *t, char ret_bytes[4])
{
	static const char names[] = "bfnrt", named[] = "\b\f\n\r\t";
	bool escape = json_text_peek(t) == '\\';
	const char *name;
	unsigned c;

	advance(t, escape);
	ret_bytes[0] = json_text_peek(t);
	if (!escape || t->end - t->p < 5 || *t->p != 'u') {
		name = escape && *ret_bytes ? strchr(names, *ret_bytes) : NULL;
		if (name)
			ret_bytes[0] = named[name - names];
		advance(t, 1);
		return 1;
	}
	c = hex_value(t->p + 1);
	advance(t, 5);
	if (c >= 0xd800 && c < 0xdc00 && t->end - t->p >= 6) {
		c = 0x10000 + ((c - 0xd800) << 10 | (hex_value(t->p + 2) & 0x3ff));
		advance(t, 6);
	}
	return encode(c, ret_bytes);
}
