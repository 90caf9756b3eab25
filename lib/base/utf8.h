/* UTF-8 (RFC 3629), one character at a time. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/*
 * The length in bytes (1 to 4) of the well-formed character at text, of which
 * len bytes are there; 0 if it is malformed: overlong, a surrogate, beyond
 * U+10FFFF, or cut short.
 */
size_t utf8_length(const char *text, size_t len);

#endif
