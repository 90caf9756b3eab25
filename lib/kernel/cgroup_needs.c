/*
 * Purpose: say before a creation which limits this machine cannot apply.
 * Runs in: the runtime's namespaces; looks only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "kernel/cgroup_limits.h"

/*
 * cgroup.controllers of the deepest directory that is there: the container's can have no other.
 * where: its path. NULL if it cannot be read.
 */
static char *controllers_above(const struct cgroup_hierarchy *h, char *where, size_t size)
{
	own_err struct oci_err err = ERR_INIT;
	own_ptr char *path = strdup(h->path);
	own_fd int root = cgroup_open_root(h, &err);
	char *text = NULL;

	while (root >= 0 && path && *path) {
		own_fd int dir = cgroup_open_beneath(root, path);

		if (dir >= 0) {
			snprintf(where, size, "%s%s/cgroup.controllers", h->mount, path);
			return cgroup_read(dir, "cgroup.controllers", &text) < 0 ? NULL : text;
		}
		*strrchr(path, '/') = '\0';
	}
	snprintf(where, size, "%s/cgroup.controllers", h->mount);
	return root < 0 || cgroup_read(root, "cgroup.controllers", &text) < 0 ? NULL : text;
}

static bool has_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	for (const char *c = text; c && *c; c += strspn(c, " ")) {
		const size_t n = strcspn(c, " ");

		if (n == len && memcmp(c, word, n) == 0)
			return true;
		c += n;
	}
	return false;
}

/* where: what was looked at. NULL if the limit can be applied; otherwise why not. */
static const char *find_controller(const struct cgroup_setting *s, const struct json_object *record,
				   char name[16], char *where, size_t size)
{
	struct cgroup_hierarchy h;
	own_ptr char *text = NULL;

	snprintf(where, size, "%s", CGROUP_MOUNT);
	if (cgroup_controller(s, false, name) && cgroup_find_v1(record, name, &h)) {
		snprintf(where, size, "%s", h.mount);
		return NULL;
	}
	if (!cgroup_controller(s, true, name)) {
		cgroup_controller(s, false, name);
		return cgroup_find_v2(record, &h) && cgroup_count(record) == 1
			       ? "there is no such limit in cgroup v2"
			       : "no hierarchy has it";
	}
	if (!cgroup_find_v2(record, &h))
		return "no hierarchy has it";
	text = controllers_above(&h, where, size);
	/* cgroup.max.depth and the like need none. */
	return strcmp(name, "cgroup") == 0 || has_word(text, name) ? NULL : "not available there";
}

/* A property may need several files. */
static bool is_listed(const struct json_object *list, const char *pointer)
{
	for (size_t i = 0; i < json_length(list); i++)
		if (strcmp(json_string(json_item(list, i), "pointer"), pointer) == 0)
			return true;
	return false;
}

static void add(struct json_object *list, const struct cgroup_setting *s,
		const struct json_object *record)
{
	struct json_object *need = json_object_new_object();
	own_err struct oci_err at = ERR_INIT;
	char name[16] = "", where[4096];
	const char *missing = find_controller(s, record, name, where, sizeof where);

	cgroup_setting_at(s, &at);
	if (!at.pointer || is_listed(list, at.pointer)) {
		json_object_put(need);
		return;
	}
	json_object_object_add(need, "pointer", json_object_new_string(at.pointer));
	json_object_object_add(need, "controller", json_object_new_string(name));
	json_object_object_add(need, "where", json_object_new_string(where));
	if (missing)
		json_object_object_add(need, "missing", json_object_new_string(missing));
	json_object_array_add(list, need);
}

struct json_object *cgroup_needs(const struct json_object *record,
				 const struct json_object *resources, struct oci_err *err)
{
	static const enum cgroup_phase phases[] = {PHASE_CREATE, PHASE_SETTLE};
	struct json_object *list = json_object_new_array();

	for (size_t p = 0; p < ARRAY_SIZE(phases); p++) {
		struct cgroup_settings settings = {0};

		if (cgroup_collect(resources, phases[p], &settings, err) < 0) {
			json_object_put(list);
			return NULL;
		}
		for (size_t i = 0; i < settings.n; i++)
			add(list, &settings.items[i], record);
		cgroup_settings_free(&settings);
	}
	return list;
}
