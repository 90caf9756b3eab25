/*
 * The mounts that config.json asks for, sorted so that each question takes a
 * search in halves. Shared by lib/verify/mount*.c only.
 *
 *	claims_make(), resolve each item, claims_sort(), then the questions
 */
#ifndef VERIFY_MOUNT_CLAIMS_H
#define VERIFY_MOUNT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "kernel/mount_entry.h"
#include "verify/area.h"
#include "verify/mountinfo.h"

enum claim_kind { CLAIM_MOUNT, CLAIM_MASK, CLAIM_READ_ONLY, CLAIM_REMOUNT };

struct claim {
	enum claim_kind kind;
	size_t index;		   /* in its array of config.json */
	size_t order;		   /* when it was made */
	const char *path;	   /* as in config.json */
	char *clean;		   /* of CLAIM_MOUNT: without "." and ".."; owned */
	struct mount_entry *entry; /* of CLAIM_MOUNT and CLAIM_REMOUNT */
	/* Where path leads. */
	bool there, is_mount;
	uint64_t mount;
	struct stat st;
};

struct claim_point {
	const char *point;
	const struct claim *claim;
};

struct claims {
	struct claim *items;
	size_t n;
	struct claim_point *by_point; /* where the mounts are, by mountinfo */
	size_t n_by_point;
	struct claim_point *by_path; /* where they should be */
	size_t n_by_path;
};

int claims_make(struct claims *claims, const struct mount_list *list, const struct json_object *lnx,
		struct oci_err *err);

/* By mount, and within one by order. */
int claims_sort(struct claims *claims, const struct mountinfos *infos, struct oci_err *err);
void claims_free(struct claims *claims);

/* Whether point lies in what a claim of this kind has at or above it. */
bool claims_beneath(const struct claims *claims, const char *point, enum claim_kind kind);

/* Whether it came, or may have come, with a tree that is bound as a whole. */
bool claims_in_tree(const struct claims *claims, const char *point);

/* Whether a later mount is above it. */
bool claims_covered(const struct claims *claims, const struct claim *claim);

/* The mount on which this one was put, at the same point; NULL if there is none. */
struct mountinfo *claims_below(const struct mountinfos *infos, const struct mountinfo *info);

/* Notes the mounts that nobody asked for. */
int claims_report_others(struct verify *v, const struct claims *claims,
			 const struct mountinfos *infos, struct oci_err *err);

#endif
