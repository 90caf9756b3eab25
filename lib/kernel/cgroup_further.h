/*
 * The cgroups that a further process of a container is put into (oci-exec): the
 * container's own, or existing ones beneath them.
 */
#ifndef KERNEL_CGROUP_FURTHER_H
#define KERNEL_CGROUP_FURTHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * What to open. below: an array of strings, or NULL: "PATH" beneath the container's
 * cgroup in every hierarchy, or, as often as wanted, "CONTROLLER,...:PATH" in that of
 * the v1 controller.
 */
struct cgroup_further {
	const struct json_object *record, *below;
};

/* FAULT_USAGE for what "below" says wrongly, or names and is not there. Opens nothing. */
int cgroup_further_check(const struct cgroup_further *f, struct oci_err *err);

/*
 * As cgroup_open_v1() and cgroup_open_v2() (kernel/cgroup.h). FAULT_STATE if the
 * container's cgroup is gone.
 */
int cgroup_further_open_v1(const struct cgroup_further *f, int *fds, size_t *n_fds,
			   struct oci_err *err);
int cgroup_further_open_v2(const struct cgroup_further *f, struct oci_err *err);

/*
 * The v2 cgroup of the container's first process, which may have moved itself to
 * one below the container's own, where controllers are then enabled for those below and
 * no process can be. FAULT_STATE if it is in none beneath.
 */
int cgroup_further_open_beside(const struct cgroup_further *f, pid_t init, struct oci_err *err);

/*
 * Has systemd put the process there, which may move one between cgroups that have nothing above
 * them in common but what is root's: a user's login session and the user's systemd.
 */
bool cgroup_further_can_bring(const struct cgroup_further *f);
int cgroup_further_bring(const struct cgroup_further *f, pid_t pid, struct oci_err *err);

#endif
