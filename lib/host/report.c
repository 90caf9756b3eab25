#include "host/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

static const char *const status_names[] = {
	[HOST_OK] = "ok", [HOST_DEGRADED] = "degraded", [HOST_FAIL] = "fail"};

static void set(struct json_object *requirement, const char *key, const char *fmt, va_list args)
{
	own_ptr char *text = NULL, *escaped = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return;
	/* Names come from configs and filesystems. */
	escaped = err_escape(text, ERR_MESSAGE_MAX);
	json_object_object_add(requirement, key, json_object_new_string(escaped ? escaped : ""));
}

struct json_object *host_require(struct json_object *report, const char *pointer, ...)
{
	struct json_object *requirement = json_object_new_object();
	va_list args;

	va_start(args, pointer);
	set(requirement, "pointer", pointer, args);
	va_end(args);
	json_object_array_add(report, requirement);
	return requirement;
}

void host_what(struct json_object *requirement, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set(requirement, "requirement", fmt, args);
	va_end(args);
}

void host_probe(struct json_object *requirement, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set(requirement, "probe", fmt, args);
	va_end(args);
}

void host_result(struct json_object *requirement, enum host_status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set(requirement, "result", fmt, args);
	va_end(args);
	json_object_object_add(requirement, "status", json_object_new_string(status_names[status]));
}

void host_result_errno(struct json_object *requirement, enum host_status worse, int errnum)
{
	host_result(requirement, errnum ? worse : HOST_OK, "%s",
		    errnum ? err_name(errnum) : "done");
}

size_t host_count(const struct json_object *report, enum host_status status)
{
	size_t n = 0;

	for (size_t i = 0; i < json_length(report); i++) {
		const char *is = json_string(json_item(report, i), "status");

		n += is && strcmp(is, status_names[status]) == 0;
	}
	return n;
}
