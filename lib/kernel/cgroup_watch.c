/* Being told that a container runs out of memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_stats.h"
#include "kernel/cgroup_tree.h"

/* memory.txt, 9: cgroup.event_control takes an eventfd and the file that it is about. */
static int watch_v1(int dir, struct cgroup_watch *w)
{
	char text[48];

	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->file = openat(dir, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0 || w->file < 0)
		return -1;
	snprintf(text, sizeof text, "%d %d", w->fd, w->file);
	return fd_write_control(dir, "cgroup.event_control", text);
}

static uint64_t kills(int dir)
{
	own_ptr char *text = NULL;

	if (cgroup_read(dir, "memory.events", &text) < 0)
		return 0;
	return cgroup_stats_word(text, "oom_kill", 1);
}

/* The directory's descriptor names the file: the path of a cgroup may be changed. */
static int watch_v2(int dir, struct cgroup_watch *w)
{
	char path[64];
	own_fd int file = openat(dir, "memory.events", O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return -1;
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	w->file = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	if (w->fd < 0 || w->file < 0 || inotify_add_watch(w->fd, path, IN_MODIFY) < 0)
		return -1;
	w->kills = kills(dir);
	return 0;
}

static bool has_killed(const struct json_object *record)
{
	own_err struct oci_err ignored = ERR_INIT;
	own_ptr char *text = NULL;
	struct cgroup_hierarchy h;
	own_fd int dir = -1;
	bool v1 = cgroup_find_v1(record, "memory", &h);

	if (!v1 && !cgroup_find_v2(record, &h))
		return false;
	dir = cgroup_open_leaf(&h, &ignored);
	return dir >= 0 &&
	       cgroup_read(dir, v1 ? "memory.oom_control" : "memory.events", &text) == 0 &&
	       cgroup_stats_word(text, "oom_kill", 1) > 0;
}

int cgroup_explain_kill(const struct json_object *record, struct oci_err *err)
{
	if ((err->errnum && err->errnum != EPIPE) || !has_killed(record))
		return -1;
	err_clear(err);
	err_set(err, FAULT_CONFIG,
		"init was killed: the container's memory does not suffice for it");
	return err_at(err, "/linux/resources/memory/limit");
}

int cgroup_watch_open(const struct json_object *record, struct cgroup_watch *ret_watch,
		      struct oci_err *err)
{
	struct cgroup_watch w = CGROUP_WATCH_INIT;
	struct cgroup_hierarchy h;
	own_fd int dir = -1;

	w.v2 = !cgroup_find_v1(record, "memory", &h);
	*ret_watch = w;
	if (w.v2 && !cgroup_find_v2(record, &h))
		return 0;
	dir = cgroup_open_leaf(&h, err);
	if (dir < 0)
		return err->fault == FAULT_NONE
			       ? err_set(err, FAULT_STATE,
					 "container not running: its cgroup \"%s%s\" is gone",
					 h.mount, h.path)
			       : -1;
	if ((w.v2 ? watch_v2(dir, &w) : watch_v1(dir, &w)) < 0) {
		int errnum = errno;

		cgroup_watch_close(&w);
		if (errnum == ENOENT)
			return 0;
		return err_sys(err, errnum, "cannot watch the memory of cgroup \"%s%s\"", h.mount,
			       h.path);
	}
	*ret_watch = w;
	return 0;
}

bool cgroup_watch_read(struct cgroup_watch *w)
{
	char events[4096];
	uint64_t count, before = w->kills;

	if (w->fd < 0)
		return false;
	if (!w->v2) {
		char byte;

		/* The end of the cgroup is told by the same descriptor. */
		return read(w->fd, &count, sizeof count) == (ssize_t)sizeof count &&
		       pread(w->file, &byte, 1, 0) >= 0;
	}
	while (read(w->fd, events, sizeof events) > 0)
		;
	count = kills(w->file);
	if (count > w->kills)
		w->kills = count;
	return count > before;
}

void cgroup_watch_close(struct cgroup_watch *w)
{
	own_close_fd(&w->fd);
	own_close_fd(&w->file);
	*w = CGROUP_WATCH_INIT;
}
