/*
 * Mounts as descriptors: Linux 5.14's interface, and nothing older.
 *
 * A mount is made or cloned detached, gets its attributes while nobody can
 * see it, and is then attached to an O_PATH descriptor. There is no moment in
 * which a read-only mount can be written to, and no path that is looked up a
 * second time.
 *
 * Also here: the root filesystem, as every container-side stage finds it.
 */
#ifndef KERNEL_MOUNT_H
#define KERNEL_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>

#include "base/err.h"
#include "oci/container.h"
#include "oci/mountopt.h"

/*
 * The root filesystem as the mount namespace that we are in has it, O_PATH:
 * before oci-prepare-root the directory, afterwards the mount on it. Checked
 * against the device and inode in the state: a directory that was put in its
 * place is refused. Before the pivot only. -1 with *err; the caller closes it.
 */
int rootfs_open(const struct container *c, struct oci_err *err);

/*
 * Whether the container has a mount namespace of its own making. If not (it
 * shares ours, or joins one), no stage mounts anything.
 */
bool mount_namespace_is_own(const struct json_object *config);

/*
 * What linux.rootfsPropagation means for mounts that come from the host: MS_SLAVE
 * (the default), MS_PRIVATE, or 0 (they stay as they are). "rslave" and the
 * like, which engines write, count as "slave".
 */
uint64_t mount_host_propagation(const struct json_object *config);

/*
 * The part of linux.rootfsPropagation that can only be done after
 * pivot_root(2), which refuses shared mounts: shared, unbindable. root_fd: the
 * container's root, in its mount namespace.
 */
int mount_root_propagation(const struct json_object *config, int root_fd, struct oci_err *err);

/*
 * Changes the mount at fd, or with tree also all beneath it: attributes
 * (MOUNT_ATTR_*) and, if it is not 0, the propagation (MS_*). -1 with errno.
 */
int mount_change(int fd, bool tree, uint64_t set, uint64_t clear, uint64_t propagation);

/* A detached copy of the mount (tree) at the descriptor or path; -1 with errno. */
int mount_clone(int fd, bool tree);
int mount_clone_path(const char *path, bool tree);

/* The same, but a path that is a symbolic link is the link. */
int mount_clone_link(const char *path, bool tree);

/* Attaches a detached mount to the file or directory at an O_PATH descriptor; -1 with errno. */
int mount_attach(int detached, int target);

/*
 * Makes a superblock and a detached mount of it, in the namespaces that we are in.
 * mode: of the root directory of a tmpfs whose options say none, or -1.
 * label: an SELinux context, or NULL. The error has what the kernel's
 * filesystem said about it, and points to the option of /mounts/index.
 */
struct mount_new {
	const char *type, *source;
	const struct mountopt *opt;
	size_t index;
	int mode;
	const char *label;
};
int mount_new(const struct mount_new *what, uint64_t attributes, struct oci_err *err);

/* Reconfigures the superblock of the mount at fd (option remount without bind). */
int mount_reconfigure(int fd, const struct mount_new *what, struct oci_err *err);

/* Whether "ro" is for the mount only, since its superblock is nobody's own or in memory. */
bool mount_is_virtual(const char *type);

#endif
