#include "oci/validate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"
#include "oci/spec.h"
#include "oci/validate_form.h"
#include "oci/validate_rules.h"

/* Where the walk is: a chain on the stack, made into a pointer only when there is a finding. */
struct at {
	const struct at *up;
	const char *key; /* NULL: index */
	size_t index;
};

static char *pointer_of(const struct at *at)
{
	own_ptr char *parent = NULL;
	char number[24];

	if (!at->up)
		return strdup("");
	parent = pointer_of(at->up);
	snprintf(number, sizeof number, "%zu", at->index);
	return parent ? json_pointer_to(parent, at->key ? at->key : number) : NULL;
}

#define add(found, severity, what, at, ...)                                                      \
	({                                                                                       \
		own_ptr char *add_pointer = pointer_of(at);                                      \
		finding_add(found, severity, what, add_pointer ? add_pointer : "", __VA_ARGS__); \
	})

/* ---- Types ----------------------------------------------------------------------------------- */

static bool has_type(const struct spec_row *row, enum json_type type)
{
	static const enum json_type wanted[] = {
		[SPEC_OBJECT] = json_type_object,   [SPEC_MAP] = json_type_object,
		[SPEC_ARRAY] = json_type_array,	    [SPEC_STRING] = json_type_string,
		[SPEC_BOOLEAN] = json_type_boolean, [SPEC_INTEGER] = json_type_int,
	};

	return type == wanted[row->type];
}

static void wrong_type(struct findings *found, const struct spec_row *row,
		       struct json_object *value, const struct at *at)
{
	enum json_type type = json_object_get_type(value);
	const char *wanted = spec_type_name(row->type);
	const char *article = strchr("aeiou", wanted[0]) ? "an" : "a";
	const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE);
	struct finding *f;

	if (type == json_type_object || type == json_type_array)
		add(found, FINDING_ERROR, AT_VALUE, at, "must be %s %s, not an %s", article, wanted,
		    json_type_to_name(type));
	else if (type == json_type_double) {
		f = add(found, FINDING_ERROR, AT_VALUE, at, "must be %s %s, not %.40s", article,
			wanted, text);
		if (row->type == SPEC_INTEGER)
			finding_hint(f, "written without fraction and exponent");
	} else {
		f = add(found, FINDING_ERROR, AT_VALUE, at, "must be %s %s, not the %s %.40s",
			article, wanted, type == json_type_int ? "number" : json_type_to_name(type),
			text);
		if (type == json_type_string && row->type >= SPEC_BOOLEAN)
			finding_hint(f, "without quotes");
	}
}

/* ---- Constraints ----------------------------------------------------------------------------- */

static void check_range(struct findings *found, const struct spec_row *row,
			struct json_object *value, const struct at *at)
{
	int64_t low = json_object_get_int64(value);
	uint64_t high = low < 0 ? 0 : json_object_get_uint64(value);
	struct finding *f;

	if (low >= row->min && high <= row->max)
		return;
	f = add(found, FINDING_ERROR, AT_VALUE, at, "%s is out of range: %" PRId64 " to %" PRIu64,
		json_object_get_string(value), row->min, row->max);
	if (high == UINT32_MAX && row->max == UINT32_MAX - 1)
		finding_hint(f, "to the kernel this number means \"none\"");
}

static bool is_word(const struct spec_row *row, const char *text)
{
	for (const char *const *word = row->words; *word; word++)
		if (strcmp(*word, text) == 0)
			return true;
	return false;
}

static void check_words(struct findings *found, const struct spec_row *row, const char *text,
			const struct at *at)
{
	own_ptr char *words = NULL;
	const char *near;
	struct finding *f;

	if (is_word(row, text))
		return;
	near = nearest(text, row->words);
	if (row->constraint == SPEC_KNOWN) {
		f = add(found, FINDING_WARNING, AT_VALUE, at, "\"%.200s\" is not known, ignored",
			text);
	} else {
		words = spec_describe(row);
		f = add(found, FINDING_ERROR, AT_VALUE, at, "\"%.200s\" is not %s", text,
			words ? words : "known");
	}
	if (near)
		finding_hint(f, "did you mean \"%s\"?", near);
}

