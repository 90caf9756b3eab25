/* From config.json to entries. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
	json_object_put(list->notify);
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

static int parse(struct mount_list *list, const struct container *c,
		 const struct json_object *mount, size_t index, struct oci_err *err)
{
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

/* Whatever config.json mounts on /run, this comes after it. */
static int add_notify(struct mount_list *list, const struct container *c, size_t index,
		      struct oci_err *err)
{
	static const char *const options[] = {"bind", "nosuid", "noexec", "nodev", "ro"};
	struct json_object *array = json_object_new_array();
	own_ptr char *source = NULL;

	if (mkdirat(c->dir_fd, NOTIFY_DIRECTORY, 0755) < 0 && errno != EEXIST)
		return err_sys(err, errno,
			       "cannot make the directory \"%s\" of the container's state",
			       NOTIFY_DIRECTORY);
	if (asprintf(&source, "%s/%s/%s", c->root, c->id, NOTIFY_DIRECTORY) < 0) {
		source = NULL;
		return err_sys(err, ENOMEM, "cannot prepare the mounts");
	}
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		json_object_array_add(array, json_object_new_string(options[i]));
	list->notify = json_object_new_object();
	json_object_object_add(list->notify, "destination", json_object_new_string(NOTIFY_MOUNT));
	json_object_object_add(list->notify, "source", json_object_new_string(source));
	json_object_object_add(list->notify, "options", array);
	return parse(list, c, list->notify, index, err);
}

int mount_list_parse(struct mount_list *list, const struct container *c, struct oci_err *err)
{
	const struct json_object *mounts = json_member(c->config, "mounts");
	size_t n = json_length(mounts);

	for (size_t i = 0; i < n; i++)
		if (parse(list, c, json_item(mounts, i), i, err) < 0)
			return -1;
	return c->state->options.notify ? add_notify(list, c, n, err) : 0;
}
