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

/* Whoever is notified would have to be sent the descriptor by a write that waits for them. */
static void check_notify(struct rules *r, const struct json_object *rule, size_t i)
{
	const struct json_object *names = json_member(rule, "names");

	for (size_t j = 0; j < json_length(names); j++)
		if (strcmp(json_item_string(names, j), "write") == 0)
			rules_error(r, AT_VALUE,
				    rules_at(r, SECCOMP "/syscalls/%zu/names/%zu", i, j),
				    "SCMP_ACT_NOTIFY is not possible for write: it would stop the "
				    "program before there is a listener");
}

void rules_seccomp(struct rules *r)
{
	const struct json_object *seccomp = json_member(r->platform, "seccomp");
	const struct json_object *rules = json_member(seccomp, "syscalls");
	const char *action = json_string(seccomp, "defaultAction");
	const char *path = json_string(seccomp, "listenerPath");
	const char *metadata = json_string(seccomp, "listenerMetadata");
	bool notifies = false;

	check_errno(r, seccomp, "defaultErrnoRet", action, SECCOMP "/defaultErrnoRet");
	if (is(action, "SCMP_ACT_NOTIFY"))
		rules_error(r, AT_VALUE, SECCOMP "/defaultAction",
			    "SCMP_ACT_NOTIFY cannot be the default: it would stop the program "
			    "before there is a listener");
	for (size_t i = 0; i < json_length(rules); i++) {
		const struct json_object *rule = json_item(rules, i);

		action = json_string(rule, "action");
		check_errno(r, rule, "errnoRet", action,
			    rules_at(r, SECCOMP "/syscalls/%zu/errnoRet", i));
		if (is(action, "SCMP_ACT_NOTIFY")) {
			notifies = true;
			check_notify(r, rule, i);
		}
	}
	if (notifies && (!path || !*path))
		rules_error(r, AT_VALUE, SECCOMP "/listenerPath",
			    "is required for SCMP_ACT_NOTIFY, but it is not there");
	if (path && *path && *path != '/')
		rules_error(r, AT_VALUE, SECCOMP "/listenerPath", "\"%.200s\" is no absolute path",
			    path);
	if (metadata && *metadata && (!path || !*path))
		rules_error(r, AT_KEY, SECCOMP "/listenerMetadata", "set without listenerPath");
}
