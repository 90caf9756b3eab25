/*
 * The directories of a container's cgroup: what the record says of each
 * hierarchy, and how its directory is reached, made and removed. Shared by
 * kernel/cgroup*.c only.
 *
 * Everything is reached from a descriptor of the hierarchy's root, never by a
 * path from "/", with openat2(2)'s RESOLVE_BENEATH and without symbolic links.
 *
 * A directory is the container's if its id (the inode number of cgroupfs: 64
 * bits, not used again before a reboot) is the one in the record. A directory
 * of the same name that somebody else has made is left alone.
 */
#ifndef KERNEL_CGROUP_TREE_H
#define KERNEL_CGROUP_TREE_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

enum {
	CGROUP_HIERARCHIES_MAX = 32,
	CGROUP_DEADLINE_MS = 10 * 1000,
	/*
	 * A directory that is made above a container's, for instance /docker of
	 * /docker/ID, has the sticky bit, which means nothing in cgroupfs: whichever
	 * container is the last in it removes it. Those of others have no such mark.
	 */
	CGROUP_PARENT_MARK = 01000,
};

/*
 * "base/path" with single slashes and without "." components, beginning with a
 * slash; the caller frees it. NULL with *err: ".." would leave the place that was
 * asked for, or the hierarchy; a newline cannot be in a cgroup's name; path
 * must name something. (kernel/cgroup_path.c)
 */
char *cgroup_normal_path(const char *base, const char *path, struct oci_err *err);

struct cgroup_hierarchy {
	const char *mount; /* where its root is mounted; borrowed from the record, as path is */
	const char *path;  /* "/a/b": beneath the root */
	bool v2;
	unsigned made;	    /* so many of the last components of path are ours to remove */
	uint64_t id;	    /* 0: not known to be the container's (yet) */
	uint64_t events_id; /* of its cgroup.events, which is looked at often; 0: not known */
	struct json_object *json;
};

/* The hierarchies of the record; 0 if it has none. */
size_t cgroup_count(const struct json_object *record);
struct cgroup_hierarchy cgroup_at(const struct json_object *record, size_t i);

/* The v2 hierarchy; false if there is none. */
bool cgroup_find_v2(const struct json_object *record, struct cgroup_hierarchy *ret);

/* The v1 hierarchy of a controller ("memory", in a directory "cpu,memory" too); false if none. */
bool cgroup_find_v1(const struct json_object *record, const char *controller,
		    struct cgroup_hierarchy *ret);

/* Notes in the record what was made. */
void cgroup_note(const struct cgroup_hierarchy *h);

/* The root of the hierarchy, O_PATH; -1 with *err. */
int cgroup_open_root(const struct cgroup_hierarchy *h, struct oci_err *err);

/* path beneath root_fd, O_PATH; -1 with errno. */
int cgroup_open_beneath(int root_fd, const char *path);

/*
 * The container's own directory, O_PATH. -1 with *err; if it is gone, or was
 * never made, with err->fault FAULT_NONE and no message.
 */
int cgroup_open_leaf(const struct cgroup_hierarchy *h, struct oci_err *err);

/* cgroup.events of the container's own directory, of v2; -1 if that is not to be had. */
int cgroup_open_events(const struct cgroup_hierarchy *h);

/*
 * Makes the directory and the missing ones above it, or opens the one that was
 * there when the creation was planned, and notes its id in the record.
 * Returns its O_PATH descriptor; -1 with *err.
 */
int cgroup_make_leaf(struct cgroup_hierarchy *h, int root_fd, struct oci_err *err);

/* Reads a control file, at most 1 MiB, without the newline at its end; the caller frees it. -1 with
 * errno. */
int cgroup_read(int dir_fd, const char *file, char **ret_text);

/*
 * Whether the errno of an access to something in a cgroup means that the cgroup is no more: ENOENT
 * when it is opened, ENODEV when it is read or written. Others remove cgroups too: systemd
 * does so as soon as the last process has left a scope.
 */
bool cgroup_is_gone(int errnum);

/*
 * Goes through the cgroup and all beneath it, the upper ones first, with few descriptors. enter is
 * called in each, leave, when one has been gone through, with the directory that it is in and its
 * name; both may be NULL. -1 with errno, also enter's; a cgroup that is gone is none.
 * (kernel/cgroup_walk.c)
 */
struct cgroup_visit {
	int (*enter)(int dir, void *arg);
	void (*leave)(int parent, const char *name);
	void *arg;
};
int cgroup_walk(int dir_fd, const struct cgroup_visit *visit);

/* Whether the entry of a cgroup's directory is a cgroup below it. */
bool cgroup_is_child(const struct dirent *entry);

/* Whether the caller is no root of the machine: by uid, or by user namespace. */
bool cgroup_unprivileged(void);

/* Milliseconds of CLOCK_MONOTONIC; a sleep that grows from 0.1 ms to 20 ms with each turn. */
int64_t cgroup_now_ms(void);
void cgroup_pause(unsigned turn);

#endif
