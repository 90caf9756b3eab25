/*
 * The time of day as text.
 *
 * gmtime(3) would read the time zone file of the system first, although UTC
 * needs none.
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <time.h>

enum { TIMESTAMP_SIZE = sizeof "2026-01-02T03:04:05.123456789Z" };

/* RFC 3339 with nanoseconds, in UTC, for years from 1970 to 9999. */
void timestamp_format(const struct timespec *t, char ret_text[TIMESTAMP_SIZE]);

void timestamp_now(char ret_text[TIMESTAMP_SIZE]);

#endif
