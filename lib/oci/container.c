#include "oci/container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

/* How often creation looks again when the directory that it locked was deleted meanwhile. */
enum { NEW_ATTEMPTS = 100 };

enum { LOCK_WAIT_MS = 10000, LOCK_PAUSE_MS = 2 };

/* On ROOT/ID; in the mode that a look at the directory reads anyway. */
enum { START_MARK = S_ISVTX };

static const char *const state_files[] = {"init.sock", "seccomp", "config.json", "state.json"};

static struct container *container_alloc(const char *root, const char *id, struct oci_err *err)
{
	own_container struct container *c = calloc(1, sizeof *c);

	if (!c) {
		err_sys(err, errno, "cannot allocate");
		return NULL;
	}
	c->root_fd = c->dir_fd = c->leash_fd = c->console_fd = -1;
	c->id = strdup(id);
	c->root = strdup(root);
	if (!c->id || !c->root) {
		err_sys(err, errno, "cannot allocate");
		return NULL;
	}
	return steal_ptr(&c);
}

static struct container *container_in_root(const char *root, const char *id, bool make,
					   struct oci_err *err)
{
	own_container struct container *c = container_alloc(root, id, err);

	if (!c)
		return NULL;
	c->root_fd = container_open_root(root, make, err);
	return c->root_fd < 0 ? NULL : steal_ptr(&c);
}

void container_close(struct container *c)
{
	if (!c)
		return;
	if (!c->root_is_borrowed)
		own_close_fd(&c->root_fd);
	own_close_fd(&c->dir_fd);
	json_object_put(c->config);
	json_object_put(c->warnings);
	state_free(c->state);
	free(c->config_text);
	free(c->root);
	free(c->id);
	free(c);
}

/*
 * Whether the directory that dir_fd holds is still the one of that name: it may
 * have been deleted. 1, 0, or -1 with *err: from a failed system call nothing follows.
 */
