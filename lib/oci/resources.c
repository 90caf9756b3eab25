#include "oci/resources.h"

#include <string.h>

#include "base/own.h"

/* A copy of its own; json_object_deep_copy() of NULL is none. */
static struct json_object *copy(const struct json_object *value)
{
	struct json_object *result = NULL;

	/* The function does not change what it copies. */
	json_object_deep_copy((struct json_object *)(uintptr_t)value, &result, NULL);
	return result;
}

/* Of these, 0 is a value. */
static bool zero_counts(const char *object, const char *key)
{
	static const struct {
		const char *object, *key;
	} list[] = {{"memory", "swappiness"}, {"cpu", "burst"}, {"cpu", "idle"}, {"pids", "limit"}};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (strcmp(list[i].object, object) == 0 && strcmp(list[i].key, key) == 0)
			return true;
	return false;
}

static bool is_set(const char *object, const char *key, const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return false;
	case json_type_int:
		return json_object_get_int64(value) != 0 || zero_counts(object, key);
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_length(value) > 0;
	default:
		return true;
	}
}

static struct json_object *normal_object(const char *name, struct json_object *object)
{
	struct json_object *result = json_object_new_object();

	json_object_object_foreach (object, key, value)
		if (is_set(name, key, value))
			json_object_object_add(result, key, copy(value));
	return result;
}

struct json_object *resources_normal(const struct json_object *change)
{
	struct json_object *result = json_object_new_object();

	if (!change || !json_object_is_type(change, json_type_object))
		return result;
	json_object_object_foreach ((struct json_object *)(uintptr_t)change, key, value) {
		if (!value || (json_object_is_type(value, json_type_array) && !json_length(value)))
			continue;
		/* The names in unified and rdma are data, and "" is a value of a control file. */
		if (json_object_is_type(value, json_type_object) && strcmp(key, "unified") != 0 &&
		    strcmp(key, "rdma") != 0)
			json_object_object_add(result, key, normal_object(key, value));
		else
			json_object_object_add(result, key, copy(value));
	}
	return result;
}

static bool same_member(const struct json_object *a, const struct json_object *b, const char *key)
{
	return json_object_equal(json_member(a, key), json_member(b, key));
}

/* Whether two entries of a list are about the same page size, device or interface. */
static bool same_subject(const struct json_object *a, const struct json_object *b)
{
	if (json_has(a, "pageSize"))
		return same_member(a, b, "pageSize");
	if (json_has(a, "name"))
		return same_member(a, b, "name");
	return same_member(a, b, "major") && same_member(a, b, "minor");
}

static void merge_value(struct json_object *base, const char *key, const struct json_object *value);

/* Members of b over those of a. */
static void merge_members(struct json_object *a, const struct json_object *b)
{
	if (!b)
		return;
	json_object_object_foreach ((struct json_object *)(uintptr_t)b, key, value)
		merge_value(a, key, value);
}

static void merge_list(struct json_object *list, const struct json_object *changes)
{
	for (size_t i = 0; i < json_length(changes); i++) {
		const struct json_object *change = json_item(changes, i);
		struct json_object *found = NULL;

		for (size_t j = 0; j < json_length(list) && !found; j++)
			if (same_subject(json_item(list, j), change))
				found = json_item(list, j);
		if (found)
			merge_members(found, change);
		else
			json_object_array_add(list, copy(change));
	}
}

static void merge_value(struct json_object *base, const char *key, const struct json_object *value)
{
	struct json_object *old = json_member(base, key);
	enum json_type type = json_object_get_type(value);

	if (old && type == json_type_object && json_object_is_type(old, type))
		merge_members(old, value);
	else if (old && type == json_type_array && json_object_is_type(old, type) &&
		 strcmp(key, "devices") != 0)
		merge_list(old, value);
	else
		json_object_object_add(base, key, copy(value));
}

/* A new limit of memory, and no word about swap. */
static void move_swap(struct json_object *result, const struct json_object *base,
		      const struct json_object *change, bool swap_alone)
{
	const struct json_object *change_memory = json_member(change, "memory");
	const struct json_object *old = json_member(base, "memory");
	int64_t limit = json_int(change_memory, "limit", 0), swap = json_int(old, "swap", 0);

	if (limit == 0 || json_has(change_memory, "swap") || swap == 0)
		return;
	if (limit < 0)
		swap = -1;
	else if (swap > 0 && swap_alone && json_int(old, "limit", 0) > 0)
		swap += limit - json_int(old, "limit", 0);
	json_object_object_add(json_member(result, "memory"), "swap", json_object_new_int64(swap));
}

struct json_object *resources_merge(const struct json_object *base,
				    const struct json_object *change, bool swap_alone)
{
	struct json_object *result = base ? copy(base) : json_object_new_object();

	merge_members(result, change);
	move_swap(result, base, change, swap_alone);
	return result;
}
