#include "base/duration.h"

#include <stddef.h>
#include <string.h>

#include "base/own.h"

/* Longer names first: "m" begins "ms". */
static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{"ns", 1},	   {"us", 1000},       {"ms", 1000000},
	{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One number and its unit; *text is moved behind it. */
static bool parse_part(const char **text, __int128 *ret_ns)
{
	__int128 whole = 0, fraction = 0, scale = 1;
	const char *c = *text;

	if (!is_digit(*c))
		return false;
	for (; is_digit(*c); c++) {
		whole = whole * 10 + (*c - '0');
		if (whole > INT64_MAX)
			return false;
	}
	if (*c == '.')
		for (c++; is_digit(*c); c++)
			if (scale < 1000000000000) {
				fraction = fraction * 10 + (*c - '0');
				scale *= 10;
			}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(c, units[i].name, len) != 0)
			continue;
		*ret_ns = whole * units[i].ns + fraction * units[i].ns / scale;
		*text = c + len;
		return true;
	}
	return false;
}

bool duration_parse(const char *text, int64_t *ret_ns)
{
	__int128 sum = 0, part;

	if (strcmp(text, "0") == 0) {
		*ret_ns = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text) {
		if (!parse_part(&text, &part))
			return false;
		sum += part;
		if (sum > INT64_MAX)
			return false;
	}
	*ret_ns = (int64_t)sum;
	return true;
}
