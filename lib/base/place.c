#include "base/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/num.h"
#include "base/utf8.h"

/* Compares the string literal at s with a token of a pointer, and goes past it. */
static bool read_key(struct json_text *s, const char *token, size_t token_len)
{
	const char *t = token, *end = token + token_len;
	bool same = true;

	for (s->p++; s->p < s->end && *s->p != '"';) {
		char c[4];
		size_t n = json_text_character(s, c);

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
static bool descend(struct json_text *s, const char *token, size_t token_len, const char **key)
{
	char open = json_text_peek(s), close = open == '{' ? '}' : ']', number[24];
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

		json_text_skip_space(s);
		if (s->p >= s->end || *s->p == close)
			return false;
		if (open == '{') {
			*key = s->p;
			found = read_key(s, token, token_len);
			json_text_skip_space(s);
			s->p++; /* the colon */
			json_text_skip_space(s);
		}
		if (found)
			return true;
		json_text_skip_value(s);
		json_text_skip_space(s);
		if (json_text_peek(s) == ',')
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
	struct json_text s = {from, text + len};
	const char *end = line_end(from, text + len);

	if (json_text_peek(&s) == '{' || json_text_peek(&s) == '[')
		s.p++;
	else
		json_text_skip_value(&s);
	place.length = count_characters(from, s.p < end ? s.p : end);
	return place;
}

struct place_pair place_find(const char *text, size_t len, const char *pointer)
{
	struct place_pair pair = {.exact = true};
	struct json_text s = {text, text + len};
	const char *key = NULL, *value;

	json_text_skip_space(&s);
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
