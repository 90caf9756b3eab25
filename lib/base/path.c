#include "base/path.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/own.h"
#include "base/sys.h"

enum {
	LINKS_MAX = 40,
	/*
	 * openat2() says EAGAIN when a rename or mount anywhere raced with "..".
	 * A hostile process can rename for ever: retry a number of times, then
	 * until a deadline, then fail.
	 */
	RETRIES = 128,
	RETRY_NS = 2 * 1000 * 1000,
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_retrying(int root_fd, const char *path, uint64_t flags, mode_t mode,
			 uint64_t resolve)
{
	int64_t deadline = 0;

	for (int i = 0;; i++) {
		int fd = sys_openat2(root_fd, path, flags | O_CLOEXEC, mode, resolve);

		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
		if (i < RETRIES)
			continue;
		if (!deadline)
			deadline = now_ns() + RETRY_NS;
		else if (now_ns() > deadline)
			return -1;
	}
}

int path_open_in_root(int root_fd, const char *path, uint64_t flags)
{
	return open_retrying(root_fd, *path ? path : ".", flags, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_open_no_links(int root_fd, const char *path, uint64_t flags)
{
	return open_retrying(root_fd, *path ? path : ".", flags, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

/*
 * The walk keeps the path that is still to be resolved as text, and the part
 * that is resolved as text too, since ".." must be taken inside the root: the
 * kernel resolves "done" afresh at each step, beneath the root.
 */
struct walk {
	char done[PATH_MAX];
	char todo[PATH_MAX];
	int links;
};

static int walk_push(struct walk *w, const char *name, size_t len)
{
	size_t used = strlen(w->done);

	if (used + len + 2 > sizeof w->done) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (used)
		w->done[used++] = '/';
	memcpy(w->done + used, name, len);
	w->done[used + len] = '\0';
	return 0;
}

static void walk_pop(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	*(slash ? slash : w->done) = '\0';
}

/* Puts the target of the link "name" in dir before the rest of the path. */
static int walk_link(struct walk *w, int dir, const char *name, const char *rest)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	if (++w->links > LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	if (snprintf(joined, sizeof joined, "%s/%s", target, rest) >= (int)sizeof joined) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (target[0] == '/')
		w->done[0] = '\0';
	memcpy(w->todo, joined, sizeof joined);
	return 0;
}

static int open_done(int root_fd, const struct walk *w)
{
	/* No links: what was resolved before has none, and if it has one now, somebody is at work.
	 */
	return path_open_no_links(root_fd, w->done, O_PATH | O_DIRECTORY);
}

/* Makes the directory "name" in dir, or leaves what is there; a link is put in front of "rest". */
static int walk_step(struct walk *w, int dir, const char *name, const char *rest, mode_t mode,
		     bool *is_link)
{
	struct stat st;

	*is_link = false;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return -1;
		return mkdirat(dir, name, mode) < 0 && errno != EEXIST ? -1 : 0;
	}
	if (S_ISLNK(st.st_mode)) {
		*is_link = true;
		return walk_link(w, dir, name, rest);
	}
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	return 0;
}

static int walk_make(int root_fd, struct walk *w, mode_t mode)
{
	char todo[PATH_MAX], name[NAME_MAX + 1];

	while (w->todo[0]) {
		own_fd int dir = -1;
		size_t skip = strspn(w->todo, "/"), len = strcspn(w->todo + skip, "/");
		const char *rest;
		bool is_link;

		memcpy(todo, w->todo, sizeof todo);
		rest = todo + skip + len;
		rest += strspn(rest, "/");
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, todo + skip, len);
		name[len] = '\0';
		if (len == 0 || strcmp(name, ".") == 0) {
			memmove(w->todo, rest, strlen(rest) + 1);
			continue;
		}
		if (strcmp(name, "..") == 0) {
			walk_pop(w);
			memmove(w->todo, rest, strlen(rest) + 1);
			continue;
		}
		dir = open_done(root_fd, w);
		if (dir < 0 || walk_step(w, dir, name, rest, mode, &is_link) < 0)
			return -1;
		if (is_link)
			continue;
		if (walk_push(w, name, len) < 0)
			return -1;
		memmove(w->todo, rest, strlen(rest) + 1);
	}
	return open_done(root_fd, w);
}

static int walk_begin(struct walk *w, const char *path)
{
	w->done[0] = '\0';
	w->links = 0;
	if (strlen(path) >= sizeof w->todo) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(w->todo, path);
	return 0;
}

/*
 * What is nearly always the case: all but the last component is there. -1 with
 * ENOENT if it is not so, and nothing has been made.
 */
static int make_last(int root_fd, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	own_ptr char *parent = strndup(path, (size_t)(name - path));
	own_fd int dir = -1;

	errno = ENOENT;
	if (!parent || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -1;
	dir = path_open_in_root(root_fd, parent, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return -1;
	if (mkdirat(dir, name, mode) < 0) {
		/* Perhaps a link that leads nowhere: for the walk to see. */
		if (errno == EEXIST)
			errno = ENOENT;
		return -1;
	}
	return path_open_no_links(dir, name, O_PATH | O_DIRECTORY);
}

int path_make_directory(int root_fd, const char *path, mode_t mode)
{
	struct walk w;
	int fd = path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY);

	if (fd < 0 && errno == ENOENT)
		fd = make_last(root_fd, path, mode);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (walk_begin(&w, path) < 0)
		return -1;
	return walk_make(root_fd, &w, mode);
}

int path_open_parent(int root_fd, const char *path, const char **ret_name)
{
	own_ptr char *copy = strdup(path);
	size_t end = strlen(path);
	const char *name;
	int fd;

	while (end > 0 && path[end - 1] == '/')
		end--;
	name = memrchr(path, '/', end);
	name = name ? name + 1 : path;
	if (!copy || path[end] != '\0' || end == 0 || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		errno = EINVAL;
		return -1;
	}
	copy[name - path] = '\0';
	fd = path_make_directory(root_fd, copy, 0755);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

/* A new file: never through a link, never what is there. The descriptor of what was made, O_PATH.
 */
static int create_file(int parent, const char *name, mode_t mode)
{
	own_fd int made =
		openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	own_fd int fd = -1;
	struct stat ours, now;

	if (made < 0)
		return -1;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(made, &ours) < 0 || fstat(fd, &now) < 0)
		return -1;
	if (ours.st_ino != now.st_ino || ours.st_dev != now.st_dev) {
		errno = EAGAIN; /* exchanged meanwhile */
		return -1;
	}
	return steal_fd(&fd);
}

/* The path of what the link "name" in parent, the last component of path, leads to; NULL with
 * errno. */
static char *follow_last(const char *path, const char *name, int parent)
{
	char target[PATH_MAX], *joined;
	ssize_t n = readlinkat(parent, name, target, sizeof target - 1);

	if (n < 0)
		return NULL;
	target[n] = '\0';
	if (asprintf(&joined, "%.*s%s", target[0] == '/' ? 0 : (int)(name - path), path, target) <
	    0)
		return NULL;
	return joined;
}

int path_make_file(int root_fd, const char *path, mode_t mode)
{
	own_ptr char *next = strdup(path);

	for (int links = 0; next && links <= LINKS_MAX; links++) {
		own_fd int found = path_open_in_root(root_fd, next, O_PATH), parent = -1;
		const char *name;
		char *joined;
		struct stat st;
		int made;

		if (found >= 0) {
			if (fstat(found, &st) < 0)
				return -1;
			if (!S_ISDIR(st.st_mode))
				return steal_fd(&found);
			errno = EISDIR;
			return -1;
		}
		if (errno != ENOENT)
			return -1;
		parent = path_open_parent(root_fd, next, &name);
		if (parent < 0)
			return -1;
		made = create_file(parent, name, mode);
		if (made >= 0 || errno != EEXIST)
			return made;
		/* A dangling link: its target is created inside the root. */
		joined = follow_last(next, name, parent);
		if (!joined && errno == EINVAL)
			continue; /* no link: somebody else has just created it */
		if (!joined)
			return -1;
		free(next);
		next = joined;
	}
	errno = ELOOP;
	return -1;
}

/* Why stat() of the component fails, which its parents do not. */
static char *explain_missing(const char *part, int e)
{
	char target[PATH_MAX], *text = NULL;
	ssize_t n = e == ENOENT || e == EACCES || e == ENOTDIR
			    ? readlink(part, target, sizeof target - 1)
			    : -1;
	int printed;

	if (n >= 0) {
		target[n] = '\0';
		printed = asprintf(&text, "\"%s\" is a symbolic link to \"%s\": %s", part, target,
				   err_name(e));
	} else if (e == ENOENT) {
		printed = asprintf(&text, "\"%s\" does not exist (%s)", part, err_name(e));
	} else {
		printed = asprintf(&text, "\"%s\": %s", part, err_name(e));
	}
	return printed < 0 ? NULL : text;
}

/* A directory on the way, of which only part is looked at; NULL if it can be passed. */
static char *explain_parent(const char *part, const struct stat *st)
{
	char *text = NULL;
	int printed;

	if (!S_ISDIR(st->st_mode))
		printed = asprintf(&text, "\"%s\" is no directory (%s)", part, err_name(ENOTDIR));
	else if (faccessat(AT_FDCWD, part, X_OK, AT_EACCESS) < 0)
		printed = asprintf(&text,
				   "\"%s\" is not searchable by uid %u%s (mode %04o, owner %u)",
				   part, (unsigned)geteuid(),
				   /* The machine's root may search anything. */
				   geteuid() == 0 ? " of this user namespace" : "",
				   st->st_mode & 07777u, (unsigned)st->st_uid);
	else
		return NULL;
	return printed < 0 ? NULL : text;
}

char *path_explain(const char *path)
{
	own_ptr char *part = strdup(path);
	struct stat st;

	if (!part)
		return NULL;
	if (!*part)
		return strdup("the path is empty");
	/* The shortest prefix that fails is the component to name. */
	for (char *slash = part; slash;) {
		char *reason = NULL;

		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		if (stat(part, &st) < 0)
			return explain_missing(part, errno);
		if (slash)
			reason = explain_parent(part, &st);
		if (reason)
			return reason;
		if (slash)
			*slash = '/';
	}
	return strdup("");
}
