#include "kernel/mount_entry.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/idmap.h"
#include "kernel/init.h"
#include "kernel/mount.h"
#include "kernel/mount_copy.h"
#include "kernel/mount_target.h"

enum { IDMAP = MOUNTOPT_IDMAP | MOUNTOPT_RIDMAP, BIND = MOUNTOPT_BIND | MOUNTOPT_RBIND };

static bool is_bind(const struct mount_entry *entry)
{
	return entry->opt.actions & BIND;
}

static bool is_remount(const struct mount_entry *entry)
{
	return entry->opt.actions & MOUNTOPT_REMOUNT;
}

/* A superblock of these shows the namespaces of the process that makes it: init's. */
static bool is_made_by_init(const struct mount_entry *entry)
{
	static const char *const types[] = {"proc", "sysfs", "mqueue", "cgroup", "cgroup2"};

	if (is_bind(entry) || is_remount(entry))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(entry->type, types[i]) == 0)
			return true;
	return false;
}

/*
 * A tmpfs stays writable until everything beneath it is mounted, because the
 * directories for that are made in it.
 */
static bool is_read_only_late(const struct mount_entry *entry)
{
	return strcmp(entry->type, "tmpfs") == 0 && !is_bind(entry) &&
	       ((entry->opt.set | entry->opt.recursive_set) & MOUNT_ATTR_RDONLY);
}

/* The message gets the object in front, the error the place. */
static int fail(const struct mount_entry *entry, struct oci_err *err)
{
	if (is_remount(entry))
		err_wrap(err, "cannot change the mount on \"%s\"", entry->destination);
	else if (is_bind(entry))
		err_wrap(err, "cannot bind \"%s\" to \"%s\"", entry->source ? entry->source : "",
			 entry->destination);
	else
		err_wrap(err, "cannot mount %s on \"%s\"", entry->type, entry->destination);
	return err_at(err, "/mounts/%zu", entry->index);
}

/* An error of the system call that just failed; a reason instead of words if there is one. */
static int fail_errno(const struct mount_entry *entry, int e, const char *reason,
		      struct oci_err *err)
{
	err_set(err, FAULT_SYSTEM, "%s%s%s", err_name(e), *reason ? ": " : "", reason);
	err->errnum = e;
	return fail(entry, err);
}

static int find_idmap(struct mount_entry *entry, const struct mount_context *context,
		      struct oci_err *err)
{
	/* Mappings without the option: "idmap" is meant. */
	if (entry->uids || entry->gids)
		entry->userns = idmap_get(context->idmaps, entry->uids, entry->gids, err);
	else if (!(entry->opt.actions & IDMAP))
		return 0;
	else if (json_length(json_path(context->c->config, "linux", "uidMappings", NULL)) == 0) {
		err_set(err, FAULT_CONFIG,
			"option \"idmap\" needs uidMappings and gidMappings, or "
			"a container with a user namespace");
	} else {
		entry->userns = idmap_of_process(context->idmaps, &context->c->state->init, err);
	}
	return entry->userns < 0 ? fail(entry, err) : 0;
}

static int make_by_init(struct mount_entry *entry, const struct mount_context *context,
			struct oci_err *err)
{
	const struct mountopt *opt = &entry->opt;
	own_ptr const char **options = calloc(opt->n_data + opt->n_superblock + 1, sizeof *options);
	const char *type = entry->type, *source = entry->source ? entry->source : type;
	size_t n = 0;

	if (!options)
		return fail_errno(entry, ENOMEM, "", err);
	for (size_t i = 0; i < opt->n_superblock; i++)
		if (strcmp(opt->superblock[i], "iversion") != 0)
			options[n++] = opt->superblock[i];
	for (size_t i = 0; i < opt->n_data; i++)
		options[n++] = opt->data[i].text;
	entry->tree = init_make_mount(context->init, type, source, options, n,
				      opt->set | opt->recursive_set, err);
	if (entry->tree >= 0)
		return 0;
	if (err->errnum == EPERM && strcmp(type, "sysfs") == 0)
		err_hint(err, "in a user namespace sysfs needs a network namespace of the "
			      "container's own; or bind the host's /sys instead");
	else if (err->errnum == EPERM && strcmp(type, "proc") == 0)
		err_hint(err, "in a user namespace proc needs a pid namespace of the container's "
			      "own, and a /proc outside that nothing is mounted over");
	return fail(entry, err);
}

