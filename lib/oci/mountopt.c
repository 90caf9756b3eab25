#include "oci/mountopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/nearest.h"
#include "base/own.h"

/* MOUNT_ATTR_RELATIME is 0: the value of the field when nothing is set in it. */
#define ATTR(name, need, set, clear)                                         \
	{                                                                    \
		name, MOUNTOPT_##need, MOUNTOPT_ATTRIBUTE, set, clear, false \
	}
#define TREE(name, set, clear)                                               \
	{                                                                    \
		name, MOUNTOPT_SHOULD, MOUNTOPT_RECURSIVE, set, clear, false \
	}
#define PROPAGATION(name, type, recursive)                                    \
	{                                                                     \
		name, MOUNTOPT_MUST, MOUNTOPT_PROPAGATION, type, 0, recursive \
	}
#define SUPERBLOCK(name, need)                                          \
	{                                                               \
		name, MOUNTOPT_##need, MOUNTOPT_SUPERBLOCK, 0, 0, false \
	}
#define ACTION(name, need, action)                                                  \
	{                                                                           \
		name, MOUNTOPT_##need, MOUNTOPT_ACTION, MOUNTOPT_##action, 0, false \
	}
#define NOTHING(name, need)                                          \
	{                                                            \
		name, MOUNTOPT_##need, MOUNTOPT_NOTHING, 0, 0, false \
	}

