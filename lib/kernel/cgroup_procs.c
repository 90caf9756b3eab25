/*
 * Purpose: list, signal and freeze the processes of the container's cgroup.
 * Runs in: the runtime's namespaces.
 * Should: reach who forks meanwhile; thaw what it froze on every way out; give
 *   up after 10 s.
 * Mustn't: signal by pid: a pid may be another process's by then; freeze itself.
 * Undo: cgroup_freeze(record, false).
 * Specification: runtime.md, "Kill".
 */
#include "kernel/cgroup_procs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/fd.h"
#include "base/num.h"
#include "base/own.h"
#include "kernel/cgroup.h"

enum { BATCH = 128 };

struct pid_list {
	pid_t *pids;
	size_t n, size;
};

static int list_add(struct pid_list *list, pid_t pid)
{
	if (list->n == list->size) {
		size_t size = list->size ? list->size * 2 : 64;
		pid_t *larger = realloc(list->pids, size * sizeof *larger);

		if (!larger)
			return -1;
		list->pids = larger;
		list->size = size;
	}
	list->pids[list->n++] = pid;
	return 0;
}

/* cgroup.procs has a pid a line; 0 is a process of a pid namespace that we cannot see. */
static int list_file(struct pid_list *list, int dir)
{
	own_ptr char *text = NULL;
	uint64_t pid;

	if (cgroup_read(dir, "cgroup.procs", &text) < 0)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (char *c = text, *line; (line = strsep(&c, "\n"));)
		if (num_uint(line, 1, INT32_MAX, &pid) && list_add(list, (pid_t)pid) < 0)
			return -1;
	return 0;
}

/* A directory that is gone has none. */
static int list_directory(int dir, void *list)
{
	return list_file(list, dir) < 0 && !cgroup_is_gone(errno) ? -1 : 0;
}

/* The processes in dir and beneath it. */
static int list_tree(struct pid_list *list, int dir_fd)
{
	return cgroup_walk(dir_fd, &(struct cgroup_visit){.enter = list_directory, .arg = list});
}

static int list_leaf(const struct cgroup_hierarchy *h, int leaf, struct pid_list *list,
		     struct oci_err *err)
{
	if (list_tree(list, leaf) < 0) {
		err_sys(err, errno, "cannot list the processes of cgroup \"%s%s\"", h->mount,
			h->path);
		free(list->pids);
		*list = (struct pid_list){0};
		return -1;
	}
	return 0;
}

int cgroup_pids_at(const struct cgroup_hierarchy *h, pid_t **ret_pids, size_t *ret_n,
		   struct oci_err *err)
{
	own_fd int leaf = cgroup_open_leaf(h, err);
	struct pid_list list = {0};

	if (leaf < 0 && err->fault != FAULT_NONE)
		return -1;
	if (leaf >= 0 && list_leaf(h, leaf, &list, err) < 0)
		return -1;
	*ret_pids = list.pids;
	*ret_n = list.n;
	return 0;
}

/* Where processes are looked up and frozen: v2 if there is one, the v1 freezer, or whatever there
 * is. */
static bool main_hierarchy(const struct json_object *record, struct cgroup_hierarchy *ret)
{
	if (cgroup_find_v2(record, ret) || cgroup_find_v1(record, "freezer", ret))
		return true;
	if (cgroup_count(record) == 0)
		return false;
	*ret = cgroup_at(record, 0);
	return true;
}

int cgroup_pids(const struct json_object *record, pid_t **ret_pids, size_t *ret_n,
		struct oci_err *err)
{
	struct cgroup_hierarchy h;

	if (main_hierarchy(record, &h))
		return cgroup_pids_at(&h, ret_pids, ret_n, err);
	*ret_pids = NULL;
	*ret_n = 0;
	return 0;
}

/*
 * The freezers of both versions: what is written, and what is read when it is done.
 */
struct freezer {
	const char *file, *freeze, *thaw;
	const char *state_file, *frozen, *thawed;
};

static const struct freezer freezer_v1 = {
	.file = "freezer.state",
	.freeze = "FROZEN",
	.thaw = "THAWED",
	.state_file = "freezer.state",
	.frozen = "FROZEN",
	.thawed = "THAWED",
};

static const struct freezer freezer_v2 = {
	.file = "cgroup.freeze",
	.freeze = "1",
	.thaw = "0",
	.state_file = "cgroup.events",
	.frozen = "frozen 1",
	.thawed = "frozen 0",
};

static bool has_freezer(const struct json_object *record, struct cgroup_hierarchy *ret)
{
	return cgroup_find_v2(record, ret) || cgroup_find_v1(record, "freezer", ret);
}

