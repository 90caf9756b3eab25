/*
 * oci-systemd: makes, changes and ends a unit of systemd, a scope or a slice, for a container.
 *
 *	oci-systemd start REQUEST	{"user", "unit", "placeholder", "leashed", "properties"}
 *	oci-systemd set REQUEST		{"user", "unit", "description", "properties"}
 *	oci-systemd attach REQUEST	{"user", "unit", "description", "below", "pid"}
 *	oci-systemd stop REQUEST	{"user", "unit", "description"}
 *
 * properties is an array of [NAME, SIGNATURE, VALUE]: D-Bus signatures, and values as JSON; with a
 * fourth item, a number, it is left out where systemd is of an older version. user:
 * the manager of the user's session, not the machine's. The description tells the unit of one
 * container from another's of the same name: a unit with another one is not changed, nor ended.
 *
 * Purpose: the part of the cgroup driver "systemd" that needs a library for D-Bus.
 * Runs in: the runtime's namespaces.
 * Should: wait until systemd has done what it was asked for.
 * Mustn't: know of containers: what the properties are is kernel/cgroup_systemd.c's.
 * Undo: "stop", from whatever "start" has left.
 *
 * A scope is made of processes. With placeholder, "start" leaves one in it, which sleeps until it
 * is killed: the container's first process is cloned into the cgroup later. With leashed, it ends
 * when the writer of standard input, a pipe, does so before a byte came.
 *
 * Standard output is one JSON object: {"cgroup": "/a/b", "pid": 1, "start": 2} of "start",
 * or {"error": ..., "exists": true}.
 * libs: systemd
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <systemd/sd-bus.h>

#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/own.h"
#include "kernel/proc.h"

enum { JOB_TIMEOUT_US = 100 * 1000 * 1000 };

#define SERVICE "org.freedesktop.systemd1"
#define MANAGER "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

static const char *unit;
static sd_bus *bus;

/* The job that is waited for, and how it ended. */
static struct {
	char *path;
	char result[32];
} job;

static bool is_missing(const sd_bus_error *e)
{
	return sd_bus_error_has_name(e, SERVICE ".NoSuchUnit") ||
	       sd_bus_error_has_name(e, "org.freedesktop.DBus.Error.UnknownObject");
}

static int failed(struct oci_err *err, const char *what, int r, const sd_bus_error *e)
{
	if (e && e->message)
		return err_set(err, FAULT_SYSTEM, "systemd cannot %s \"%s\": %s", what, unit,
			       e->message);
	return err_sys(err, -r, "systemd cannot %s \"%s\"", what, unit);
}

/* ---- Values -------------------------------------------------------------------------------- */

static int append_basic(sd_bus_message *m, char type, struct json_object *value)
{
	uint64_t number = json_object_get_uint64(value);
	union {
		uint8_t y;
		int b;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
	} basic = {.t = 0};

	switch (type) {
	case 's':
	case 'o':
		return sd_bus_message_append_basic(m, type, json_object_get_string(value));
	case 'y':
		basic.y = (uint8_t)number;
		break;
	case 'b':
		basic.b = json_object_get_boolean(value);
		break;
	case 'i':
		basic.i = (int32_t)json_object_get_int64(value);
		break;
	case 'u':
		basic.u = (uint32_t)number;
		break;
	case 'x':
		basic.x = json_object_get_int64(value);
		break;
	case 't':
		basic.t = number;
		break;
	case 'd':
		basic.d = json_object_get_double(value);
		break;
	default:
		return -EINVAL;
	}
	return sd_bus_message_append_basic(m, type, &basic);
}

/* A basic type, an array of such, or an array of structures of such: what units' properties have.
 */