static int still_there(const struct container *c, struct oci_err *err)
{
	struct stat named, held;

	if (fstatat(c->root_fd, c->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(c->dir_fd, &held) == 0)
		return named.st_ino == held.st_ino && named.st_dev == held.st_dev;
	if (errno == ENOENT)
		return 0;
	return err_sys(err, errno, "cannot look at the state directory \"%s/%s\"", c->root, c->id);
}

static int open_dir(struct container *c)
{
	c->dir_fd = openat(c->root_fd, c->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->dir_fd;
}

static int busy(const struct container *c, struct oci_err *err)
{
	err_set(err, FAULT_STATE, "container \"%s\" is in use: another command is changing it",
		c->id);
	err->errnum = EBUSY;
	return -1;
}

/* What others could have written is no record. Where there is none is for who reads it to say. */
static int check_owner(const struct container *c, struct stat *ret_dir, struct oci_err *err)
{
	const char *what = "the state directory";
	struct stat st;

	if (fstat(c->dir_fd, &st) < 0)
		return err_sys(err, errno, "cannot look at the state directory of \"%s\"", c->id);
	*ret_dir = st;
	if (st.st_uid == geteuid() && !(st.st_mode & 022)) {
		what = "state.json";
		if (fstatat(c->dir_fd, "state.json", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) ||
		    (st.st_uid == geteuid() && !(st.st_mode & 022) && st.st_nlink == 1))
			return 0;
	}
	err_set(err, FAULT_STATE, "%s of \"%s\" is refused: owner %u, mode %04o, %u link%s", what,
		c->id, (unsigned)st.st_uid, st.st_mode & 07777u, (unsigned)st.st_nlink,
		st.st_nlink == 1 ? "" : "s");
	err->errnum = EPERM;
	return -1;
}

static int read_state(struct container *c, bool all, struct oci_err *err)
{
	own_ptr char *text = NULL;
	struct stat st = {0};
	size_t len;

	if (check_owner(c, &st, err) < 0)
		return -1;
	c->start_begun = st.st_mode & START_MARK;
	if (fd_read_file(c->dir_fd, "state.json", STATE_SIZE_MAX, &text, &len) < 0) {
		int e = errno;

		err_sys(err, e, "cannot read state.json of container \"%s\"", c->id);
		if (e == ENOENT) {
			err_set(err, FAULT_STATE,
				"container \"%s\" does not exist yet: its creation has only begun, "
				"or was killed",
				c->id);
			err_hint(err, "oci-delete %s clears what a killed one left", c->id);
			err->errnum = e;
		}
		err->fault = FAULT_STATE;
		return -1;
	}
	if (!all)
		len = state_leave_out_stages(text, len);
	c->state = state_parse(text, len, err);
	if (!c->state)
		return err_wrap(err, "container \"%s\"", c->id);
	if (strcmp(c->state->id, c->id) != 0) {
		err_set(err, FAULT_STATE, "state.json in the directory of \"%s\" is that of \"%s\"",
			c->id, c->state->id);
		state_free(c->state);
		c->state = NULL;
		return -1;
	}
	return 0;
}

/*
 * Decides about a directory that was there before us and that we hold the lock
 * of: somebody's container, or what a killed creation left (no state yet, or
 * a transaction that nobody can finish since its driver, who would hold the
 * lock, is gone).
 */
static int take_remains(struct container *c, container_clear_fn clear, struct oci_err *err)
{
	if (read_state(c, true, err) < 0) {
		if (err->errnum != ENOENT)
			return -1;
		err_clear(err);
		for (size_t i = 0; i < ARRAY_SIZE(state_files); i++)
			unlinkat(c->dir_fd, state_files[i], 0);
		return 0;
	}
	if (!c->state->creator.pid) {
		err_set(err, FAULT_STATE, "container \"%s\" exists already", c->id);
		err_hint(err, "choose another id, or remove it: oci-delete %s", c->id);
		return -1;
	}
	if (clear(c, err) < 0)
		return err_wrap(err,
				"cannot clear the half-made container \"%s\" of a killed creation",
				c->id);
	state_free(c->state);
	c->state = NULL;
	return 1;
}

/* Opens and locks the directory; 1: it is being removed, try again. */
static int claim(struct container *c, struct oci_err *err)
{
	int there;

	if (open_dir(c) < 0)
		return errno == ENOENT
			       ? 1
			       : err_sys(err, errno, "cannot open the state directory \"%s/%s\"",
					 c->root, c->id);
	/* The lock decides who wins, not the mkdir: it cannot be left behind by a kill. */
	if (flock(c->dir_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(err, errno, "cannot lock container \"%s\"", c->id);
		return err_set(err, FAULT_STATE,
			       "container \"%s\" exists already: another command is changing it",
			       c->id);
	}
	there = still_there(c, err);
	return there < 0 ? -1 : !there;
}

/* 0: ours; 1: look again; -1: error. */
static int try_new(struct container *c, container_clear_fn clear, struct oci_err *err)
{
	bool made = mkdirat(c->root_fd, c->id, 0700) == 0;
	int result;

	if (!made && errno != EEXIST)
		return err_sys(err, errno, "cannot make the state directory \"%s/%s\"", c->root,
			       c->id);
	result = claim(c, err);
	/* Another's by now or not: only an empty one goes. */
	if (result < 0 && made && err->fault == FAULT_SYSTEM)
		unlinkat(c->root_fd, c->id, AT_REMOVEDIR);
	if (result != 0)
		return result;
	if (made)
		return faccessat(c->dir_fd, "state.json", F_OK, 0) == 0
			       ? take_remains(c, clear, err)
			       : 0;
	return take_remains(c, clear, err);
}

struct container *container_new(const char *root, const char *id, container_clear_fn clear,
				struct oci_err *err)
{
	own_container struct container *c = NULL;

	if (container_check_id(id, err) < 0)
		return NULL;
	c = container_in_root(root, id, true, err);
	if (!c)
		return NULL;
	for (int i = 0; i < NEW_ATTEMPTS; i++) {
		int result = try_new(c, clear, err);

		if (result == 0)
			return steal_ptr(&c);
		if (result < 0)
			return NULL;
		own_close_fd(&c->dir_fd);
		c->dir_fd = -1;
	}
	busy(c, err);
	return NULL;
}

static int missing(const char *id, struct oci_err *err)
{
	err_set(err, FAULT_STATE, "container \"%s\" does not exist", id);
	err->errnum = ENOENT;
	return -1;
}

/* flock(2) cannot wait for a limited time. The lock is rarely held, and then for milliseconds. */
static int take_lock(int fd, enum container_lock lock)
{
	int waited_ms = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || lock == LOCK_TRY || waited_ms > LOCK_WAIT_MS)
			return -1;
		usleep(LOCK_PAUSE_MS * 1000);
		waited_ms += LOCK_PAUSE_MS;
	}
	return 0;
}

static int lock_existing(struct container *c, enum container_lock lock, int lock_fd,
			 struct oci_err *err)
{
	int there;

	if (open_dir(c) < 0) {
		if (errno == ENOENT)
			return missing(c->id, err);
		return err_sys(err, errno, "cannot open the state directory \"%s/%s\"", c->root,
			       c->id);
	}
	if (lock_fd >= 0) {
		/* The same open file description as our parent's: it holds the lock already. */
		own_close_fd(&c->dir_fd);
		c->dir_fd = fcntl(lock_fd, F_DUPFD_CLOEXEC, 3);
		if (c->dir_fd < 0)
			return err_sys(err, errno, "cannot use --lock-fd %d", lock_fd);
	}
	if (lock != LOCK_NONE && take_lock(c->dir_fd, lock) < 0)
		return errno == EWOULDBLOCK
			       ? busy(c, err)
			       : err_sys(err, errno, "cannot lock container \"%s\"", c->id);
	there = still_there(c, err);
	if (there == 0)
		return missing(c->id, err);
	return there < 0 ? -1 : 0;
}

static struct container *open_locked(const char *root, const char *id, enum container_lock lock,
				     int lock_fd, struct oci_err *err)
{
	own_container struct container *c = NULL;

	if (container_check_id(id, err) < 0)
		return NULL;
	c = container_in_root(root, id, false, err);
	if (!c) {
		if (err->errnum == ENOENT)
			missing(id, err);
		return NULL;
	}
	if (lock_existing(c, lock, lock_fd, err) < 0)
		return NULL;
	return steal_ptr(&c);
}

struct container *container_open(const char *root, const char *id, enum container_lock lock,
				 int lock_fd, struct oci_err *err)
{
	own_container struct container *c = open_locked(root, id, lock, lock_fd, err);

	if (!c || read_state(c, true, err) < 0)
		return NULL;
	return steal_ptr(&c);
}

/* 0 also if there is no state: c->state is NULL then. */
static int read_remains(struct container *c, bool all, struct oci_err *err)
{
	if (read_state(c, all, err) == 0)
		return 0;
	/* A failed system call says nothing about the state: it must not be given up. Nor must
	 * another version's. */
	if (err->errnum && err->errnum != ENOENT)
		return -1;
	err_clear(err);
	return 0;
}

struct container *container_open_remains(const char *root, const char *id, enum container_lock lock,
					 int lock_fd, struct oci_err *err)
{
	own_container struct container *c = open_locked(root, id, lock, lock_fd, err);

	return c && read_remains(c, true, err) == 0 ? steal_ptr(&c) : NULL;
}

struct container *container_look(int root_fd, const char *root, const char *id, struct oci_err *err)
{
	own_container struct container *c = NULL;
	int there;

	if (container_check_id(id, err) < 0)
		return NULL;
	c = container_alloc(root, id, err);
	if (!c)
		return NULL;
	c->root_fd = root_fd;
	c->root_is_borrowed = true;
	c->dir_fd = openat(root_fd, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (c->dir_fd < 0) {
		err_sys(err, errno, "cannot open the state directory \"%s/%s\"", root, id);
		return NULL;
	}
	if (read_remains(c, false, err) < 0)
		return NULL;
	/* Without a state it may just have been deleted. */
	there = c->state ? 1 : still_there(c, err);
	if (there == 0)
		missing(id, err);
	return there > 0 ? steal_ptr(&c) : NULL;
}

int container_note_start(struct container *c, struct oci_err *err)
{
	if (fchmod(c->dir_fd, 0700 | START_MARK) < 0)
		return err_sys(err, errno, "cannot note the start in \"%s/%s\"", c->root, c->id);
	c->start_begun = true;
	return 0;
}

static int read_config(struct container *c)
{
	return c->config_text ? 0
			      : fd_read_file(c->dir_fd, "config.json", CONFIG_SIZE_MAX,
					     &c->config_text, &c->config_len);
}

bool container_may_have(struct container *c, const char *member)
{
	/* Any letter may be written as \u0070. */
	return read_config(c) < 0 || strstr(c->config_text, member) ||
	       strstr(c->config_text, "\\u");
}

int container_load_config(struct container *c, struct oci_err *err)
{
	if (c->config)
		return 0;
	if (read_config(c) < 0)
		return err_sys(err, errno, "cannot read the snapshot of config.json of \"%s\"",
			       c->id);
	c->config = json_parse(c->config_text, c->config_len, "config.json", err);
	return c->config ? 0 : -1;
}

static int write_file(int dir_fd, const char *name, const char *text, size_t len)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	own_fd int fd = openat(dir_fd, name, flags, 0600);

	/* What a writer of the same pid has left, killed long ago: never written into. */
	if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, name, 0) == 0)
		fd = openat(dir_fd, name, flags, 0600);
	if (fd < 0)
		return -1;
	return fd_write_all(fd, text, len);
}

