/*
 * Purpose: reach, make and read the directories of a container's cgroup.
 * Runs in: the runtime's namespaces, with the caller's rights over cgroupfs.
 * Should: stay beneath the root of each hierarchy; tell our directories from
 *   others' by id.
 * Mustn't: follow a link; use a directory that appeared after the plan.
 * Undo: cgroup_remove().
 * Specification: config-linux.md, "Cgroups Path".
 */
#include "kernel/cgroup_tree.h"
#include "kernel/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"

enum {
	READ_MAX = 64 << 20, /* a cgroup.procs of four million processes, as many as there can be */
	/* Another container's removal may take a shared parent away between two of our mkdirs. */
	MAKE_TRIES = 100,
};

size_t cgroup_count(const struct json_object *record)
{
	return json_length(json_member(record, "hierarchies"));
}

struct cgroup_hierarchy cgroup_at(const struct json_object *record, size_t i)
{
	struct json_object *json = json_item(json_member(record, "hierarchies"), i);
	const char *mount = json_string(json, "mount"), *path = json_string(record, "path");

	return (struct cgroup_hierarchy){
		.mount = mount ? mount : "",
		.path = path ? path : "/",
		.v2 = json_int(json, "version", 1) == 2,
		.made = (unsigned)json_int(json, "made", 0),
		.id = json_uint(json, "id", 0),
		.events_id = json_uint(json, "eventsId", 0),
		.json = json,
	};
}

bool cgroup_location(const struct json_object *record, size_t i, struct cgroup_location *ret)
{
	struct cgroup_hierarchy h;

	if (i >= cgroup_count(record))
		return false;
	h = cgroup_at(record, i);
	*ret = (struct cgroup_location){h.v2 ? "" : strrchr(h.mount, '/') + 1, h.mount, h.path};
	return true;
}

bool cgroup_find_v2(const struct json_object *record, struct cgroup_hierarchy *ret)
{
	for (size_t i = 0; i < cgroup_count(record); i++) {
		*ret = cgroup_at(record, i);
		if (ret->v2)
			return true;
	}
	return false;
}

/* Whether word is one of the words of list, which are separated by commas. */
static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *c = list; *c; c += strspn(c, ",")) {
		size_t n = strcspn(c, ",");

		if (n == len && memcmp(c, word, n) == 0)
			return true;
		c += n;
	}
	return false;
}

bool cgroup_find_v1(const struct json_object *record, const char *controller,
		    struct cgroup_hierarchy *ret)
{
	for (size_t i = 0; i < cgroup_count(record); i++) {
		const char *name;

		*ret = cgroup_at(record, i);
		name = strrchr(ret->mount, '/');
		if (!ret->v2 && name && in_list(name + 1, controller))
			return true;
	}
	return false;
}

void cgroup_note(const struct cgroup_hierarchy *h)
{
	json_object_object_add(h->json, "made", json_object_new_int((int)h->made));
	json_object_object_add(h->json, "id", json_object_new_uint64(h->id));
	if (h->events_id)
		json_object_object_add(h->json, "eventsId", json_object_new_uint64(h->events_id));
}

