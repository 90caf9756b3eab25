/* process.user, process.capabilities, process.noNewPrivileges. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>

#include "base/own.h"
#include "kernel/caps.h"
#include "kernel/ns.h"
#include "verify/area.h"

enum { UMASK_DEFAULT = 0022 };

static const char *where(const struct verify *v)
{
	static char text[64];

	verify_place(v, "status", text);
	return text;
}

/* ---- User ------------------------------------------------------------------------------------ */

static void compare_id(struct verify *v, const char *key, const char *line, const char *map)
{
	uint32_t inside = (uint32_t)json_int(json_member(v->process, "user"), key, 0), outside;
	struct verify_pointer p = verify_at("/process/user/%s", key);
	char found[64], want[64];

	if (!verify_outer_id(v, map, inside, &outside)) {
		verify_hidden(v, p.text, "the id is not mapped");
		return;
	}
	/* Real, effective, saved and of the filesystem. */
	snprintf(want, sizeof want, "%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32, outside,
		 outside, outside, outside);
	verify_compared(v);
	if (!verify_status(v, line, found, sizeof found) || strcmp(want, found) != 0) {
		snprintf(want, sizeof want, "%" PRIu32 " (%" PRIu32 " outside)", inside, outside);
		verify_differs(v, p.text, where(v), want, found);
	}
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static size_t sort_unique(uint32_t *ids, size_t n)
{
	size_t kept = 0;

	qsort(ids, n, sizeof *ids, by_number);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	return kept;
}

static char *join(const uint32_t *ids, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < n; i++)
		fprintf(out, "%s%" PRIu32, i ? " " : "", ids[i]);
	if (out)
		fclose(out);
	return text;
}

static char *wanted_groups(struct verify *v)
{
	const struct json_object *list = json_path(v->process, "user", "additionalGids", NULL);
	const size_t n = json_length(list);
	own_ptr uint32_t *ids = calloc(n + 1, sizeof *ids);

	for (size_t i = 0; ids && i < n; i++)
		if (!verify_outer_id(v, "gid_map",
				     (uint32_t)json_object_get_int64(json_item(list, i)), &ids[i]))
			return NULL;
	return ids ? join(ids, sort_unique(ids, n)) : NULL;
}

static char *found_groups(const char *text)
{
	own_ptr uint32_t *ids = calloc(strlen(text) + 1, sizeof *ids);
	size_t n = 0;

	for (char *end; ids && *text; text = end) {
		ids[n] = (uint32_t)strtoul(text, &end, 10);
		if (end == text)
			break;
		n++;
	}
	return ids ? join(ids, sort_unique(ids, n)) : NULL;
}

static void compare_groups(struct verify *v)
{
	own_ptr char *setgroups = verify_read(v, "setgroups", NULL);
	own_ptr char *line = malloc(strlen(v->status) + 1), *want = NULL, *found = NULL;

	if (setgroups && strcmp(setgroups, "deny") == 0) {
		verify_hidden(v, "/process/user/additionalGids",
			      "the user namespace has no say in its groups");
		return;
	}
	if (!line || !verify_status(v, "Groups", line, strlen(v->status)))
		return;
	want = wanted_groups(v);
	found = found_groups(line);
	if (want && found)
		verify_text(v, "/process/user/additionalGids", where(v), want, found);
	else
		verify_hidden(v, "/process/user/additionalGids", "a group is not mapped");
}

static void compare_umask(struct verify *v)
{
	char want[16], found[16];

	snprintf(want, sizeof want, "%04o",
		 (unsigned)json_int(json_member(v->process, "user"), "umask", UMASK_DEFAULT));
	if (verify_status(v, "Umask", found, sizeof found))
		verify_text(v, "/process/user/umask", where(v), want, found);
}

/* ---- Capabilities ---------------------------------------------------------------------------- */

/*
 * What execve(2) makes of the sets (capabilities(7)): of root's all that the bounding set allows,
 * of others' the ambient ones. No file capability is assumed.
 */
static void after_exec(struct caps *caps, bool root, bool no_new_privs)
{
	uint64_t all = caps->inheritable | caps->bounding;

	if (root) {
		all |= caps->ambient;
		caps->permitted = no_new_privs ? all & caps->permitted : all;
		caps->effective = caps->permitted;
		return;
	}
	caps->permitted = caps->ambient;
	caps->effective = caps->ambient;
}

/* "CAP_KILL CAP_CHOWN"; the caller frees it. */
static char *names_of(uint64_t set)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int cap = 0; out && cap < 64; cap++) {
		char *name = set >> cap & 1 ? cap_to_name(cap) : NULL;

		if (name)
			fprintf(out, "%s%s", ftell(out) > 0 ? " " : "", name);
		cap_free(name);
	}
	if (out && !set)
		fputs("none", out);
	if (out)
		fclose(out);
	return text;
}

static void compare_set(struct verify *v, const char *key, const char *line, uint64_t wanted)
{
	struct verify_pointer p = verify_at("/process/capabilities/%s", key);
	own_ptr char *want = NULL, *found = NULL;
	char text[32];
	uint64_t got;

	if (!verify_status(v, line, text, sizeof text))
		return;
	got = strtoull(text, NULL, 16);
	verify_compared(v);
	if (got == wanted)
		return;
	/* What there is too much of, or too little. */
	want = names_of(wanted & ~got);
	found = names_of(got & ~wanted);
	if (want && found)
		verify_differs(v, p.text, where(v), want, found);
}

static int compare_capabilities(struct verify *v, struct oci_err *err)
{
	const struct json_object *wanted = json_member(v->process, "capabilities");
	const bool root = json_int(json_member(v->process, "user"), "uid", 0) == 0;
	own_json struct json_object *warnings = json_object_new_array();
	struct caps held = {0}, caps;

	if (v->namespaces & CLONE_NEWUSER)
		held = caps_all();
	else if (caps_held(&held, err) < 0)
		return -1;
	caps = caps_parse(wanted, &held, warnings);
	if (v->started)
		after_exec(&caps, root, json_true(v->process, "noNewPrivileges"));
	compare_set(v, "bounding", "CapBnd", caps.bounding);
	compare_set(v, "effective", "CapEff", caps.effective);
	compare_set(v, "permitted", "CapPrm", caps.permitted);
	compare_set(v, "inheritable", "CapInh", caps.inheritable);
	compare_set(v, "ambient", "CapAmb", caps.ambient);
	return 0;
}

int verify_rights(struct verify *v, struct oci_err *err)
{
	char found[16];

	if (!v->process)
		return 0;
	compare_id(v, "uid", "Uid", "uid_map");
	compare_id(v, "gid", "Gid", "gid_map");
	compare_groups(v);
	compare_umask(v);
	if (verify_status(v, "NoNewPrivs", found, sizeof found))
		verify_bool(v, "/process/noNewPrivileges", where(v),
			    json_true(v->process, "noNewPrivileges"), *found == '1');
	return compare_capabilities(v, err);
}
