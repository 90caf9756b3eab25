#include "oci/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/own.h"

static const char *const status_names[] = {"creating", "created", "running", "stopped", "paused"};

const char *status_name(enum oci_status status)
{
	return status_names[status];
}

void state_owner(const struct oci_state *state, char ret_text[STATE_OWNER_SIZE])
{
	/* Names of users are in files that may be anywhere; engines only show what they read. */
	if (state->owner)
		snprintf(ret_text, STATE_OWNER_SIZE, "%u", (unsigned)state->owner);
	else
		strcpy(ret_text, "root");
}

void state_free(struct oci_state *state)
{
	if (!state)
		return;
	free(state->oci_version);
	free(state->id);
	free(state->bundle);
	free(state->created);
	free(state->boot_id);
	free(state->rootfs);
	free(state->options.console_socket);
	free(state->options.pid_file);
	free(state->options.pidfd_socket);
	free(state->options.pipeline);
	free(state->options.listen_names);
	json_object_put(state->annotations);
	json_object_put(state->cgroup);
	json_object_put(state->net_devices);
	json_object_put(state->rdt);
	json_object_put(state->stages);
	json_object_put(state->later);
	json_object_put(state->later_ours);
	json_object_put(state->later_options);
	free(state);
}

static char *copy_string(const struct json_object *object, const char *key)
{
	const char *text = json_string(object, key);

	return text ? strdup(text) : NULL;
}

static struct proc_id read_proc(const struct json_object *object)
{
	int64_t pid = json_int(object, "pid", 0);

	if (pid <= 0 || pid > INT32_MAX)
		pid = 0;
	return (struct proc_id){(pid_t)pid, json_uint(object, "startTime", 0),
				json_uint(object, "inode", 0)};
}

static bool read_status(const char *name, enum oci_status *ret_status)
{
	for (unsigned i = STATUS_CREATING; name && i <= STATUS_RUNNING; i++)
		if (strcmp(name, status_names[i]) == 0) {
			*ret_status = i;
			return true;
		}
	return false;
}

/* What this program knows; of the rest, later_properties() below. */
static const char *const known[] = {"ociVersion", "id",		 "status", "pid",
				    "bundle",	  "annotations", "oci",	   NULL};
static const char *const known_ours[] = {
	"version", "created", "bootId", "init",	      "creator",  "owner",  "rootfs", "rootDev",
	"rootIno", "options", "cgroup", "netDevices", "intelRdt", "stages", NULL,
};
static const char *const known_options[] = {
	"consoleSocket", "pidFile",	  "pidfdSocket", "pipeline", "preserveFds",
	"listenFds",	 "listenFdNames", "notify",	 "noPivot",  "noNewKeyring",
	"systemdCgroup", "noCgroup",	  NULL,
};

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/*
 * The properties that this program does not know: a later version's, of the same format. They are
 * left as they are when the file is written again, for that version to find them.
 */
static struct json_object *later_properties(const struct json_object *object,
					    const char *const *names)
{
	struct json_object *later = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	json_object_object_foreach ((struct json_object *)(uintptr_t)object, key, value) {
		if (is_one_of(names, key))
			continue;
		if (!later)
			later = json_object_new_object();
		json_object_object_add(later, key, json_object_get(value));
	}
	return later;
}

static void add_later(struct json_object *object, struct json_object *later)
{
	if (!later)
		return;
	json_object_object_foreach (later, key, value)
		json_object_object_add(object, key, json_object_get(value));
}

static void read_options(const struct json_object *o, struct create_options *options)
{
	if (json_object_is_type(o, json_type_object) && json_object_object_length(o) == 0)
		return;
	options->console_socket = copy_string(o, "consoleSocket");
	options->pid_file = copy_string(o, "pidFile");
	options->pidfd_socket = copy_string(o, "pidfdSocket");
	options->pipeline = copy_string(o, "pipeline");
	options->listen_names = copy_string(o, "listenFdNames");
	options->notify = json_true(o, "notify");
	options->preserve_fds = (unsigned)json_uint(o, "preserveFds", 0);
	options->listen_fds = (unsigned)json_uint(o, "listenFds", 0);
	options->no_pivot = json_true(o, "noPivot");
	options->no_new_keyring = json_true(o, "noNewKeyring");
	options->systemd_cgroup = json_true(o, "systemdCgroup");
	options->no_cgroup = json_true(o, "noCgroup");
}