int cgroup_open_root(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	int fd = open(h->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(err, errno, "cannot open \"%s\"", h->mount);
	return fd;
}

int cgroup_open_beneath(int root_fd, const char *path)
{
	return sys_openat2(root_fd, path + strspn(path, "/"), O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* The root that is kept open, if any is. */
static struct {
	bool wanted;
	char *mount;
	int fd;
} kept = {.fd = -1};

void cgroup_keep_root(void)
{
	kept.wanted = true;
}

/* Opens it, into *ret_own if it is the caller's to close. */
static int reach_root(const struct cgroup_hierarchy *h, int *ret_own, struct oci_err *err)
{
	if (kept.mount && strcmp(kept.mount, h->mount) == 0)
		return kept.fd;
	*ret_own = cgroup_open_root(h, err);
	if (!kept.wanted || kept.mount || *ret_own < 0)
		return *ret_own;
	kept.mount = strdup(h->mount);
	return kept.mount ? kept.fd = steal_fd(ret_own) : *ret_own;
}

int cgroup_open_leaf(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	own_fd int own = -1, leaf = -1;
	struct stat st;
	int root;

	err_clear(err);
	if (!h->id)
		return -1;
	root = reach_root(h, &own, err);
	if (root < 0)
		return -1;
	leaf = cgroup_open_beneath(root, h->path);
	if (leaf < 0 && cgroup_is_gone(errno))
		return -1;
	if (leaf < 0 || fstat(leaf, &st) < 0)
		return err_sys(err, errno, "cannot open cgroup \"%s%s\"", h->mount, h->path);
	if (st.st_ino != h->id)
		return -1;
	return steal_fd(&leaf);
}

int cgroup_open_events(const struct cgroup_hierarchy *h)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_fd int own = -1, leaf = -1, file = -1;
	own_ptr char *path = NULL;
	struct stat st;

	if (!h->events_id) {
		leaf = cgroup_open_leaf(h, &ignored);
		return openat(leaf, "cgroup.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (asprintf(&path, "%s/cgroup.events", h->path + strspn(h->path, "/")) < 0)
		return -1;
	file = sys_openat2(reach_root(h, &own, &ignored), path, O_RDONLY | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	if (file < 0 || fstat(file, &st) < 0 || st.st_ino != h->events_id)
		return -1;
	return steal_fd(&file);
}

/* Makes what is missing above the last component of path; -1 with errno. */
static int make_parents(int root_fd, const char *path)
{
	own_ptr char *part = strdup(path + 1);

	if (!part)
		return -1;
	for (char *slash = strchr(part, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(root_fd, part, 0755 | CGROUP_PARENT_MARK) < 0 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

static int make_path(int root_fd, const char *path, bool parents)
{
	for (int i = 0;; i++) {
		if (parents && make_parents(root_fd, path) < 0 && errno != ENOENT)
			return -1;
		if (mkdirat(root_fd, path + 1, 0755) == 0)
			return 0;
		if (errno != ENOENT || i == MAKE_TRIES)
			return -1;
		parents = true;
	}
}

static int make_failed(struct cgroup_hierarchy *h, int errnum, struct oci_err *err)
{
	if (errnum == EEXIST) {
		/* Not ours after all: nothing of it may be removed. */
		h->made = 0;
		cgroup_note(h);
		return err_set(err, FAULT_STATE,
			       "cgroup \"%s%s\" is in use: another container made it meanwhile",
			       h->mount, h->path);
	}
	err_sys(err, errnum, "cannot create cgroup \"%s%s\"", h->mount, h->path);
	if (errnum == EAGAIN)
		err_hint(err, "cgroup.max.depth or cgroup.max.descendants above it is reached");
	return -1;
}

int cgroup_make_leaf(struct cgroup_hierarchy *h, int root_fd, struct oci_err *err)
{
	own_fd int leaf = -1;
	struct stat st;

	if (h->made > 0 && make_path(root_fd, h->path, h->made > 1) < 0)
		return make_failed(h, errno, err);
	leaf = cgroup_open_beneath(root_fd, h->path);
	if (leaf < 0 || fstat(leaf, &st) < 0)
		return err_sys(err, errno, "cannot open cgroup \"%s%s\"", h->mount, h->path);
	h->id = st.st_ino;
	if (h->v2 && fstatat(leaf, "cgroup.events", &st, AT_SYMLINK_NOFOLLOW) == 0)
		h->events_id = st.st_ino;
	cgroup_note(h);
	return steal_fd(&leaf);
}

int cgroup_read(int dir_fd, const char *file, char **ret_text)
{
	char *text;
	size_t len;

	if (fd_read_file(dir_fd, file, READ_MAX, &text, &len) < 0)
		return -1;
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	*ret_text = text;
	return 0;
}

bool cgroup_is_gone(int errnum)
{
	return errnum == ENOENT || errnum == ENODEV;
}

bool cgroup_is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

int64_t cgroup_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void cgroup_pause(unsigned turn)
{
	struct timespec t = {.tv_nsec = turn < 8 ? 100000L << turn : 20000000};

	nanosleep(&t, NULL);
}
