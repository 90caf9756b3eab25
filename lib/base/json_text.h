/*
 * Going through a JSON text without building anything: for what json-c does
 * not tell, the places of values and the keys of an object as they are written.
 *
 * The text is one that json_check() has accepted. Any other is gone through
 * without reading beyond its end, to no useful result.
 */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

/* What is left of the text. */
struct json_text {
	const char *p, *end;
};

/* The next byte, or NUL at the end. */
static inline char json_text_peek(const struct json_text *t)
{
	return t->p < t->end ? *t->p : '\0';
}

void json_text_skip_space(struct json_text *t);

/* From a quote to behind the closing one. */
void json_text_skip_string(struct json_text *t);

/* From the first byte of a value to behind its last. */
void json_text_skip_value(struct json_text *t);

/*
 * Within a string: reads a character, or an escape for one, as UTF-8 of up to 4
 * bytes; returns their number.
 */
size_t json_text_character(struct json_text *t, char ret_bytes[4]);

#endif