int container_set_config(struct container *c, char *text, size_t len, struct json_object *config,
			 struct oci_err *err)
{
	c->config_text = text;
	c->config_len = len;
	c->config = config;
	if (write_file(c->dir_fd, "config.json", text, len) < 0)
		return err_sys(err, errno, "cannot write the snapshot \"%s/%s/config.json\"",
			       c->root, c->id);
	return 0;
}

int container_replace_config(const struct container *c, const char *text, size_t len,
			     struct oci_err *err)
{
	char aside[40];

	snprintf(aside, sizeof aside, "config.json.%d", (int)getpid());
	if (write_file(c->dir_fd, aside, text, len) == 0 &&
	    renameat(c->dir_fd, aside, c->dir_fd, "config.json") == 0)
		return 0;
	err_sys(err, errno, "cannot replace the snapshot \"%s/%s/config.json\"", c->root, c->id);
	unlinkat(c->dir_fd, aside, 0);
	return -1;
}

void container_warn(struct container *c, const char *fmt, ...)
{
	own_ptr char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	if (!c->warnings)
		c->warnings = json_object_new_array();
	json_object_array_add(c->warnings, json_object_new_string(text));
}

/*
 * Puts the file aside in the place of state.json. The two are exchanged, and the old one
 * removed under its new name: ext4 writes a file that replaces another to the disk
 * (auto_da_alloc), which costs ten times as much and helps nobody here.
 */
