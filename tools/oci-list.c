/* oci-list: list the containers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup.h"
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

struct row {
	char *id;
	struct oci_state *state; /* NULL: only the id is asked for, or there is no more */
	enum oci_status status;
};

static struct {
	struct row *rows;
	size_t n, room;
} list;

static int add_row(const char *id, struct oci_state *state, enum oci_status status)
{
	if (list.n == list.room) {
		size_t room = list.room ? list.room * 2 : 64;
		struct row *rows = reallocarray(list.rows, room, sizeof *rows);

		if (!rows)
			return -1;
		list.rows = rows;
		list.room = room;
	}
	list.rows[list.n] = (struct row){strdup(id), state, status};
	return list.rows[list.n++].id ? 0 : -1;
}

/*
 * One that cannot be read is in nobody's way: it may be about to be made or
 * deleted. What is left of a killed creation is listed as stopped, so that it is seen.
 */
static int add_container(int root, const char *id)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = container_look(root, tool.root, id, &err);
	enum oci_status status = STATUS_STOPPED;

	if (!c && err.errnum == EPROTO)
		dprintf(2, "%s: warning: %s\n", tool.command, err.message);
	if (!c)
		return 0;
	if (c->state) {
		status = lifecycle_status(c);
		/* The largest part, and of no use any more. */
		json_object_put(c->state->cgroup);
		c->state->cgroup = NULL;
	}
	return add_row(id, steal_ptr(&c->state), status);
}

static int add_entry(int root, const struct dirent *e)
{
	own_err struct oci_err ignored = ERR_INIT;

	if (e->d_name[0] == '.')
		return 0;
	if (!quiet || e->d_type == DT_UNKNOWN)
		return add_container(root, e->d_name);
	/* The name of its directory is all that is asked for. */
	if (e->d_type != DT_DIR || container_check_id(e->d_name, &ignored) < 0)
		return 0;
	return add_row(e->d_name, NULL, STATUS_STOPPED);
}

static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int read_all(struct oci_err *err)
{
	own_fd int root = container_open_root(tool.root, false, err);
	int result = 0;
	DIR *dir;

	if (root < 0 && err->errnum == ENOENT) {
		err_clear(err);
		return 0;
	}
	dir = root < 0 ? NULL : fdopendir(root);
	if (!dir)
		return root < 0 ? -1
				: err_sys(err, errno, "cannot read the state root \"%s\"",
					  tool.root);
	cgroup_keep_root();
	for (struct dirent *e; result == 0 && (e = readdir(dir));)
		result = add_entry(root, e);
	if (result < 0)
		err_sys(err, errno, "cannot list the containers");
	steal_fd(&root);
	closedir(dir);
	if (list.n)
		qsort(list.rows, list.n, sizeof *list.rows, by_id);
	return result;
}

static void print_ids(void)
{
	for (size_t i = 0; i < list.n; i++)
		puts(list.rows[i].id);
}

static struct json_object *remains(const char *id)
{
	struct json_object *state = json_object_new_object();

	json_object_object_add(state, "id", json_object_new_string(id));
	json_object_object_add(state, "pid", json_object_new_int(0));
	json_object_object_add(state, "status", json_object_new_string("stopped"));
	return state;
}

static void print_json(void)
{
	own_json struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < list.n; i++) {
		const struct row *r = &list.rows[i];

		json_object_array_add(array, r->state ? lifecycle_state(r->state, r->status)
						      : remains(r->id));
	}
	puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void print_table(void)
{
	static const char *const columns[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
	const struct oci_state none = {.bundle = (char[]){""}};
	size_t id_width = 11, bundle_width = strlen(columns[3]);

	for (size_t i = 0; i < list.n; i++) {
		const struct row *r = &list.rows[i];
		size_t id = strlen(r->id), bundle = r->state ? strlen(r->state->bundle) : 0;

		id_width = id > id_width ? id : id_width;
		bundle_width = bundle > bundle_width ? bundle : bundle_width;
	}
	printf("%-*s %-11s %-11s %-*s %-30s %s\n", (int)id_width, columns[0], columns[1],
	       columns[2], (int)bundle_width, columns[3], columns[4], columns[5]);
	for (size_t i = 0; i < list.n; i++) {
		const struct row *r = &list.rows[i];
		const struct oci_state *s = r->state ? r->state : &none;
		char owner[STATE_OWNER_SIZE] = "";

		if (r->state)
			state_owner(s, owner);
		printf("%-*s %-11d %-11s %-*s %-30s %s\n", (int)id_width, r->id,
		       r->status == STATUS_STOPPED ? 0 : s->init.pid, status_name(r->status),
		       (int)bundle_width, s->bundle, s->created ? s->created : "", owner);
	}
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	bool json;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	json = strcmp(format, "json") == 0;
	if (!json && strcmp(format, "table") != 0) {
		err_set(&err, FAULT_USAGE, "unknown format \"%s\": table or json", format);
		return tool_fail(&err);
	}
	if (read_all(&err) < 0)
		return tool_fail(&err);
	if (quiet)
		print_ids();
	else if (json)
		print_json();
	else
		print_table();
	return 0;
}
