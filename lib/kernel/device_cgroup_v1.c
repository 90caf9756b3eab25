/*
 * Purpose: give a v1 cgroup its list of allowed devices.
 * Runs in: the runtime's namespaces, before a process is in the cgroup, or while it runs.
 * Should: begin with everything denied (or allowed), then write exceptions; in an update
 *   write only what is different.
 * Mustn't: begin anew on a cgroup with processes that are not frozen: for a moment they
 *   had nothing.
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

/* What of the exception r is not in the list. */
static unsigned missing(const struct device_rules *list, const struct device_rule *r)
{
	unsigned access = r->access;

	for (size_t i = 1; i < list->n; i++) {
		const struct device_rule *e = &list->items[i];

		if (e->type == r->type && e->major == r->major && e->minor == r->minor)
			access &= ~e->access;
	}
	return access;
}

/* Writes what a has and b has not, as allowed or denied. */
static int write_difference(int dir_fd, const struct device_rules *a, const struct device_rules *b,
			    bool allow, struct oci_err *err)
{
	for (size_t i = 1; i < a->n; i++) {
		struct device_rule r = a->items[i];

		r.access = missing(b, &r);
		r.allow = allow;
		if (r.access && write_rule(dir_fd, &r, err) < 0)
			return -1;
	}
	return 0;
}

int device_cgroup_v1_update(int dir_fd, const struct device_rules *before,
			    const struct device_rules *rules, bool *ret_all, struct oci_err *err)
{
	struct device_rules from, to;
	own_ptr struct device_rule *from_items = NULL, *to_items = NULL;
	bool exceptions_allow;

	if (device_rules_for_v1(before, &from, err) < 0)
		return -1;
	from_items = from.items;
	if (device_rules_for_v1(rules, &to, err) < 0)
		return -1;
	to_items = to.items;
	*ret_all = from.items[0].allow != to.items[0].allow;
	if (*ret_all)
		return 0;
	/* Exceptions from "nothing" allow, those from "everything" deny. */
	exceptions_allow = !to.items[0].allow;
	if (exceptions_allow)
		return write_difference(dir_fd, &to, &from, true, err) < 0
			       ? -1
			       : write_difference(dir_fd, &from, &to, false, err);
	return write_difference(dir_fd, &from, &to, true, err) < 0
		       ? -1
		       : write_difference(dir_fd, &to, &from, false, err);
}
