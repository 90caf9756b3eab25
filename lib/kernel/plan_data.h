/*
 * The text of a plan while it grows: things are appended, and found again by
 * their spans.
 */
#ifndef KERNEL_PLAN_DATA_H
#define KERNEL_PLAN_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "init/plan.h"

struct plan_data {
	char *bytes; /* begins with a struct plan; freed by the owner */
	size_t len, size;
	bool failed; /* no memory, or beyond PLAN_SIZE_MAX: everything appended since is lost */
};

/* Begins with size zero bytes. */
void plan_data_init(struct plan_data *data, size_t size);

/* Appends bytes at a multiple of alignment. */
struct plan_span plan_add(struct plan_data *data, const void *bytes, size_t len, size_t alignment);

/* A string with its NUL; no string (size 0) for NULL and for "". */
struct plan_span plan_add_string(struct plan_data *data, const char *text);

/*
 * A list is written by its strings, one directly after another:
 *	struct plan_list list = plan_list_begin(data);
 *	plan_list_add(data, &list, "x");
 */
struct plan_list plan_list_begin(const struct plan_data *data);
void plan_list_add(struct plan_data *data, struct plan_list *list, const char *text);

/* The strings of an array. */
struct plan_list plan_add_array(struct plan_data *data, const struct json_object *array);

#endif