/* A few words, which one read gives; -1 with errno. */
static int says(int file, const char *words)
{
	char text[256];
	ssize_t n = read(file, text, sizeof text - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	return strstr(text, words) != NULL;
}

/* -1 with errno. */
static int in_state(int leaf, const struct freezer *freezer, bool frozen)
{
	own_fd int file = openat(leaf, freezer->state_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return file < 0 ? -1 : says(file, frozen ? freezer->frozen : freezer->thawed);
}

static int fail_gone(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	return err_set(err, FAULT_STATE, "container not running: its cgroup \"%s%s\" is gone",
		       h->mount, h->path);
}

static int change_state(const struct cgroup_hierarchy *h, int leaf, bool frozen,
			struct oci_err *err)
{
	const struct freezer *freezer = h->v2 ? &freezer_v2 : &freezer_v1;
	const char *text = frozen ? freezer->freeze : freezer->thaw;
	int64_t deadline = cgroup_now_ms() + CGROUP_DEADLINE_MS;

	for (unsigned turn = 0;; turn++) {
		int state;

		/*
		 * Once is enough for v2; a v1 freezer gets stuck in FREEZING if processes are
		 * added meanwhile, and tries again when it is written to.
		 */
		if ((turn == 0 || !h->v2) && fd_write_control(leaf, freezer->file, text) < 0)
			return cgroup_is_gone(errno)
				       ? fail_gone(h, err)
				       : err_sys(err, errno, "cannot write \"%s\" to \"%s%s/%s\"",
						 text, h->mount, h->path, freezer->file);
		state = in_state(leaf, freezer, frozen);
		if (state > 0)
			return 0;
		if (state < 0 && cgroup_is_gone(errno))
			return fail_gone(h, err);
		if (cgroup_now_ms() > deadline)
			return err_sys(err, ETIMEDOUT, "cgroup \"%s%s\" is not %s after %d s",
				       h->mount, h->path, frozen ? "frozen" : "thawed",
				       CGROUP_DEADLINE_MS / 1000);
		cgroup_pause(turn);
	}
}

int cgroup_freeze(const struct json_object *record, bool frozen, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	own_fd int leaf = -1;

	if (!has_freezer(record, &h))
		return err_set(err, FAULT_UNSUPPORTED,
			       "the container cannot be %s: it has no cgroup with a freezer",
			       frozen ? "paused" : "resumed");
	leaf = cgroup_open_leaf(&h, err);
	if (leaf < 0 && err->fault == FAULT_NONE)
		return fail_gone(&h, err);
	if (leaf < 0)
		return -1;
	if (change_state(&h, leaf, frozen, err) == 0)
		return 0;
	/* Not left half frozen. */
	if (frozen)
		fd_write_control(leaf, (h.v2 ? &freezer_v2 : &freezer_v1)->file,
				 (h.v2 ? &freezer_v2 : &freezer_v1)->thaw);
	return -1;
}

bool cgroup_is_frozen(const struct json_object *record)
{
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_hierarchy h;
	own_fd int fd = -1;

	if (!has_freezer(record, &h))
		return false;
	fd = h.v2 ? cgroup_open_events(&h) : cgroup_open_leaf(&h, &err);
	return fd >= 0 &&
	       (h.v2 ? says(fd, freezer_v2.frozen) : in_state(fd, &freezer_v1, true)) > 0;
}

static bool contains(const struct pid_list *list, pid_t pid)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->pids[i] == pid)
			return true;
	return false;
}

static int send_signal(int pidfd, pid_t pid, int signal, struct oci_err *err)
{
	if (pidfd < 0 || pidfd_send_signal(pidfd, signal, NULL, 0) == 0 || errno == ESRCH)
		return 0;
	return err_sys(err, errno, "cannot send signal %d to process %d", signal, (int)pid);
}

/* At most BATCH processes; of those, who is still in the cgroup when all pidfds are held. */
static int signal_batch(const struct cgroup_hierarchy *h, int leaf, const pid_t *pids, size_t n,
			int signal, struct oci_err *err)
{
	struct pid_list now = {0};
	int pidfds[BATCH], result = 0;

	for (size_t i = 0; i < n; i++) {
		pidfds[i] = pidfd_open(pids[i], 0);
		if (pidfds[i] < 0 && errno != ESRCH && result == 0)
			result = err_sys(err, errno, "cannot open process %d", (int)pids[i]);
	}
	/* Otherwise the pid may have become another's before the pidfd was opened. */
	if (result == 0)
		result = list_leaf(h, leaf, &now, err);
	for (size_t i = 0; i < n; i++) {
		if (result == 0 && contains(&now, pids[i]))
			result = send_signal(pidfds[i], pids[i], signal, err);
		own_close_fd(&pidfds[i]);
	}
	free(now.pids);
	return result;
}

static int signal_list(const struct cgroup_hierarchy *h, int leaf, const struct pid_list *list,
		       int signal, struct oci_err *err)
{
	for (size_t i = 0; i < list->n; i += BATCH) {
		size_t n = list->n - i < BATCH ? list->n - i : BATCH;

		if (signal_batch(h, leaf, list->pids + i, n, signal, err) < 0)
			return -1;
	}
	return 0;
}

