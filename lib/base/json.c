#include "base/json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct json_object *json_member(const struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!object || !json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_get_ex(object, key, &value);
	return value;
}

struct json_object *json_path(const struct json_object *object, const char *key, ...)
{
	struct json_object *value = json_member(object, key);
	va_list keys;

	va_start(keys, key);
	for (const char *k = va_arg(keys, const char *); k && value; k = va_arg(keys, const char *))
		value = json_member(value, k);
	va_end(keys);
	return value;
}

const char *json_string(const struct json_object *object, const char *key)
{
	struct json_object *value = json_member(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

bool json_true(const struct json_object *object, const char *key)
{
	struct json_object *value = json_member(object, key);

	return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

int64_t json_int(const struct json_object *object, const char *key, int64_t otherwise)
{
	struct json_object *value = json_member(object, key);

	return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

uint64_t json_uint(const struct json_object *object, const char *key, uint64_t otherwise)
{
	struct json_object *value = json_member(object, key);

	return json_object_is_type(value, json_type_int) ? json_object_get_uint64(value)
							 : otherwise;
}

bool json_has(const struct json_object *object, const char *key)
{
	return json_member(object, key) != NULL;
}

size_t json_length(const struct json_object *array)
{
	return array && json_object_is_type(array, json_type_array)
		       ? json_object_array_length(array)
		       : 0;
}

struct json_object *json_item(const struct json_object *array, size_t i)
{
	return i < json_length(array) ? json_object_array_get_idx(array, i) : NULL;
}

const char *json_item_string(const struct json_object *array, size_t i)
{
	struct json_object *value = json_item(array, i);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

char *json_pointer_to(const char *parent, const char *key)
{
	/* Each character becomes two at most. */
	size_t len = strlen(parent);
	char *pointer = malloc(len + 1 + 2 * strlen(key) + 1), *p = pointer;

	if (!pointer)
		return NULL;
	p = mempcpy(p, parent, len);
	*p++ = '/';
	for (; *key; key++) {
		if (*key == '~' || *key == '/') {
			*p++ = '~';
			*p++ = *key == '~' ? '0' : '1';
		} else {
			*p++ = *key;
		}
	}
	*p = '\0';
	return pointer;
}
