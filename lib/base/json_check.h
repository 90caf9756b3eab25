/*
 * Whether a text is JSON, by the letter of RFC 8259 and a little stricter.
 *
 * json-c, as other readers do, takes more than JSON, and which more depends on
 * its version. This check runs before it and decides; json-c then builds the
 * values. Refused beyond the grammar: a byte order mark, \u0000 and lone
 * surrogates, integers beyond 64 bits, nesting beyond JSON_DEPTH_MAX.
 */
#ifndef BASE_JSON_CHECK_H
#define BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct json_check {
	size_t members; /* of all objects: fewer in the tree means that keys are repeated */
	/* Of the first error: */
	size_t offset;	     /* where it is */
	const char *problem; /* what it is; static */
	size_t opened;	     /* of the bracket that is not closed, if the text ends too early */
	bool ends_early;
};

/* True if it is JSON. Fills *ret. */
bool json_check(const char *text, size_t len, struct json_check *ret);

#endif
