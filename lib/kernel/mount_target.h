/*
 * Where a mount goes: the destination inside the container's root, made if it
 * is missing, and the rules about /, /proc and /sys.
 *
 *	- nothing is mounted over the root itself;
 *	- proc and sysfs go to real directories, reached without a symbolic link:
 *	  a /proc that is somewhere else is one that the image controls;
 *	- over /proc goes nothing but a procfs, and beneath it nothing but the
 *	  files that lxcfs emulates (CVE-2019-16884, CVE-2025-52881).
 */
#ifndef KERNEL_MOUNT_TARGET_H
#define KERNEL_MOUNT_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* The container's root, looked at once. */
struct mount_root {
	int fd; /* borrowed */
	uint64_t inode, mount_id;
};

int mount_root_look(int root_fd, struct mount_root *ret_root, struct oci_err *err);

struct mount_target {
	int fd; /* O_PATH */
	mode_t mode;
	bool made;	    /* it was not there */
	bool is_mount_root; /* a mount begins here */
};

struct mount_wish {
	const char *destination; /* as in config.json */
	const char *type;	 /* of the filesystem; NULL for a bind mount */
	int source_fd;		 /* the tree to attach if it is there already, or -1 */
	bool file;		 /* the destination is a file, not a directory */
	bool existing;		 /* a remount: nothing is made, "/" is fine */
	bool nofollow;		 /* a link at the destination is the destination */
};

/* -1 with *err (without a pointer). The caller closes ret_target->fd. */
int mount_target_open(const struct mount_root *root, const struct mount_wish *wish,
		      struct mount_target *ret_target, struct oci_err *err);

/*
 * The destination without ".", "..", and doubled slashes, as text only:
 * "/dev//shm/" is "/dev/shm". The caller frees it; NULL without memory.
 */
char *mount_target_clean(const char *destination);

#endif