struct oci_state *state_parse(const char *text, size_t len, struct oci_err *err)
{
	own_json struct json_object *json = json_parse(text, len, "state.json", err);
	own_state struct oci_state *state = calloc(1, sizeof *state);
	const struct json_object *ours = json_member(json, "oci");

	if (!json || !state) {
		err->fault = FAULT_STATE;
		return NULL;
	}
	if (json_int(ours, "version", 0) != STATE_VERSION) {
		err_set(err, FAULT_STATE, "state.json has version %d, this program knows %d",
			(int)json_int(ours, "version", 0), STATE_VERSION);
		if (json_int(ours, "version", 0) > 0) {
			err_hint(err, "use the version of oci that made the container");
			err->errnum = EPROTO;
		}
		return NULL;
	}
	state->oci_version = copy_string(json, "ociVersion");
	state->id = copy_string(json, "id");
	state->bundle = copy_string(json, "bundle");
	state->annotations = json_object_get(json_member(json, "annotations"));
	state->created = copy_string(ours, "created");
	state->boot_id = copy_string(ours, "bootId");
	state->init = read_proc(json_member(ours, "init"));
	state->creator = read_proc(json_member(ours, "creator"));
	state->owner = (uid_t)json_uint(ours, "owner", 0);
	state->rootfs = copy_string(ours, "rootfs");
	state->root_dev = json_uint(ours, "rootDev", 0);
	state->root_ino = json_uint(ours, "rootIno", 0);
	read_options(json_member(ours, "options"), &state->options);
	state->cgroup = json_object_get(json_member(ours, "cgroup"));
	state->net_devices = json_object_get(json_member(ours, "netDevices"));
	state->rdt = json_object_get(json_member(ours, "intelRdt"));
	state->stages = json_object_get(json_member(ours, "stages"));
	state->later = later_properties(json, known);
	state->later_ours = later_properties(ours, known_ours);
	state->later_options = later_properties(json_member(ours, "options"), known_options);
	if (!read_status(json_string(json, "status"), &state->status) || !state->id ||
	    !state->bundle || !state->boot_id || !state->rootfs ||
	    !json_object_is_type(state->stages, json_type_array)) {
		err_set(err, FAULT_STATE, "state.json lacks a property or has a wrong one");
		return NULL;
	}
	return steal_ptr(&state);
}

size_t state_leave_out_stages(char *text, size_t len)
{
	/* A comma and a quote that opens something are not within a string. */
	static const char key[] = ",\"stages\":[";
	char *stages = memmem(text, len, key, strlen(key));
	struct json_text rest = {stages, text + len};

	if (!stages)
		return len;
	stages += strlen(key);
	rest.p = stages - 1;
	json_text_skip_value(&rest);
	rest.p--;
	if (rest.p < stages || *rest.p != ']')
		return len;
	memmove(stages, rest.p, (size_t)(rest.end - rest.p));
	return len - (size_t)(rest.p - stages);
}

static void add_string(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static void add_uint(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_true(struct json_object *object, const char *key, bool value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_boolean(1));
}

static void add_proc(struct json_object *object, const char *key, const struct proc_id *id)
{
	struct json_object *value;

	if (!id->pid)
		return;
	value = json_object_new_object();
	add_uint(value, "pid", (uint64_t)id->pid);
	add_uint(value, "startTime", id->start_time);
	if (id->inode)
		add_uint(value, "inode", id->inode);
	json_object_object_add(object, key, value);
}

static struct json_object *format_options(const struct create_options *options,
					  struct json_object *later)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "consoleSocket", options->console_socket);
	add_string(o, "pidFile", options->pid_file);
	add_string(o, "pidfdSocket", options->pidfd_socket);
	add_string(o, "pipeline", options->pipeline);
	if (options->preserve_fds)
		add_uint(o, "preserveFds", options->preserve_fds);
	if (options->listen_fds)
		add_uint(o, "listenFds", options->listen_fds);
	add_string(o, "listenFdNames", options->listen_names);
	add_true(o, "notify", options->notify);
	add_true(o, "noPivot", options->no_pivot);
	add_true(o, "noNewKeyring", options->no_new_keyring);
	add_true(o, "systemdCgroup", options->systemd_cgroup);
	add_true(o, "noCgroup", options->no_cgroup);
	add_later(o, later);
	return o;
}

