/*
 * linux.intelRdt (config-linux.md, "IntelRdt"): a container's group in resctrl.
 *
 *	rdt_setup()	when init lives: makes the group, or takes one that is there
 *	rdt_clear()	when the container is gone
 *	rdt_update()	while it runs
 *
 * c->state->rdt is the record:
 *	{"mount": "/sys/fs/resctrl", "group": "web", "made": "id", "monitor": "web"}
 * group is "" for the root of resctrl. made: "id" is a group named by the container, which
 * goes with it; "closID" one that config.json names, which stays, but for a creation that is
 * given up; absent: it was there before.
 *
 * The functions that take a descriptor of resctrl's root are the same for any directory.
 */
#ifndef KERNEL_RDT_H
#define KERNEL_RDT_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"

/*
 * Nothing if linux.intelRdt is not there. FAULT_UNSUPPORTED if resctrl is not mounted;
 * FAULT_CONFIG for a group that is missing, or has another schema. What it makes is recorded
 * before.
 */
int rdt_setup(struct container *c, struct oci_err *err);

/* Adds a further process of the container to its group, if it has one. */
int rdt_add(const struct container *c, pid_t pid, struct oci_err *err);

/* undo: the creation is given up. What is gone already is no error. */
int rdt_clear(const struct container *c, bool undo, struct oci_err *err);

/*
 * Writes these schemas, each of which may be NULL, as --l3-cache-schema and --mem-bw-schema of
 * oci-update. FAULT_STATE if the container has no group.
 */
int rdt_update(const struct container *c, const char *l3_cache, const char *mem_bw,
	       struct oci_err *err);

/* What is to be made for the container of this id. The caller puts *ret_record. */
int rdt_plan(int root_fd, const char *mount, const char *id, const struct json_object *rdt,
	     struct json_object **ret_record, struct oci_err *err);
int rdt_apply(int root_fd, const struct json_object *record, const struct json_object *rdt,
	      pid_t pid, struct oci_err *err);
int rdt_add_process(int root_fd, const struct json_object *record, pid_t pid, struct oci_err *err);
int rdt_remove(int root_fd, const struct json_object *record, bool undo, struct oci_err *err);

/*
 * Whether text, of a "schemata" file, says what the line "L3:0=7f0;1=1f" says: the same value for
 * each id in it.
 */
bool rdt_schema_matches(const char *text, const char *line);

#endif
