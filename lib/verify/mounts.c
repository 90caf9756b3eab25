/*
 * mounts, root, linux.maskedPaths, linux.readonlyPaths, linux.rootfsPropagation.
 *
 * Each of them claims the mount at a path, which is resolved beneath the container's root; the id
 * of the mount that it leads to finds it in mountinfo. Where several claim the same path, the
 * mounts there are on top of each other, and the last claim is for the topmost. Everything is
 * sorted or found in a sorted list, since a container may have tens of thousands of mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/mount.h"
#include "kernel/mount_entry.h"
#include "verify/mount_claims.h"
#include "verify/mount_compare.h"

enum { NULL_MAJOR = 1, NULL_MINOR = 3 };

/* ---- What is claimed ------------------------------------------------------------------------- */

static void claim_pointer(const struct claim *claim, struct verify_pointer *p)
{
	static const char *const names[] = {"/mounts", "/linux/maskedPaths",
					    "/linux/readonlyPaths"};

	*p = verify_at("%s/%zu", names[claim->kind], claim->index);
}

/* What is bound is a symbolic link, and may lead to nothing in the container. */
static bool is_link_itself(const struct claim *claim)
{
	return claim->entry && claim->entry->opt.actions & MOUNTOPT_SRC_NOFOLLOW;
}

/* Where the path leads, as far as a later mount has not covered it. */
static void resolve(const struct verify *v, struct claim *claim)
{
	int flags =
		claim->entry && claim->entry->opt.actions & MOUNTOPT_DEST_NOFOLLOW ? O_NOFOLLOW : 0;
	own_fd int fd = path_open_in_root(v->root, claim->path, O_PATH | flags);
	struct statx x;

	if (fd < 0 && is_link_itself(claim))
		fd = path_open_in_root(v->root, claim->path, O_PATH | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &claim->st) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &x) < 0)
		return;
	claim->there = true;
	claim->mount = x.stx_mnt_id;
	claim->is_mount = x.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* A link that stands for a mount, of a cgroup's controllers or of copy-symlink. */
static void compare_link(struct verify *v, const struct mount_entry *entry)
{
	own_fd int fd = path_open_in_root(v->root, entry->destination, O_PATH | O_NOFOLLOW);
	char target[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof target - 1);

	target[n < 0 ? 0 : n] = '\0';
	verify_text(v, verify_at("/mounts/%zu", entry->index).text, entry->destination, entry->link,
		    n < 0 ? "no symbolic link" : target);
}

/* ---- Comparisons ----------------------------------------------------------------------------- */

static void compare_mask(struct verify *v, const struct claim *claim, const struct mountinfo *info)
{
	struct verify_pointer p;
	const struct stat *st = &claim->st;
	bool masked;

	if (!claim->there)
		return;
	claim_pointer(claim, &p);
	if (S_ISDIR(st->st_mode))
		masked = info && strcmp(info->type, "tmpfs") == 0 &&
			 mountinfo_has(info->options, "ro") && st->st_nlink <= 2;
	else
		masked = info && S_ISCHR(st->st_mode) &&
			 st->st_rdev == makedev(NULL_MAJOR, NULL_MINOR);
	verify_text(v, p.text, claim->path, "masked", masked ? "masked" : "visible");
}

static void compare_read_only(struct verify *v, const struct claim *claim,
			      const struct mountinfo *info)
{
	struct verify_pointer p;

	if (!claim->there)
		return;
	claim_pointer(claim, &p);
	verify_text(v, p.text, claim->path, "ro",
		    info && (mountinfo_has(info->options, "ro") || mountinfo_has(info->super, "ro"))
			    ? "ro"
			    : "rw");
}

static void compare_claim(struct verify *v, const struct claims *claims, const struct claim *claim,
			  const struct mountinfo *info, bool top)
{
	struct mount_seen seen = {
		.info = info,
		.st = top ? &claim->st : NULL,
		.beneath_read_only = claims_beneath(claims, info->point, CLAIM_READ_ONLY),
	};

	if (claim->kind == CLAIM_MASK && top)
		compare_mask(v, claim, info);
	else if (claim->kind == CLAIM_READ_ONLY)
		compare_read_only(v, claim, info);
	else if (claim->kind == CLAIM_MOUNT)
		mount_compare(v, claim->entry, &seen);
}

