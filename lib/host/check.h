/*
 * Would a bundle run on this machine, for this user? Shared by lib/host/check*.c;
 * host_check_bundle() is for the others.
 *
 * The image is hostile: a path in it is resolved beneath its root, and nothing in it is opened but
 * with O_PATH.
 */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct host_bundle {
	const struct json_object *config; /* valid (oci/validate.h) */
	const char *path;		  /* of the bundle, absolute */
	const char *rootfs;		  /* absolute */
	bool systemd;			  /* --systemd-cgroup */
};

/* A report (host/host.h) with every requirement of the bundle; the caller puts it. NULL with *err.
 */
struct json_object *host_check_bundle(const struct host_bundle *bundle, struct oci_err *err);

/* ---- For check*.c ---------------------------------------------------------------------------- */

struct host_check {
	const struct host_bundle *bundle;
	const struct json_object *config, *process, *platform; /* /linux */
	struct json_object *report;
	uint64_t new_namespaces, namespaces; /* CLONE_NEW*: made anew; those and joined ones */
	int root;			     /* the root filesystem, O_PATH */
};

void host_check_namespaces(struct host_check *check);
void host_check_cgroup(struct host_check *check);
void host_check_mounts(struct host_check *check);
void host_check_devices(struct host_check *check);
void host_check_process(struct host_check *check);
void host_check_labels(struct host_check *check);
void host_check_seccomp(struct host_check *check);
void host_check_hooks(struct host_check *check);
void host_check_kernel(struct host_check *check); /* sysctl, network devices, Intel RDT, policies */

#endif
