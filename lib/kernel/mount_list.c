/* From config.json to entries. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup_mount.h"
#include "kernel/mount_entry.h"
#include "oci/idmap_option.h"

struct mount_entry *mount_list_add(struct mount_list *list, size_t index, struct oci_err *err)
{
	struct mount_entry *entries = reallocarray(list->entries, list->n + 1, sizeof *entries);

	if (!entries) {
		err_sys(err, ENOMEM, "cannot prepare the mounts");
		return NULL;
	}
	list->entries = entries;
	entries[list->n] = (struct mount_entry){
		.index = index, .type = "none", .tree = -1, .userns = -1, .late_fd = -1};
	return &entries[list->n++];
}

static void drop_last(struct mount_list *list)
{
	struct mount_entry *entry = &list->entries[--list->n];

	mountopt_free(&entry->opt);
	own_close_fd(&entry->tree);
	free(entry->destination);
	free(entry->source);
	free(entry->link);
	json_object_put(entry->maps);
}

void mount_list_free(struct mount_list *list)
{
	while (list->n > 0)
		drop_last(list);
	free(list->entries);
	for (size_t i = 0; i < list->n_plans; i++)
		cgroup_mount_free(&list->plans[i]);
	free(list->plans);
	*list = (struct mount_list){0};
}

static bool is_cgroup(const struct mount_entry *entry)
{
	return !(entry->opt.actions & (MOUNTOPT_BIND | MOUNTOPT_RBIND | MOUNTOPT_REMOUNT)) &&
	       (strcmp(entry->type, "cgroup") == 0 || strcmp(entry->type, "cgroup2") == 0);
}

static int set_source(struct mount_entry *entry, const char *source, const char *bundle,
		      struct oci_err *err)
{
	bool bind = entry->opt.actions & (MOUNTOPT_BIND | MOUNTOPT_RBIND);

	if (bind && !(entry->opt.actions & MOUNTOPT_REMOUNT) && (!source || !*source)) {
		err_set(err, FAULT_CONFIG, "the bind mount on \"%s\" has no source",
			entry->destination);
		return err_at(err, "/mounts/%zu", entry->index);
	}
	if (!source)
		return 0;
	if (!bind || source[0] == '/')
		entry->source = strdup(source);
	else if (asprintf(&entry->source, "%s/%s", bundle, source) < 0)
		entry->source = NULL;
	return entry->source ? 0 : err_sys(err, ENOMEM, "cannot prepare the mounts");
}

static int set_maps(struct mount_entry *entry, const struct json_object *linux_config,
		    struct oci_err *err)
{
	if (!entry->opt.idmap)
		return 0;
	if (idmap_option_parse(entry->opt.idmap, linux_config, &entry->maps, err) < 0)
		return err_at(err, "/mounts/%zu", entry->index);
	entry->uids = json_member(entry->maps, "uidMappings");
	entry->gids = json_member(entry->maps, "gidMappings");
	return 0;
}

/* copy-symlink: of a source that is a link only the text is used. */
static int set_link(struct mount_entry *entry, struct oci_err *err)
{
	char text[PATH_MAX];
	ssize_t n;

	if (!(entry->opt.actions & MOUNTOPT_COPY_SYMLINK) || !entry->source)
		return 0;
	n = readlinkat(AT_FDCWD, entry->source, text, sizeof text - 1);
	/* Something else, or missing: it is bound, or that says what is wrong. */
	if (n < 0)
		return 0;
	text[n] = '\0';
	entry->link = strdup(text);
	return entry->link ? 0 : err_sys(err, ENOMEM, "cannot prepare the mounts");
}

static int parse(struct mount_list *list, const struct container *c, size_t index,
		 struct oci_err *err)
{
	const struct json_object *mount = json_item(json_member(c->config, "mounts"), index);
	const char *destination = json_string(mount, "destination"),
		   *type = json_string(mount, "type");
	struct mount_entry *entry = mount_list_add(list, index, err), cgroup;
	int result;

	if (!entry)
		return -1;
	entry->destination = strdup(destination ? destination : "");
	entry->uids = json_member(mount, "uidMappings");
	entry->gids = json_member(mount, "gidMappings");
	if (type && *type)
		entry->type = type;
	if (!entry->destination)
		return err_sys(err, ENOMEM, "cannot prepare the mounts");
	if (mountopt_parse(mount, index, &entry->opt, err) < 0 ||
	    set_source(entry, json_string(mount, "source"), c->state->bundle, err) < 0 ||
	    set_maps(entry, json_member(c->config, "linux"), err) < 0 || set_link(entry, err) < 0)
		return -1;
	if (!is_cgroup(entry))
		return 0;
	/* It leaves the list, and what it stands for takes its place. */
	cgroup = *entry;
	list->n--;
	result = mount_cgroup_expand(list, &cgroup, c, err);
	mountopt_free(&cgroup.opt);
	free(cgroup.destination);
	free(cgroup.source);
	json_object_put(cgroup.maps);
	return result < 0 ? err_at(err, "/mounts/%zu", index) : 0;
}

int mount_list_parse(struct mount_list *list, const struct container *c, struct oci_err *err)
{
	size_t n = json_length(json_member(c->config, "mounts"));

	for (size_t i = 0; i < n; i++)
		if (parse(list, c, i, err) < 0)
			return -1;
	return 0;
}
