/*
 * linux.resources as a list of settings: which file gets which text.
 *
 * One row of the table in cgroup_table.c is one property of config.json: the
 * controller and the file in v1 and in v2, and how its value is written there.
 * cgroup_collect() makes a setting of each property that is set;
 * cgroup_format() decides file and text, which may depend on what is in the
 * directory. Shared by kernel/cgroup*.c only.
 *
 * What engines write for "not set" is not set: 0 where it is no value of its own
 * (shares, quota, limits), "" for cpus and mems. The number of processes may be 0
 * (config-linux.md, "PIDs").
 */
#ifndef KERNEL_CGROUP_TABLE_H
#define KERNEL_CGROUP_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

struct cgroup_setting;

/* A property in one version. */
struct cgroup_place {
	const char *controller; /* NULL: this version cannot do it */
	const char *file;	/* with alternatives: "a|b", the first that is there */
	/* Sets s->text, and s->file if it is not the one above; no text: nothing to do. */
	int (*format)(struct cgroup_setting *s, struct oci_err *err);
};

enum cgroup_limit_flags {
	LIMIT_EACH = 1,	      /* an array or an object: a setting for each item */
	LIMIT_ZERO = 2,	      /* 0 is a value */
	LIMIT_OPTIONAL = 4,   /* no error if the file is not there */
	LIMIT_BOOL = 8,	      /* true is a value, false is one in an update only */
	LIMIT_DEFAULT_0 = 16, /* 0 is what it is if there is no such file */
	LIMIT_LATE = 32,      /* 0 and 1 can only be set when the first process is there */
};

struct cgroup_limit {
	const char *object, *property; /* property NULL: the object itself */
	unsigned flags;
	struct cgroup_place v1, v2;
	const char *member; /* of an item: the setting is only there if this is, and not 0 */
};

struct cgroup_setting {
	const struct cgroup_limit *limit;
	const struct json_object *resources; /* all of linux.resources */
	struct json_object *value;	     /* of the property, or the item */
	const char *key;		     /* of an item of an object, or NULL */
	size_t index;			     /* of an item of an array */
	bool v2;
	int dir; /* the cgroup's directory, borrowed; -1 before it is known */
	char *file, *text;
};

struct cgroup_settings {
	struct cgroup_setting *items;
	size_t n;
};

enum cgroup_phase { PHASE_CREATE, PHASE_SETTLE, PHASE_UPDATE };

/* All properties that are set, in the order of the table. The caller frees the list. -1 with *err.
 */
int cgroup_collect(const struct json_object *resources, enum cgroup_phase phase,
		   struct cgroup_settings *ret_settings, struct oci_err *err);

void cgroup_settings_free(struct cgroup_settings *settings);

/* The facts for the version that the setting is for. */
const struct cgroup_place *cgroup_place(const struct cgroup_setting *s);

/* The name of its controller: 15 bytes at most, in storage of the caller; false if there is none.
 */
bool cgroup_controller(const struct cgroup_setting *s, bool v2, char name[16]);

/* Fills in file and text. text stays NULL if there is nothing to write. */
int cgroup_format(struct cgroup_setting *s, struct oci_err *err);

/* Says which property an error is about (err_at). Returns -1. */
int cgroup_setting_at(const struct cgroup_setting *s, struct oci_err *err);

/* kernel/cgroup_format.c: how values are written. */
int cgroup_format_number(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_text(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_boolean(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_true(struct cgroup_setting *s, struct oci_err *err); /* false: nothing */
int cgroup_format_oom_killer(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_nothing(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_max(struct cgroup_setting *s, struct oci_err *err); /* -1 is "max" */
int cgroup_format_memory_max(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_unlimited(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_swap(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_deprecated(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_shares(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_weight(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_cpu_max(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_period(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_io_weight(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_device_weight(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_io_device_weight(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_rate(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_io_max(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_hugepages(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_priority(struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_rdma(struct cgroup_setting *s, struct oci_err *err);
int cgroup_check_unified(const struct cgroup_setting *s, struct oci_err *err);
int cgroup_format_unified(struct cgroup_setting *s, struct oci_err *err);

#endif