static int open_source(const struct mount_entry *entry, struct oci_err *err)
{
	bool whole = entry->opt.actions & MOUNTOPT_RBIND;
	int tree = entry->opt.actions & MOUNTOPT_SRC_NOFOLLOW
			   ? mount_clone_link(entry->source, whole)
			   : mount_clone_path(entry->source, whole);
	int e = errno;
	own_ptr char *why = tree < 0 ? path_explain(entry->source) : NULL;

	return tree < 0 ? fail_errno(entry, e, why ? why : "", err) : tree;
}

/*
 * The propagation, base first: what comes from the host behaves as the
 * container's namespace says, whatever it is in ours; then what the options say.
 */
static int set_propagation(const struct mount_entry *entry, int tree, uint64_t base)
{
	const struct mountopt *opt = &entry->opt;
	bool alone = !(opt->actions & MOUNTOPT_RBIND);

	/* Needless if the first option replaces it: only "shared" keeps what was before. */
	if (opt->n_propagation > 0 && opt->propagation[0].type != MS_SHARED &&
	    (alone || opt->propagation[0].recursive))
		base = 0;
	if (base && mount_change(tree, !alone, 0, 0, base) < 0)
		return -1;
	for (size_t i = 0; i < opt->n_propagation; i++)
		if (mount_change(tree, opt->propagation[i].recursive, 0, 0,
				 opt->propagation[i].type) < 0)
			return -1;
	return 0;
}

static int set_idmap(const struct mount_entry *entry, int tree, struct oci_err *err)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (uint64_t)entry->userns,
	};
	unsigned recursive = entry->opt.actions & MOUNTOPT_RIDMAP ? AT_RECURSIVE : 0;

	if (entry->userns < 0 ||
	    mount_setattr(tree, "", AT_EMPTY_PATH | recursive, &attr, sizeof attr) == 0)
		return 0;
	if (errno == EINVAL)
		err_hint(err, "a filesystem in the source does not know id-mapped mounts");
	if (errno == EPERM)
		err_hint(
			err,
			"its ids can be mapped by who has CAP_SYS_ADMIN in the user namespace that "
			"the filesystem was mounted in: mostly root alone");
	return fail_errno(entry, errno, "cannot map its ids", err);
}

static int set_attributes(const struct mount_entry *entry, int tree, struct oci_err *err)
{
	const struct mountopt *opt = &entry->opt;

	if ((opt->recursive_set | opt->recursive_clear) &&
	    mount_change(tree, true, opt->recursive_set, opt->recursive_clear, 0) < 0)
		return fail_errno(entry, errno, "cannot set its recursive options", err);
	if ((opt->set | opt->clear) && mount_change(tree, false, opt->set, opt->clear, 0) < 0) {
		if (errno == EPERM)
			err_hint(err, "the mount that the source is on is locked against this "
				      "change (mount_namespaces(7))");
		return fail_errno(entry, errno, "cannot set its options", err);
	}
	return 0;
}

static int prepare_source(struct mount_entry *entry, int tree, uint64_t host_propagation,
			  struct oci_err *err)
{
	struct stat st;

	if (fstat(tree, &st) < 0)
		return fail_errno(entry, errno, "cannot look at the source", err);
	entry->file = !S_ISDIR(st.st_mode);
	if (set_idmap(entry, tree, err) < 0 || set_attributes(entry, tree, err) < 0)
		return -1;
	if (set_propagation(entry, tree, host_propagation) < 0)
		return fail_errno(entry, errno, "cannot set its propagation", err);
	return 0;
}

