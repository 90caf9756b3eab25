#include "base/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"

/* The text that is left. Reads past the end give NUL, which ends every loop. */
struct scan {
	const char *p, *end;
};

static char peek(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static void skip_string(struct scan *s)
{
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
		if (*s->p == '\\')
			s->p++;
	s->p = s->p < s->end ? s->p + 1 : s->end;
}

static void skip_value(struct scan *s)
{
	int depth = 0;

	do {
		char c = peek(s);

		if (c == '"') {
			skip_string(s);
		} else if (c == '{' || c == '[') {
			depth++;
			s->p++;
		} else if (c == '}' || c == ']') {
			depth--;
			s->p++;
		} else if (depth) {
			s->p++;
		} else {
			while (s->p < s->end && !strchr(",]} \t\r\n", *s->p))
				s->p++;
		}
	} while (depth > 0 && s->p < s->end);
}

static unsigned read_hex(const char *p)
{
	char digits[5] = {p[0], p[1], p[2], p[3], '\0'};

	return (unsigned)strtoul(digits, NULL, 16);
}

/* One character of a string literal as UTF-8; the number of bytes. */
static size_t read_character(struct scan *s, char out[4])
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *named;
	unsigned c;

	if (*s->p != '\\' || s->end - s->p < 2) {
		out[0] = *s->p++;
		return 1;
	}
	s->p++;
	named = strchr(from, *s->p);
	if (*s->p != 'u' || s->end - s->p < 5) {
		out[0] = named ? to[named - from] : *s->p;
		s->p++;
		return 1;
	}
	c = read_hex(s->p + 1);
	s->p += 5;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 6) {
		c = 0x10000 + ((c - 0xd800) << 10) + (read_hex(s->p + 2) - 0xdc00);
		s->p += 6;
	}
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

/* Compares the string literal at s with a token of a pointer, and goes past it. */
static bool read_key(struct scan *s, const char *token, size_t token_len)
{
	const char *t = token, *end = token + token_len;
	bool same = true;

	for (s->p++; s->p < s->end && *s->p != '"';) {
		char c[4];
		size_t n = read_character(s, c);

		for (size_t i = 0; i < n; i++) {
			char want = '\0';

			if (t < end && *t == '~' && end - t >= 2) {
				want = t[1] == '1' ? '/' : '~';
				t += 2;
			} else if (t < end) {
				want = *t++;
			} else {
				same = false;
			}
			same = same && want == c[i];
		}
	}
	s->p++;
	return same && t == end;
}

/* Goes to the member or item that token names; *key: where its name begins, or NULL. */
static bool descend(struct scan *s, const char *token, size_t token_len, const char **key)
{
	char open = peek(s), close = open == '{' ? '}' : ']', number[24];
	uint64_t wanted = UINT64_MAX;

	if (open != '{' && open != '[')
		return false;
	if (open == '[' && token_len < sizeof number) {
		memcpy(number, token, token_len);
		number[token_len] = '\0';
		num_uint(number, 0, UINT64_MAX - 1, &wanted);
	}
	*key = NULL;
	s->p++;
	for (uint64_t i = 0;; i++) {
		bool found = i == wanted;

		skip_space(s);
		if (s->p >= s->end || *s->p == close)
			return false;
		if (open == '{') {
			*key = s->p;
			found = read_key(s, token, token_len);
			skip_space(s);
			s->p++; /* the colon */
			skip_space(s);
		}
		if (found)
			return true;
		skip_value(s);
		skip_space(s);
		if (peek(s) == ',')
			s->p++;
	}
}

static unsigned count_characters(const char *from, const char *to)
{
	unsigned n = 0;

	while (from < to) {
		size_t len = utf8_length(from, (size_t)(to - from));

		from += len ? len : 1;
		n++;
	}
	return n;
}

static const char *line_start(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	if (!newline)
		return end;
	return newline > at && newline[-1] == '\r' ? newline - 1 : newline;
}

struct place place_of_offset(const char *text, size_t len, size_t offset)
{
	struct place place = {.line = 1, .length = 1};
	const char *at;

	place.offset = offset < len ? offset : len;
	at = text + place.offset;
	for (const char *p = text; (p = memchr(p, '\n', (size_t)(at - p))); p++)
		place.line++;
	place.column = 1 + count_characters(line_start(text, at), at);
	return place;
}

static struct place token_place(const char *text, size_t len, const char *from)
{
	struct place place = place_of_offset(text, len, (size_t)(from - text));
	struct scan s = {from, text + len};
	const char *end = line_end(from, text + len);

	if (peek(&s) == '{' || peek(&s) == '[')
		s.p++;
	else
		skip_value(&s);
	place.length = count_characters(from, s.p < end ? s.p : end);
	return place;
}

struct place_pair place_find(const char *text, size_t len, const char *pointer)
{
	struct place_pair pair = {.exact = true};
	struct scan s = {text, text + len};
	const char *key = NULL, *value;

	skip_space(&s);
	value = s.p;
	while (*pointer == '/') {
		size_t n = strcspn(pointer + 1, "/");
		const char *next_key;

		if (!descend(&s, pointer + 1, n, &next_key)) {
			pair.exact = false;
			break;
		}
		key = next_key;
		value = s.p;
		pointer += 1 + n;
	}
	if (value >= text + len)
		value = text + (len ? len - 1 : 0);
	if (key)
		pair.key = token_place(text, len, key);
	pair.value = token_place(text, len, value);
	return pair;
}

/* ---- The picture ----------------------------------------------------------------------------- */

enum { WIDTH = 96, BEFORE_CARET = 48, TAB_WIDTH = 4 };

/* One character of the line, made fit to be shown; its width in cells. */
static unsigned show_character(FILE *out, const char *p, size_t len)
{
	unsigned char c = (unsigned char)*p;

	if (c == '\t') {
		fprintf(out, "%*s", TAB_WIDTH, "");
		return TAB_WIDTH;
	}
	if (!len || c < 0x20 || c == 0x7f || (len == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0))
		fputc('?', out);
	else
		fwrite(p, 1, len, out);
	return 1;
}

char *place_show(const char *text, size_t len, const struct place *place, const char *note)
{
	const char *at = text + place->offset, *p = line_start(text, at);
	const char *end = line_end(at, text + len);
	unsigned column = 1, cells = 0, caret = 0, first = 1;
	char *picture = NULL;
	size_t size;
	FILE *out = open_memstream(&picture, &size);

	if (!out)
		return NULL;
	if (place->column > WIDTH - 16)
		first = place->column - BEFORE_CARET;
	fprintf(out, "%5u | %s", place->line, first > 1 ? "..." : "");
	cells = first > 1 ? 3 : 0;
	for (; p < end && cells < WIDTH; column++) {
		size_t n = utf8_length(p, (size_t)(end - p));

		if (column == place->column)
			caret = cells;
		if (column >= first)
			cells += show_character(out, p, n);
		p += n ? n : 1;
	}
	/* Beyond the end of the line: something is missing there. */
	if (column <= place->column)
		caret = cells;
	fprintf(out, "%s\n%5s | %*s^", p < end ? "..." : "", "", (int)caret, "");
	for (unsigned i = 1; i < place->length && caret + i < cells; i++)
		fputc('~', out);
	fprintf(out, "%s%s\n", note ? " " : "", note ? note : "");
	if (fclose(out) != 0) {
		free(picture);
		return NULL;
	}
	return picture;
}
