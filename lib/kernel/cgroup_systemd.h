/*
 * The cgroup driver "systemd" (--systemd-cgroup): the container's cgroup is that of a transient
 * unit, which systemd makes, keeps the limits of and removes. Shared by kernel/cgroup*.c only; the
 * D-Bus part is the helper program oci-systemd.
 *
 * linux.cgroupsPath is "SLICE:PREFIX:NAME": the scope PREFIX-NAME.scope (NAME.scope without a
 * prefix) in SLICE; a NAME that ends in ".slice" is a slice itself. Without a path: "oci-ID.scope".
 * Without a slice: system.slice, or user.slice of the user's own systemd.
 *
 * The record has an object "systemd": unit, token (its Description=, which tells our unit from
 * another of the same name), user (whose systemd), annotations (as properties), placeholder (a
 * process that keeps the scope alive until the container's first is in; cgroup_settle() ends it).
 */
#ifndef KERNEL_CGROUP_SYSTEMD_H
#define KERNEL_CGROUP_SYSTEMD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "kernel/cgroup_table.h"

bool cgroup_is_systemd(const struct json_object *record);

/*
 * Starts the unit and adds the hierarchies to the record. FAULT_STATE if it is there already. The
 * placeholder ends with the writer of the pipe "leash", unless a byte INIT_COMMIT came before; -1:
 * it stays until it is ended.
 */
int cgroup_systemd_start(struct json_object *record, const struct json_object *resources, int leash,
			 struct oci_err *err);

/* Ends the placeholder, and sets what had to wait for that. */
int cgroup_systemd_settle(const struct json_object *record, const struct json_object *resources,
			  struct oci_err *err);

/*
 * Tells systemd of changed limits, so that it does not put back the old ones; whole: what holds
 * with them. systemd writes its own idea of them to the control files before this returns.
 */
int cgroup_systemd_update(const struct json_object *record, const struct json_object *change,
			  const struct json_object *whole, struct oci_err *err);

/* Has systemd move the process into the unit's cgroup, or to what is below it ("" or a path). */
int cgroup_systemd_bring(const struct json_object *record, const char *below, pid_t pid,
			 struct oci_err *err);

/* Ends the unit, if it is there and ours. */
int cgroup_systemd_stop(const struct json_object *record, struct oci_err *err);

/*
 * kernel/cgroup_systemd_limits.c: adds what change sets to an array of [NAME, SIGNATURE, VALUE],
 * as the properties of units that say the same, as far as there are such; whole: what holds with
 * the change, since a property may depend on several; v2: the names of that version.
 */
void cgroup_systemd_limits(const struct json_object *change, const struct json_object *whole,
			   bool v2, enum cgroup_phase phase, struct json_object *properties);

/* kernel/cgroup_systemd_io.c and kernel/cgroup_systemd_unified.c: of resources' members. */
void cgroup_systemd_io(const struct json_object *io, bool v2, struct json_object *properties);
void cgroup_systemd_unified(const struct json_object *unified, struct json_object *properties);

/*
 * kernel/cgroup_systemd_devices.c: the same of devices; nothing if systemd cannot say it. again: in
 * place of those that the unit has.
 */
void cgroup_systemd_devices(const struct json_object *resources, bool again,
			    struct json_object *properties);

/* One property. */
void cgroup_systemd_add(struct json_object *properties, const char *name, const char *signature,
			struct json_object *value);
void cgroup_systemd_add_number(struct json_object *properties, const char *name, uint64_t value);
void cgroup_systemd_add_mask(struct json_object *properties, const char *name, const char *list);
void cgroup_systemd_add_quota(struct json_object *properties, int64_t quota, uint64_t period);
void cgroup_systemd_add_idle(struct json_object *properties);
void cgroup_systemd_add_device(struct json_object *properties, const char *name, uint64_t major,
			       uint64_t minor, uint64_t value);

/* The last one is only for a systemd of this version or newer. */
void cgroup_systemd_since(struct json_object *properties, int version);

/* A list of CPUs or nodes as the bytes of a mask; NULL if it is none. */
struct json_object *cgroup_systemd_mask(const char *list);

/*
 * kernel/cgroup_systemd_annotations.c: adds the annotations org.systemd.property.NAME, whose
 * values are GVariant text. FAULT_CONFIG for a name that is not in the list of those that cannot
 * hurt the machine (ExecStopPost= would run as root), and for a value that is not of its type.
 */
int cgroup_systemd_annotations(const struct json_object *annotations,
			       struct json_object *properties, struct oci_err *err);

/* kernel/cgroup_plan.c: adds the hierarchies, in which the cgroup "path" may be already. */
int cgroup_plan_at(struct json_object *record, const char *path, struct oci_err *err);

#endif
