/*
 * The options of a mount (config.md, "Linux mount options").
 *
 * One table says what every option that is not a filesystem's own does: which
 * attribute of the mount it sets or clears, which flag of the superblock,
 * which propagation, or what is to be done. The parser, oci-features and the
 * test against the specification's table all read it.
 *
 * The values are those of mount_setattr(2) and fsconfig(2), not of mount(2):
 * attributes can be set on a tree before it is attached, one by one, without
 * saying anything about the others.
 *
 *	struct mountopt o;
 *
 *	if (mountopt_parse(mount, i, &o, err) < 0)
 *		return -1;
 *	...
 *	mountopt_free(&o);
 *
 * What the table does not know is data for the filesystem, which judges it
 * itself. A bind mount has no filesystem to judge: there the set of options is
 * closed, and an unknown one is an error. So is, for filesystems in memory, an option
 * that looks like a misspelt one of the table: "strictatme" is no option of tmpfs, and
 * the kernel's error would not name the one that was meant.
 */
#ifndef OCI_MOUNTOPT_H
#define OCI_MOUNTOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum mountopt_requirement {
	MOUNTOPT_MUST,
	MOUNTOPT_SHOULD,
	MOUNTOPT_MAY,
	MOUNTOPT_EXTRA, /* not in the specification: an option of mount(8), or another runtime's */
};

enum mountopt_kind {
	MOUNTOPT_ATTRIBUTE,   /* sets and clears MOUNT_ATTR_* of the one mount */
	MOUNTOPT_RECURSIVE,   /* the same for every mount of the tree */
	MOUNTOPT_PROPAGATION, /* set: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE */
	MOUNTOPT_SUPERBLOCK,  /* a flag for fsconfig(2) under its own name */
	MOUNTOPT_ACTION,      /* set: one enum mountopt_action */
	MOUNTOPT_NOTHING, /* the kernel's default, or of no effect on a mount made by a program */
};

enum mountopt_action {
	MOUNTOPT_BIND = 1 << 0,
	MOUNTOPT_RBIND = 1 << 1,
	MOUNTOPT_REMOUNT = 1 << 2,
	MOUNTOPT_IDMAP = 1 << 3,
	MOUNTOPT_RIDMAP = 1 << 4,
	MOUNTOPT_COPY_UP = 1 << 5,
	/* crun's, which podman passes on. */
	MOUNTOPT_COPY_SYMLINK = 1 << 6,	 /* a source that is a link becomes the same link */
	MOUNTOPT_SRC_NOFOLLOW = 1 << 7,	 /* a source that is a link is mounted itself */
	MOUNTOPT_DEST_NOFOLLOW = 1 << 8, /* a destination that is a link is mounted over itself */
};

struct mountopt_row {
	const char *name;
	enum mountopt_requirement requirement;
	enum mountopt_kind kind;
	uint64_t set, clear;
	bool recursive; /* MOUNTOPT_PROPAGATION only */
};

extern const struct mountopt_row mountopt_table[];
extern const size_t mountopt_table_rows;

enum { MOUNTOPT_PROPAGATION_MAX = 4, MOUNTOPT_SUPERBLOCK_MAX = 8 };

struct mountopt_propagation {
	uint64_t type;
	bool recursive;
};

/* An option of the filesystem itself. */
struct mountopt_data {
	const char *text; /* "key=value" or "key"; borrowed from the JSON */
	size_t index;	  /* in /mounts/N/options */
};

struct mountopt {
	/*
	 * For struct mount_attr. In a pair no bit is in both, except that
	 * MOUNT_ATTR__ATIME is cleared as a whole when one of its values is set,
	 * as the kernel wants it.
	 */
	uint64_t set, clear;
	uint64_t recursive_set, recursive_clear;

	/* In the order given: slave and then shared is a mount that is both. */
	struct mountopt_propagation propagation[MOUNTOPT_PROPAGATION_MAX];
	size_t n_propagation;

	unsigned actions; /* enum mountopt_action bits; type "bind" counts as MOUNTOPT_BIND */

	/* "idmap=..." or "ridmap=..." (oci/idmap_option.h), borrowed from the JSON; or NULL. */
	const char *idmap;

	/* Of a new superblock. "ro" is not among them: it is an attribute, see set. Static. */
	const char *superblock[MOUNTOPT_SUPERBLOCK_MAX];
	size_t n_superblock;

	struct mountopt_data *data;
	size_t n_data;
};

/*
 * Parses type and options of a member of /mounts. index is only for the
 * error's pointer, "/mounts/4/options/2". -1 with *err: FAULT_CONFIG; *ret_opt
 * then holds nothing.
 */
int mountopt_parse(const struct json_object *mount, size_t index, struct mountopt *ret_opt,
		   struct oci_err *err);

/*
 * The steps of mountopt_parse(), for who wants every error: start with
 * mountopt_begin() and add each option, index being its place. type is the
 * filesystem's, NULL for a bind mount, as mountopt_type() says. An error
 * carries no pointer, its hint the option that was meant; the option is left out.
 */
void mountopt_begin(struct mountopt *opt);
const char *mountopt_type(const struct json_object *mount);
int mountopt_add(struct mountopt *opt, const char *option, size_t index, const char *type,
		 struct oci_err *err);

/* Whether it has the option bind or rbind, or the type bind. */
bool mountopt_is_bind(const struct json_object *mount);

void mountopt_free(struct mountopt *opt);

#define own_mountopt __attribute__((cleanup(mountopt_free)))

/* The row of an option, or NULL if it is a filesystem's own. */
const struct mountopt_row *mountopt_find(const char *option);

#endif
