/* linux.namespaces, the id mappings, the clocks' offsets. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "kernel/ns.h"
#include "verify/area.h"

static void describe(const struct stat *st, const char *whose, char text[80])
{
	snprintf(text, 80, "%s:[%" PRIu64 "]", whose, (uint64_t)st->st_ino);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void compare_joined(struct verify *v, const char *pointer, const char *where,
			   const char *path, const struct stat *theirs)
{
	struct stat wanted;
	char want[80], found[80];

	if (stat(path, &wanted) < 0) {
		verify_hidden(v, pointer, "\"%s\" is not there any more (%s)", path,
			      err_name(errno));
		return;
	}
	describe(&wanted, "the one of the path", want);
	describe(theirs, "another", found);
	verify_text(v, pointer, where, want, same(&wanted, theirs) ? want : found);
}

static void compare_type(struct verify *v, const struct ns_type *type, size_t index,
			 const char *path)
{
	const bool listed = v->namespaces & type->flag;
	struct verify_pointer p =
		listed ? verify_at("/linux/namespaces/%zu", index) : verify_at("/linux/namespaces");
	struct stat ours, theirs;
	char file[32], where[64], found[80];

	snprintf(file, sizeof file, "ns/%s", type->file);
	verify_place(v, file, where);
	/* Magic links, of our own procfs: they lead to the namespace and nowhere else. */
	if (fstatat(v->proc, file, &theirs, 0) < 0) {
		if (listed)
			verify_text(v, p.text, where, type->name, NULL);
		return;
	}
	snprintf(file, sizeof file, "self/ns/%s", type->file);
	if (fstatat(v->proc_root, file, &ours, 0) < 0) {
		verify_hidden(v, p.text, "the namespaces of this process cannot be seen");
		return;
	}
	if (listed && path && *path) {
		compare_joined(v, p.text, where, path, &theirs);
		return;
	}
	describe(&theirs, same(&ours, &theirs) ? "the runtime's" : "its own", found);
	snprintf(file, sizeof file, "%s namespace", type->name);
	verify_compared(v);
	if (listed == same(&ours, &theirs)) {
		char want[80];

		snprintf(want, sizeof want, "%s %s", listed ? "a new" : "the runtime's", file);
		verify_differs(v, p.text, where, want, found);
	}
}

static void compare_namespaces(struct verify *v)
{
	const struct json_object *list = json_member(v->lnx, "namespaces");

	for (size_t i = 0; i < n_ns_types; i++) {
		const char *path = NULL;
		size_t index = 0;

		for (size_t j = 0; j < json_length(list); j++) {
			const char *name = json_string(json_item(list, j), "type");

			if (name && strcmp(name, ns_types[i].name) == 0) {
				path = json_string(json_item(list, j), "path");
				index = j;
			}
		}
		compare_type(v, &ns_types[i], index, path);
	}
}

/* ---- Maps ------------------------------------------------------------------------------------ */

struct map_line {
	uint64_t inside, outside, size;
};

static bool has_line(const char *text, const struct map_line *want)
{
	struct map_line l;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &l.inside, &l.outside,
			   &l.size) == 3 &&
		    l.inside == want->inside && l.outside == want->outside && l.size == want->size)
			return true;
	}
	return false;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (const char *c = text; c && *c; c++)
		n += *c == '\n' || c[1] == '\0';
	return n;
}

static void compare_map(struct verify *v, const char *key, const char *file)
{
	const struct json_object *list = json_member(v->lnx, key);
	own_ptr char *text = verify_read(v, file, NULL);
	char where[64], want[80];

	if (json_length(list) == 0)
		return;
	verify_place(v, file, where);
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *m = json_item(list, i);
		struct map_line l = {json_uint(m, "containerID", 0), json_uint(m, "hostID", 0),
				     json_uint(m, "size", 0)};
		struct verify_pointer p = verify_at("/linux/%s/%zu", key, i);

		snprintf(want, sizeof want, "%" PRIu64 " %" PRIu64 " %" PRIu64, l.inside, l.outside,
			 l.size);
		verify_compared(v);
		if (!has_line(text, &l))
			verify_differs(v, p.text, where, want, text && *text ? text : "no map");
	}
	verify_number(v, verify_at("/linux/%s", key).text, where, (int64_t)json_length(list),
		      (int64_t)count_lines(text));
}

static void compare_maps(struct verify *v)
{
	if (!(ns_new(v->config) & CLONE_NEWUSER)) {
		if (json_length(json_member(v->lnx, "uidMappings")) > 0)
			verify_hidden(v, "/linux/uidMappings",
				      "the container has no user namespace of its own making");
		return;
	}
	compare_map(v, "uidMappings", "uid_map");
	compare_map(v, "gidMappings", "gid_map");
}

/* ---- Clocks ---------------------------------------------------------------------------------- */

static void compare_clock(struct verify *v, const char *text, const char *clock,
			  const struct json_object *offset)
{
	struct verify_pointer p = verify_at("/linux/timeOffsets/%s", clock);
	char want[64], found[64] = "", where[64];
	int64_t secs = 0, nanosecs = 0;

	verify_place(v, "timens_offsets", where);
	snprintf(want, sizeof want, "%" PRId64 " s %" PRId64 " ns", json_int(offset, "secs", 0),
		 json_int(offset, "nanosecs", 0));
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, clock, strlen(clock)) == 0 &&
		    sscanf(line + strlen(clock), "%" SCNd64 " %" SCNd64, &secs, &nanosecs) == 2)
			snprintf(found, sizeof found, "%" PRId64 " s %" PRId64 " ns", secs,
				 nanosecs);
	}
	verify_text(v, p.text, where, want, *found ? found : NULL);
}

static void compare_clocks(struct verify *v)
{
	const struct json_object *offsets = json_member(v->lnx, "timeOffsets");
	own_ptr char *text = NULL;

	if (!offsets)
		return;
	text = verify_read(v, "timens_offsets", NULL);
	json_object_object_foreach ((struct json_object *)(uintptr_t)offsets, clock, offset)
		compare_clock(v, text, clock, offset);
}

int verify_namespaces(struct verify *v, struct oci_err *err)
{
	(void)err;
	compare_namespaces(v);
	compare_maps(v);
	compare_clocks(v);
	return 0;
}
