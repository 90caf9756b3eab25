#include "kernel/plan_data.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 8 << 10 };

/* Room for len more bytes, or NULL. */
static char *grow(struct plan_data *data, size_t len)
{
	size_t size = data->size ? data->size : FIRST_SIZE;
	char *larger;

	if (data->failed || len > PLAN_SIZE_MAX || data->len + len > PLAN_SIZE_MAX) {
		data->failed = true;
		return NULL;
	}
	while (size < data->len + len)
		size *= 2;
	if (size != data->size) {
		larger = realloc(data->bytes, size);
		if (!larger) {
			data->failed = true;
			return NULL;
		}
		data->bytes = larger;
		data->size = size;
	}
	data->len += len;
	return data->bytes + data->len - len;
}

void plan_data_init(struct plan_data *data, size_t size)
{
	char *zero;

	*data = (struct plan_data){0};
	zero = grow(data, size);
	if (zero)
		memset(zero, 0, size);
}

struct plan_span plan_add(struct plan_data *data, const void *bytes, size_t len, size_t alignment)
{
	size_t padding = (alignment - data->len % alignment) % alignment;
	char *place = grow(data, padding + len);

	if (!place || !len)
		return (struct plan_span){0};
	memset(place, 0, padding);
	memcpy(place + padding, bytes, len);
	return (struct plan_span){(uint32_t)(data->len - len), (uint32_t)len};
}

struct plan_span plan_add_string(struct plan_data *data, const char *text)
{
	if (!text || !*text)
		return (struct plan_span){0};
	return plan_add(data, text, strlen(text) + 1, 1);
}

struct plan_list plan_list_begin(const struct plan_data *data)
{
	return (struct plan_list){.text.offset = (uint32_t)data->len};
}

void plan_list_add(struct plan_data *data, struct plan_list *list, const char *text)
{
	const size_t len = strlen(text) + 1;
	char *place = grow(data, len);

	if (!place)
		return;
	memcpy(place, text, len);
	list->text.size += (uint32_t)len;
	list->n++;
}

struct plan_list plan_add_array(struct plan_data *data, const struct json_object *array)
{
	struct plan_list list = plan_list_begin(data);
	const size_t n = json_length(array);

	for (size_t i = 0; i < n; i++)
		plan_list_add(data, &list, json_item_string(array, i));
	return list;
}
