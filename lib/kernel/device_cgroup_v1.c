/*
 * Purpose: give a v1 cgroup its list of allowed devices.
 * Runs in: the runtime's namespaces, before a process is in the cgroup.
 * Should: begin with everything denied (or allowed), then write exceptions.
 * Mustn't: be used on a cgroup with processes: for a moment they had nothing.
 * Undo: the list goes with the directory.
 * Specification: config-linux.md, "Allowed Device list"; cgroup-v1/devices.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/device_cgroup.h"

static void format_number(char text[24], int64_t value)
{
	if (value == DEVICE_ANY)
		strcpy(text, "*");
	else
		snprintf(text, 24, "%" PRId64, value);
}

static int write_rule(int dir_fd, const struct device_rule *r, struct oci_err *err)
{
	const char *file = r->allow ? "devices.allow" : "devices.deny";
	char text[80] = "a", major[24], minor[24];

	if (r->type != 'a') {
		format_number(major, r->major);
		format_number(minor, r->minor);
		snprintf(text, sizeof text, "%c %s:%s %s%s%s", r->type, major, minor,
			 r->access & BPF_DEVCG_ACC_READ ? "r" : "",
			 r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
			 r->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
	}
	if (fd_write_control(dir_fd, file, text) < 0)
		return err_sys(err, errno, "cannot write \"%s\" to %s of the container's cgroup",
			       text, file);
	return 0;
}

int device_cgroup_v1(int dir_fd, const struct device_rules *rules, struct oci_err *err)
{
	struct device_rules list;
	own_ptr struct device_rule *items = NULL;

	if (device_rules_for_v1(rules, &list, err) < 0)
		return -1;
	items = list.items;
	for (size_t i = 0; i < list.n; i++)
		if (write_rule(dir_fd, &items[i], err) < 0)
			return -1;
	return 0;
}
