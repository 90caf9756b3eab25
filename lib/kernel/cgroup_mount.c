#include "kernel/cgroup_mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup_tree.h"

/* Room for one more; NULL with *err. */
static struct cgroup_mount *add(struct cgroup_mount_plan *plan, enum cgroup_mount_kind kind,
				const char *subpath, size_t len, struct oci_err *err)
{
	struct cgroup_mount *larger = realloc(plan->items, (plan->n + 1) * sizeof *larger), *m;

	if (larger)
		plan->items = larger;
	m = larger ? &larger[plan->n] : NULL;
	if (m) {
		*m = (struct cgroup_mount){.kind = kind, .subpath = strndup(subpath, len)};
		plan->n++;
	}
	if (m && m->subpath)
		return m;
	err_sys(err, ENOMEM, "cannot plan the cgroup mounts");
	return NULL;
}

/* A v1 hierarchy is named by its controllers; "systemd" has none, but a name. */
static int add_options(struct cgroup_mount *m, const char *name, struct oci_err *err)
{
	if (strcmp(name, "systemd") == 0) {
		m->options[m->n_options] = strdup("name=systemd");
		if (m->options[m->n_options++])
			return 0;
		return err_sys(err, ENOMEM, "cannot plan the cgroup mounts");
	}
	while (*name && m->n_options < CGROUP_MOUNT_OPTIONS_MAX) {
		size_t len = strcspn(name, ",");

		m->options[m->n_options] = strndup(name, len);
		if (!m->options[m->n_options++])
			return err_sys(err, ENOMEM, "cannot plan the cgroup mounts");
		name += len;
		name += strspn(name, ",");
	}
	return 0;
}

static int add_links(struct cgroup_mount_plan *plan, const char *name, struct oci_err *err)
{
	if (!strchr(name, ','))
		return 0;
	for (const char *c = name; *c; c += strspn(c, ",")) {
		size_t len = strcspn(c, ",");
		struct cgroup_mount *m = add(plan, CGROUP_MOUNT_LINK, c, len, err);

		if (!m)
			return -1;
		m->source = strdup(name);
		if (!m->source)
			return err_sys(err, ENOMEM, "cannot plan the cgroup mounts");
		c += len;
	}
	return 0;
}

/* One hierarchy at subpath. superblock: seen from init's namespace. */
static int add_hierarchy(struct cgroup_mount_plan *plan, const struct cgroup_hierarchy *h,
			 const char *subpath, bool superblock, struct oci_err *err)
{
	struct cgroup_mount *m = add(plan, superblock ? CGROUP_MOUNT_SUPERBLOCK : CGROUP_MOUNT_BIND,
				     subpath, strlen(subpath), err);

	if (!m)
		return -1;
	m->fstype = h->v2 ? "cgroup2" : "cgroup";
	if (superblock)
		return h->v2 ? 0 : add_options(m, subpath, err);
	if (asprintf(&m->source, "%s%s", h->mount, h->path) < 0) {
		m->source = NULL;
		return err_sys(err, ENOMEM, "cannot plan the cgroup mounts");
	}
	return 0;
}

static int plan_v2(struct cgroup_mount_plan *plan, const struct json_object *record,
		   enum cgroup_namespace ns, struct oci_err *err)
{
	const char *mode = json_string(record, "mode");
	struct cgroup_hierarchy h;

	if (cgroup_find_v2(record, &h))
		return add_hierarchy(plan, &h, "", ns == CGROUP_NAMESPACE_JOINED, err);
	if (!mode || strcmp(mode, "unified") != 0)
		return err_set(err, FAULT_UNSUPPORTED, "this machine has no cgroup v2 hierarchy");
	/* A user who may make no cgroup: what his cgroup namespace shows him. */
	h = (struct cgroup_hierarchy){.mount = CGROUP_MOUNT, .path = "", .v2 = true};
	return add_hierarchy(plan, &h, "", ns != CGROUP_NAMESPACE_NONE, err);
}

static int plan_v1(struct cgroup_mount_plan *plan, const struct json_object *record,
		   enum cgroup_namespace ns, struct oci_err *err)
{
	plan->on_tmpfs = true;
	for (size_t i = 0; i < cgroup_count(record); i++) {
		struct cgroup_hierarchy h = cgroup_at(record, i);
		const char *name = strrchr(h.mount, '/') + 1;

		if (add_hierarchy(plan, &h, name, ns == CGROUP_NAMESPACE_JOINED, err) < 0)
			return -1;
		if (!h.v2 && add_links(plan, name, err) < 0)
			return -1;
	}
	return 0;
}

int cgroup_mount_plan(const struct json_object *record, const char *fstype,
		      enum cgroup_namespace ns, struct cgroup_mount_plan *ret_plan,
		      struct oci_err *err)
{
	const char *mode = json_string(record, "mode");
	struct cgroup_mount_plan plan = {0};
	int result;

	if (!mode || strcmp(mode, "none") == 0)
		return err_set(err, FAULT_UNSUPPORTED, "no cgroups are mounted on \"%s\"",
			       CGROUP_MOUNT);
	if (strcmp(mode, "unified") == 0 || strcmp(fstype, "cgroup2") == 0)
		result = plan_v2(&plan, record, ns, err);
	else
		result = plan_v1(&plan, record, ns, err);
	if (result < 0) {
		cgroup_mount_free(&plan);
		return -1;
	}
	*ret_plan = plan;
	return 0;
}

void cgroup_mount_free(struct cgroup_mount_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->items[i].subpath);
		free(plan->items[i].source);
		for (size_t j = 0; j < plan->items[i].n_options; j++)
			free(plan->items[i].options[j]);
	}
	free(plan->items);
	*plan = (struct cgroup_mount_plan){0};
}
