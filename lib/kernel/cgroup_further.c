/*
 * Purpose: open the cgroups of a further process.
 * Runs in: the runtime's namespaces.
 * Should: stay beneath the container's own cgroup, by descriptors.
 * Mustn't: make a cgroup; follow a link.
 * Undo: nothing.
 */
#include "kernel/cgroup_further.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/cgroup_tree.h"
#include "kernel/proc.h"

enum { PROC_CGROUP_MAX = 64 << 10 };

static int bad(struct oci_err *err, const char *text, const char *why)
{
	return err_set(err, FAULT_USAGE, "--cgroup \"%s\": %s", text, why);
}

/* Whether the record has a v1 hierarchy of each of the controllers, len bytes of them. */
static int check_controllers(const struct cgroup_further *f, const char *text, size_t len,
			     struct oci_err *err)
{
	own_ptr char *list = strndup(text, len);
	struct cgroup_hierarchy h;

	if (!list)
		return err_sys(err, ENOMEM, "cannot keep --cgroup");
	for (char *rest = list, *name; (name = strsep(&rest, ","));) {
		if (!*name)
			return bad(err, text, "a controller without a name");
		if (!cgroup_find_v1(f->record, name, &h))
			return bad(err, text,
				   "the container has no cgroup v1 hierarchy of that controller");
	}
	return 0;
}

static int check_path(const char *text, const char *path, struct oci_err *err)
{
	for (const char *c = path; *c; c += strspn(c, "/")) {
		size_t n = strcspn(c, "/");

		if (n == 2 && memcmp(c, "..", 2) == 0)
			return bad(err, text,
				   ".. is not a sub cgroup path: it would leave the container's");
		c += n;
	}
	return strchr(path, '\n') ? bad(err, text, "contains a newline") : 0;
}

static bool names(const char *list, size_t len, const char *name, size_t name_len)
{
	for (const char *c = list; c <= list + len; c += strcspn(c, ",:") + 1)
		if (strcspn(c, ",:") == name_len && memcmp(c, name, name_len) == 0)
			return true;
	return false;
}

/* Whether an earlier one names a controller of this one too. */
static bool named_before(const struct json_object *below, size_t i)
{
	const char *text = json_item_string(below, i);
	const size_t len = strcspn(text, ":");

	for (size_t k = 0; k < i; k++) {
		const char *other = json_item_string(below, k);

		for (const char *c = text; c < text + len; c += strcspn(c, ",:") + 1)
			if (names(other, strcspn(other, ":"), c, strcspn(c, ",:")))
				return true;
	}
	return false;
}

int cgroup_further_check(const struct cgroup_further *f, struct oci_err *err)
{
	const size_t n = json_length(f->below);

	for (size_t i = 0; i < n; i++) {
		const char *text = json_item_string(f->below, i), *colon = strchr(text, ':');

		if (!colon && n > 1)
			return bad(err, text, "without a controller it must be the only one");
		if (colon && check_controllers(f, text, (size_t)(colon - text), err) < 0)
			return -1;
		if (colon && named_before(f->below, i))
			return bad(err, text, "a controller that has been named before");
		if (check_path(text, colon ? colon + 1 : text, err) < 0)
			return -1;
	}
	if (n && cgroup_count(f->record) == 0)
		return bad(err, json_item_string(f->below, 0), "the container has no cgroup");
	return 0;
}

/* The path that is asked for in this hierarchy, or "". */
static const char *below_of(const struct cgroup_further *f, const struct cgroup_hierarchy *h)
{
	for (size_t i = 0; i < json_length(f->below); i++) {
		const char *text = json_item_string(f->below, i), *colon = strchr(text, ':');

		if (!colon)
			return text;
		for (const char *c = text; c < colon; c += strcspn(c, ",:") + 1) {
			own_ptr char *name = strndup(c, strcspn(c, ",:"));
			struct cgroup_hierarchy of;

			if (name && cgroup_find_v1(f->record, name, &of) && of.json == h->json)
				return colon + 1;
		}
	}
	return "";
}

static int gone(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	return err_set(err, FAULT_STATE, "cgroup \"%s%s\" of the container is gone", h->mount,
		       h->path);
}