/* Signals who is there; then those who have come meanwhile, until nobody new comes. */
static int signal_all(const struct cgroup_hierarchy *h, int leaf, int signal, struct oci_err *err)
{
	int64_t deadline = cgroup_now_ms() + CGROUP_DEADLINE_MS;
	struct pid_list done = {0};
	int result = 0;

	for (size_t fresh = 1; result == 0 && fresh > 0;) {
		struct pid_list now = {0}, todo = {0};

		result = list_leaf(h, leaf, &now, err);
		for (size_t i = 0; result == 0 && i < now.n; i++)
			if (!contains(&done, now.pids[i]) &&
			    (list_add(&todo, now.pids[i]) < 0 || list_add(&done, now.pids[i]) < 0))
				result = err_sys(err, errno, "cannot list processes");
		fresh = todo.n;
		if (result == 0)
			result = signal_list(h, leaf, &todo, signal, err);
		if (result == 0 && fresh > 0 && cgroup_now_ms() > deadline)
			result = err_sys(err, ETIMEDOUT,
					 "cgroup \"%s%s\" has new processes for %d s", h->mount,
					 h->path, CGROUP_DEADLINE_MS / 1000);
		free(now.pids);
		free(todo.pids);
	}
	free(done.pids);
	return result;
}

int cgroup_kill_at(const struct cgroup_hierarchy *h, struct oci_err *err)
{
	own_fd int leaf = cgroup_open_leaf(h, err);

	if (leaf < 0)
		return err->fault == FAULT_NONE ? 0 : -1;
	/* Linux 5.14; reaches who forks meanwhile, and who is frozen. */
	if (h->v2 && fd_write_control(leaf, "cgroup.kill", "1") < 0 && !cgroup_is_gone(errno))
		return err_sys(err, errno, "cannot write \"%s%s/cgroup.kill\"", h->mount, h->path);
	return h->v2 ? 0 : signal_all(h, leaf, SIGKILL, err);
}

/* Whether the caller itself is in it: it would freeze itself for ever. */
static bool holds_caller(const struct cgroup_hierarchy *h, int leaf)
{
	own_err struct oci_err err = ERR_INIT;
	struct pid_list list = {0};
	bool found = list_leaf(h, leaf, &list, &err) == 0 && contains(&list, getpid());

	free(list.pids);
	return found;
}

static int signal_frozen(const struct cgroup_hierarchy *h, int leaf, int signal,
			 struct oci_err *err)
{
	const struct freezer *freezer = h->v2 ? &freezer_v2 : &freezer_v1;
	bool was_frozen = in_state(leaf, freezer, true) > 0;
	own_err struct oci_err ignored = ERR_INIT;
	int result;

	if (!was_frozen)
		/* What cannot be frozen in time is signalled all the same. */
		change_state(h, leaf, true, &ignored);
	result = signal_all(h, leaf, signal, err);
	if (!was_frozen && fd_write_control(leaf, freezer->file, freezer->thaw) < 0 &&
	    !cgroup_is_gone(errno) && result == 0)
		result = err_sys(err, errno, "cannot thaw cgroup \"%s%s\"", h->mount, h->path);
	return result;
}

static int thaw(int dir, void *arg)
{
	(void)arg;
	if (in_state(dir, &freezer_v1, false) == 0)
		fd_write_control(dir, freezer_v1.file, freezer_v1.thaw);
	return 0;
}

void cgroup_thaw_killed(const struct json_object *record)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct cgroup_hierarchy h;
	own_fd int leaf = -1;

	if (!cgroup_find_v1(record, "freezer", &h))
		return;
	leaf = cgroup_open_leaf(&h, &ignored);
	/* The upper ones first: a cgroup is frozen as long as one above it is. */
	if (leaf >= 0)
		cgroup_walk(leaf, &(struct cgroup_visit){.enter = thaw});
}

static int signal_at(const struct json_object *record, const struct cgroup_hierarchy *h, int leaf,
		     int signal, struct oci_err *err)
{
	if (holds_caller(h, leaf))
		return err_set(err, FAULT_STATE, "cannot signal cgroup \"%s%s\" from within",
			       h->mount, h->path);
	if (!has_freezer(record, &(struct cgroup_hierarchy){0}))
		return signal_all(h, leaf, signal, err);
	return signal_frozen(h, leaf, signal, err);
}

int cgroup_signal(const struct json_object *record, int signal, struct oci_err *err)
{
	struct cgroup_hierarchy h;
	own_fd int leaf = -1;
	int result;

	if (!main_hierarchy(record, &h))
		return err_set(err, FAULT_UNSUPPORTED,
			       "the processes of the container are not known: it has no cgroup");
	if (h.v2 && signal == SIGKILL) {
		result = cgroup_kill_at(&h, err);
	} else {
		leaf = cgroup_open_leaf(&h, err);
		if (leaf < 0)
			return err->fault == FAULT_NONE ? 0 : -1;
		result = signal_at(record, &h, leaf, signal, err);
	}
	if (signal == SIGKILL)
		cgroup_thaw_killed(record);
	return result;
}
