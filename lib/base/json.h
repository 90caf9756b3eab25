/*
 * JSON: a strict reader on top of json-c, and getters that need no checks.
 *
 * json_parse() accepts RFC 8259 and nothing else: no trailing text, comments,
 * single quotes, NaN, byte order mark; no duplicate keys, no \u0000, no lone
 * surrogate, no byte that is not UTF-8, no integer beyond 64 bits; at most
 * JSON_DEPTH_MAX deep. Two readers of one text thus never disagree about what
 * it says.
 *
 * The getters treat a missing object, a missing member, null and a value of
 * another type alike: "not there". They are for text that was validated
 * (oci/validate.h) or that this program wrote itself.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/err.h"

enum { JSON_DEPTH_MAX = 64 };

/*
 * The value that the len bytes at text stand for; the caller owns it
 * (own_json, json_object_put). NULL with *err filled (FAULT_CONFIG): the message
 * starts with "NAME:LINE:COLUMN: ", the details show the line and a caret.
 */
struct json_object *json_parse(const char *text, size_t len, const char *name, struct oci_err *err);

static inline void own_put_json(struct json_object *const *json)
{
	json_object_put(*json);
}

#define own_json __attribute__((cleanup(own_put_json)))

/* A member of an object, or NULL. Borrowed. */
struct json_object *json_member(const struct json_object *object, const char *key);

/* A member reached through several objects: json_path(config, "linux", "resources", NULL). */
struct json_object *json_path(const struct json_object *object, const char *key, ...)
	__attribute__((sentinel));

/* The text of a string member, or NULL. Borrowed. */
const char *json_string(const struct json_object *object, const char *key);

bool json_true(const struct json_object *object, const char *key);

int64_t json_int(const struct json_object *object, const char *key, int64_t otherwise);
uint64_t json_uint(const struct json_object *object, const char *key, uint64_t otherwise);

/* Whether a member is there and is not null. */
bool json_has(const struct json_object *object, const char *key);

/* The number of items of an array; 0 for NULL and for what is no array. */
size_t json_length(const struct json_object *array);

/* Item i, borrowed; and its text, "" if it is no string. */
struct json_object *json_item(const struct json_object *array, size_t i);
const char *json_item_string(const struct json_object *array, size_t i);

/*
 * The JSON pointer (RFC 6901) of the member key of what parent points at; the caller frees it.
 * NULL: no memory.
 */
char *json_pointer_to(const char *parent, const char *key);

#endif
