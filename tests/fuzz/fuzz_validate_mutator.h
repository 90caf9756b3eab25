/*
 * A mutator that knows the table: it sets a property of config.json, chosen at
 * random, to something that is nearly right. Mutated bytes alone hardly ever
 * give JSON, let alone two properties that contradict each other.
 */
#ifndef TESTS_FUZZ_VALIDATE_MUTATOR_H
#define TESTS_FUZZ_VALIDATE_MUTATOR_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/spec.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static unsigned pick(unsigned *seed, size_t n)
{
	*seed = *seed * 1103515245 + 12345;
	return (unsigned)((*seed >> 8) % n);
}

static struct json_object *any_string(unsigned *seed, const struct spec_row *row)
{
	static const char *const strings[] = {
		"",	   "/",	       "/a/b",		"rel",	   "..",
		"/a/../b", "a b",      "1.3.0",		"9.0.0",   "0-3,7",
		"-",	   "2MB",      "rwm",		"A=b",	   "=",
		"x\n",	   "\xc3\xa4", "bind",		"rbind",   "ro",
		"rro",	   "rw",       "idmap",		"size=5k", "a,b",
		"remount", "shared",   "strictatme",	"none",	   "proc",
		"MB:",	   "lo",       "/proc/1/ns/net"};
	size_t n = 0;

	while (row->words && row->words[n])
		n++;
	if (n && pick(seed, 4))
		return json_object_new_string(row->words[pick(seed, n)]);
	return json_object_new_string(strings[pick(seed, ARRAY_SIZE(strings))]);
}

static struct json_object *any_integer(unsigned *seed, const struct spec_row *row)
{
	static const int64_t integers[] = {
		0,	    1,	       2,	  5,	     100,
		511,	    65535,     65536,	  INT32_MAX, UINT32_MAX - 1,
		UINT32_MAX, INT64_MAX, INT64_MIN, -1};

	switch (pick(seed, 4)) {
	case 0:
		return json_object_new_int64(row->min);
	case 1:
		return json_object_new_uint64(row->max);
	case 2:
		return json_object_new_uint64(row->max + 1);
	}
	return json_object_new_int64(integers[pick(seed, ARRAY_SIZE(integers))]);
}

static struct json_object *any_value(unsigned *seed, const struct spec_row *row)
{
	/* Now and then of another type than it should be. */
	enum spec_type type = pick(seed, 12) ? row->type : (enum spec_type)pick(seed, 6);

	switch (type) {
	case SPEC_OBJECT:
	case SPEC_MAP:
		return json_object_new_object();
	case SPEC_ARRAY:
		return json_object_new_array();
	case SPEC_BOOLEAN:
		return json_object_new_boolean((int)pick(seed, 2));
	case SPEC_INTEGER:
		return any_integer(seed, row);
	case SPEC_STRING:
		return any_string(seed, row);
	}
	return NULL;
}

static struct json_object *get(struct json_object *parent, const char *key, size_t index)
{
	return json_object_is_type(parent, json_type_array) ? json_item(parent, index)
							    : json_member(parent, key);
}

static void put(struct json_object *parent, const char *key, size_t index,
		struct json_object *value)
{
	if (json_object_is_type(parent, json_type_array))
		json_object_array_put_idx(parent, index, value);
	else if (json_object_is_type(parent, json_type_object))
		json_object_object_add(parent, key, value);
	else
		json_object_put(value);
}

/* Goes down to the row's property, making on the way what is missing, and changes it. */
static void change(struct json_object *config, const struct spec_row *row, unsigned *seed)
{
	static const char *const keys[] = {"boottime", "net.ipv4.x", "kernel.sem", "", "../x", "k"};
	own_ptr char *path = strdup(row->pointer + 1);
	const struct spec_row *at = &spec_rows[0];
	struct json_object *parent = config;
	char *rest = path;

	for (char *token = strsep(&rest, "/"); token; token = strsep(&rest, "/")) {
		size_t index = pick(seed, json_length(parent) + 1) % 8;
		const char *key =
			strcmp(token, "*") == 0 ? keys[pick(seed, ARRAY_SIZE(keys))] : token;
		struct json_object *child = get(parent, key, index);

		at = strcmp(token, "*") == 0 ? spec_item(at) : spec_member(at, token);
		if (!rest && json_object_is_type(parent, json_type_object) && !pick(seed, 8)) {
			json_object_object_del(parent, key);
			return;
		}
		if (!rest || !child)
			put(parent, key, index, any_value(seed, at));
		parent = get(parent, key, index);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *config = json_parse((char *)data, size, "fuzz", &err);
	const char *text;
	size_t len;

	if (!json_object_is_type(config, json_type_object) || !pick(&seed, 50))
		return LLVMFuzzerMutate(data, size, max_size);
	for (unsigned i = pick(&seed, 3) + 1; i; i--)
		change(config, &spec_rows[1 + pick(&seed, spec_n_rows - 1)], &seed);
	text = json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN);
	len = strlen(text);
	if (len > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, text, len);
	return len;
}

#endif
