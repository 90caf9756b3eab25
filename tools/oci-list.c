/* oci-list: list the containers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

static const char *format = "table";
static bool quiet;

static const struct opt options[] = {
	{'f', "format", "FORMAT", OPT_STRING, &format, "table or json"},
	{'q', "quiet", NULL, OPT_FLAG, &quiet, "print the ids only"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-list",
	.operands = NULL,
	.purpose = "List the containers of a state root.",
	.example = "oci-list --format json | jq -r '.[] | select(.status == \"stopped\") | .id'",
	.options = options,
};

/*
 * One that cannot be read is in nobody's way: it may be about to be made or
 * deleted. What is left of a killed creation is listed as stopped, so that it is seen.
 */
static struct json_object *state_of(const char *id)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_container struct container *c =
		container_open_remains(tool.root, id, LOCK_NONE, -1, &ignored);
	struct json_object *state;

	if (!c)
		return NULL;
	if (c->state)
		return lifecycle_state(c, lifecycle_status(c));
	state = json_object_new_object();
	json_object_object_add(state, "id", json_object_new_string(id));
	json_object_object_add(state, "pid", json_object_new_int(0));
	json_object_object_add(state, "status", json_object_new_string("stopped"));
	return state;
}

/* Its id is all that is asked for, and the name of its directory. */
static struct json_object *id_of(const struct dirent *e)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct json_object *state;

	if (e->d_type != DT_DIR || container_check_id(e->d_name, &ignored) < 0)
		return NULL;
	state = json_object_new_object();
	json_object_object_add(state, "id", json_object_new_string(e->d_name));
	return state;
}

static struct json_object *read_one(const struct dirent *e)
{
	if (e->d_name[0] == '.')
		return NULL;
	return quiet && e->d_type != DT_UNKNOWN ? id_of(e) : state_of(e->d_name);
}

static int by_id(const void *a, const void *b)
{
	struct json_object *const *x = a, *const *y = b;

	return strcmp(json_string(*x, "id"), json_string(*y, "id"));
}

static struct json_object *read_all(struct oci_err *err)
{
	struct json_object *list = json_object_new_array();
	DIR *dir = opendir(tool.root);

	if (!dir && errno != ENOENT) {
		err_sys(err, errno, "cannot open the state root \"%s\"", tool.root);
		json_object_put(list);
		return NULL;
	}
	for (struct dirent *e; dir && (e = readdir(dir));) {
		struct json_object *state = read_one(e);

		if (state)
			json_object_array_add(list, state);
	}
	if (dir)
		closedir(dir);
	json_object_array_sort(list, by_id);
	return list;
}

static const char *text(const struct json_object *state, const char *key)
{
	const char *value = json_string(state, key);

	return value ? value : "";
}

static void print_table(const struct json_object *list)
{
	static const char *const columns[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
	size_t id_width = 11, bundle_width = strlen(columns[3]);

	for (size_t i = 0; i < json_length(list); i++) {
		size_t id = strlen(text(json_item(list, i), "id"));
		size_t bundle = strlen(text(json_item(list, i), "bundle"));

		id_width = id > id_width ? id : id_width;
		bundle_width = bundle > bundle_width ? bundle : bundle_width;
	}
	printf("%-*s %-11s %-11s %-*s %-30s %s\n", (int)id_width, columns[0], columns[1],
	       columns[2], (int)bundle_width, columns[3], columns[4], columns[5]);
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *s = json_item(list, i);

		printf("%-*s %-11d %-11s %-*s %-30s %s\n", (int)id_width, text(s, "id"),
		       (int)json_int(s, "pid", 0), text(s, "status"), (int)bundle_width,
		       text(s, "bundle"), text(s, "created"), text(s, "owner"));
	}
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *list = NULL;
	bool json;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	json = strcmp(format, "json") == 0;
	if (!json && strcmp(format, "table") != 0) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": table or json", format);
		return tool_fail(&err);
	}
	list = read_all(&err);
	if (!list)
		return tool_fail(&err);
	if (quiet)
		for (size_t i = 0; i < json_length(list); i++)
			puts(text(json_item(list, i), "id"));
	else if (json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
								  JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		print_table(list);
	return 0;
}
