#include "base/timestamp.h"

#include <stdint.h>
#include <string.h>

enum { DAY = 24 * 60 * 60, DAYS_IN_400_YEARS = 146097, DAYS_TO_1970 = 719468 };

static void put(char *text, int digits, uint32_t value)
{
	for (; digits--; value /= 10)
		text[digits] = (char)('0' + value % 10);
}

void timestamp_format(const struct timespec *t, char ret_text[TIMESTAMP_SIZE])
{
	uint32_t second = (uint32_t)(t->tv_sec % DAY);
	/*
	 * A year that begins on the first of March ends with the leap day, and
	 * its months have lengths that a straight line gives. Days are counted
	 * from 1 March of the year 0.
	 */
	uint32_t days = (uint32_t)(t->tv_sec / DAY) + DAYS_TO_1970;
	uint32_t era = days / DAYS_IN_400_YEARS, day = days % DAYS_IN_400_YEARS;
	uint32_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	uint32_t month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	year += 400 * era + (month >= 10);
	month = month < 10 ? month + 3 : month - 9;
	memcpy(ret_text, "0000-00-00T00:00:00.000000000Z", TIMESTAMP_SIZE);
	put(ret_text, 4, year);
	put(ret_text + 5, 2, month);
	put(ret_text + 8, 2, day + 1);
	put(ret_text + 11, 2, second / 3600);
	put(ret_text + 14, 2, second / 60 % 60);
	put(ret_text + 17, 2, second % 60);
	put(ret_text + 20, 9, (uint32_t)t->tv_nsec);
}

void timestamp_now(char ret_text[TIMESTAMP_SIZE])
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	timestamp_format(&t, ret_text);
}