/* The directory, O_PATH. */
static int open_directory(const struct cgroup_further *f, const struct cgroup_hierarchy *h,
			  struct oci_err *err)
{
	const char *below = below_of(f, h);
	own_fd int leaf = cgroup_open_leaf(h, err);
	int fd;

	if (leaf < 0)
		return err->fault == FAULT_NONE ? gone(h, err) : -1;
	if (!below[strspn(below, "/")])
		return steal_fd(&leaf);
	fd = cgroup_open_beneath(leaf, below);
	if (fd >= 0)
		return fd;
	err_sys(err, errno, "cannot open cgroup \"%s%s/%s\"", h->mount, h->path,
		below + strspn(below, "/"));
	if (err->errnum == ENOENT)
		err->fault = FAULT_USAGE;
	return -1;
}

/* A single thread that writes "0" to it moves itself. */
static int open_tasks(const struct cgroup_further *f, const struct cgroup_hierarchy *h,
		      struct oci_err *err)
{
	own_fd int dir = open_directory(f, h, err);
	int fd;

	if (dir < 0)
		return -1;
	fd = openat(dir, "tasks", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT || errno == ENODEV)
		return gone(h, err);
	return err_sys(err, errno, "cannot open \"%s%s/tasks\"", h->mount, h->path);
}

int cgroup_further_open_v1(const struct cgroup_further *f, int *fds, size_t *n_fds,
			   struct oci_err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < cgroup_count(f->record); i++) {
		struct cgroup_hierarchy h = cgroup_at(f->record, i);

		if (h.v2)
			continue;
		if (n == *n_fds)
			return err_set(err, FAULT_UNSUPPORTED,
				       "more than %zu cgroup v1 hierarchies", n);
		fds[n] = open_tasks(f, &h, err);
		if (fds[n] < 0)
			return -1;
		n++;
	}
	*n_fds = n;
	return 0;
}

int cgroup_further_open_v2(const struct cgroup_further *f, struct oci_err *err)
{
	struct cgroup_hierarchy h;

	err_clear(err);
	return cgroup_find_v2(f->record, &h) ? open_directory(f, &h, err) : -1;
}

/* The path of "0::PATH", cut out of the text of /proc/PID/cgroup; NULL: there is none. */
static const char *path_in_v2(char *text)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (strncmp(line, "0::", 3) == 0)
			return line + 3;
	return NULL;
}

int cgroup_further_open_beside(const struct cgroup_further *f, pid_t init, struct oci_err *err)
{
	int proc = proc_fd(err), dir;
	own_fd int fd = -1, leaf = -1;
	own_ptr char *text = NULL;
	struct cgroup_hierarchy h;
	const char *path;
	char name[32];
	size_t len;

	if (proc < 0)
		return -1;
	snprintf(name, sizeof name, "%d/cgroup", (int)init);
	fd = sys_openat2(proc, name, O_RDONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fd_read_all(fd, PROC_CGROUP_MAX, &text, &len) < 0)
		return err_sys(err, errno, "cannot read the cgroups of process %d", (int)init);
	path = path_in_v2(text);
	if (!path || !cgroup_find_v2(f->record, &h))
		return err_set(err, FAULT_STATE, "process %d is in no cgroup v2", (int)init);
	len = strlen(h.path);
	if (strncmp(path, h.path, len) != 0 || path[len] != '/')
		return err_set(err, FAULT_STATE,
			       "process %d is in cgroup \"%s\", not beneath \"%s\"", (int)init,
			       path, h.path);
	leaf = cgroup_open_leaf(&h, err);
	if (leaf < 0)
		return err->fault == FAULT_NONE ? gone(&h, err) : -1;
	dir = cgroup_open_beneath(leaf, path + len);
	return dir < 0 ? err_sys(err, errno, "cannot open cgroup \"%s%s\"", h.mount, path) : dir;
}

bool cgroup_further_can_bring(const struct cgroup_further *f)
{
	return cgroup_is_systemd(f->record);
}

int cgroup_further_bring(const struct cgroup_further *f, pid_t pid, struct oci_err *err)
{
	const char *below = json_length(f->below) ? json_item_string(f->below, 0) : "";

	return cgroup_systemd_bring(f->record, below, pid, err);
}
