/* A mount of type cgroup or cgroup2, as the entries that it stands for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "kernel/cgroup_mount.h"
#include "kernel/mount_entry.h"

static enum cgroup_namespace namespace_of(const struct json_object *config)
{
	const struct json_object *namespaces = json_path(config, "linux", "namespaces", NULL);

	for (size_t i = 0; i < json_length(namespaces); i++) {
		const char *type = json_string(json_item(namespaces, i), "type");
		const char *path = json_string(json_item(namespaces, i), "path");

		if (type && strcmp(type, "cgroup") == 0)
			return path && *path ? CGROUP_NAMESPACE_JOINED : CGROUP_NAMESPACE_NEW;
	}
	return CGROUP_NAMESPACE_NONE;
}

/* A new entry with the attributes and propagation that the mount's options ask for. */
static struct mount_entry *add(struct mount_list *list, const struct mount_entry *entry,
			       const char *subpath, struct oci_err *err)
{
	struct mount_entry *new = mount_list_add(list, entry->index, err);

	if (!new)
		return NULL;
	new->opt = entry->opt;
	new->opt.actions = 0;
	new->opt.data = NULL;
	new->opt.n_data = 0;
	if (asprintf(&new->destination, "%s%s%s", entry->destination, *subpath ? "/" : "",
		     subpath) >= 0)
		return new;
	new->destination = NULL;
	err_sys(err, ENOMEM, "cannot prepare the cgroup mounts");
	return NULL;
}

static int set_data(struct mount_entry *new, const char *const *options, size_t n,
		    struct oci_err *err)
{
	new->opt.data = calloc(n + 1, sizeof *new->opt.data);
	if (!new->opt.data)
		return err_sys(err, ENOMEM, "cannot prepare the cgroup mounts");
	for (size_t i = 0; i < n; i++)
		new->opt.data[i].text = options[i];
	new->opt.n_data = n;
	return 0;
}

static int add_tmpfs(struct mount_list *list, const struct mount_entry *entry, struct oci_err *err)
{
	static const char *const options[] = {"mode=755"};
	struct mount_entry *new = add(list, entry, "", err);

	if (!new)
		return -1;
	new->type = "tmpfs";
	return set_data(new, options, ARRAY_SIZE(options), err);
}

static int add_item(struct mount_list *list, const struct mount_entry *entry,
		    const struct cgroup_mount *item, struct oci_err *err)
{
	struct mount_entry *new = add(list, entry, item->subpath, err);

	if (!new)
		return -1;
	switch (item->kind) {
	case CGROUP_MOUNT_LINK:
		new->link = strdup(item->source);
		return new->link ? 0 : err_sys(err, ENOMEM, "cannot prepare the cgroup mounts");
	case CGROUP_MOUNT_BIND:
		new->opt.actions = MOUNTOPT_BIND;
		new->source = strdup(item->source);
		return new->source ? 0 : err_sys(err, ENOMEM, "cannot prepare the cgroup mounts");
	case CGROUP_MOUNT_SUPERBLOCK:
		new->type = item->fstype;
		return set_data(new, (const char *const *)item->options, item->n_options, err);
	}
	return 0;
}

int mount_cgroup_expand(struct mount_list *list, const struct mount_entry *entry,
			const struct container *c, struct oci_err *err)
{
	struct cgroup_mount_plan plan, *plans;

	if (entry->opt.n_data > 0) {
		err_set(err, FAULT_CONFIG,
			"the cgroup hierarchy is the machine's: the container cannot set its "
			"option \"%s\"",
			entry->opt.data[0].text);
		return err_at(err, "/mounts/%zu/options/%zu", entry->index,
			      entry->opt.data[0].index);
	}
	if (cgroup_mount_plan(c->state->cgroup, entry->type, namespace_of(c->config), &plan, err) <
	    0)
		return -1;
	plans = reallocarray(list->plans, list->n_plans + 1, sizeof *plans);
	if (!plans) {
		cgroup_mount_free(&plan);
		return err_sys(err, ENOMEM, "cannot prepare the cgroup mounts");
	}
	list->plans = plans;
	plans[list->n_plans++] = plan;
	if (plan.on_tmpfs && add_tmpfs(list, entry, err) < 0)
		return -1;
	for (size_t i = 0; i < plan.n; i++)
		if (add_item(list, entry, &plan.items[i], err) < 0)
			return -1;
	return 0;
}