static void check_form(struct findings *found, const struct spec_row *row, const char *text,
		       enum finding_at what, const struct at *at)
{
	bool warning;
	const char *problem = form_problem(row->form, text, &warning);

	if (!problem)
		return;
	if (*text)
		add(found, warning ? FINDING_WARNING : FINDING_ERROR, what, at, "\"%.200s\" %s",
		    text, problem);
	else
		add(found, warning ? FINDING_WARNING : FINDING_ERROR, what, at, "%s", problem);
}

static void check_string(struct findings *found, const struct spec_row *row,
			 struct json_object *value, const struct at *at)
{
	const char *text = json_object_get_string(value);

	/* The parser lets none through; a tree from elsewhere might have one. */
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		add(found, FINDING_ERROR, AT_VALUE, at, "contains a NUL");
	if (row->constraint == SPEC_FORM)
		check_form(found, row, text, AT_VALUE, at);
	else if (row->constraint == SPEC_ONE_OF || row->constraint == SPEC_KNOWN)
		check_words(found, row, text, at);
}

/* ---- The walk -------------------------------------------------------------------------------- */

static void walk(struct findings *found, const struct spec_row *row, struct json_object *value,
		 const struct at *at);

static void unknown_property(struct findings *found, const struct spec_row *object, const char *key,
			     const struct at *at)
{
	const char *near = NULL;
	int best = 0;
	struct finding *f = add(found, FINDING_WARNING, AT_KEY, at,
				"no such property in OCI runtime-spec %.3s, ignored", SPEC_VERSION);

	for (const struct spec_row *row = spec_first(object); row; row = spec_next(row)) {
		int d = nearest_distance(key, spec_key(row));

		if (d >= 0 && (!near || d < best)) {
			near = spec_key(row);
			best = d;
		}
	}
	if (near)
		finding_hint(f, "did you mean \"%s\"?", near);
}

static bool is_empty(const struct json_object *value)
{
	return (json_object_is_type(value, json_type_object) &&
		json_object_object_length(value) == 0) ||
	       (json_object_is_type(value, json_type_array) && json_length(value) == 0);
}

static void walk_object(struct findings *found, const struct spec_row *row,
			struct json_object *value, const struct at *at)
{
	json_object_object_foreach (value, key, member) {
		const struct spec_row *property = spec_member(row, key);
		struct at here = {.up = at, .key = key};

		if (!property)
			unknown_property(found, row, key, &here);
		else if (member) /* null is as if it were not there */
			walk(found, property, member, &here);
	}
	for (const struct spec_row *property = spec_first(row); property;
	     property = spec_next(property)) {
		struct at here = {.up = at, .key = spec_key(property)};

		if (property->required && !json_has(value, here.key))
			add(found, FINDING_ERROR, AT_VALUE, &here,
			    "is required, but it is not there");
	}
}

static void walk_map(struct findings *found, const struct spec_row *row, struct json_object *value,
		     const struct at *at)
{
	const struct spec_row *item = spec_item(row);

	json_object_object_foreach (value, key, member) {
		struct at here = {.up = at, .key = key};

		if (row->constraint == SPEC_FORM)
			check_form(found, row, key, AT_KEY, &here);
		walk(found, item, member, &here);
	}
}

static void walk_array(struct findings *found, const struct spec_row *row,
		       struct json_object *value, const struct at *at)
{
	const struct spec_row *item = spec_item(row);
	size_t n = json_length(value);

	if (row->constraint == SPEC_AT_LEAST_ONE && n == 0)
		add(found, FINDING_ERROR, AT_VALUE, at, "must have at least one entry");
	for (size_t i = 0; i < n; i++) {
		struct at here = {.up = at, .index = i};

		walk(found, item, json_item(value, i), &here);
	}
}

