/* linux.seccomp: actions and what belongs to them. */
#include <string.h>

#include "oci/validate_rules.h"

#define SECCOMP "/linux/seccomp"

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