/* It leads to no mount of its own. */
static void compare_missing(struct verify *v, const struct claims *claims,
			    const struct mountinfos *infos, const struct claim *claim)
{
	const struct mountinfo *around = claim->there ? mountinfo_find(infos, claim->mount) : NULL;
	struct verify_pointer p;

	claim_pointer(claim, &p);
	if (claim->kind == CLAIM_MASK) {
		compare_mask(v, claim, NULL);
	} else if (claim->kind == CLAIM_READ_ONLY) {
		compare_read_only(v, claim, around);
	} else if (claims_covered(claims, claim)) {
		verify_hidden(v, p.text, "a later mount covers it");
	} else {
		verify_text(v, p.text, "mountinfo", claim->path,
			    claim->there ? "no mount there" : "no such path");
	}
}

/* Without "bind" a remount changes the filesystem's own options too. */
static void fold_data(struct mountopt *opt, const struct mountopt *new)
{
	for (size_t i = 0; i < opt->n_data; i++)
		for (size_t k = 0; k < new->n_data; k++) {
			const size_t len = strcspn(opt->data[i].text, "=");

			if (len == strcspn(new->data[k].text, "=") &&
			    strncmp(opt->data[i].text, new->data[k].text, len) == 0)
				opt->data[i].text = new->data[k].text;
		}
}

/* A remount says what the mount before it becomes. */
static void fold_remount(struct claim *before, const struct claim *remount)
{
	struct mountopt *opt = &before->entry->opt;
	const struct mountopt *new = &remount->entry->opt;

	opt->set = (opt->set & ~new->clear) | new->set;
	opt->clear = (opt->clear & ~new->set) | new->clear;
	if (!(new->actions &MOUNTOPT_BIND))
		fold_data(opt, new);
	for (size_t i = 0; i < new->n_propagation; i++) {
		opt->propagation[0] = new->propagation[i];
		opt->n_propagation = 1;
	}
}

/* The claims first to last-1 lead to the same mount, or to one on top of the others. */
static void compare_stack(struct verify *v, const struct claims *claims,
			  const struct mountinfos *infos, size_t first, size_t last)
{
	struct claim *list = claims->items;
	struct mountinfo *info = mountinfo_find(infos, list[first].mount), *top = info;
	size_t more = 0, depth = 0, wanted = 0;

	for (; info; info = claims_below(infos, info))
		depth++;
	for (size_t i = first; i < last; i++)
		wanted += list[i].kind != CLAIM_REMOUNT;
	info = top;
	for (size_t i = first + 1; i < last; i++)
		if (list[i].kind == CLAIM_REMOUNT && list[i - 1].kind == CLAIM_MOUNT)
			fold_remount(&list[i - 1], &list[i]);
	for (size_t i = last; i > first; i--) {
		struct claim *claim = &list[i - 1];

		if (claim->kind == CLAIM_REMOUNT)
			continue;
		if (!info) {
			compare_missing(v, claims, infos, claim);
			continue;
		}
		info->claimed = true;
		compare_claim(v, claims, claim, info, info == top);
		/* A mount is missing: then the one that should be read-only is what it should
		 * cover. */
		if (claim->kind == CLAIM_READ_ONLY && wanted > depth)
			wanted--;
		else
			info = claims_below(infos, info);
	}
	for (; info; info = claims_below(infos, info), more++)
		info->claimed = true;
	if (more > 0 && top && !claims_in_tree(claims, top->point)) {
		struct verify_pointer p;

		claim_pointer(&list[last - 1], &p);
		verify_differs(v, p.text, "mountinfo", "one mount", "more mounts, one on another");
	}
}