static void walk(struct findings *found, const struct spec_row *row, struct json_object *value,
		 const struct at *at)
{
	if (row->ignored) {
		add(found, FINDING_WARNING, AT_KEY, at, "is for another platform, ignored");
		return;
	}
	if (!has_type(row, json_object_get_type(value))) {
		wrong_type(found, row, value, at);
		return;
	}
	/* Nothing may be skipped silently: what nobody applies must not be asked for. */
	if (!row->stage && !is_empty(value)) {
		add(found, FINDING_ERROR, AT_KEY, at, "is not supported by this program");
		return;
	}
	switch (row->type) {
	case SPEC_OBJECT:
		walk_object(found, row, value, at);
		break;
	case SPEC_MAP:
		walk_map(found, row, value, at);
		break;
	case SPEC_ARRAY:
		walk_array(found, row, value, at);
		break;
	case SPEC_STRING:
		check_string(found, row, value, at);
		break;
	case SPEC_INTEGER:
		check_range(found, row, value, at);
		break;
	case SPEC_BOOLEAN:
		break;
	}
}

/* ---------------------------------------------------------------------------------------------- */

const char *rules_at(struct rules *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->pointer, sizeof r->pointer, fmt, args);
	va_end(args);
	return r->pointer;
}

/* What the rules say rests on the namespaces: a list that cannot be read makes all of it noise. */
static bool has_type_if_any(const struct json_object *value, enum json_type type)
{
	return !value || json_object_is_type(value, type);
}

void validate_config(const struct json_object *config, struct findings *found)
{
	struct at root = {0};
	struct rules r = {
		.config = config, .platform = json_member(config, "linux"), .found = found};

	walk(found, spec_rows, (struct json_object *)(uintptr_t)config, &root);
	if (!json_object_is_type(config, json_type_object) ||
	    !has_type_if_any(r.platform, json_type_object) ||
	    !has_type_if_any(json_member(r.platform, "namespaces"), json_type_array))
		return;
	rules_namespaces(&r);
	rules_linux(&r);
	rules_process(&r);
	rules_mounts(&r);
	rules_resources(&r);
	rules_seccomp(&r);
}

/* The rules speak of config.json. */
static void drop_parent(struct finding *f, const char *parent)
{
	const size_t len = strlen(parent);

	if (f->pointer && strncmp(f->pointer, parent, len) == 0)
		memmove(f->pointer, f->pointer + len, strlen(f->pointer + len) + 1);
}

void validate_process(const struct json_object *process, struct findings *found)
{
	own_json struct json_object *config = json_object_new_object();
	struct json_object *document = (struct json_object *)(uintptr_t)process;
	struct rules r = {.config = config, .found = found};
	struct at root = {0};
	size_t before;

	walk(found, spec_member(spec_rows, "process"), document, &root);
	json_object_object_add(config, "process", json_object_get(document));
	before = found->n;
	rules_process(&r);
	for (size_t i = before; i < found->n; i++)
		drop_parent(&found->items[i], "/process");
}

/* Pointers of the rules are those of config.json. */
static void shorten(char *pointer, const char *prefix)
{
	size_t len = strlen(prefix);

	if (pointer && strncmp(pointer, prefix, len) == 0)
		memmove(pointer, pointer + len, strlen(pointer + len) + 1);
}

void validate_resources(const struct json_object *resources, struct findings *found)
{
	static const char prefix[] = "/linux/resources";
	const struct spec_row *row = spec_member(spec_member(spec_rows, "linux"), "resources");
	own_json struct json_object *platform = json_object_new_object();
	struct rules r = {.platform = platform, .found = found};
	struct at root = {0};

	walk(found, row, (struct json_object *)(uintptr_t)resources, &root);
	if (!json_object_is_type(resources, json_type_object))
		return;
	json_object_object_add(platform, "resources",
			       json_object_get((struct json_object *)(uintptr_t)resources));
	rules_resources(&r);
	for (size_t i = 0; i < found->n; i++)
		shorten(found->items[i].pointer, prefix);
}
