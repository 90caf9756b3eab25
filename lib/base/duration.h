/* Spans of time as Go programs write them. */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "5s", "500ms", "1m30s", "1.5h": numbers with the units h, m, s, ms, us, ns, one after the other.
 * False if it is none, or beyond 63 bits of nanoseconds.
 */
bool duration_parse(const char *text, int64_t *ret_ns);

#endif
