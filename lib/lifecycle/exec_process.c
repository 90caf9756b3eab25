#include "lifecycle/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "oci/finding.h"
#include "oci/validate.h"

/* (uid_t)-1 means "none" to the kernel. */
enum { ID_MAX = UINT32_MAX - 1 };

static int no_memory(struct oci_err *err)
{
	return err_sys(err, ENOMEM, "cannot prepare the process");
}

/* ---- The document ------------------------------------------------------------------------------
 */

static struct json_object *parse(const char *text, size_t len, const char *name,
				 struct oci_err *err)
{
	own_json struct json_object *process = json_parse(text, len, name, err);
	own_findings struct findings found = {0};

	if (!process)
		return NULL;
	validate_process(process, &found);
	if (found.n_errors) {
		finding_fail(&found, text, len, name, err);
		return NULL;
	}
	return json_object_get(process);
}

static struct json_object *read_document(const char *path, struct oci_err *err)
{
	const bool input = strcmp(path, "-") == 0;
	own_fd int fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_ptr char *text = NULL;
	size_t len;

	if (fd < 0 || fd_read_all(fd, CONFIG_SIZE_MAX, &text, &len) < 0) {
		err_sys(err, errno, "cannot read the process from \"%s\"", path);
		err->fault = FAULT_USAGE;
		return NULL;
	}
	return parse(text, len, path, err);
}

static int inherit(struct json_object *process, const struct json_object *own, const char *key)
{
	struct json_object *value = json_member(own, key);

	if (!value || json_has(process, key))
		return 0;
	return json_object_object_add(process, key, json_object_get(value));
}

/* What a document does not say is as in the container, not as nothing: less would be more. */
static int inherit_rights(struct json_object *process, const struct json_object *own)
{
	static const char *const keys[] = {"capabilities",   "apparmorProfile", "selinuxLabel",
					   "oomScoreAdj",    "scheduler",	"ioPriority",
					   "execCPUAffinity"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (inherit(process, own, keys[i]) < 0)
			return -1;
	if (json_length(json_member(process, "rlimits")) == 0)
		json_object_object_del(process, "rlimits");
	if (inherit(process, own, "rlimits") < 0)
		return -1;
	return json_has(process, "user")
		       ? inherit(json_member(process, "user"), json_member(own, "user"), "umask")
		       : inherit(process, own, "user");
}

/* ---- Options
 * ------------------------------------------------------------------------------------- */

static int set(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return 0;
	json_object_put(value);
	return -1;
}

static int set_string(struct json_object *object, const char *key, const char *value)
{
	return value ? set(object, key, json_object_new_string(value)) : 0;
}

/* The member of that type, made if it is not there. */
static struct json_object *need(struct json_object *object, const char *key, bool array)
{
	struct json_object *value = json_member(object, key);

	if (value)
		return value;
	value = array ? json_object_new_array() : json_object_new_object();
	return set(object, key, value) < 0 ? NULL : value;
}

static int append(struct json_object *array, struct json_object *value)
{
	if (array && value && json_object_array_add(array, value) == 0)
		return 0;
	json_object_put(value);
	return -1;
}

static int set_args(struct json_object *process, char *const *args)
{
	struct json_object *array;

	if (!args || !args[0])
		return 0;
	array = json_object_new_array();
	if (set(process, "args", array) < 0)
		return -1;
	for (; *args; args++)
		if (append(array, json_object_new_string(*args)) < 0)
			return -1;
	return 0;
}

static int bad_user(const char *text, struct oci_err *err)
{
	return err_set(err, FAULT_USAGE,
		       "--user \"%s\": must be UID or UID:GID, decimal numbers from 0 to %u", text,
		       ID_MAX);
}

static int set_user(struct json_object *process, const char *text, struct oci_err *err)
{
	struct json_object *user = need(process, "user", false);
	own_ptr char *copy = text ? strdup(text) : NULL;
	char *colon = copy ? strchr(copy, ':') : NULL;
	uint64_t id;

	if (!text)
		return 0;
	if (!user || !copy)
		return no_memory(err);
	if (colon)
		*colon++ = '\0';
	if (!num_uint(copy, 0, ID_MAX, &id))
		return bad_user(text, err);
	if (set(user, "uid", json_object_new_int64((int64_t)id)) < 0)
		return no_memory(err);
	if (colon && !num_uint(colon, 0, ID_MAX, &id))
		return bad_user(text, err);
	if (colon && set(user, "gid", json_object_new_int64((int64_t)id)) < 0)
		return no_memory(err);
	return 0;
}

static int add_groups(struct json_object *process, const struct opt_list *groups,
		      struct oci_err *err)
{
	struct json_object *list;
	uint64_t id;

	if (!groups->n)
		return 0;
	list = need(need(process, "user", false), "additionalGids", true);
	for (size_t i = 0; i < groups->n; i++) {
		if (!num_uint(groups->items[i], 0, ID_MAX, &id))
			return err_set(err, FAULT_USAGE,
				       "--additional-gids \"%s\": must be a decimal number from 0 "
				       "to %u",
				       groups->items[i], ID_MAX);
		if (append(list, json_object_new_int64((int64_t)id)) < 0)
			return no_memory(err);
	}
	return 0;
}

static int add_environment(struct json_object *process, const struct opt_list *env,
			   struct oci_err *err)
{
	for (size_t i = 0; i < env->n; i++) {
		const char *entry = env->items[i];

		if (!strchr(entry, '=') || entry[0] == '=')
			return err_set(err, FAULT_USAGE, "--env \"%s\": must be NAME=VALUE", entry);
		if (append(need(process, "env", true), json_object_new_string(entry)) < 0)
			return no_memory(err);
	}
	return 0;
}

static bool contains(const struct json_object *list, const char *text)
{
	for (size_t i = 0; i < json_length(list); i++)
		if (strcmp(json_item_string(list, i), text) == 0)
			return true;
	return false;
}

/* Ambient is only what is inheritable too, and inheritable nothing becomes by this. */
static int add_capability(struct json_object *sets, const char *name)
{
	static const char *const keys[] = {"bounding", "effective", "permitted", "ambient"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i], "ambient") == 0 &&
		    !contains(json_member(sets, "inheritable"), name))
			continue;
		if (append(need(sets, keys[i], true), json_object_new_string(name)) < 0)
			return -1;
	}
	return 0;
}

