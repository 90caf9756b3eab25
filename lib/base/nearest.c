#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 64 };

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int lower(const char *text, int i)
{
	return text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i];
}

int nearest_distance(const char *word, const char *candidate)
{
	/* Three rows of the table of distances between prefixes are enough for exchanges. */
	int rows[3][WORD_MAX + 1];
	int *before = rows[0], *above = rows[1], *row = rows[2];
	int n = (int)strnlen(word, WORD_MAX + 1), m = (int)strnlen(candidate, WORD_MAX + 1);
	int limit = n < 6 ? 1 : n / 3;

	if (n > WORD_MAX || m > WORD_MAX || n - m > limit || m - n > limit)
		return -1;
	for (int j = 0; j <= m; j++)
		above[j] = j;
	for (int i = 1; i <= n; i++) {
		int *next = before, least = i;

		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int a = lower(word, i - 1), b = lower(candidate, j - 1);

			row[j] = min(above[j - 1] + (a != b), min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a == lower(candidate, j - 2) &&
			    b == lower(word, i - 2))
				row[j] = min(row[j], before[j - 2] + 1);
			least = min(least, row[j]);
		}
		/* No row below gets less than this one, but for an exchange, which skips a row. */
		if (least > limit + 1)
			return -1;
		before = above;
		above = row;
		row = next;
	}
	return above[m] <= limit && above[m] < m ? above[m] : -1;
}

const char *nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	int best_distance = 0;

	for (; *candidates; candidates++) {
		int d = nearest_distance(word, *candidates);

		if (d >= 0 && (!best || d < best_distance)) {
			best = *candidates;
			best_distance = d;
		}
	}
	return best;
}
