#include "kernel/cgroup_convert.h"

#include <math.h>
#include <string.h>

#include "base/num.h"

uint64_t cgroup_weight_of_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

uint64_t cgroup_io_weight(uint64_t weight)
{
	if (weight <= 10)
		return 1;
	if (weight >= 1000)
		return 10000;
	return 1 + (weight - 10) * 9999 / 990;
}

/* The number in the first len bytes of text. */
static bool parse_number(const char *text, size_t len, uint64_t *ret_value)
{
	char number[8];

	if (len == 0 || len >= sizeof number)
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	return num_uint(number, 0, CGROUP_LIST_MAX - 1, ret_value);
}

bool cgroup_parse_list(const char *text, struct cgroup_set *ret_set)
{
	*ret_set = (struct cgroup_set){0};
	while (*text) {
		size_t len, first_len, range_len;
		uint64_t first, last;

		/* Blanks around a number or range are no matter: "0, 2-3". */
		text += strspn(text, " ");
		len = strcspn(text, ",");
		first_len = strcspn(text, "-, ");
		range_len = strcspn(text, ", ");
		if (!parse_number(text, first_len, &first))
			return false;
		last = first;
		if (first_len < range_len &&
		    !parse_number(text + first_len + 1, range_len - first_len - 1, &last))
			return false;
		if (range_len + strspn(text + range_len, " ") != len)
			return false;
		if (last < first)
			return false;
		for (uint64_t i = first; i <= last; i++)
			ret_set->bits[i / 64] |= UINT64_C(1) << (i % 64);
		text += len;
		if (*text == ',' && *++text == '\0')
			return false;
	}
	return true;
}

bool cgroup_set_within(const struct cgroup_set *a, const struct cgroup_set *b)
{
	for (unsigned i = 0; i < sizeof a->bits / sizeof a->bits[0]; i++)
		if (a->bits[i] & ~b->bits[i])
			return false;
	return true;
}