/* Sorted: mountopt_find() searches it in halves. */
const struct mountopt_row mountopt_table[] = {
	NOTHING("_netdev", EXTRA),
	SUPERBLOCK("async", MUST),
	ATTR("atime", MUST, 0, MOUNT_ATTR__ATIME),
	NOTHING("auto", EXTRA),
	ACTION("bind", MUST, BIND),
	ACTION("copy-symlink", EXTRA, COPY_SYMLINK),
	NOTHING("defaults", MUST),
	ACTION("dest-nofollow", EXTRA, DEST_NOFOLLOW),
	ATTR("dev", MUST, 0, MOUNT_ATTR_NODEV),
	ATTR("diratime", MUST, 0, MOUNT_ATTR_NODIRATIME),
	SUPERBLOCK("dirsync", MUST),
	ATTR("exec", MUST, 0, MOUNT_ATTR_NOEXEC),
	ACTION("idmap", SHOULD, IDMAP),
	/* No flag of fsconfig(2): filesystems that count versions always do; ext4 since Linux 6.1.
	 */
	SUPERBLOCK("iversion", MUST),
	SUPERBLOCK("lazytime", MUST),
	/* Whether the kernel writes to its log when a mount fails: fsconfig(2) never does. */
	NOTHING("loud", MUST),
	SUPERBLOCK("mand", MAY),
	ATTR("noatime", MUST, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
	NOTHING("noauto", EXTRA),
	ATTR("nodev", MUST, MOUNT_ATTR_NODEV, 0),
	ATTR("nodiratime", MUST, MOUNT_ATTR_NODIRATIME, 0),
	ATTR("noexec", MUST, MOUNT_ATTR_NOEXEC, 0),
	NOTHING("nofail", EXTRA),
	NOTHING("noiversion", MUST),
	SUPERBLOCK("nolazytime", MUST),
	SUPERBLOCK("nomand", MAY),
	/* To the kernel this is its default, and the default is relatime (Linux 2.6.30). */
	NOTHING("norelatime", MUST),
	ATTR("nostrictatime", MUST, 0, MOUNT_ATTR__ATIME),
	ATTR("nosuid", MUST, MOUNT_ATTR_NOSUID, 0),
	ATTR("nosymfollow", SHOULD, MOUNT_ATTR_NOSYMFOLLOW, 0),
	PROPAGATION("private", MS_PRIVATE, false),
	TREE("ratime", 0, MOUNT_ATTR__ATIME),
	ACTION("rbind", MUST, RBIND),
	TREE("rdev", 0, MOUNT_ATTR_NODEV),
	TREE("rdiratime", 0, MOUNT_ATTR_NODIRATIME),
	ATTR("relatime", MUST, 0, MOUNT_ATTR__ATIME),
	ACTION("remount", MUST, REMOUNT),
	TREE("rexec", 0, MOUNT_ATTR_NOEXEC),
	ACTION("ridmap", SHOULD, RIDMAP),
	TREE("rnoatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
	TREE("rnodev", MOUNT_ATTR_NODEV, 0),
	TREE("rnodiratime", MOUNT_ATTR_NODIRATIME, 0),
	TREE("rnoexec", MOUNT_ATTR_NOEXEC, 0),
	NOTHING("rnorelatime", SHOULD),
	TREE("rnostrictatime", 0, MOUNT_ATTR__ATIME),
	TREE("rnosuid", MOUNT_ATTR_NOSUID, 0),
	TREE("rnosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	ATTR("ro", MUST, MOUNT_ATTR_RDONLY, 0),
	PROPAGATION("rprivate", MS_PRIVATE, true),
	TREE("rrelatime", 0, MOUNT_ATTR__ATIME),
	TREE("rro", MOUNT_ATTR_RDONLY, 0),
	TREE("rrw", 0, MOUNT_ATTR_RDONLY),
	PROPAGATION("rshared", MS_SHARED, true),
	PROPAGATION("rslave", MS_SLAVE, true),
	TREE("rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	TREE("rsuid", 0, MOUNT_ATTR_NOSUID),
	TREE("rsymfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	PROPAGATION("runbindable", MS_UNBINDABLE, true),
	ATTR("rw", MUST, 0, MOUNT_ATTR_RDONLY),
	PROPAGATION("shared", MS_SHARED, false),
	NOTHING("silent", MUST),
	PROPAGATION("slave", MS_SLAVE, false),
	ACTION("src-nofollow", EXTRA, SRC_NOFOLLOW),
	ATTR("strictatime", MUST, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
	ATTR("suid", MUST, 0, MOUNT_ATTR_NOSUID),
	ATTR("symfollow", SHOULD, 0, MOUNT_ATTR_NOSYMFOLLOW),
	SUPERBLOCK("sync", MUST),
	ACTION("tmpcopyup", MAY, COPY_UP),
	PROPAGATION("unbindable", MS_UNBINDABLE, false),
};

const size_t mountopt_table_rows = ARRAY_SIZE(mountopt_table);

static int compare_row(const void *name, const void *row)
{
	return strcmp(name, ((const struct mountopt_row *)row)->name);
}

const struct mountopt_row *mountopt_find(const char *option)
{
	return bsearch(option, mountopt_table, mountopt_table_rows, sizeof *mountopt_table,
		       compare_row);
}

void mountopt_begin(struct mountopt *opt)
{
	*opt = (struct mountopt){0};
}

void mountopt_free(struct mountopt *opt)
{
	free(opt->data);
	mountopt_begin(opt);
}

bool mountopt_is_bind(const struct json_object *mount)
{
	const struct json_object *options = json_member(mount, "options");
	const char *type = json_string(mount, "type");

	if (type && strcmp(type, "bind") == 0)
		return true;
	for (size_t i = 0; i < json_length(options); i++) {
		const struct mountopt_row *row = mountopt_find(json_item_string(options, i));

		if (row && row->kind == MOUNTOPT_ACTION &&
		    (row->set & (MOUNTOPT_BIND | MOUNTOPT_RBIND)))
			return true;
	}
	return false;
}

const char *mountopt_type(const struct json_object *mount)
{
	const char *type = json_string(mount, "type");

	if (mountopt_is_bind(mount))
		return NULL;
	return type && *type ? type : "none";
}

/* The values of these may have commas of their own: context="system_u:object_r:t:s0:c1,c2". */
static bool may_have_comma(const char *option)
{
	static const char *const keys[] = {"context=", "fscontext=", "defcontext=", "rootcontext="};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strncmp(option, keys[i], strlen(keys[i])) == 0)
			return true;
	return false;
}

static int check_text(const char *option, struct oci_err *err)
{
	if (!*option)
		return err_set(err, FAULT_CONFIG, "mount option is empty");
	for (const char *p = option; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(err, FAULT_CONFIG,
				       "mount option \"%s\" contains a control character", option);
	if (strchr(option, ',') && !may_have_comma(option)) {
		err_set(err, FAULT_CONFIG, "mount option \"%s\" contains a comma", option);
		return err_hint(err, "write each option as a string of its own");
	}
	return 0;
}

static void add_attribute(uint64_t *set, uint64_t *clear, const struct mountopt_row *row)
{
	*set = (*set & ~row->clear) | row->set;
	*clear = (*clear & ~row->set) | row->clear;
}

static int add_propagation(struct mountopt *opt, const struct mountopt_row *row,
			   struct oci_err *err)
{
	if (opt->n_propagation == MOUNTOPT_PROPAGATION_MAX)
		return err_set(err, FAULT_CONFIG, "mount option \"%s\" is one propagation too many",
			       row->name);
	opt->propagation[opt->n_propagation++] =
		(struct mountopt_propagation){row->set, row->recursive};
	return 0;
}

static int add_superblock(struct mountopt *opt, const struct mountopt_row *row, struct oci_err *err)
{
	for (size_t i = 0; i < opt->n_superblock; i++)
		if (opt->superblock[i] == row->name)
			return 0;
	if (opt->n_superblock == MOUNTOPT_SUPERBLOCK_MAX)
		return err_set(err, FAULT_CONFIG, "mount option \"%s\" is one flag too many",
			       row->name);
	opt->superblock[opt->n_superblock++] = row->name;
	return 0;
}

static int add_data(struct mountopt *opt, const char *option, size_t index, struct oci_err *err)
{
	struct mountopt_data *data = reallocarray(opt->data, opt->n_data + 1, sizeof *data);

	if (!data)
		return err_sys(err, ENOMEM, "cannot keep a mount option");
	data[opt->n_data++] = (struct mountopt_data){option, index};
	opt->data = data;
	return 0;
}

static const char *nearest_name(const char *option)
{
	const char *best = NULL;
	int best_distance = 0;

	for (size_t i = 0; i < mountopt_table_rows; i++) {
		int d = nearest_distance(option, mountopt_table[i].name);

		if (d >= 0 && (!best || d < best_distance)) {
			best = mountopt_table[i].name;
			best_distance = d;
		}
	}
	return best;
}

/* Filesystems whose own options without a value are few, and like none of the table. */
static bool is_in_memory(const char *type)
{
	static const char *const types[] = {"tmpfs",  "proc",	"sysfs",  "devpts",
					    "mqueue", "cgroup", "cgroup2"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static int add_unknown(struct mountopt *opt, const char *option, size_t index, const char *type,
		       struct oci_err *err)
{
	const char *meant = NULL;

	if (check_text(option, err) < 0)
		return -1;
	if (!type || (is_in_memory(type) && !strchr(option, '=')))
		meant = nearest_name(option);
	if (type && !meant)
		return add_data(opt, option, index, err);
	if (type)
		err_set(err, FAULT_CONFIG, "unknown mount option \"%s\"", option);
	else
		err_set(err, FAULT_CONFIG, "unknown mount option \"%s\" for a bind mount", option);
	return meant ? err_hint(err, "did you mean \"%s\"?", meant) : -1;
}

int mountopt_add(struct mountopt *opt, const char *option, size_t index, const char *type,
		 struct oci_err *err)
{
	const struct mountopt_row *row = mountopt_find(option);
	const bool tree = strncmp(option, "ridmap=", 7) == 0;

	if (tree || strncmp(option, "idmap=", 6) == 0) {
		if (check_text(option, err) < 0)
			return -1;
		opt->actions |= tree ? MOUNTOPT_RIDMAP : MOUNTOPT_IDMAP;
		opt->idmap = option;
		return 0;
	}
	if (!row)
		return add_unknown(opt, option, index, type, err);
	switch (row->kind) {
	case MOUNTOPT_ATTRIBUTE:
		add_attribute(&opt->set, &opt->clear, row);
		return 0;
	case MOUNTOPT_RECURSIVE:
		add_attribute(&opt->recursive_set, &opt->recursive_clear, row);
		return 0;
	case MOUNTOPT_PROPAGATION:
		return add_propagation(opt, row, err);
	case MOUNTOPT_SUPERBLOCK:
		return add_superblock(opt, row, err);
	case MOUNTOPT_ACTION:
		opt->actions |= (unsigned)row->set;
		return 0;
	case MOUNTOPT_NOTHING:
		return 0;
	}
	return 0;
}

int mountopt_parse(const struct json_object *mount, size_t index, struct mountopt *ret_opt,
		   struct oci_err *err)
{
	own_mountopt struct mountopt opt;
	const struct json_object *options = json_member(mount, "options");
	const char *type = mountopt_type(mount);

	mountopt_begin(&opt);
	mountopt_begin(ret_opt);
	for (size_t i = 0; i < json_length(options); i++)
		if (mountopt_add(&opt, json_item_string(options, i), i, type, err) < 0)
			return err_at(err, "/mounts/%zu/options/%zu", index, i);
	if (!type && !(opt.actions & MOUNTOPT_RBIND))
		opt.actions |= MOUNTOPT_BIND;
	*ret_opt = opt;
	opt.data = NULL;
	return 0;
}
