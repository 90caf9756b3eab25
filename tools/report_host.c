/* Reports of host/host.h for people. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/host.h"
#include "tool.h"

enum { WIDTH_MAX = 64 }; /* a longer text moves its own line's rest, not everybody's */

static const char *text(const struct json_object *requirement, const char *key)
{
	const char *value = json_string(requirement, key);

	return value ? value : "";
}

static int width(const struct json_object *report, const char *key)
{
	size_t most = 0;

	for (size_t i = 0; i < json_length(report); i++) {
		size_t len = strlen(text(json_item(report, i), key));

		if (len > most && len <= WIDTH_MAX)
			most = len;
	}
	return (int)most;
}

static const char *colour(const char *status)
{
	if (!isatty(1) || getenv("NO_COLOR"))
		return NULL;
	return *status == 'o' ? "32" : *status == 'd' ? "33" : "31";
}

void tool_print_host(const struct json_object *report)
{
	const int pointer = width(report, "pointer"), what = width(report, "requirement");
	const int probe = width(report, "probe");

	for (size_t i = 0; i < json_length(report); i++) {
		const struct json_object *r = json_item(report, i);
		const char *status = text(r, "status"), *c = colour(status);

		printf("%s%s%s%-8s%s  %-*s  %-*s  %-*s  %s\n", c ? "\033[" : "", c ? c : "",
		       c ? "m" : "", status, c ? "\033[m" : "", pointer, text(r, "pointer"), what,
		       text(r, "requirement"), probe, text(r, "probe"), text(r, "result"));
	}
	printf("%zu ok, %zu degraded, %zu fail\n", host_count(report, HOST_OK),
	       host_count(report, HOST_DEGRADED), host_count(report, HOST_FAIL));
}

void tool_print_json(struct json_object *json)
{
	puts(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
}
