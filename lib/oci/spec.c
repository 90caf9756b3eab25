#include "oci/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define PROPERTY(...)
#define WORDS(list, ...) static const char *const words_##list[] = {__VA_ARGS__, NULL};
#include "oci/spec.def"
#undef PROPERTY
#undef WORDS

#define ANY .constraint = SPEC_ANY
#define AT_LEAST_ONE .constraint = SPEC_AT_LEAST_ONE
#define RANGE(from, to) .constraint = SPEC_RANGE, .min = (from), .max = (to)
#define ONE_OF(list) .constraint = SPEC_ONE_OF, .words = words_##list, .words_name = #list
#define KNOWN(list) .constraint = SPEC_KNOWN, .words = words_##list, .words_name = #list
#define FORM(name) .constraint = SPEC_FORM, .form = FORM_##name

#define U16 RANGE(0, UINT16_MAX)
#define U32 RANGE(0, UINT32_MAX)
#define U64 RANGE(0, UINT64_MAX)
#define I64 RANGE(INT64_MIN, INT64_MAX)
/* 4294967295 is (uid_t)-1: to the kernel it means "leave it as it is". */
#define ID RANGE(0, UINT32_MAX - 1)
/* Bytes; -1: without limit. */
#define LIMIT RANGE(-1, INT64_MAX)
/* A dev_t has 12 and 20 bits for them. */
#define MAJOR RANGE(0, 4095)
#define MINOR RANGE(0, 1048575)
/* Some write -1 for "all". */
#define RULE_NUMBER RANGE(-1, UINT32_MAX)
/* What fits beside an action in a filter's return value. */
#define ERRNO RANGE(0, UINT16_MAX)
#define IGNORED NULL, .ignored = true
#define NOBODY NULL
#define OPTIONAL false
#define REQUIRED true

#define WORDS(...)
#define PROPERTY(path, kind, presence, constraint_, since_, stage_) \
	{.pointer = path,                                           \
	 .type = SPEC_##kind,                                       \
	 .required = presence,                                      \
	 constraint_,                                               \
	 .since = since_,                                           \
	 .stage = stage_},
const struct spec_row spec_rows[] = {
#include "oci/spec.def"
};
#undef PROPERTY
#undef WORDS

const size_t spec_n_rows = ARRAY_SIZE(spec_rows);

/*
 * The tree of the rows, made at the first use in one pass: rows come depth first,
 * so the parent of a row is the last one before it whose pointer ends where the
 * row's last component begins. 0 is the root and no child of anybody.
 */
static struct node {
	uint16_t first, next;
	uint16_t key; /* offset of the last component */
} nodes[ARRAY_SIZE(spec_rows)];

enum { SPEC_DEPTH_MAX = 12 };

static void make_tree(void)
{
	/* The path to the row before, and the last child of each. */
	struct {
		uint16_t row, last;
		size_t len;
	} open[SPEC_DEPTH_MAX] = {0};
	unsigned depth = 0;

	for (uint16_t i = 1; i < ARRAY_SIZE(spec_rows); i++) {
		const char *pointer = spec_rows[i].pointer;
		size_t len = strlen(pointer);
		size_t parent_len = (size_t)((const char *)memrchr(pointer, '/', len) - pointer);

		while (depth > 0 && open[depth].len != parent_len)
			depth--;
		if (open[depth].last)
			nodes[open[depth].last].next = i;
		else
			nodes[open[depth].row].first = i;
		open[depth].last = i;
		nodes[i].key = (uint16_t)(parent_len + 1);
		if (depth + 1 < SPEC_DEPTH_MAX)
			depth++;
		open[depth].row = i;
		open[depth].last = 0;
		open[depth].len = len;
	}
}

static const struct node *node_of(const struct spec_row *row)
{
	/* The root has children, or nothing is there yet. */
	if (!nodes[0].first)
		make_tree();
	return &nodes[row - spec_rows];
}

static const struct spec_row *row_at(uint16_t i)
{
	return i ? &spec_rows[i] : NULL;
}

const char *spec_key(const struct spec_row *row)
{
	return row->pointer + node_of(row)->key;
}

const struct spec_row *spec_first(const struct spec_row *object)
{
	return row_at(node_of(object)->first);
}

const struct spec_row *spec_next(const struct spec_row *row)
{
	return row_at(node_of(row)->next);
}

const struct spec_row *spec_member(const struct spec_row *object, const char *key)
{
	for (uint16_t i = node_of(object)->first; i; i = nodes[i].next)
		if (strcmp(spec_rows[i].pointer + nodes[i].key, key) == 0)
			return &spec_rows[i];
	return NULL;
}

const struct spec_row *spec_item(const struct spec_row *row)
{
	return spec_first(row);
}

const char *spec_type_name(enum spec_type type)
{
	static const char *const names[] = {"object", "object",	 "array",
					    "string", "boolean", "integer"};

	return names[type];
}

static char *join_words(const struct spec_row *row)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(row->constraint == SPEC_KNOWN ? "a known one of " : "one of ", out);
	for (size_t i = 0; row->words[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", row->words[i]);
	fclose(out);
	return text;
}

char *spec_describe(const struct spec_row *row)
{
	static const char *const forms[] = {
		[FORM_NOT_EMPTY] = "not empty",
		[FORM_LINE] = "one line",
		[FORM_WORD] = "a word",
		[FORM_FILE_NAME] = "a file name",
		[FORM_ABSOLUTE_PATH] = "an absolute path",
		[FORM_ABSOLUTE_OR_EMPTY] = "an absolute path or empty",
		[FORM_DESTINATION] = "a path",
		[FORM_CGROUP_PATH] = "a path without \"..\"",
		[FORM_ENVIRONMENT] = "NAME=value",
		[FORM_VERSION] = "a version",
		[FORM_NUMBER_LIST] = "a list of numbers and ranges",
		[FORM_PAGE_SIZE] = "a page size",
		[FORM_HOST_NAME] = "at most 64 bytes",
		[FORM_INTERFACE] = "the name of a network device",
		[FORM_DEVICE_ACCESS] = "of r, w, m",
		[FORM_SYSCTL] = "the name of a kernel parameter",
		[FORM_CLOCK] = "boottime or monotonic",
		[FORM_CLASS_OF_SERVICE] = "a file name or /",
		[FORM_MEMORY_BANDWIDTH] = "MB:...",
		[FORM_PERSONALITY_FLAG] = "none",
	};
	char *text = NULL;

	switch (row->constraint) {
	case SPEC_ANY:
		return strdup("");
	case SPEC_AT_LEAST_ONE:
		return strdup("at least one");
	case SPEC_RANGE:
		return asprintf(&text, "%" PRId64 " to %" PRIu64, row->min, row->max) < 0 ? NULL
											  : text;
	case SPEC_ONE_OF:
	case SPEC_KNOWN:
		return join_words(row);
	case SPEC_FORM:
		return asprintf(&text, "%s%s", row->type == SPEC_MAP ? "keys: " : "",
				forms[row->form]) < 0
			       ? NULL
			       : text;
	}
	return NULL;
}

const char *const *spec_words(const char *name)
{
#define PROPERTY(...)
#define WORDS(list, ...) {#list, words_##list},
	static const struct {
		const char *name;
		const char *const *words;
	} lists[] = {
#include "oci/spec.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(lists[i].name, name) == 0)
			return lists[i].words;
	return NULL;
}