static int add_capabilities(struct json_object *process, const struct opt_list *caps,
			    struct oci_err *err)
{
	struct json_object *sets = caps->n ? need(process, "capabilities", false) : NULL;

	for (size_t i = 0; i < caps->n; i++)
		if (!sets || add_capability(sets, caps->items[i]) < 0)
			return no_memory(err);
	return 0;
}

static int apply(struct json_object *process, const struct exec_process *wanted,
		 struct oci_err *err)
{
	if (set_args(process, wanted->args) < 0 || set_string(process, "cwd", wanted->cwd) < 0 ||
	    set_string(process, "apparmorProfile", wanted->apparmor) < 0 ||
	    set_string(process, "selinuxLabel", wanted->selinux) < 0 ||
	    (wanted->tty && set(process, "terminal", json_object_new_boolean(true)) < 0) ||
	    (wanted->no_new_privs &&
	     set(process, "noNewPrivileges", json_object_new_boolean(true)) < 0))
		return no_memory(err);
	if (set_user(process, wanted->user, err) < 0 ||
	    add_groups(process, &wanted->groups, err) < 0 ||
	    add_environment(process, &wanted->env, err) < 0)
		return -1;
	return add_capabilities(process, &wanted->caps, err);
}

/* What the options have made of it, which the table of config.json judges as it does that. */
static int check(const struct json_object *process, struct oci_err *err)
{
	own_findings struct findings found = {0};

	validate_process(process, &found);
	for (size_t i = 0; i < found.n; i++) {
		const struct finding *f = &found.items[i];

		if (f->severity != FINDING_ERROR)
			continue;
		err_set(err, FAULT_USAGE, "%s", f->message);
		if (f->hint)
			err_hint(err, "%s", f->hint);
		return err_at(err, "/process%s", f->pointer);
	}
	return 0;
}

struct json_object *exec_process_make(const struct container *c, const struct exec_process *wanted,
				      struct oci_err *err)
{
	const struct json_object *own = json_member(c->config, "process");
	own_json struct json_object *process = NULL;

	if (wanted->file) {
		process = read_document(wanted->file, err);
		if (process && inherit_rights(process, own) < 0)
			no_memory(err);
	} else if (!wanted->args || !wanted->args[0]) {
		err_set(err, FAULT_USAGE, "no command is given, and no --process");
	} else if (!own) {
		err_set(err, FAULT_USAGE,
			"the container has no process to take after: --process is needed");
	} else if (json_object_deep_copy((struct json_object *)(uintptr_t)own, &process, NULL) <
			   0 ||
		   set(process, "terminal", json_object_new_boolean(false)) < 0) {
		no_memory(err);
	}
	if (!process || err->fault || apply(process, wanted, err) < 0 || check(process, err) < 0)
		return NULL;
	return json_object_get(process);
}
