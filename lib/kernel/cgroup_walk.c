/*
 * Purpose: go through a cgroup and all beneath it.
 * Runs in: the runtime's namespaces.
 * Should: take one or two descriptors at a time, however deep a container has nested its cgroups,
 *   and no more stack.
 * Mustn't: follow a link; leave the cgroup upwards; miss one without an error.
 * Undo: nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/own.h"
#include "kernel/cgroup_tree.h"

/* A directory on the way down: its number, and the names in it, one after another. */
struct level {
	ino_t inode;
	char *names;
	size_t size, at; /* of the one that is being gone through */
};

struct path {
	struct level *levels;
	size_t n;
};

static void own_free_path(const struct path *path)
{
	for (size_t i = 0; i < path->n; i++)
		free(path->levels[i].names);
	free(path->levels);
}

static int add_name(struct level *level, const char *name)
{
	const size_t len = strlen(name) + 1;
	char *larger = realloc(level->names, level->size + len);

	if (!larger)
		return -1;
	level->names = larger;
	memcpy(level->names + level->size, name, len);
	level->size += len;
	return 0;
}

static int read_names(int dir, struct level *level)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3), result = 0, e;
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!stream) {
		own_close_fd(&copy);
		return -1;
	}
	while (result == 0 && (errno = 0, entry = readdir(stream)))
		if (cgroup_is_child(entry))
			result = add_name(level, entry->d_name);
	/* One that is removed meanwhile has no more names. */
	if (result == 0 && errno && !cgroup_is_gone(errno))
		result = -1;
	e = errno;
	closedir(stream);
	errno = e;
	return result;
}

static int push(struct path *path, int dir)
{
	struct level *larger = reallocarray(path->levels, path->n + 1, sizeof *larger);
	struct stat st;

	if (!larger || fstat(dir, &st) < 0)
		return -1;
	path->levels = larger;
	path->levels[path->n] = (struct level){.inode = st.st_ino};
	return read_names(dir, &path->levels[path->n++]);
}

/* A cgroup keeps its parent, also when it is removed. */
static int go_up(struct path *path, int *dir)
{
	own_fd int parent = openat(*dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	free(path->levels[--path->n].names);
	if (path->n == 0)
		return 0;
	if (parent < 0 || fstat(parent, &st) < 0)
		return -1;
	if (st.st_ino != path->levels[path->n - 1].inode) {
		errno = ESTALE;
		return -1;
	}
	close(*dir);
	*dir = steal_fd(&parent);
	return 0;
}

/* To the next one beneath; 1: there is none. */
static int go_down(struct path *path, int *dir)
{
	struct level *top = &path->levels[path->n - 1];

	for (; top->at < top->size; top->at += strlen(top->names + top->at) + 1) {
		int child = openat(*dir, top->names + top->at,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (child < 0 && cgroup_is_gone(errno))
			continue;
		if (child < 0)
			return -1;
		close(*dir);
		*dir = child;
		return 0;
	}
	return 1;
}

/* Back from one that has been gone through to where it was found. */
static int come_back(struct path *path, int *dir, const struct cgroup_visit *visit)
{
	struct level *top;
	const char *name;

	if (go_up(path, dir) < 0)
		return -1;
	if (path->n == 0)
		return 0;
	top = &path->levels[path->n - 1];
	name = top->names + top->at;
	if (visit->leave)
		visit->leave(*dir, name);
	top->at += strlen(name) + 1;
	return 0;
}

int cgroup_walk(int dir_fd, const struct cgroup_visit *visit)
{
	__attribute__((cleanup(own_free_path))) struct path path = {0};
	own_fd int dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int down = 0;

	if (dir < 0)
		return cgroup_is_gone(errno) ? 0 : -1;
	do {
		if (down == 0 &&
		    ((visit->enter && visit->enter(dir, visit->arg) < 0) || push(&path, dir) < 0))
			return -1;
		down = go_down(&path, &dir);
		if (down < 0 || (down > 0 && come_back(&path, &dir, visit) < 0))
			return -1;
	} while (path.n > 0);
	return 0;
}
