#include "kernel/device_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/mount_target.h"

static const struct {
	const char *path;
	unsigned major, minor;
} default_devices[] = {
	{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
	{"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

static mode_t device_type(const char *type)
{
	switch (type ? type[0] : 0) {
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	default:
		return S_IFCHR;
	}
}

static void configure(struct device *d, const struct json_object *item)
{
	const char *path = json_string(item, "path");

	*d = (struct device){
		.path = mount_target_clean(path ? path : ""),
		.type = device_type(json_string(item, "type")),
		/* Some write the type into the mode, as stat(2) has it. */
		.mode = (mode_t)json_uint(item, "fileMode", 0666) & 07777,
		.rdev = makedev((unsigned)json_int(item, "major", 0),
				(unsigned)json_int(item, "minor", 0)),
		.uid = (uid_t)json_uint(item, "uid", 0),
		.gid = (gid_t)json_uint(item, "gid", 0),
		.wants_mode = json_has(item, "fileMode"),
		.wants_uid = json_has(item, "uid"),
		.wants_gid = json_has(item, "gid"),
		.tree = -1,
	};
}

int device_list_make(const struct json_object *config, struct device_list *ret_list,
		     struct oci_err *err)
{
	const struct json_object *devices = json_path(config, "linux", "devices", NULL);
	const size_t n = json_length(devices);
	struct device_list *list = ret_list;
	bool complete = true;

	*list = (struct device_list){.n = n + ARRAY_SIZE(default_devices), .n_configured = n};
	list->items = calloc(list->n, sizeof *list->items);
	for (size_t i = 0; list->items && i < list->n; i++) {
		struct device *d = &list->items[i];
		const size_t k = i - n;

		if (i < n)
			configure(d, json_item(devices, i));
		else
			*d = (struct device){
				.path = mount_target_clean(default_devices[k].path),
				.type = S_IFCHR,
				.mode = 0666,
				.rdev = makedev(default_devices[k].major, default_devices[k].minor),
				.tree = -1,
			};
		complete &= d->path != NULL;
	}
	return list->items && complete ? 0 : err_sys(err, ENOMEM, "cannot list the devices");
}

int device_list_at(const struct device_list *list, const struct device *device,
		   const char *property, struct oci_err *err)
{
	const size_t index = (size_t)(device - list->items);

	if (index < list->n_configured)
		return err_at(err, "/linux/devices/%zu%s", index, property);
	/* A default device: whose place another of config.json may have taken. */
	for (size_t i = 0; i < list->n_configured; i++)
		if (strcmp(list->items[i].path, device->path) == 0)
			return err_at(err, "/linux/devices/%zu%s", i, property);
	return -1;
}

void device_list_free(struct device_list *list)
{
	for (size_t i = 0; list->items && i < list->n; i++)
		free(list->items[i].path);
	free(list->items);
	*list = (struct device_list){0};
}
