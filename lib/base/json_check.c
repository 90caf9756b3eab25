#include "base/json_check.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

struct check {
	const char *p, *end;
	struct json_check *ret;
	/* The open brackets, outermost first. */
	unsigned depth;
	const char *open[JSON_DEPTH_MAX];
};

static bool fail(struct check *c, const char *at, const char *problem)
{
	c->p = at;
	c->ret->problem = problem;
	return false;
}

static bool ends_early(struct check *c)
{
	c->ret->ends_early = true;
	return fail(c, c->end, "the text ends too early");
}

static void skip_space(struct check *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

static bool is_digit(const struct check *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

/* The code unit of \uXXXX, of which p is at the u; -1 if it is none. */
static int code_unit(const struct check *c, const char *p)
{
	int value = 0;

	if (c->end - p < 5)
		return -1;
	for (int i = 1; i <= 4; i++) {
		int digit = p[i] >= '0' && p[i] <= '9' ? p[i] - '0'
			    : (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f'
				    ? (p[i] | 0x20) - 'a' + 10
				    : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool check_escape(struct check *c)
{
	const char *start = c->p++;
	int unit;

	if (c->p >= c->end)
		return ends_early(c);
	if (*c->p != 'u') {
		if (!*c->p || !strchr("\"\\/bfnrt", *c->p))
			return fail(c, start, "no such escape in JSON");
		c->p++;
		return true;
	}
	unit = code_unit(c, c->p);
	if (unit < 0)
		return fail(c, start, "\\u needs four hexadecimal digits");
	if (unit == 0)
		return fail(c, start, "\\u0000 is refused: a NUL would end the string early");
	c->p += 5;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	if (unit < 0xdc00 && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u') {
		int low = code_unit(c, c->p + 1);

		c->p += 6;
		if (low >= 0xdc00 && low <= 0xdfff)
			return true;
	}
	return fail(c, start, "half of a surrogate pair, which is no character");
}

static bool check_string(struct check *c)
{
	const char *start = c->p++;

	while (c->p < c->end) {
		unsigned char byte = (unsigned char)*c->p;

		if (byte == '"') {
			c->p++;
			return true;
		}
		if (byte == '\\') {
			if (!check_escape(c))
				return false;
		} else if (byte >= 0x80) {
			size_t n = utf8_length(c->p, (size_t)(c->end - c->p));

			if (!n)
				return fail(c, c->p, "a byte that is not UTF-8");
			c->p += n;
		} else if (byte >= 0x20) {
			c->p++;
		} else if (byte == '\n' || byte == '\r') {
			return fail(c, start, "the string does not end in its line");
		} else {
			return fail(c, c->p,
				    "a control character in a string: write it as \\u00XX");
		}
	}
	return ends_early(c);
}

/* Integers must fit: json-c and others would cut them down to the nearest that does. */
static bool fits(const char *start, const char *end)
{
	char digits[24];
	size_t len = (size_t)(end - start);

	if (len < 19)
		return true;
	if (len >= sizeof digits)
		return false;
	memcpy(digits, start, len);
	digits[len] = '\0';
	errno = 0;
	if (*start == '-')
		strtoll(digits, NULL, 10);
	else
		strtoull(digits, NULL, 10);
	return errno == 0;
}

static bool check_digits(struct check *c)
{
	if (!is_digit(c))
		return c->p < c->end ? fail(c, c->p, "a digit is missing here") : ends_early(c);
	while (is_digit(c))
		c->p++;
	return true;
}

static bool check_number(struct check *c)
{
	const char *start = c->p;
	bool integer = true;

	if (*c->p == '-')
		c->p++;
	if (c->end - c->p >= 2 && c->p[0] == '0' && c->p[1] >= '0' && c->p[1] <= '9')
		return fail(c, start, "a number must not begin with 0 (JSON has no octal numbers)");
	if (!check_digits(c))
		return false;
	if (c->p < c->end && *c->p == '.') {
		integer = false;
		c->p++;
		if (!check_digits(c))
			return false;
	}
	if (c->p < c->end && (*c->p | 0x20) == 'e') {
		integer = false;
		c->p++;
		if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
			c->p++;
		if (!check_digits(c))
			return false;
	}
	if (integer && !fits(start, c->p))
		return fail(c, start, "the number does not fit into 64 bits");
	return true;
}

static bool check_word(struct check *c)
{
	static const char *const words[] = {"true", "false", "null"};

	for (unsigned i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(c->end - c->p) >= n && memcmp(c->p, words[i], n) == 0) {
			c->p += n;
			return true;
		}
	}
	switch (*c->p) {
	case '\'':
		return fail(c, c->p, "strings are in double quotes");
	case '/':
	case '#':
		return fail(c, c->p, "JSON has no comments");
	case '}':
	case ']':
		return fail(c, c->p, "a value is missing here, or there is a comma too many");
	case ',':
	case ':':
		return fail(c, c->p, "a value is missing here");
	case '+':
		return fail(c, c->p, "a number must not begin with +");
	}
	return fail(c, c->p, "this is no JSON value");
}

static bool open_bracket(struct check *c)
{
	if (c->depth == JSON_DEPTH_MAX)
		return fail(c, c->p, "nested too deeply");
	c->open[c->depth++] = c->p++;
	return true;
}

static bool check_key(struct check *c)
{
	skip_space(c);
	if (c->p >= c->end)
		return ends_early(c);
	if (*c->p == '}')
		return fail(c, c->p, "a member is missing here, or there is a comma too many");
	if (*c->p != '"')
		return fail(c, c->p, "a name in double quotes is expected here");
	c->ret->members++;
	if (!check_string(c))
		return false;
	skip_space(c);
	if (c->p >= c->end)
		return ends_early(c);
	if (*c->p != ':')
		return fail(c, c->p, "\":\" is missing here");
	c->p++;
	return true;
}

/* After a value: closes what ends here, and goes to the next value; *ret_end: there is none. */
static bool check_after(struct check *c, bool *ret_end)
{
	for (;;) {
		bool object;

		skip_space(c);
		*ret_end = c->depth == 0;
		if (*ret_end)
			return c->p == c->end || fail(c, c->p, "there is more behind the end");
		if (c->p >= c->end)
			return ends_early(c);
		object = *c->open[c->depth - 1] == '{';
		if (*c->p == ',') {
			c->p++;
			return !object || check_key(c);
		}
		if (*c->p != (object ? '}' : ']'))
			return fail(c, c->p,
				    object ? "\",\" or \"}\" is missing here"
					   : "\",\" or \"]\" is missing here");
		c->depth--;
		c->p++;
	}
}

/* Opens brackets until there is a value; an empty object or array is one. */
static bool check_value(struct check *c)
{
	for (;;) {
		char close;

		skip_space(c);
		if (c->p >= c->end)
			return ends_early(c);
		if (*c->p == '"')
			return check_string(c);
		if (*c->p == '-' || is_digit(c))
			return check_number(c);
		if (*c->p != '{' && *c->p != '[')
			return check_word(c);
		close = *c->p == '{' ? '}' : ']';
		if (!open_bracket(c))
			return false;
		skip_space(c);
		if (c->p < c->end && *c->p == close) {
			c->depth--;
			c->p++;
			return true;
		}
		if (close == '}' && !check_key(c))
			return false;
	}
}

bool json_check(const char *text, size_t len, struct json_check *ret)
{
	struct check c = {.p = text, .end = text + len, .ret = ret};
	bool ok, end = false;

	*ret = (struct json_check){0};
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		ok = fail(&c, text, "a byte order mark, which JSON must not have");
	else
		do
			ok = check_value(&c) && check_after(&c, &end);
		while (ok && !end);
	if (!ok) {
		ret->offset = (size_t)(c.p - text);
		ret->opened = c.depth ? (size_t)(c.open[c.depth - 1] - text) : 0;
	}
	return ok;
}