static int append_value(sd_bus_message *m, const char *signature, struct json_object *value)
{
	size_t len = strlen(signature);
	bool structures = len > 2 && signature[1] == '(';
	char members[8] = "";
	int r;

	if (signature[0] != 'a')
		return append_basic(m, signature[0], value);
	if (structures && len - 3 < sizeof members)
		memcpy(members, signature + 2, len - 3);
	r = sd_bus_message_open_container(m, 'a', signature + 1);
	for (size_t i = 0; r >= 0 && i < json_length(value); i++) {
		struct json_object *item = json_item(value, i);

		if (!structures) {
			r = append_basic(m, signature[1], item);
			continue;
		}
		r = sd_bus_message_open_container(m, 'r', members);
		for (size_t k = 0; r >= 0 && members[k]; k++)
			r = append_basic(m, members[k], json_item(item, k));
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_property(sd_bus_message *m, const char *name, const char *signature,
			   struct json_object *value)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', signature);
	if (r >= 0)
		r = append_value(m, signature, value);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Of the manager: 252 of "252.30-1~deb12u2"; 0 if it does not say. */
static int manager_version(void)
{
	own_ptr char *text = NULL, *number = NULL;
	uint64_t version = 0;

	if (sd_bus_get_property_string(bus, SERVICE, MANAGER, "Version", NULL, &text) < 0)
		return 0;
	number = strndup(text, strspn(text, "0123456789"));
	return number && num_uint(number, 0, INT_MAX, &version) ? (int)version : 0;
}

static bool is_too_new(const struct json_object *property)
{
	struct json_object *since = json_item(property, 3);

	return since && manager_version() < json_object_get_int(since);
}

/* All of them; pid: of the placeholder, 0 if there is none. */
static int append_properties(sd_bus_message *m, const struct json_object *request, pid_t pid)
{
	const struct json_object *list = json_member(request, "properties");
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	if (r >= 0 && pid)
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t)pid);
	for (size_t i = 0; r >= 0 && i < json_length(list); i++) {
		const struct json_object *p = json_item(list, i);

		if (is_too_new(p))
			continue;
		r = append_property(m, json_item_string(p, 0), json_item_string(p, 1),
				    json_item(p, 2));
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- The bus ------------------------------------------------------------------------------- */

static int on_removed(sd_bus_message *m, void *unused, sd_bus_error *e)
{
	const char *path, *name, *result;
	uint32_t id;

	(void)unused;
	(void)e;
	if (sd_bus_message_read(m, "uoss", &id, &path, &name, &result) < 0 || !job.path)
		return 0;
	if (strcmp(path, job.path) == 0)
		snprintf(job.result, sizeof job.result, "%s", result);
	return 0;
}

static int connect_bus(bool user, struct oci_err *err)
{
	int r = user ? sd_bus_open_user(&bus) : sd_bus_open_system(&bus);

	if (r < 0) {
		err_sys(err, -r, "cannot reach systemd: the bus of the %s",
			user ? "user's session" : "system");
		return user ? err_hint(err,
				       "$XDG_RUNTIME_DIR/bus, of a session with systemd --user")
			    : -1;
	}
	r = sd_bus_match_signal(bus, NULL, SERVICE, MANAGER, "JobRemoved", on_removed, NULL);
	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, MANAGER, "Subscribe", NULL, NULL, NULL);
	return r < 0 ? err_sys(err, -r, "cannot listen to systemd") : 0;
}

/* Waits for the job that the reply names. */
static int await_job(sd_bus_message *reply, const char *what, struct oci_err *err)
{
	const char *path = NULL;
	int r = sd_bus_message_read(reply, "o", &path);

	job.path = path ? strdup(path) : NULL;
	while (r >= 0 && !job.result[0]) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, JOB_TIMEOUT_US) ?: -ETIMEDOUT;
	}
	if (r < 0)
		return failed(err, what, r, NULL);
	if (strcmp(job.result, "done") != 0)
		return err_set(err, FAULT_SYSTEM,
			       "systemd cannot %s \"%s\": the job ended with \"%s\"", what, unit,
			       job.result);
	return 0;
}

/* A property of the unit; NULL if there is no such unit. The caller frees it. */
static char *unit_string(const char *interface, const char *name)
{
	char *path = NULL, *text = NULL;

	if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0)
		sd_bus_get_property_string(bus, SERVICE, path, interface, name, NULL, &text);
	free(path);
	return text;
}

static void reset_failed(void)
{
	sd_bus_call_method(bus, SERVICE, MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit);
}

/* ---- The verbs ----------------------------------------------------------------------------- */

/* The driver died before it committed: there is nobody left to undo us but ourselves. */
static void hold_leash(void)
{
	char byte;

	while (read(0, &byte, 1) != 1)
		if (errno != EINTR)
			_exit(1);
	close(0);
}

/* Sleeps in the scope until it is killed, and has nothing of this process but its memory. */
static pid_t placeholder(bool leashed)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	setsid();
	prctl(PR_SET_NAME, "oci-placeholder");
	close_range(leashed ? 1 : 0, ~0U, 0);
	if (leashed)
		hold_leash();
	for (;;)
		pause();
}

static int start_once(const struct json_object *request, pid_t pid, bool *ret_exists,
		      struct oci_err *err)
{
	sd_bus_message *m = NULL, *reply = NULL;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = append_properties(m, request, pid);
	if (r >= 0)
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, JOB_TIMEOUT_US, &e, &reply);
	*ret_exists = r < 0 && sd_bus_error_has_name(&e, SERVICE ".UnitExists");
	r = r < 0 ? failed(err, "start", r, &e) : await_job(reply, "start", err);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	sd_bus_message_unref(reply);
	return r;
}

