/*
 * The devices of a container: linux.devices, then those that every container has
 * (config-linux.md, "Default Devices").
 */
#ifndef KERNEL_DEVICE_LIST_H
#define KERNEL_DEVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

struct device {
	char *path; /* in the container, clean; the host's has the same */
	mode_t type, mode;
	dev_t rdev;
	uid_t uid;
	gid_t gid;
	bool wants_mode, wants_uid, wants_gid; /* config.json says so */
	/*
	 * Inside only: a node made by the host, detached (kernel/device_nodes.h), or -1. It is
	 * the inside's descriptor, which ends with it.
	 */
	int tree;
};

/* The first n_configured are /linux/devices/0 and so on. */
struct device_list {
	struct device *items;
	size_t n, n_configured;
};

int device_list_make(const struct json_object *config, struct device_list *ret_list,
		     struct oci_err *err);

/* Points the error to the device's property, "" for the device; none for a default device. */
int device_list_at(const struct device_list *list, const struct device *device,
		   const char *property, struct oci_err *err);

void device_list_free(struct device_list *list);

#endif
