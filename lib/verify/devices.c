/* linux.devices, and the devices that every container has. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/device_list.h"
#include "kernel/mount.h"
#include "kernel/mount_target.h"
#include "oci/mountopt.h"
#include "verify/area.h"

static void format_device(mode_t type, dev_t rdev, char text[64])
{
	if (S_ISFIFO(type))
		strcpy(text, "a FIFO");
	else if (S_ISCHR(type) || S_ISBLK(type))
		snprintf(text, 64, "%c %u:%u", S_ISCHR(type) ? 'c' : 'b', major(rdev), minor(rdev));
	else
		strcpy(text, "no device");
}

static void compare_node(struct verify *v, const char *pointer, const struct device *d,
			 const struct stat *st)
{
	char want[64], found[64];
	uint32_t uid, gid;

	format_device(d->type, d->rdev, want);
	format_device(st->st_mode, st->st_rdev, found);
	verify_text(v, pointer, d->path, want, found);
	if (strcmp(want, found) != 0)
		return;
	if (d->wants_mode) {
		snprintf(want, sizeof want, "mode %04o", (unsigned)d->mode);
		snprintf(found, sizeof found, "mode %04o", (unsigned)st->st_mode & 07777);
		verify_text(v, pointer, d->path, want, found);
	}
	if (d->wants_uid && verify_outer_id(v, "uid_map", d->uid, &uid))
		verify_number(v, pointer, "its uid, outside", uid, st->st_uid);
	if (d->wants_gid && verify_outer_id(v, "gid_map", d->gid, &gid))
		verify_number(v, pointer, "its gid, outside", gid, st->st_gid);
}

static void compare_device(struct verify *v, const char *pointer, const struct device *d)
{
	own_fd int fd = path_open_in_root(v->root, d->path, O_PATH | O_NOFOLLOW);
	char want[64];
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		compare_node(v, pointer, d, &st);
		return;
	}
	format_device(d->type, d->rdev, want);
	verify_text(v, pointer, d->path, want, fd < 0 && errno == ENOENT ? "nothing" : NULL);
}

static bool dev_is_bound(const struct json_object *config)
{
	const struct json_object *mounts = json_member(config, "mounts");

	for (size_t i = 0; i < json_length(mounts); i++) {
		const char *to = json_string(json_item(mounts, i), "destination");
		own_ptr char *clean = mount_target_clean(to ? to : "");

		if (clean && strcmp(clean, "/dev") == 0 && mountopt_is_bind(json_item(mounts, i)))
			return true;
	}
	return false;
}

int verify_devices(struct verify *v, struct oci_err *err)
{
	const bool bound = dev_is_bound(v->config);
	struct device_list list = {0};

	if (!mount_namespace_is_own(v->config)) {
		verify_hidden(v, "/linux/devices",
			      "the container has no mount namespace of its own");
		return 0;
	}
	if (device_list_make(v->config, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		struct verify_pointer p = i < list.n_configured ? verify_at("/linux/devices/%zu", i)
								: verify_at("/linux/devices");

		/* ptmx is the link to the container's own devpts. */
		if (strcmp(list.items[i].path, "/dev/ptmx") == 0 ||
		    (bound && strncmp(list.items[i].path, "/dev/", 5) == 0))
			continue;
		compare_device(v, p.text, &list.items[i]);
	}
	device_list_free(&list);
	return 0;
}
