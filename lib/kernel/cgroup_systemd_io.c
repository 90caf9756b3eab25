/*
 * linux.resources.blockIO as properties of systemd's units, which name devices by their files:
 * "/dev/block/8:0" is known without being there.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_systemd.h"

/* Whether systemd limits another device instead, that one on which this is made (dm, md). */
static bool is_layered(uint64_t major, uint64_t minor)
{
	char path[80];
	bool found = false;
	DIR *dir;
	int fd;

	snprintf(path, sizeof path, "/sys/dev/block/%llu:%llu/slaves", (unsigned long long)major,
		 (unsigned long long)minor);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		own_close_fd(&fd);
		return false;
	}
	for (struct dirent *e; !found && (e = readdir(dir));)
		found = e->d_name[0] != '.';
	closedir(dir);
	return found;
}

void cgroup_systemd_add_device(struct json_object *properties, const char *name, uint64_t major,
			       uint64_t minor, uint64_t value)
{
	struct json_object *list, *pair;
	char path[64];

	if (is_layered(major, minor))
		return;
	snprintf(path, sizeof path, "/dev/block/%llu:%llu", (unsigned long long)major,
		 (unsigned long long)minor);
	pair = json_object_new_array_ext(2);
	json_object_array_add(pair, json_object_new_string(path));
	json_object_array_add(pair, json_object_new_uint64(value));
	list = json_object_new_array_ext(1);
	json_object_array_add(list, pair);
	cgroup_systemd_add(properties, name, "a(st)", list);
}

/* Each device of an array; a rate of 0 takes the limit away. */
static void add_rates(struct json_object *properties, const char *name,
		      const struct json_object *devices)
{
	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json_object *device = json_item(devices, i);
		uint64_t rate = json_uint(device, "rate", 0);

		cgroup_systemd_add_device(properties, name, json_uint(device, "major", 0),
					  json_uint(device, "minor", 0), rate ? rate : UINT64_MAX);
	}
}

static void add_weights(struct json_object *properties, const struct json_object *devices, bool v2)
{
	for (size_t i = 0; i < json_length(devices); i++) {
		const struct json_object *device = json_item(devices, i);
		uint64_t weight = json_uint(device, "weight", 0);

		if (weight)
			cgroup_systemd_add_device(
				properties, v2 ? "IODeviceWeight" : "BlockIODeviceWeight",
				json_uint(device, "major", 0), json_uint(device, "minor", 0),
				v2 ? cgroup_io_weight(weight) : weight);
	}
}

void cgroup_systemd_io(const struct json_object *io, bool v2, struct json_object *properties)
{
	static const struct {
		const char *array, *v1, *v2;
	} rates[] = {
		{"throttleReadBpsDevice", "BlockIOReadBandwidth", "IOReadBandwidthMax"},
		{"throttleWriteBpsDevice", "BlockIOWriteBandwidth", "IOWriteBandwidthMax"},
		{"throttleReadIOPSDevice", NULL, "IOReadIOPSMax"},
		{"throttleWriteIOPSDevice", NULL, "IOWriteIOPSMax"},
	};
	uint64_t weight = json_uint(io, "weight", 0);

	if (weight && v2)
		cgroup_systemd_add_number(properties, "IOWeight", cgroup_io_weight(weight));
	else if (weight)
		cgroup_systemd_add_number(properties, "BlockIOWeight", weight);
	add_weights(properties, json_member(io, "weightDevice"), v2);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if (v2 || rates[i].v1)
			add_rates(properties, v2 ? rates[i].v2 : rates[i].v1,
				  json_member(io, rates[i].array));
}
