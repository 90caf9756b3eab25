/* Numbers from text: the whole text, decimal (or octal where named), in a range. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True, with *ret_value, if text is a decimal number from min to max and
 * nothing else: no sign for the unsigned one, no space, no prefix, no leading
 * zero other than "0" itself.
 */
bool num_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
bool num_int(const char *text, int64_t min, int64_t max, int64_t *ret_value);

#endif