int mount_entry_prepare(struct mount_entry *entry, struct mount_context *context,
			struct oci_err *err)
{
	if (entry->link)
		return 0;
	if (find_idmap(entry, context, err) < 0)
		return -1;
	if (is_made_by_init(entry)) {
		if (context->init < 0)
			context->init = init_connect(context->c, err);
		return context->init < 0 ? fail(entry, err) : 0;
	}
	if (!is_bind(entry) || is_remount(entry))
		return 0;
	entry->tree = open_source(entry, err);
	if (entry->tree < 0) {
		/* Without CAP_SYS_ADMIN here: inside, where our user namespace has it. */
		if (err->errnum != EPERM)
			return -1;
		err_clear(err);
		return 0;
	}
	return prepare_source(entry, entry->tree, context->host_propagation, err);
}

static int open_target(const struct mount_entry *entry, const struct mount_root *root, int tree,
		       struct mount_target *target, struct oci_err *err)
{
	struct mount_wish wish = {
		.destination = entry->destination,
		.type = is_bind(entry) ? NULL : entry->type,
		.source_fd = tree,
		.file = entry->file,
		.existing = is_remount(entry),
		.nofollow = entry->opt.actions & MOUNTOPT_DEST_NOFOLLOW,
	};

	return mount_target_open(root, &wish, target, err) < 0 ? fail(entry, err) : 0;
}

static int attach(struct mount_entry *entry, int tree, int target, struct oci_err *err)
{
	if (mount_attach(tree, target) < 0)
		return fail_errno(entry, errno, "cannot attach it", err);
	return 0;
}

/* The kernel's answer names the option at best; what is wrong with it is often the user namespace.
 */
static void explain_ids(const struct mount_entry *entry, const struct mount_context *context,
			struct oci_err *err)
{
	if (err->errnum == EINVAL && err->message &&
	    (strstr(err->message, "\"gid=") || strstr(err->message, "\"uid=")) &&
	    json_has(json_member(context->c->config, "linux"), "uidMappings"))
		err_hint(err,
			 "ids in options are the container's: is this one in its id mappings?");
	(void)entry;
}

static int attach_new(struct mount_entry *entry, const struct mount_context *context,
		      const struct mount_root *root, struct oci_err *err)
{
	const struct mountopt *opt = &entry->opt;
	bool is_tmpfs = strcmp(entry->type, "tmpfs") == 0;
	struct mount_target target;
	struct mount_new what = {
		.type = entry->type,
		.source = entry->source && *entry->source ? entry->source : entry->type,
		.opt = opt,
		.index = entry->index,
		.mode = -1,
		.label = context->label,
	};
	uint64_t attributes = opt->set | opt->recursive_set;
	own_fd int target_fd = -1, tree = -1;

	if (strcmp(entry->type, "none") == 0) {
		err_set(err, FAULT_CONFIG, "it has no type, and is no bind mount");
		return fail(entry, err);
	}
	if (open_target(entry, root, -1, &target, err) < 0)
		return -1;
	target_fd = target.fd;
	/* A tmpfs over /tmp is as open as /tmp was. */
	if (is_tmpfs && !target.made)
		what.mode = target.mode;
	if (is_read_only_late(entry))
		attributes &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	tree = mount_new(&what, attributes, err);
	if (tree < 0) {
		explain_ids(entry, context, err);
		return fail(entry, err);
	}
	if (set_idmap(entry, tree, err) < 0)
		return -1;
	if (set_propagation(entry, tree, 0) < 0)
		return fail_errno(entry, errno, "cannot set its propagation", err);
	if ((opt->actions & MOUNTOPT_COPY_UP) && !target.made &&
	    mount_copy_tree(target_fd, tree, err) < 0)
		return fail(entry, err);
	if (attach(entry, tree, target_fd, err) < 0)
		return -1;
	if (is_read_only_late(entry))
		entry->late_fd = steal_fd(&tree);
	return 0;
}

static int attach_bind(struct mount_entry *entry, const struct mount_context *context,
		       const struct mount_root *root, struct oci_err *err)
{
	struct mount_target target;
	own_fd int target_fd = -1, opened = -1;
	int tree = entry->tree;

	if (tree < 0) {
		tree = opened = open_source(entry, err);
		if (tree < 0 || prepare_source(entry, tree, context->host_propagation, err) < 0)
			return -1;
	}
	if (open_target(entry, root, tree, &target, err) < 0)
		return -1;
	target_fd = target.fd;
	return attach(entry, tree, target_fd, err);
}