static void compare_claims(struct verify *v, struct claims *claims, const struct mountinfos *infos)
{
	size_t end;

	for (size_t i = 0; i < claims->n; i = end) {
		const struct claim *claim = &claims->items[i];

		end = i + 1;
		if (!claim->is_mount) {
			if (claim->kind != CLAIM_REMOUNT)
				compare_missing(v, claims, infos, claim);
			continue;
		}
		while (end < claims->n && claims->items[end].is_mount &&
		       claims->items[end].mount == claim->mount)
			end++;
		compare_stack(v, claims, infos, i, end);
	}
}

/* ---- The root -------------------------------------------------------------------------------- */

static void compare_root(struct verify *v, const struct mountinfo *info, const struct stat *st)
{
	const bool wanted = json_true(json_member(v->config, "root"), "readonly");
	const char *word = json_string(v->lnx, "rootfsPropagation");
	bool found = mountinfo_has(info->options, "ro");
	uint64_t type = MS_SLAVE;
	struct statvfs fs;

	verify_compared(v);
	if (st->st_dev != v->c->state->root_dev || st->st_ino != v->c->state->root_ino)
		verify_differs(v, "/root/path", "stat(2)", v->c->state->rootfs,
			       "another directory");
	/* It may come from a mount that is read-only itself. */
	if (wanted || !found || statvfs(v->c->state->rootfs, &fs) < 0 || !(fs.f_flag & ST_RDONLY))
		verify_bool(v, "/root/readonly", "mountinfo", wanted, found);
	if (word && *word == 'r')
		word++;
	if (word && strcmp(word, "shared") == 0)
		type = MS_SHARED;
	else if (word && strcmp(word, "private") == 0)
		type = MS_PRIVATE;
	else if (word && strcmp(word, "unbindable") == 0)
		type = MS_UNBINDABLE;
	mount_compare_propagation(v, "/linux/rootfsPropagation", type, info);
}

static int look_at_root(struct verify *v, const struct mountinfos *infos, struct oci_err *err)
{
	struct mountinfo *info;
	struct statx x;
	struct stat st;

	if (fstat(v->root, &st) < 0 || statx(v->root, "", AT_EMPTY_PATH, STATX_MNT_ID, &x) < 0)
		return err_sys(err, errno, "cannot look at the container's root directory");
	info = mountinfo_find(infos, x.stx_mnt_id);
	if (info) {
		info->claimed = true;
		compare_root(v, info, &st);
	}
	return 0;
}

static int compare_all(struct verify *v, struct claims *claims, struct mountinfos *infos,
		       const struct mount_list *list, struct oci_err *err)
{
	if (claims_make(claims, list, v->lnx, err) < 0)
		return -1;
	for (size_t i = 0; i < claims->n; i++)
		resolve(v, &claims->items[i]);
	if (claims_sort(claims, infos, err) < 0 || look_at_root(v, infos, err) < 0)
		return -1;
	compare_claims(v, claims, infos);
	for (size_t i = 0; i < list->n; i++)
		if (list->entries[i].link)
			compare_link(v, &list->entries[i]);
	return claims_report_others(v, claims, infos, err);
}

int verify_mounts(struct verify *v, struct oci_err *err)
{
	own_ptr char *text = NULL;
	struct mountinfos infos = {0};
	struct mount_list list = {0};
	struct claims claims = {0};
	int result;

	if (!mount_namespace_is_own(v->config)) {
		verify_hidden(v, "/mounts",
			      "the container has no mount namespace of its own making");
		return 0;
	}
	text = verify_read(v, "mountinfo", NULL);
	if (!text)
		return err_sys(err, errno, "cannot read mountinfo of process %d", (int)v->pid);
	if (mountinfo_parse(text, &infos) < 0)
		return err_sys(err, ENOMEM, "cannot read mountinfo");
	result = mount_list_parse(&list, v->c, err);
	if (result == 0)
		result = compare_all(v, &claims, &infos, &list, err);
	claims_free(&claims);
	mount_list_free(&list);
	mountinfo_free(&infos);
	return result;
}
