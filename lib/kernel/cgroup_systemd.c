/*
 * Purpose: have systemd make, change and end the container's unit.
 * Runs in: the runtime's namespaces; asks the helper program oci-systemd.
 * Should: know the unit by its description, which no other has.
 * Mustn't: end or change a unit that is another's; link libsystemd.
 * Undo: cgroup_systemd_stop(), whatever of the start has been done.
 * Specification: config-linux.md, "Cgroups Path"; systemd.scope(5), systemd.slice(5).
 */
#include "kernel/cgroup_systemd.h"

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/libexec.h"
#include "base/own.h"
#include "base/spawn.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_tree.h"
#include "kernel/proc.h"

enum { HELPER_MS = 150 * 1000, ANSWER_MAX = 65536, PLACEHOLDER_MS = 30 * 1000, UNIT_MAX = 255 };

static const char unit_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";

static struct json_object *systemd_of(const struct json_object *record)
{
	return json_member(record, "systemd");
}

bool cgroup_is_systemd(const struct json_object *record)
{
	return systemd_of(record) != NULL;
}

static void add_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

/* ---- The plan ------------------------------------------------------------------------------ */

static int bad_path(struct oci_err *err, const char *path, const char *why)
{
	err_set(err, FAULT_CONFIG, "cgroupsPath \"%s\" %s", path, why);
	err_hint(err, "with the systemd driver it is \"SLICE:PREFIX:NAME\"");
	return err_at(err, "/linux/cgroupsPath");
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

/* A unit's name; of a slice also that "a-b.slice" can be expanded. */
static bool is_unit(const char *name)
{
	size_t len = strlen(name);

	if (len > UNIT_MAX || strspn(name, unit_characters) != len || name[0] == '.')
		return false;
	if (!ends_in(name, ".slice") || strcmp(name, "-.slice") == 0)
		return true;
	return name[0] != '-' && !strstr(name, "--") && !ends_in(name, "-.slice");
}

/* The three parts of the path; without a path those of the default. */
static int split(const char *id, const char *path, char **ret_slice, char **ret_unit,
		 struct oci_err *err)
{
	bool given = path && *path;
	own_ptr char *copy = strdup(given ? path : "");
	const char *slice = "", *prefix = "oci", *name = id;
	char *rest = copy;
	int n;

	if (given) {
		slice = strsep(&rest, ":");
		prefix = strsep(&rest, ":");
		name = rest;
		if (!prefix || !name || strchr(name, ':'))
			return bad_path(err, path, "has not three parts");
		if (!*name)
			return bad_path(err, path, "has no name");
	}
	if (*slice && (!ends_in(slice, ".slice") || !is_unit(slice)))
		return bad_path(err, path, "does not begin with the name of a slice");
	n = ends_in(name, ".slice")
		    ? asprintf(ret_unit, "%s", name)
		    : asprintf(ret_unit, "%s%s%s.scope", prefix, *prefix ? "-" : "", name);
	if (n < 0 || !(*ret_slice = strdup(slice)))
		return err_sys(err, ENOMEM, "cannot plan a unit");
	if (!is_unit(*ret_unit) || strcmp(*ret_unit, "-.slice") == 0)
		return bad_path(err, given ? path : id, "cannot be the name of a unit");
	return 0;
}

static int describe(struct json_object *s, const char *id, struct oci_err *err)
{
	char text[256];
	uint64_t token;

	if (getrandom(&token, sizeof token, 0) != sizeof token)
		return err_sys(err, errno, "cannot plan a unit");
	snprintf(text, sizeof text, "OCI container %.200s (%016llx)", id,
		 (unsigned long long)token);
	add_string(s, "token", text);
	return 0;
}

int cgroup_plan_systemd(const char *id, const char *cgroups_path,
			const struct json_object *annotations, struct json_object **ret_record,
			struct oci_err *err)
{
	own_json struct json_object *record = json_object_new_object();
	struct json_object *s = json_object_new_object(), *properties = json_object_new_array();
	own_ptr char *slice = NULL, *unit = NULL;
	bool user = cgroup_unprivileged();
	struct statfs fs = {0};
	struct stat st;

	json_object_object_add(record, "hierarchies", json_object_new_array());
	json_object_object_add(record, "systemd", s);
	json_object_object_add(s, "annotations", properties);
	if (split(id, cgroups_path, &slice, &unit, err) < 0 ||
	    cgroup_systemd_annotations(annotations, properties, err) < 0 ||
	    describe(s, id, err) < 0)
		return -1;
	if (fstatat(AT_FDCWD, "/run/systemd/system", &st, 0) < 0 || statfs(CGROUP_MOUNT, &fs) < 0) {
		err_set(err, FAULT_UNSUPPORTED,
			"the systemd cgroup driver is not available: systemd does not run here");
		return err_hint(err, "leave --systemd-cgroup out: the cgroup is then made in %s",
				CGROUP_MOUNT);
	}
	add_string(record, "mode", fs.f_type == CGROUP2_SUPER_MAGIC ? "unified" : "hybrid");
	add_string(s, "unit", unit);
	add_string(s, "slice", *slice ? slice : user ? "user.slice" : "system.slice");
	json_object_object_add(s, "user", json_object_new_boolean(user));
	*ret_record = steal_ptr(&record);
	return 0;
}

/* ---- The helper ---------------------------------------------------------------------------- */

static int take_error(const struct json_object *answer, const struct spawn *spawn,
		      const struct spawn_result *result, struct oci_err *err)
{
	const char *text = json_string(answer, "error");
	own_ptr char *how = NULL;

	if (!text) {
		how = spawn_explain(spawn, result);
		return err_set(err, FAULT_SYSTEM, "the helper program \"%s\" failed: %s",
			       spawn->path, how ? how : "no answer");
	}
	err_set(err, json_true(answer, "exists") ? FAULT_STATE : FAULT_SYSTEM, "%s", text);
	if (json_has(answer, "hint"))
		err_hint(err, "%s", json_string(answer, "hint"));
	return -1;
}

/* What of our environment tells where the user's bus is. */
static void bus_environment(char **env, bool user)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"),
		   *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	int n = 0;

	if (!user)
		return;
	if (runtime)
		n = asprintf(&env[0], "XDG_RUNTIME_DIR=%s", runtime);
	else
		n = asprintf(&env[0], "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)geteuid());
	if (n >= 0 && address)
		n = asprintf(&env[1], "DBUS_SESSION_BUS_ADDRESS=%s", address);
}

/* Runs it, with this standard input (-1: none). */
static int ask_with(int in, const char *verb, const struct json_object *request,
		    struct json_object **ret_answer, struct oci_err *err)
{
	own_ptr char *path = libexec_path("oci-systemd", err), *text = NULL;
	own_fd int out = memfd_create("systemd", MFD_CLOEXEC);
	own_json struct json_object *answer = NULL;
	own_err struct oci_err ignored = ERR_INIT;
	struct spawn_result result = {0};
	struct spawn spawn = SPAWN_INIT;
	char *env[3] = {NULL};
	size_t len = 0;
	int r;

	if (!path)
		return -1;
	if (out < 0)
		return err_sys(err, errno, "cannot ask systemd");
	bus_environment(env, json_true(request, "user"));
	spawn.path = path;
	spawn.argv = (const char *const[]){
		"oci-systemd", verb,
		json_object_to_json_string_ext((struct json_object *)(uintptr_t)request,
					       JSON_C_TO_STRING_PLAIN),
		NULL};
	spawn.envp = (const char *const *)env;
	spawn.stdin_fd = in;
	spawn.stdout_fd = out;
	spawn.timeout_ms = HELPER_MS;
	r = spawn_run(&spawn, &result, err);
	free(env[0]);
	free(env[1]);
	if (r < 0)
		return err_wrap(err, "cannot run the helper program \"%s\"", path);
	if (lseek(out, 0, SEEK_SET) == 0 && fd_read_all(out, ANSWER_MAX, &text, &len) == 0)
		answer = json_parse(text, len, "answer", &ignored);
	if (result.timed_out || result.interrupted || result.status != 0 || !answer)
		return take_error(answer, &spawn, &result, err);
	*ret_answer = steal_ptr(&answer);
	return 0;
}

static int ask(const char *verb, const struct json_object *request, struct json_object **ret_answer,
	       struct oci_err *err)
{
	return ask_with(-1, verb, request, ret_answer, err);
}

/* A request about the record's unit; properties (may be NULL) become the request's. */
static struct json_object *request_for(const struct json_object *record,
				       struct json_object *properties)
{
	struct json_object *s = systemd_of(record), *request = json_object_new_object();

	add_string(request, "unit", json_string(s, "unit"));
	add_string(request, "description", json_string(s, "token"));
	json_object_object_add(request, "user", json_object_new_boolean(json_true(s, "user")));
	if (properties)
		json_object_object_add(request, "properties", properties);
	return request;
}

/* ---- Start --------------------------------------------------------------------------------- */

static bool is_v2(const struct json_object *record)
{
	const char *mode = json_string(record, "mode");

	return mode && strcmp(mode, "unified") == 0;
}

static struct json_object *start_properties(const struct json_object *record, bool slice,
					    const struct json_object *resources)
{
	static const char *const v2_on[] = {"MemoryAccounting", "CPUAccounting", "TasksAccounting",
					    "IOAccounting"};
	static const char *const v1_on[] = {"MemoryAccounting", "CPUAccounting", "TasksAccounting",
					    "BlockIOAccounting"};
	struct json_object *s = systemd_of(record), *list = json_object_new_array();
	struct json_object *more = json_member(s, "annotations"), *wants;
	bool v2 = is_v2(record);

	cgroup_systemd_add(list, "Description", "s",
			   json_object_new_string(json_string(s, "token")));
	cgroup_systemd_add(list, "DefaultDependencies", "b", json_object_new_boolean(false));
	if (slice) {
		/* A slice's place is in its name; what it wants is above it. */
		wants = json_object_new_array();
		json_object_array_add(wants, json_object_new_string(json_string(s, "slice")));
		cgroup_systemd_add(list, "Wants", "as", wants);
	} else {
		cgroup_systemd_add(list, "Slice", "s",
				   json_object_new_string(json_string(s, "slice")));
		cgroup_systemd_add(list, "Delegate", "b", json_object_new_boolean(true));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(v2_on); i++)
		cgroup_systemd_add(list, v2 ? v2_on[i] : v1_on[i], "b",
				   json_object_new_boolean(true));
	/* Not systemd's own default, a share of what the machine can have. */
	cgroup_systemd_add(list, "TasksMax", "t", json_object_new_uint64(UINT64_MAX));
	cgroup_systemd_limits(resources, resources, v2, PHASE_CREATE, list);
	if (!json_true(s, "user"))
		cgroup_systemd_devices(resources, false, list);
	for (size_t i = 0; i < json_length(more); i++)
		json_object_array_add(list, json_object_get(json_item(more, i)));
	return list;
}

int cgroup_systemd_start(struct json_object *record, const struct json_object *resources, int leash,
			 struct oci_err *err)
{
	struct json_object *s = systemd_of(record);
	bool slice = ends_in(json_string(s, "unit"), ".slice");
	own_json struct json_object *request =
		request_for(record, start_properties(record, slice, resources));
	own_json struct json_object *answer = NULL;

	json_object_object_add(request, "placeholder", json_object_new_boolean(!slice));
	json_object_object_add(request, "leashed", json_object_new_boolean(leash >= 0));
	if (ask_with(leash, "start", request, &answer, err) < 0)
		return -1;
	if (!slice) {
		struct json_object *p = json_object_new_object();

		json_object_object_add(p, "pid", json_object_get(json_member(answer, "pid")));
		json_object_object_add(p, "start", json_object_get(json_member(answer, "start")));
		json_object_object_add(s, "placeholder", p);
	}
	return cgroup_plan_at(record, json_string(answer, "cgroup"), err);
}

/* ---- Later --------------------------------------------------------------------------------- */

static int set(const struct json_object *record, struct json_object *properties,
	       struct oci_err *err)
{
	own_json struct json_object *request = request_for(record, properties), *answer = NULL;

	return json_length(properties) == 0 ? 0 : ask("set", request, &answer, err);
}

static int end_placeholder(const struct json_object *s, struct oci_err *err)
{
	const struct json_object *p = json_member(s, "placeholder");
	const struct proc_id id = {.pid = (pid_t)json_int(p, "pid", 0),
				   .start_time = json_uint(p, "start", 0)};
	own_fd int pidfd = id.pid ? proc_open(&id, err) : -1;

	if (!id.pid)
		return 0;
	if (pidfd < 0) {
		if (err->fault != FAULT_STATE)
			return -1;
		err_clear(err);
		return 0;
	}
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(err, errno, "cannot end process %d", (int)id.pid);
	if (!proc_wait(pidfd, PLACEHOLDER_MS))
		return err_set(err, FAULT_SYSTEM, "process %d does not end", (int)id.pid);
	return 0;
}

int cgroup_systemd_settle(const struct json_object *record, const struct json_object *resources,
			  struct oci_err *err)
{
	struct json_object *properties = json_object_new_array();

	cgroup_systemd_limits(resources, resources, is_v2(record), PHASE_SETTLE, properties);
	if (end_placeholder(systemd_of(record), err) == 0)
		return set(record, properties, err);
	json_object_put(properties);
	return -1;
}

int cgroup_systemd_update(const struct json_object *record, const struct json_object *change,
			  const struct json_object *whole, struct oci_err *err)
{
	struct json_object *properties = json_object_new_array();

	cgroup_systemd_limits(change, whole, is_v2(record), PHASE_UPDATE, properties);
	if (json_length(json_member(change, "devices")) > 0 &&
	    !json_true(systemd_of(record), "user"))
		cgroup_systemd_devices(whole, true, properties);
	return set(record, properties, err);
}

int cgroup_systemd_bring(const struct json_object *record, const char *below, pid_t pid,
			 struct oci_err *err)
{
	own_json struct json_object *request = request_for(record, NULL), *answer = NULL;
	const char *path = below + strspn(below, "/");
	own_ptr char *absolute = NULL;

	if (asprintf(&absolute, "%s%s", *path ? "/" : "", path) < 0)
		return err_sys(err, ENOMEM, "cannot ask systemd");
	add_string(request, "below", absolute);
	json_object_object_add(request, "pid", json_object_new_int(pid));
	if (ask("attach", request, &answer, err) < 0)
		return -1;
	/* The limit of processes may leave no room for both of them, and for init. */
	return end_placeholder(systemd_of(record), err);
}

int cgroup_systemd_stop(const struct json_object *record, struct oci_err *err)
{
	own_json struct json_object *request = request_for(record, NULL), *answer = NULL;

	return ask("stop", request, &answer, err);
}
