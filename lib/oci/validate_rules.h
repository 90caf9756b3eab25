/*
 * The rules that one row of the table cannot say: what properties demand of
 * each other. Used by validate*.c only.
 *
 * The getters of base/json.h take a value of a wrong type for none, so the
 * rules need no care: the table has complained about it.
 */
#ifndef OCI_VALIDATE_RULES_H
#define OCI_VALIDATE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "oci/finding.h"

/* In the order of the list "namespaces" in spec.def. */
enum rules_ns {
	NS_MOUNT,
	NS_PID,
	NS_NETWORK,
	NS_UTS,
	NS_IPC,
	NS_USER,
	NS_CGROUP,
	NS_TIME,
	NS_TYPES
};

struct rules {
	const struct json_object *config, *platform; /* the whole, and /linux */
	struct findings *found;
	bool listed[NS_TYPES]; /* the container has one, new or joined */
	bool joined[NS_TYPES]; /* ... by path */
	char pointer[128];     /* of rules_at() */
};

/* Formats a pointer; valid until the next call. For keys of others: json_pointer_to(). */
const char *rules_at(struct rules *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define rules_error(r, at, pointer, ...) \
	finding_add((r)->found, FINDING_ERROR, at, pointer, __VA_ARGS__)
#define rules_warning(r, at, pointer, ...) \
	finding_add((r)->found, FINDING_WARNING, at, pointer, __VA_ARGS__)

/* What is taken, and does nothing. */
#define rules_no_effect(r, at, pointer, ...) \
	finding_no_effect(rules_warning(r, at, pointer, __VA_ARGS__))

static inline bool rules_new(const struct rules *r, enum rules_ns type)
{
	return r->listed[type] && !r->joined[type];
}

/* validate_linux.c; fills listed and joined, so it comes first. */
void rules_namespaces(struct rules *r);
void rules_linux(struct rules *r);
/* Overlaps and number of the mappings that owner, which is at parent, has under key. */
void rules_id_mappings(struct rules *r, const struct json_object *owner, const char *key,
		       const char *parent);

/* validate_process.c */
void rules_process(struct rules *r);

/* validate_mount.c */
void rules_mounts(struct rules *r);

/* validate_resources.c */
void rules_resources(struct rules *r);

/* validate_seccomp.c */
void rules_seccomp(struct rules *r);

#endif