static int replace_state(int dir_fd, const char *aside)
{
	if (renameat2(dir_fd, aside, dir_fd, "state.json", RENAME_EXCHANGE) == 0)
		return unlinkat(dir_fd, aside, 0);
	/* The first one; or a filesystem that cannot exchange. */
	return renameat(dir_fd, aside, dir_fd, "state.json");
}

int container_save(struct container *c, struct oci_err *err)
{
	own_ptr char *text = state_format(c->state);
	char aside[40];

	if (!text)
		return err_sys(err, ENOMEM, "cannot write state.json of \"%s\"", c->id);
	/* A name of its own for each writer: two of them cannot tear each other's file. */
	snprintf(aside, sizeof aside, "state.json.%d", (int)getpid());
	if (write_file(c->dir_fd, aside, text, strlen(text)) == 0 &&
	    replace_state(c->dir_fd, aside) == 0)
		return 0;
	err_sys(err, errno, "cannot write state.json of container \"%s\" in \"%s\"", c->id,
		c->root);
	unlinkat(c->dir_fd, aside, 0);
	return -1;
}

/* A writer that was killed leaves its aside file; a listing is needed only then. */
static void remove_files(int dir_fd)
{
	own_fd int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return;
	steal_fd(&fd);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dir_fd, e->d_name, 0);
	closedir(dir);
}

/* NOTIFY_DIRECTORY, with a socket; a container with many rights may have written to it. */
static void remove_directory(int dir_fd, const char *name)
{
	own_fd int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		remove_files(fd);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

int container_remove(struct container *c, struct oci_err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(state_files); i++)
		if (unlinkat(c->dir_fd, state_files[i], 0) < 0 && errno != ENOENT)
			return err_sys(err, errno, "cannot remove \"%s/%s/%s\"", c->root, c->id,
				       state_files[i]);
	if (unlinkat(c->root_fd, c->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY) {
		remove_files(c->dir_fd);
		remove_directory(c->dir_fd, NOTIFY_DIRECTORY);
		if (unlinkat(c->root_fd, c->id, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
	}
	return err_sys(err, errno, "cannot remove the state directory \"%s/%s\"", c->root, c->id);
}
