/*
 * Purpose: put limits back when an update fails in the middle.
 * Runs in: the runtime's namespaces.
 * Should: write what was read before, for the device, interface or line that was changed.
 * Mustn't: write anything that was not in the file, but for the word that means "no limit".
 * Undo: this is it.
 * Specification: config-linux.md, "Control groups".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_limits.h"

/* Files with a line for each device or interface: what says "none" of one that has no line. */
static const struct {
	const char *file; /* the end of its name */
	const char *none;
} keyed[] = {
	{"io.max", "rbps=max wbps=max riops=max wiops=max"},
	{"io.weight", "default"},
	{"io.bfq.weight", "default"},
	{"io.latency", "target=0"},
	{"_device", "0"},
	{"net_prio.ifpriomap", "0"},
	{"rdma.max", "hca_handle=max hca_object=max"},
	{"misc.max", "max"},
};

static const char *none_of(const char *file)
{
	size_t len = strlen(file);

	for (unsigned i = 0; i < ARRAY_SIZE(keyed); i++) {
		size_t end = strlen(keyed[i].file);

		if (len >= end && strcmp(file + len - end, keyed[i].file) == 0)
			return keyed[i].none;
	}
	return NULL;
}

/* The line of `now` that has the same first word as `written`, which may have none but a number. */
static char *old_line(const char *now, const char *written, const char *none)
{
	size_t len = strcspn(written, " \n");
	const char *key = written[len] == ' ' ? written : "default";
	char *line = NULL;

	if (written[len] != ' ')
		len = strlen(key);
	for (const char *c = now; *c; c += strcspn(c, "\n"), c += *c == '\n')
		if (strncmp(c, key, len) == 0 && (c[len] == ' ' || c[len] == '\n' || !c[len]))
			return strndup(c, strcspn(c, "\n"));
	/* BFQ's file and those of v1 show a weight without a word before it. */
	if (strcmp(key, "default") == 0)
		return strndup(now, strcspn(now, "\n"));
	return asprintf(&line, "%.*s %s", (int)len, key, none) < 0 ? NULL : line;
}

static char *old_text(const struct cgroup_setting *s, const char *written, const char *now)
{
	static const char oom[] = "oom_kill_disable ";
	const char *none = none_of(s->file);

	if (none)
		return old_line(now, written, none);
	if (strncmp(now, oom, sizeof oom - 1) == 0)
		return strndup(now + sizeof oom - 1, strcspn(now + sizeof oom - 1, "\n"));
	/* No bytes would be no write. */
	return strdup(*now ? now : "\n");
}

static int add(struct cgroup_undo *undo, const struct cgroup_setting *s, const char *written,
	       const char *now)
{
	struct cgroup_old old = {.file = strdup(s->file), .text = old_text(s, written, now)};
	struct cgroup_old *larger = reallocarray(undo->items, undo->n + 1, sizeof *larger);

	if (larger)
		undo->items = larger;
	old.dir = fcntl(s->dir, F_DUPFD_CLOEXEC, 3);
	if (!larger || !old.file || !old.text || old.dir < 0) {
		own_close_fd(&old.dir);
		free(old.file);
		free(old.text);
		return -1;
	}
	larger[undo->n++] = old;
	return 0;
}

int cgroup_undo_note(struct cgroup_undo *undo, const struct cgroup_setting *s, struct oci_err *err)
{
	own_ptr char *now = NULL, *copy = strdup(s->text);
	char *c = copy, *line;

	if (!copy)
		return err_sys(err, ENOMEM, "cannot note the limits that are there");
	/* What is not there, or cannot be read, will not be written either, or be the error. */
	if (cgroup_read(s->dir, s->file, &now) < 0)
		return 0;
	while ((line = strsep(&c, "\n")))
		if (add(undo, s, line, now) < 0)
			return err_sys(err, errno, "cannot note the limits that are there");
	return 0;
}

void cgroup_undo(struct cgroup_undo *undo, struct oci_err *err)
{
	/* Again as long as any is accepted: a value may have to wait for another, as forwards. */
	for (size_t left = undo->n, before = left + 1; left > 0 && left < before;) {
		before = left;
		left = 0;
		for (size_t i = undo->n; i > 0; i--) {
			struct cgroup_old *old = &undo->items[i - 1];

			if (!old->text)
				continue;
			if (fd_write_control(old->dir, old->file, old->text) < 0)
				left++;
			else
				free(steal_ptr(&old->text));
		}
	}
	for (size_t i = 0; i < undo->n; i++)
		if (undo->items[i].text)
			err_wrap(err, "%s could not be set back to \"%s\"", undo->items[i].file,
				 undo->items[i].text);
}

void cgroup_undo_free(struct cgroup_undo *undo)
{
	for (size_t i = 0; i < undo->n; i++) {
		close(undo->items[i].dir);
		free(undo->items[i].file);
		free(undo->items[i].text);
	}
	free(undo->items);
	*undo = (struct cgroup_undo){0};
}
