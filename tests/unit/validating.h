/*
 * For the tests of validation: a config.json that is fine, changed in a place
 * or two, and what validation then says.
 *
 *	WRONG("/process/cwd", "\"x\"", "no absolute path");
 *	ERROR("/linux/uidMappings", "has no user namespace", "/linux/uidMappings", mapping);
 */
#ifndef TESTS_UNIT_VALIDATING_H
#define TESTS_UNIT_VALIDATING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json_pointer.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/validate.h"

static const char base[] =
	"{"
	"\"ociVersion\": \"1.3.0\","
	"\"root\": {\"path\": \"rootfs\", \"readonly\": true},"
	"\"hostname\": \"box\","
	"\"process\": {"
	"  \"user\": {\"uid\": 0, \"gid\": 0}, \"args\": [\"sh\"], \"cwd\": \"/\","
	"  \"env\": [\"PATH=/bin\"], \"capabilities\": {\"bounding\": [\"CAP_KILL\"]},"
	"  \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"soft\": 1024, \"hard\": 1024}]},"
	"\"hooks\": {},"
	"\"mounts\": ["
	"  {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},"
	"  {\"destination\": \"/data\", \"source\": \"/srv\", \"options\": [\"rbind\"]},"
	"  {\"destination\": \"/dev\", \"type\": \"tmpfs\","
	"   \"options\": [\"nosuid\", \"size=64k\", \"mode=755\"]}],"
	"\"linux\": {"
	"  \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"mount\"}, {\"type\": \"uts\"},"
	"    {\"type\": \"network\"}, {\"type\": \"ipc\"}],"
	"  \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},"
	"  \"maskedPaths\": [\"/proc/kcore\"], \"readonlyPaths\": [\"/proc/sys\"],"
	"  \"uidMappings\": [], \"gidMappings\": []},"
	"\"annotations\": {\"org.example.x\": \"\"}"
	"}";

static inline struct json_object *parse(const char *text)
{
	own_err struct oci_err err = ERR_INIT;
	struct json_object *value = json_parse(text, strlen(text), "test", &err);

	if (!value)
		fail_msg("%s: %s", text, err.message);
	return value;
}

/* "null" takes the property away; an index behind the end of an array adds to it. */
static inline void set(struct json_object **config, const char *pointer, const char *value)
{
	own_ptr char *path = strdup(pointer);
	char *key = strrchr(path, '/');
	struct json_object *parent;

	*key++ = '\0';
	if (json_pointer_get(*config, path, &parent) < 0)
		fail_msg("cannot set %s", pointer);
	if (json_object_is_type(parent, json_type_array))
		json_object_array_put_idx(parent, strtoul(key, NULL, 10), parse(value));
	else if (strcmp(value, "null") == 0)
		json_object_object_del(parent, key);
	else
		json_object_object_add(parent, key, parse(value));
}

/* The base with up to three changes: pairs of a pointer and a value, then NULL. */
static inline struct json_object *changed(va_list args)
{
	struct json_object *config = parse(base);

	for (const char *pointer = va_arg(args, const char *); pointer;
	     pointer = va_arg(args, const char *))
		set(&config, pointer, va_arg(args, const char *));
	return config;
}

static inline void print_findings(const struct findings *found)
{
	for (size_t i = 0; i < found->n; i++)
		fprintf(stderr, "  %s: %s: %s (%s)\n",
			found->items[i].severity == FINDING_ERROR ? "error" : "warning",
			found->items[i].pointer, found->items[i].message,
			found->items[i].hint ? found->items[i].hint : "no hint");
}

static inline const struct finding *find(const struct findings *found,
					 enum finding_severity severity, const char *pointer,
					 const char *message)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->items[i].severity == severity &&
		    strcmp(found->items[i].pointer, pointer) == 0 &&
		    strstr(found->items[i].message, message))
			return &found->items[i];
	print_findings(found);
	fail_msg("no \"%s: ...%s\"", pointer, message);
	return NULL;
}

/* Exactly one error, and it is this one. */
__attribute__((sentinel)) static inline void error(const char *pointer, const char *message, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, message);
	config = changed(args);
	va_end(args);
	validate_config(config, &found);
	find(&found, FINDING_ERROR, pointer, message);
	if (found.n_errors != 1) {
		print_findings(&found);
		fail_msg("%zu errors", found.n_errors);
	}
}

__attribute__((sentinel)) static inline void warning(const char *pointer, const char *message, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, message);
	config = changed(args);
	va_end(args);
	validate_config(config, &found);
	find(&found, FINDING_WARNING, pointer, message);
	assert_int_equal(found.n_errors, 0);
	assert_int_equal(found.n_warnings, 1);
}

__attribute__((sentinel)) static inline void fine(const char *pointer, const char *value, ...)
{
	own_findings struct findings found = {0};
	own_json struct json_object *config = NULL;
	va_list args;

	va_start(args, value);
	config = changed(args);
	va_end(args);
	set(&config, pointer, value);
	validate_config(config, &found);
	if (found.n) {
		print_findings(&found);
		fail_msg("%s = %s", pointer, value);
	}
}

/* The one finding. */
static inline const struct finding *only(struct json_object *config, struct findings *found)
{
	validate_config(config, found);
	assert_int_equal(found->n, 1);
	return &found->items[0];
}

#define ERROR(pointer, message, ...) error(pointer, message, __VA_ARGS__, NULL)
/* The value that is set is the value that is wrong. */
#define WRONG(pointer, value, message) error(pointer, message, pointer, value, NULL)
#define WARNING(pointer, message, ...) warning(pointer, message, __VA_ARGS__, NULL)
#define FINE(pointer, value) fine(pointer, value, NULL)

#endif
