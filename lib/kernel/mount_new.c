/* New superblocks: fsopen(2), fsconfig(2), fsmount(2). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "kernel/mount.h"

bool mount_is_virtual(const char *type)
{
	static const char *const types[] = {"tmpfs",  "proc",  "sysfs",	 "mqueue",
					    "devpts", "ramfs", "cgroup", "cgroup2"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* What the filesystem says about its last failure, "" if nothing: "tmpfs: Bad value for 'size'". */
static void read_log(int fs, char *text, size_t size)
{
	ssize_t n = read(fs, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	/* Each message begins with its level: "e ", "w ", "i ". */
	if (n > 2 && text[1] == ' ')
		memmove(text, text + 2, (size_t)n - 1);
	text[strcspn(text, "\n")] = '\0';
}

/* errno of the failed call is e; part is what was being set, or NULL for the whole. */
static int fail(int fs, int e, const struct mount_new *what, const char *part, struct oci_err *err)
{
	char log[256];

	read_log(fs, log, sizeof log);
	if (part)
		err_set(err, FAULT_SYSTEM, "%s: option \"%s\"%s%s", err_name(e), part,
			*log ? ": " : "", log);
	else
		err_set(err, FAULT_SYSTEM, "%s%s%s", err_name(e), *log ? ": " : "", log);
	err->errnum = e;
	if (e == EPERM)
		err_hint(err, "the filesystem \"%s\" may not be mounted in this user namespace",
			 what->type);
	return -1;
}

static int set_text(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* "key" or "key=value". */
static int set_option(int fs, const char *option)
{
	const char *equals = strchr(option, '=');
	own_ptr char *key = NULL;
	own_ptr char *value = NULL;
	size_t len;

	if (!equals)
		return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
	key = strndup(option, (size_t)(equals - option));
	len = strlen(++equals);
	/* context="..." is quoted because of its commas; here nothing is split at commas. */
	if (len >= 2 && equals[0] == '"' && equals[len - 1] == '"')
		value = strndup(equals + 1, len - 2);
	else
		value = strdup(equals);
	if (!key || !value) {
		errno = ENOMEM;
		return -1;
	}
	return set_text(fs, key, value);
}

static int set_superblock(int fs, const struct mount_new *what, struct oci_err *err)
{
	const struct mountopt *opt = what->opt;

	for (size_t i = 0; i < opt->n_superblock; i++) {
		const char *flag = opt->superblock[i];

		if (strcmp(flag, "iversion") == 0) {
			if (strcmp(what->type, "ext4") != 0)
				continue;
			flag = "i_version";
		}
		if (fsconfig(fs, FSCONFIG_SET_FLAG, flag, NULL, 0) < 0)
			return fail(fs, errno, what, flag, err);
	}
	if (!mount_is_virtual(what->type) && (opt->set & MOUNT_ATTR_RDONLY) &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return fail(fs, errno, what, "ro", err);
	return 0;
}

static int set_options(int fs, const struct mount_new *what, struct oci_err *err)
{
	const struct mountopt *opt = what->opt;
	char mode[32];

	if (what->mode >= 0) {
		snprintf(mode, sizeof mode, "%04o", (unsigned)what->mode);
		/* Before the options, so that theirs wins. */
		if (set_text(fs, "mode", mode) < 0)
			return fail(fs, errno, what, "mode", err);
	}
	for (size_t i = 0; i < opt->n_data; i++)
		if (set_option(fs, opt->data[i].text) < 0) {
			fail(fs, errno, what, opt->data[i].text, err);
			return err_at(err, "/mounts/%zu/options/%zu", what->index,
				      opt->data[i].index);
		}
	if (what->label && set_text(fs, "context", what->label) < 0) {
		fail(fs, errno, what, "context", err);
		return err_at(err, "/linux/mountLabel");
	}
	return set_superblock(fs, what, err);
}

int mount_new(const struct mount_new *what, uint64_t attributes, struct oci_err *err)
{
	own_fd int fs = fsopen(what->type, FSOPEN_CLOEXEC);
	const char *subtype = strchr(what->type, '.');
	int mount;

	if (fs < 0 && errno == ENODEV) {
		err_set(err, FAULT_UNSUPPORTED, "ENODEV: this kernel has no filesystem \"%s\"",
			what->type);
		return err_at(err, "/mounts/%zu/type", what->index);
	}
	if (fs < 0)
		return fail(fs, errno, what, NULL, err);
	if (subtype && set_text(fs, "subtype", subtype + 1) < 0)
		return fail(fs, errno, what, what->type, err);
	if (what->source && *what->source && set_text(fs, "source", what->source) < 0) {
		fail(fs, errno, what, "source", err);
		return err_at(err, "/mounts/%zu/source", what->index);
	}
	if (set_options(fs, what, err) < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(fs, errno, what, NULL, err);
	mount = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
	return mount < 0 ? fail(fs, errno, what, NULL, err) : mount;
}

int mount_reconfigure(int fd, const struct mount_new *what, struct oci_err *err)
{
	own_fd int fs = fspick(fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);

	if (fs < 0)
		return fail(fs, errno, what, NULL, err);
	if (set_options(fs, what, err) < 0)
		return -1;
	if (!mount_is_virtual(what->type) && (what->opt->clear & MOUNT_ATTR_RDONLY) &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "rw", NULL, 0) < 0)
		return fail(fs, errno, what, "rw", err);
	return fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0
		       ? fail(fs, errno, what, NULL, err)
		       : 0;
}
