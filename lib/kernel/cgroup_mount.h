/*
 * What a mount of type "cgroup" or "cgroup2" of config.json stands for.
 *
 * This module only says what there is to mount; oci-mount does it:
 *
 *	if (cgroup_mount_plan(record, type, ns, &plan, err) < 0)
 *		...
 *	if (plan.on_tmpfs)
 *		mount a tmpfs (mode=755, nr_inodes and size may be small) at the destination
 *	for each of plan.items, in order
 *		make it at destination/subpath ("" is the destination itself)
 *	if (plan.on_tmpfs and the options say "ro")
 *		make the tmpfs read-only, last
 *	cgroup_mount_free(&plan);
 *
 * A container that has its own part of the hierarchy sees that part and nothing
 * above it, as a bind of its own directory: to the container, in its cgroup
 * namespace, that is the very mount that it would make itself, since the kernel
 * makes no new superblock for it but takes a subdirectory of the one there is. (runc shows
 * the whole hierarchy of the machine to a container without a cgroup namespace on
 * v2.) Only for a cgroup namespace that the container has joined, init must be
 * asked: what is the root there, nobody else knows.
 *
 * Each mount gets the attributes of the mount's options (ro, nosuid, nodev,
 * noexec ...). v1 needs a tmpfs with a directory for each hierarchy, a link for each
 * controller of a hierarchy that has several (cpu -> cpu,cpuacct), and the v2
 * hierarchy of a hybrid machine at "unified".
 */
#ifndef KERNEL_CGROUP_MOUNT_H
#define KERNEL_CGROUP_MOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

enum cgroup_mount_kind {
	CGROUP_MOUNT_BIND,	 /* of the directory `source`, a path of the host; not recursive */
	CGROUP_MOUNT_SUPERBLOCK, /* init_make_mount(fstype, source "cgroup", options) */
	CGROUP_MOUNT_LINK,	 /* a symbolic link to `source` */
};

/* The cgroup namespace of the container. */
enum cgroup_namespace {
	CGROUP_NAMESPACE_NONE,	 /* it shares the runtime's */
	CGROUP_NAMESPACE_NEW,	 /* made for it: its root is the container's cgroup */
	CGROUP_NAMESPACE_JOINED, /* "path" in linux.namespaces: somebody else's */
};

enum { CGROUP_MOUNT_OPTIONS_MAX = 16 };

struct cgroup_mount {
	enum cgroup_mount_kind kind;
	char *subpath;	    /* beneath the destination: "memory", or "" */
	char *source;	    /* bind: host path; link: target; superblock: NULL */
	const char *fstype; /* superblock: "cgroup" or "cgroup2" */
	char *options[CGROUP_MOUNT_OPTIONS_MAX]; /* superblock: "cpu", "cpuacct", "name=systemd" */
	size_t n_options;
};

struct cgroup_mount_plan {
	bool on_tmpfs;
	struct cgroup_mount *items;
	size_t n;
};

/*
 * The plan for a mount of type fstype ("cgroup": whatever the machine has;
 * "cgroup2": the v2 hierarchy). record: state->cgroup. FAULT_UNSUPPORTED if the
 * machine has no cgroups, or no v2 ones. The caller frees the plan.
 */
int cgroup_mount_plan(const struct json_object *record, const char *fstype,
		      enum cgroup_namespace ns, struct cgroup_mount_plan *ret_plan,
		      struct oci_err *err);

void cgroup_mount_free(struct cgroup_mount_plan *plan);

#endif
