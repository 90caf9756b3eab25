#include "verify/mountinfo.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 6 };

/* Blanks, newlines and backslashes are written in octal, "\040". */
static void unescape(char *text)
{
	char *to = text;

	for (const char *c = text; *c;) {
		if (c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] && c[3]) {
			*to++ = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
			c += 4;
		} else {
			*to++ = *c++;
		}
	}
	*to = '\0';
}

static bool parse_line(char *line, struct mountinfo *info)
{
	char *field[FIELDS], *optional = NULL, *dash;

	dash = strstr(line, " - ");
	if (!dash)
		return false;
	*dash = '\0';
	for (int i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, " ");
		if (!field[i])
			return false;
	}
	optional = line;
	line = dash + 3;
	info->id = strtoull(field[0], NULL, 10);
	info->parent = strtoull(field[1], NULL, 10);
	unescape(field[3]);
	unescape(field[4]);
	info->root = field[3];
	info->point = field[4];
	info->options = field[5];
	info->optional = optional ? optional : "";
	info->type = strsep(&line, " ");
	info->source = line ? strsep(&line, " ") : NULL;
	info->super = line;
	if (!info->type || !info->source || !info->super)
		return false;
	unescape((char *)(uintptr_t)info->source);
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct mountinfo *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int mountinfo_parse(char *text, struct mountinfos *ret_infos)
{
	size_t lines = 1;
	char *line;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	ret_infos->n = 0;
	ret_infos->items = calloc(lines, sizeof *ret_infos->items);
	if (!ret_infos->items)
		return -1;
	while ((line = strsep(&text, "\n")))
		if (parse_line(line, &ret_infos->items[ret_infos->n]))
			ret_infos->n++;
	qsort(ret_infos->items, ret_infos->n, sizeof *ret_infos->items, by_id);
	return 0;
}

void mountinfo_free(struct mountinfos *infos)
{
	free(infos->items);
	infos->items = NULL;
	infos->n = 0;
}

struct mountinfo *mountinfo_find(const struct mountinfos *infos, uint64_t id)
{
	struct mountinfo key = {.id = id};

	return infos->n ? bsearch(&key, infos->items, infos->n, sizeof key, by_id) : NULL;
}

bool mountinfo_has(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && memcmp(list, word, len) == 0)
			return true;
	return false;
}

const char *mountinfo_value(const char *list, const char *key, size_t *ret_len)
{
	const size_t len = strlen(key);

	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, key, len) == 0 && list[len] == '=') {
			*ret_len = strcspn(list + len + 1, ",");
			return list + len + 1;
		}
	return NULL;
}