static struct json_object *format_ours(const struct oci_state *state)
{
	struct json_object *ours = json_object_new_object();

	add_uint(ours, "version", STATE_VERSION);
	add_string(ours, "created", state->created);
	add_string(ours, "bootId", state->boot_id);
	add_proc(ours, "init", &state->init);
	add_proc(ours, "creator", &state->creator);
	add_uint(ours, "owner", state->owner);
	add_string(ours, "rootfs", state->rootfs);
	add_uint(ours, "rootDev", state->root_dev);
	add_uint(ours, "rootIno", state->root_ino);
	json_object_object_add(ours, "options",
			       format_options(&state->options, state->later_options));
	if (state->cgroup)
		json_object_object_add(ours, "cgroup", json_object_get(state->cgroup));
	if (state->net_devices)
		json_object_object_add(ours, "netDevices", json_object_get(state->net_devices));
	if (state->rdt)
		json_object_object_add(ours, "intelRdt", json_object_get(state->rdt));
	json_object_object_add(ours, "stages", json_object_get(state->stages));
	add_later(ours, state->later_ours);
	return ours;
}

char *state_format(const struct oci_state *state)
{
	own_json struct json_object *json = json_object_new_object();
	char *text = NULL;

	add_string(json, "ociVersion", state->oci_version);
	add_string(json, "id", state->id);
	add_string(json, "status", status_name(state->status));
	add_uint(json, "pid", (uint64_t)state->init.pid);
	add_string(json, "bundle", state->bundle);
	if (state->annotations)
		json_object_object_add(json, "annotations", json_object_get(state->annotations));
	json_object_object_add(json, "oci", format_ours(state));
	add_later(json, state->later);
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(json, JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		return NULL;
	return text;
}

struct json_object *state_public(const struct oci_state *state, enum oci_status status, pid_t pid)
{
	struct json_object *json = json_object_new_object();

	add_string(json, "ociVersion", state->oci_version);
	add_string(json, "id", state->id);
	add_string(json, "status", status_name(status));
	if (pid)
		add_uint(json, "pid", (uint64_t)pid);
	add_string(json, "bundle", state->bundle);
	if (state->annotations)
		json_object_object_add(json, "annotations", json_object_get(state->annotations));
	return json;
}

char *state_for_hooks(const struct oci_state *state, enum oci_status status, pid_t pid)
{
	own_json struct json_object *json = state_public(state, status, pid);
	char *text = NULL;

	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(
			     json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		return NULL;
	return text;
}

struct json_object *state_stage(const struct oci_state *state, const char *name)
{
	for (size_t i = 0; i < json_length(state->stages); i++) {
		struct json_object *record = json_item(state->stages, i);
		const char *its = json_string(record, "name");

		if (its && strcmp(its, name) == 0)
			return record;
	}
	return NULL;
}

void state_add_stage(struct oci_state *state, const char *name, int64_t microseconds)
{
	struct json_object *record = json_object_new_object();
	char ms[32];

	add_string(record, "name", name);
	add_string(record, "result", "done");
	snprintf(ms, sizeof ms, "%lld.%03d", (long long)microseconds / 1000,
		 (int)(microseconds % 1000));
	json_object_object_add(record, "ms",
			       json_object_new_double_s((double)microseconds / 1000, ms));
	json_object_array_add(state->stages, record);
}
