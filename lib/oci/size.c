#include "oci/size.h"

#include <string.h>
#include <strings.h>

enum { FRACTION_MAX = 1000000000 };

/* The power of two of a unit, -1 if it is none. */
static int shift_of(const char *unit)
{
	static const char letters[] = "kmgtp";
	const char *letter;

	if (!*unit || strcasecmp(unit, "b") == 0)
		return 0;
	letter = strchr(letters, *unit | 0x20);
	if (!letter ||
	    (unit[1] && strcasecmp(unit + 1, "b") != 0 && strcasecmp(unit + 1, "ib") != 0))
		return -1;
	return 10 * (int)(letter - letters + 1);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool size_parse(const char *text, int64_t *ret_bytes)
{
	unsigned __int128 whole = 0, bytes;
	uint64_t fraction = 0, scale = 1;
	int shift;

	if (strcmp(text, "-1") == 0) {
		*ret_bytes = -1;
		return true;
	}
	if (!is_digit(*text))
		return false;
	for (; is_digit(*text); text++) {
		whole = whole * 10 + (unsigned)(*text - '0');
		if (whole > INT64_MAX)
			return false;
	}
	if (*text == '.') {
		if (!is_digit(*++text))
			return false;
		/* What is beyond nine digits is less than a byte of most sizes. */
		for (; is_digit(*text); text++)
			if (scale < FRACTION_MAX) {
				fraction = fraction * 10 + (unsigned)(*text - '0');
				scale *= 10;
			}
	}
	text += *text == ' ';
	shift = shift_of(text);
	if (shift < 0)
		return false;
	bytes = (whole << shift) + (((unsigned __int128)fraction << shift) / scale);
	if (bytes > INT64_MAX)
		return false;
	*ret_bytes = (int64_t)bytes;
	return true;
}