static int change_existing(struct mount_entry *entry, const struct mount_context *context,
			   const struct mount_root *root, struct oci_err *err)
{
	struct mount_new what = {.type = entry->type,
				 .opt = &entry->opt,
				 .index = entry->index,
				 .mode = -1,
				 .label = context->label};
	struct mount_target target;
	own_fd int target_fd = -1;

	if (entry->userns >= 0) {
		err_set(err, FAULT_CONFIG, "only a new mount can be given an id mapping");
		return fail(entry, err);
	}
	if (open_target(entry, root, -1, &target, err) < 0)
		return -1;
	target_fd = target.fd;
	if (!target.is_mount_root) {
		err_set(err, FAULT_CONFIG, "EINVAL: it is not a mount");
		return fail(entry, err);
	}
	/* With "bind" only the mount changes, without it the superblock too. */
	if (!is_bind(entry) && mount_reconfigure(target_fd, &what, err) < 0)
		return fail(entry, err);
	if (set_attributes(entry, target_fd, err) < 0)
		return -1;
	if (set_propagation(entry, target_fd, 0) < 0)
		return fail_errno(entry, errno, "cannot set its propagation", err);
	return 0;
}

static int make_link(const struct mount_entry *entry, const struct mount_root *root,
		     struct oci_err *err)
{
	own_ptr char *clean = mount_target_clean(entry->destination);
	const size_t len = strlen(entry->link);
	own_ptr char *there = malloc(len + 2);
	own_fd int parent = -1;
	const char *name;

	if (!clean || !there)
		return fail_errno(entry, ENOMEM, "", err);
	/* As with a mount, over or in /proc would be what a program takes for the kernel's. */
	if (strcmp(clean, "/proc") == 0 || strncmp(clean, "/proc/", 6) == 0)
		return fail_errno(entry, EINVAL, "no link is made in /proc", err);
	parent = path_open_parent(root->fd, clean, &name);
	if (parent >= 0 && symlinkat(entry->link, parent, name) == 0)
		return 0;
	/* One that is the same is fine; of a cgroup's links, whatever is there. */
	if (parent >= 0 && errno == EEXIST &&
	    (!is_bind(entry) || (readlinkat(parent, name, there, len + 1) == (ssize_t)len &&
				 memcmp(there, entry->link, len) == 0)))
		return 0;
	return fail_errno(entry, parent < 0 ? errno : EEXIST, "cannot make the link", err);
}

/* Not before its turn: the kernel lists mounts in the order in which they were made. */
static int attach_made_by_init(struct mount_entry *entry, const struct mount_context *context,
			       const struct mount_root *root, struct oci_err *err)
{
	if (make_by_init(entry, context, err) < 0 || set_idmap(entry, entry->tree, err) < 0)
		return -1;
	if (set_propagation(entry, entry->tree, 0) < 0)
		return fail_errno(entry, errno, "cannot set its propagation", err);
	return attach_bind(entry, context, root, err);
}

int mount_entry_attach(struct mount_entry *entry, const struct mount_context *context,
		       const struct mount_root *root, struct oci_err *err)
{
	if (entry->link)
		return make_link(entry, root, err);
	if (is_remount(entry))
		return change_existing(entry, context, root, err);
	if (is_made_by_init(entry))
		return attach_made_by_init(entry, context, root, err);
	if (is_bind(entry))
		return attach_bind(entry, context, root, err);
	return attach_new(entry, context, root, err);
}

int mount_entry_finish(struct mount_entry *entry, struct oci_err *err)
{
	own_fd int fd = steal_fd(&entry->late_fd);

	if (fd >= 0 && mount_change(fd, false, MOUNT_ATTR_RDONLY, 0, 0) < 0)
		return fail_errno(entry, errno, "cannot make it read-only", err);
	return 0;
}
