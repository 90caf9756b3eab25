#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_check.h"
#include "base/json_text.h"
#include "base/own.h"
#include "base/place.h"

/* Sets err to "NAME:LINE:COLUMN: MESSAGE", with the line and a caret in the details. */
static int fail_at(struct oci_err *err, const char *text, size_t len, const char *name,
		   const struct place *place, const char *message)
{
	own_ptr char *picture = place_show(text, len, place, NULL);
	char *report = NULL;

	err_set(err, FAULT_CONFIG, "%s:%u:%u: %s", name, place->line, place->column, message);
	if (asprintf(&report, "%s\n%s", err->message, picture ? picture : "") < 0)
		return -1;
	return err_details(err, report);
}

static int fail_check(struct oci_err *err, const char *text, size_t len, const char *name,
		      const struct json_check *check)
{
	struct place place = place_of_offset(text, len, check->offset), opened;
	struct json_text all = {text, text + len};
	own_ptr char *message = NULL;

	if (!check->ends_early)
		return fail_at(err, text, len, name, &place, check->problem);
	json_text_skip_space(&all);
	if (all.p == all.end)
		return fail_at(err, text, len, name, &place, "there is nothing in it");
	opened = place_of_offset(text, len, check->opened);
	if (asprintf(&message, "%s: the \"%c\" of line %u is not closed", check->problem,
		     text[check->opened], opened.line) < 0) {
		message = NULL;
		return fail_at(err, text, len, name, &place, check->problem);
	}
	return fail_at(err, text, len, name, &place, message);
}

/* ---- Repeated keys --------------------------------------------------------------------------- */

static size_t count_members(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_members(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach (value, key, member) {
			(void)key;
			n += 1 + count_members(member);
		}
	}
	return n;
}

struct key {
	char *name; /* without escapes */
	size_t offset;
};

struct keys {
	struct key *items;
	size_t n;
};

static void free_keys(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		free(keys->items[i].name);
	free(keys->items);
}

/* Reads the key at t, and goes behind it. */
static int add_key(struct keys *keys, const char *text, struct json_text *t)
{
	struct json_text close = *t;
	struct key *items = reallocarray(keys->items, keys->n + 1, sizeof *items);
	char *out;

	if (!items)
		return -1;
	keys->items = items;
	json_text_skip_string(&close);
	out = malloc((size_t)(close.p - t->p) + 4);
	if (!out)
		return -1;
	items[keys->n++] = (struct key){out, (size_t)(t->p - text)};
	for (t->p++; t->p < close.p - 1;)
		out += json_text_character(t, out);
	*out = '\0';
	*t = close;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The keys of the object whose bracket is at t. */
static int read_keys(struct keys *keys, const char *text, struct json_text t)
{
	t.p++;
	for (;;) {
		json_text_skip_space(&t);
		if (json_text_peek(&t) != '"')
			return 0;
		if (add_key(keys, text, &t) < 0)
			return -1;
		json_text_skip_space(&t);
		t.p++; /* the colon */
		json_text_skip_space(&t);
		json_text_skip_value(&t);
		json_text_skip_space(&t);
		if (json_text_peek(&t) == ',')
			t.p++;
	}
}

/* Says where the first repetition in this object is, if there is one: 1, or 0, or -1. */
static int check_object(const char *text, size_t len, const char *name, struct json_text t,
			struct oci_err *err)
{
	__attribute__((cleanup(free_keys))) struct keys keys = {0};
	const struct key *first = NULL, *again = NULL;
	struct place place, before;
	char message[320];

	if (read_keys(&keys, text, t) < 0)
		return err_sys(err, ENOMEM, "cannot look for repeated keys");
	if (keys.n)
		qsort(keys.items, keys.n, sizeof *keys.items, compare_keys);
	for (size_t i = 1; i < keys.n; i++) {
		const struct key *k = &keys.items[i];

		if (strcmp(k[-1].name, k->name) != 0 || (again && k->offset > again->offset))
			continue;
		again = k;
		first = k - 1;
	}
	if (!again)
		return 0;
	place = place_of_offset(text, len, again->offset);
	before = place_of_offset(text, len, first->offset);
	snprintf(message, sizeof message, "\"%.200s\" is there twice: first in line %u",
		 again->name, before.line);
	fail_at(err, text, len, name, &place, message);
	return 1;
}

static int find_repeated_key(const char *text, size_t len, const char *name, struct oci_err *err)
{
	struct json_text t = {text, text + len};

	while (t.p < t.end) {
		int found = *t.p == '{' ? check_object(text, len, name, t, err) : 0;

		if (found)
			return -1;
		if (*t.p == '"')
			json_text_skip_string(&t);
		else
			t.p++;
	}
	return err_set(err, FAULT_CONFIG, "%s: a key is there twice", name);
}

/* ---------------------------------------------------------------------------------------------- */

static void free_tokener(struct json_tokener *const *tokener)
{
	json_tokener_free(*tokener);
}

static struct json_object *build(const char *text, size_t len, enum json_tokener_error *ret_error)
{
	/* json-c counts the scalar in the innermost array as a level, and one to stop at. */
	__attribute__((cleanup(free_tokener))) struct json_tokener *tokener =
		json_tokener_new_ex(JSON_DEPTH_MAX + 2);
	struct json_text rest = {text + len, text + len};
	struct json_object *value;

	*ret_error = json_tokener_error_size;
	if (!tokener || len > INT_MAX)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	value = json_tokener_parse_ex(tokener, text, (int)len);
	*ret_error = json_tokener_get_error(tokener);
	if (!value && *ret_error == json_tokener_continue) {
		/* A number at the end of the text might go on. */
		value = json_tokener_parse_ex(tokener, "", 1);
		*ret_error = json_tokener_get_error(tokener);
	} else {
		rest.p = text + json_tokener_get_parse_end(tokener);
	}
	json_text_skip_space(&rest);
	if (*ret_error == json_tokener_success && rest.p != rest.end)
		*ret_error = json_tokener_error_parse_unexpected;
	return value;
}

struct json_object *json_parse(const char *text, size_t len, const char *name, struct oci_err *err)
{
	own_json struct json_object *value = NULL;
	enum json_tokener_error error;
	struct json_check check;

	if (!json_check(text, len, &check)) {
		fail_check(err, text, len, name, &check);
		return NULL;
	}
	value = build(text, len, &error);
	if (error != json_tokener_success) {
		err_set(err, FAULT_CONFIG, "%s: %s", name, json_tokener_error_desc(error));
		return NULL;
	}
	if (!value) {
		err_set(err, FAULT_CONFIG, "%s: it holds null, where a value is expected", name);
		return NULL;
	}
	if (count_members(value) != check.members) {
		find_repeated_key(text, len, name, err);
		return NULL;
	}
	return steal_ptr(&value);
}
