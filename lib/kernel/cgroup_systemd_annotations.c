/*
 * Annotations as properties of systemd's units. An engine passes annotations of images and of its
 * own users on, and a unit has properties that run programs of the host or give away rights
 * (CVE-2024-3154): only what bounds the container itself, and in which order the machine ends it,
 * is taken.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup_systemd.h"

#define PREFIX "org.systemd.property."

static const struct {
	const char *name, *signature;
} allowed[] = {
	{"After", "as"},
	{"AllowedCPUs", "ay"},
	{"AllowedMemoryNodes", "ay"},
	{"Before", "as"},
	{"CPUQuotaPerSecUSec", "t"},
	{"CPUQuotaPeriodUSec", "t"},
	{"CPUShares", "t"},
	{"CPUWeight", "t"},
	{"CollectMode", "s"},
	{"DefaultDependencies", "b"},
	{"IOWeight", "t"},
	{"IPAccounting", "b"},
	{"KillMode", "s"},
	{"KillSignal", "i"},
	{"ManagedOOMMemoryPressure", "s"},
	{"ManagedOOMPreference", "s"},
	{"ManagedOOMSwap", "s"},
	{"MemoryHigh", "t"},
	{"MemoryLimit", "t"},
	{"MemoryLow", "t"},
	{"MemoryMax", "t"},
	{"MemoryMin", "t"},
	{"MemorySwapMax", "t"},
	{"OOMPolicy", "s"},
	{"PartOf", "as"},
	{"RuntimeMaxUSec", "t"},
	{"SendSIGHUP", "b"},
	{"SendSIGKILL", "b"},
	{"TasksMax", "t"},
	{"TimeoutStopUSec", "t"},
};

/* ---- GVariant text ------------------------------------------------------------------------- */

static void blanks(const char **c)
{
	*c += strspn(*c, " \t\r\n");
}

/* A string in either quotes. */
static struct json_object *parse_string(const char **c)
{
	char quote = **c;
	struct json_object *value;
	own_ptr char *text = NULL;
	size_t n = 0;

	if (quote != '\'' && quote != '"')
		return NULL;
	text = malloc(strlen(*c));
	for ((*c)++; text && **c && **c != quote; (*c)++) {
		if (**c == '\\') {
			/* \n and \u0041 have no place in what is a name or a word. */
			if ((*c)[1] != '\\' && (*c)[1] != '\'' && (*c)[1] != '"')
				return NULL;
			(*c)++;
		}
		text[n++] = **c;
	}
	if (!text || **c != quote)
		return NULL;
	(*c)++;
	value = json_object_new_string_len(text, (int)n);
	return value;
}

/* A number, after the name of its type or without; the width is that of the property. */
static struct json_object *parse_number(const char **c, char type)
{
	static const char *const words[] = {"byte",   "int16", "uint16", "int32",
					    "uint32", "int64", "uint64"};
	uint64_t max = type == 'y' ? UINT8_MAX : type == 'i' ? INT32_MAX : UINT64_MAX, value;
	own_ptr char *digits = NULL;
	size_t n;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		n = strlen(words[i]);

		if (strncmp(*c, words[i], n) == 0 && (*c)[n] == ' ') {
			*c += n;
			blanks(c);
			break;
		}
	}
	n = strspn(*c, "0123456789");
	digits = strndup(*c, n);
	if (!digits || !num_uint(digits, 0, max, &value))
		return NULL;
	*c += n;
	return json_object_new_uint64(value);
}

static struct json_object *parse_basic(const char **c, char type)
{
	if (type == 's')
		return parse_string(c);
	if (type != 'b')
		return parse_number(c, type);
	if (strncmp(*c, "true", 4) == 0) {
		*c += 4;
		return json_object_new_boolean(true);
	}
	if (strncmp(*c, "false", 5) == 0) {
		*c += 5;
		return json_object_new_boolean(false);
	}
	return NULL;
}

static struct json_object *parse_array(const char **c, char type)
{
	own_json struct json_object *array = json_object_new_array();

	/* "@as []" */
	if (**c == '@') {
		if ((*c)[1] != 'a' || (*c)[2] != type)
			return NULL;
		*c += 3;
		blanks(c);
	}
	if (**c != '[')
		return NULL;
	(*c)++;
	blanks(c);
	while (**c != ']') {
		struct json_object *item = parse_basic(c, type);

		if (!item)
			return NULL;
		json_object_array_add(array, item);
		blanks(c);
		if (**c != ',' && **c != ']')
			return NULL;
		*c += **c == ',';
		blanks(c);
	}
	(*c)++;
	return steal_ptr(&array);
}

/* text as a value of the type; NULL if it is none. */
static struct json_object *parse(const char *text, const char *signature)
{
	struct json_object *value;

	blanks(&text);
	value = signature[0] == 'a' ? parse_array(&text, signature[1])
				    : parse_basic(&text, signature[0]);
	blanks(&text);
	if (!*text)
		return value;
	json_object_put(value);
	return NULL;
}

/* ---- Properties ---------------------------------------------------------------------------- */

static int bad(struct oci_err *err, const char *key, const char *name, const char *why)
{
	own_ptr char *pointer = json_pointer_to("/annotations", key);

	err_set(err, FAULT_CONFIG, "property \"%s\" of a unit %s", name, why);
	return pointer ? err_at(err, "%s", pointer) : -1;
}

static int bad_value(struct oci_err *err, const char *key, const char *name, const char *signature)
{
	char why[64];

	snprintf(why, sizeof why, "is of type \"%s\", which this is not", signature);
	return bad(err, key, name, why);
}

/* Units' files have seconds, D-Bus has microseconds. */
static struct json_object *in_microseconds(struct json_object *seconds)
{
	uint64_t value = json_object_get_uint64(seconds);

	json_object_put(seconds);
	return json_object_new_uint64(value > UINT64_MAX / 1000000 ? UINT64_MAX : value * 1000000);
}

static int add(struct json_object *properties, const char *key, const char *text,
	       struct oci_err *err)
{
	const char *given = key + strlen(PREFIX);
	own_ptr char *name = NULL;
	size_t len = strlen(given);
	bool seconds = len > 3 && strcmp(given + len - 3, "Sec") == 0 &&
		       !(len > 4 && given[len - 4] == 'U');

	if (asprintf(&name, seconds ? "%.*sUSec" : "%.*s", (int)(seconds ? len - 3 : len), given) <
	    0)
		return err_sys(err, ENOMEM, "cannot plan a unit");
	for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++) {
		struct json_object *value;

		if (strcmp(allowed[i].name, name) != 0)
			continue;
		value = parse(text, allowed[i].signature);
		if (!value)
			return bad_value(err, key, name, allowed[i].signature);
		cgroup_systemd_add(properties, name, allowed[i].signature,
				   seconds ? in_microseconds(value) : value);
		return 0;
	}
	return bad(err, key, given, "is not one that a container may set");
}

int cgroup_systemd_annotations(const struct json_object *annotations,
			       struct json_object *properties, struct oci_err *err)
{
	if (!annotations)
		return 0;
	json_object_object_foreach ((struct json_object *)(uintptr_t)annotations, key, value)
		if (strncmp(key, PREFIX, strlen(PREFIX)) == 0 &&
		    add(properties, key, json_object_get_string(value), err) < 0)
			return -1;
	return 0;
}
