/*
 * Where in a JSON text a value stands.
 *
 * json-c keeps no positions. When an error is to be shown, and only then, the
 * text is scanned again for the value that a JSON pointer (RFC 6901) names.
 * The text must be one that json_parse() has accepted.
 */
#ifndef BASE_PLACE_H
#define BASE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* A token: where it begins, and its length in characters, cut at the end of its line. */
struct place {
	unsigned line;	 /* from 1; 0: nowhere */
	unsigned column; /* from 1, in characters (not bytes) */
	unsigned length; /* in characters */
	size_t offset;	 /* in bytes from the start of the text */
};

struct place_pair {
	struct place key;   /* of an object's member: its name with the quotes; else nowhere */
	struct place value; /* of an object or array: its opening bracket */
	bool exact;	    /* false: there is no such value, this is its nearest ancestor */
};

struct place_pair place_find(const char *text, size_t len, const char *pointer);

/* The place of a byte of the text. */
struct place place_of_offset(const char *text, size_t len, size_t offset);

/*
 * The line of a place, and below it a caret and tildes, each line ending with a newline:
 *
 *	   41 |     "options": ["nosuid", "strictatme"]
 *	      |                           ^~~~~~~~~~~~ note
 *
 * Tabs become spaces, long lines are cut, control characters are escaped.
 * note may be NULL. The caller frees it; NULL: no memory.
 */
char *place_show(const char *text, size_t len, const struct place *place, const char *note);

#endif