static int start(const struct json_object *request, struct json_object *answer, struct oci_err *err)
{
	pid_t pid =
		json_true(request, "placeholder") ? placeholder(json_true(request, "leashed")) : 0;
	const char *dot = strrchr(unit, '.');
	own_ptr char *cgroup = NULL;
	bool exists = false;
	int r;

	if (pid < 0)
		return err_sys(err, errno, "cannot start a process for \"%s\"", unit);
	r = start_once(request, pid, &exists, err);
	if (r < 0 && exists) {
		own_ptr char *state = unit_string(SERVICE ".Unit", "ActiveState");

		/* One that failed is only remembered. */
		if (state && strcmp(state, "failed") == 0) {
			err_clear(err);
			reset_failed();
			r = start_once(request, pid, &exists, err);
		}
	}
	if (r == 0)
		cgroup = unit_string(dot && strcmp(dot, ".slice") == 0 ? SERVICE ".Slice"
								       : SERVICE ".Scope",
				     "ControlGroup");
	if (r == 0 && (!cgroup || !*cgroup))
		r = err_set(err, FAULT_SYSTEM, "systemd has made no cgroup for \"%s\"", unit);
	if (r < 0) {
		if (pid > 0)
			kill(pid, SIGKILL);
		if (exists)
			json_object_object_add(answer, "exists", json_object_new_boolean(true));
		return -1;
	}
	json_object_object_add(answer, "cgroup", json_object_new_string(cgroup));
	json_object_object_add(answer, "pid", json_object_new_int(pid));
	json_object_object_add(answer, "start",
			       json_object_new_uint64(pid ? proc_start_time(pid) : 0));
	return 0;
}

/* Whether the unit is there and is the one of the request. */
static bool is_ours(const struct json_object *request)
{
	own_ptr char *description = unit_string(SERVICE ".Unit", "Description");
	const char *wanted = json_string(request, "description");

	return description && wanted && strcmp(description, wanted) == 0;
}

static int set(const struct json_object *request, struct oci_err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r;

	if (!is_ours(request))
		return err_set(err, FAULT_STATE, "the unit \"%s\" of the container is gone", unit);
	r = sd_bus_message_new_method_call(bus, &m, SERVICE, MANAGER, "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", unit, 1);
	if (r >= 0)
		r = append_properties(m, request, 0);
	if (r >= 0)
		r = sd_bus_call(bus, m, JOB_TIMEOUT_US, &e, NULL);
	r = r < 0 ? failed(err, "change", r, &e) : 0;
	/* It writes the control files when it has answered, but before it hears the next question.
	 */
	if (r == 0)
		(void)manager_version();
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r;
}

/* Moves a process into the unit's cgroup. */
static int attach(const struct json_object *request, struct oci_err *err)
{
	const char *below = json_string(request, "below");
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r;

	if (!is_ours(request))
		return err_set(err, FAULT_STATE, "the unit \"%s\" of the container is gone", unit);
	r = sd_bus_call_method(bus, SERVICE, MANAGER, "AttachProcessesToUnit", &e, NULL, "ssau",
			       unit, below ? below : "", 1, (uint32_t)json_uint(request, "pid", 0));
	r = r < 0 ? failed(err, "put a process into", r, &e) : 0;
	sd_bus_error_free(&e);
	return r;
}

static int stop(const struct json_object *request, struct oci_err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	if (!is_ours(request))
		return 0;
	r = sd_bus_call_method(bus, SERVICE, MANAGER, "StopUnit", &e, &reply, "ss", unit,
			       "replace");
	if (r < 0)
		r = is_missing(&e) ? 0 : failed(err, "stop", r, &e);
	else
		r = await_job(reply, "stop", err);
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	if (is_ours(request))
		reset_failed();
	return r;
}

int main(int argc, char **argv)
{
	own_json struct json_object *request = NULL, *answer = json_object_new_object();
	own_err struct oci_err err = ERR_INIT;
	int r;

	if (argc != 3)
		return 2;
	request = json_parse(argv[2], strlen(argv[2]), "request", &err);
	unit = json_string(request, "unit");
	if (!request || !unit)
		return 2;
	r = connect_bus(json_true(request, "user"), &err);
	if (r == 0 && strcmp(argv[1], "start") == 0)
		r = start(request, answer, &err);
	else if (r == 0 && strcmp(argv[1], "set") == 0)
		r = set(request, &err);
	else if (r == 0 && strcmp(argv[1], "attach") == 0)
		r = attach(request, &err);
	else if (r == 0)
		r = stop(request, &err);
	if (r < 0)
		json_object_object_add(answer, "error", json_object_new_string(err.message));
	if (r < 0 && err.hint)
		json_object_object_add(answer, "hint", json_object_new_string(err.hint));
	puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	sd_bus_flush_close_unref(bus);
	return r < 0;
}
