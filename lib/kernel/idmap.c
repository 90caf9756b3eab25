/*
 * Purpose: descriptors of user namespaces that hold a given mapping.
 * Runs in: the runtime's namespaces, with the right to write such maps.
 * Should: leave no process behind, whatever fails.
 * Mustn't: let the child do anything: it sleeps until it is killed.
 * Undo: closing the descriptors.
 * Specification: config.md, "idmap", "ridmap", uidMappings.
 */
#include "kernel/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/proc.h"
#include "kernel/userns.h"

/* The maps of the child's namespace, and the namespace. */
static int fill(pid_t pid, const struct json_object *uids, const struct json_object *gids,
		struct oci_err *err)
{
	int proc = proc_fd(err), fd;
	char name[32];

	if (proc < 0)
		return -1;
	if (userns_write_maps(pid, uids, gids, err) < 0) {
		/* It points to the container's own mappings. */
		free(err->pointer);
		err->pointer = NULL;
		if (geteuid() != 0)
			err_hint(err,
				 "without root the ids of a filesystem of the machine's cannot be "
				 "mapped");
		return err_wrap(err, "cannot make a user namespace for its id mapping");
	}
	snprintf(name, sizeof name, "%d/ns/user", (int)pid);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, errno, "cannot open a user namespace") : fd;
}

static int make(const struct json_object *uids, const struct json_object *gids, struct oci_err *err)
{
	/* A plain fork: the child has its own memory, which it needs only to wait. */
	struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t parent = getpid(), pid = sys_clone3(&args);
	int fd;

	if (pid < 0)
		return err_sys(err, errno, "cannot make a user namespace");
	if (pid == 0) {
		/* Whoever dies first: it ends with us. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		for (;;)
			pause();
	}
	fd = fill(pid, uids, gids, err);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return fd;
}

static int keep(struct idmap_cache *cache, const struct json_object *uids,
		const struct json_object *gids, int fd, struct oci_err *err)
{
	struct idmap *items = reallocarray(cache->items, cache->n + 1, sizeof *items);

	if (!items) {
		close(fd);
		return err_sys(err, ENOMEM, "cannot keep an id mapping");
	}
	cache->items = items;
	items[cache->n++] = (struct idmap){uids, gids, fd};
	return fd;
}

static bool same(const struct json_object *a, const struct json_object *b)
{
	if (json_length(a) != json_length(b))
		return false;
	for (size_t i = 0; i < json_length(a); i++) {
		const struct json_object *x = json_item(a, i), *y = json_item(b, i);

		if (json_uint(x, "containerID", 0) != json_uint(y, "containerID", 0) ||
		    json_uint(x, "hostID", 0) != json_uint(y, "hostID", 0) ||
		    json_uint(x, "size", 0) != json_uint(y, "size", 0))
			return false;
	}
	return true;
}

int idmap_get(struct idmap_cache *cache, const struct json_object *uids,
	      const struct json_object *gids, struct oci_err *err)
{
	int fd;

	for (size_t i = 0; i < cache->n; i++)
		if (cache->items[i].uids && same(cache->items[i].uids, uids) &&
		    same(cache->items[i].gids, gids))
			return cache->items[i].fd;
	fd = make(uids, gids, err);
	return fd < 0 ? -1 : keep(cache, uids, gids, fd, err);
}

int idmap_of_process(struct idmap_cache *cache, const struct proc_id *process, struct oci_err *err)
{
	int proc = proc_fd(err), fd;
	char name[32];

	if (proc < 0)
		return -1;
	for (size_t i = 0; i < cache->n; i++)
		if (!cache->items[i].uids)
			return cache->items[i].fd;
	snprintf(name, sizeof name, "%d/ns/user", (int)process->pid);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "cannot open the container's user namespace");
	if (!proc_alive(process)) {
		close(fd);
		return err_set(err, FAULT_STATE, "the container's init has ended");
	}
	return keep(cache, NULL, NULL, fd, err);
}

void idmap_free(struct idmap_cache *cache)
{
	for (size_t i = 0; i < cache->n; i++)
		close(cache->items[i].fd);
	free(cache->items);
	*cache = (struct idmap_cache){0};
}
