/* linux.seccomp: actions and what belongs to them. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "oci/validate_rules.h"

#define SECCOMP "/linux/seccomp"

/* The kernel's MAX_ERRNO is 4095, and libseccomp takes only what is below. */
enum { ERRNO_MAX = 4094 };

static bool is(const char *action, const char *name)
{
	return action && strcmp(action, name) == 0;
}

/* "When the action doesn't support an errno, the runtime MUST print and error and fail." */
static void check_errno(struct rules *r, const struct json_object *object, const char *key,
			const char *action, const char *pointer)
{
	if (action && json_has(object, key) && !is(action, "SCMP_ACT_ERRNO") &&
	    !is(action, "SCMP_ACT_TRACE"))
		rules_error(r, AT_KEY, pointer, "set, but %.40s returns no errno", action);
	else if (is(action, "SCMP_ACT_ERRNO") && json_uint(object, key, 0) > ERRNO_MAX &&
		 json_uint(object, key, 0) <= UINT16_MAX)
		rules_error(r, AT_VALUE, pointer, "%u is out of range for SCMP_ACT_ERRNO: 0 to %d",
			    (unsigned)json_uint(object, key, 0), ERRNO_MAX);
}

/* What a rule does to the calls that it names, whatever their arguments; NULL: nothing new. */
static const char *unconditional(const struct json_object *seccomp, const struct json_object *rule)
{
	const char *action = json_string(rule, "action");

	if (json_length(json_member(rule, "args")) ||
	    is(action, json_string(seccomp, "defaultAction") ?: ""))
		return NULL;
	return action;
}

static bool names(const struct json_object *rule, const char *name)
{
	const struct json_object *list = json_member(rule, "names");

	for (size_t i = 0; i < json_length(list); i++)
		if (is(json_item_string(list, i), name))
			return true;
	return false;
}

/* The index of the first rule for all calls of a name. */
static size_t find_rule(const struct json_object *seccomp, const char *name)
{
	const struct json_object *rules = json_member(seccomp, "syscalls");
	size_t i = 0;

	while (i < json_length(rules) &&
	       !(unconditional(seccomp, json_item(rules, i)) && names(json_item(rules, i), name)))
		i++;
	return i;
}

/* The first of two rules for all calls of a name is that which holds. */
static void check_contradiction(struct rules *r, const struct json_object *seccomp, size_t i,
				size_t j)
{
	const struct json_object *rules = json_member(seccomp, "syscalls");
	const struct json_object *first = json_item(rules, i), *second = json_item(rules, j);
	const struct json_object *list = json_member(second, "names");
	const char *action = unconditional(seccomp, first), *other = unconditional(seccomp, second);

	if (!action || !other ||
	    (is(action, other) &&
	     json_uint(first, "errnoRet", EPERM) == json_uint(second, "errnoRet", EPERM)))
		return;
	for (size_t k = 0; k < json_length(list); k++) {
		const char *name = json_item_string(list, k);

		if (name && names(first, name) && find_rule(seccomp, name) == i)
			rules_no_effect(r, AT_VALUE,
					rules_at(r, SECCOMP "/syscalls/%zu/names/%zu", j, k),
					"\"%.100s\" has no effect: it contradicts " SECCOMP
					"/syscalls/%zu, which comes first",
					name, i);
	}
}

/* The kernel refuses it for a filter without a listener. */
static void check_killable(struct rules *r, const struct json_object *seccomp, bool notifies)
{
	static const char name[] = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
	const struct json_object *flags = json_member(seccomp, "flags");

	for (size_t i = 0; !notifies && i < json_length(flags); i++)
		if (is(json_item_string(flags, i), name))
			rules_error(r, AT_VALUE, rules_at(r, SECCOMP "/flags/%zu", i),
				    "%s is for filters with SCMP_ACT_NOTIFY", name);
}

void rules_seccomp(struct rules *r)
{
	const struct json_object *seccomp = json_member(r->platform, "seccomp");
	const struct json_object *rules = json_member(seccomp, "syscalls");
	const char *action = json_string(seccomp, "defaultAction");
	const char *path = json_string(seccomp, "listenerPath");
	const char *metadata = json_string(seccomp, "listenerMetadata");
	bool notifies = is(action, "SCMP_ACT_NOTIFY");

	check_errno(r, seccomp, "defaultErrnoRet", action, SECCOMP "/defaultErrnoRet");
	for (size_t i = 0; i < json_length(rules); i++) {
		const struct json_object *rule = json_item(rules, i);

		action = json_string(rule, "action");
		check_errno(r, rule, "errnoRet", action,
			    rules_at(r, SECCOMP "/syscalls/%zu/errnoRet", i));
		notifies |= is(action, "SCMP_ACT_NOTIFY");
		for (size_t j = 0; j < i; j++)
			check_contradiction(r, seccomp, j, i);
	}
	if (notifies && (!path || !*path))
		rules_error(r, AT_VALUE, SECCOMP "/listenerPath",
			    "is required for SCMP_ACT_NOTIFY, but it is not there");
	check_killable(r, seccomp, notifies);
	if (path && *path && *path != '/')
		rules_error(r, AT_VALUE, SECCOMP "/listenerPath", "\"%.200s\" is no absolute path",
			    path);
	if (metadata && *metadata && (!path || !*path))
		rules_error(r, AT_KEY, SECCOMP "/listenerMetadata", "set without listenerPath");
}
