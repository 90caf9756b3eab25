#include "verify/mount_claims.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/sys.h"
#include "kernel/device_list.h"
#include "kernel/mount_target.h"

/* ---- Making ---------------------------------------------------------------------------------- */

static struct claim *add(struct claims *claims, enum claim_kind kind, size_t index,
			 const char *path)
{
	struct claim *claim = &claims->items[claims->n];

	*claim = (struct claim){.kind = kind, .index = index, .order = claims->n, .path = path};
	claims->n++;
	return claim;
}

static int no_memory(struct oci_err *err)
{
	return err_sys(err, ENOMEM, "cannot compare the mounts");
}

int claims_make(struct claims *claims, const struct mount_list *list, const struct json_object *lnx,
		struct oci_err *err)
{
	const struct json_object *masked = json_member(lnx, "maskedPaths"),
				 *read_only = json_member(lnx, "readonlyPaths");
	const size_t n = list->n + json_length(masked) + json_length(read_only);

	claims->items = calloc(n + 1, sizeof *claims->items);
	if (!claims->items)
		return no_memory(err);
	for (size_t i = 0; i < list->n; i++) {
		struct mount_entry *entry = &list->entries[i];
		bool remount = entry->opt.actions & MOUNTOPT_REMOUNT;
		struct claim *claim;

		if (entry->link)
			continue;
		claim = add(claims, remount ? CLAIM_REMOUNT : CLAIM_MOUNT, entry->index,
			    entry->destination);
		claim->entry = entry;
		claim->clean = mount_target_clean(entry->destination);
		if (!claim->clean)
			return no_memory(err);
	}
	for (size_t i = 0; i < json_length(masked); i++)
		add(claims, CLAIM_MASK, i, json_item_string(masked, i));
	for (size_t i = 0; i < json_length(read_only); i++)
		add(claims, CLAIM_READ_ONLY, i, json_item_string(read_only, i));
	return 0;
}

void claims_free(struct claims *claims)
{
	for (size_t i = 0; i < claims->n; i++)
		free(claims->items[i].clean);
	free(claims->items);
	free(claims->by_point);
	free(claims->by_path);
	*claims = (struct claims){0};
}

static int by_mount(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->is_mount != y->is_mount)
		return x->is_mount ? 1 : -1;
	if (x->is_mount && x->mount != y->mount)
		return x->mount < y->mount ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_text(const void *a, const void *b)
{
	const struct claim_point *x = a, *y = b;

	return strcmp(x->point, y->point);
}

int claims_sort(struct claims *claims, const struct mountinfos *infos, struct oci_err *err)
{
	qsort(claims->items, claims->n, sizeof *claims->items, by_mount);
	claims->by_point = calloc(claims->n + 1, sizeof *claims->by_point);
	claims->by_path = calloc(claims->n + 1, sizeof *claims->by_path);
	if (!claims->by_point || !claims->by_path)
		return no_memory(err);
	for (size_t i = 0; i < claims->n; i++) {
		const struct claim *claim = &claims->items[i];
		const struct mountinfo *info =
			claim->is_mount ? mountinfo_find(infos, claim->mount) : NULL;

		if (info)
			claims->by_point[claims->n_by_point++] =
				(struct claim_point){info->point, claim};
		if (claim->clean)
			claims->by_path[claims->n_by_path++] =
				(struct claim_point){claim->clean, claim};
	}
	qsort(claims->by_point, claims->n_by_point, sizeof *claims->by_point, by_text);
	qsort(claims->by_path, claims->n_by_path, sizeof *claims->by_path, by_text);
	return 0;
}

/* ---- Questions ------------------------------------------------------------------------------- */

/* The first of a sorted list with this point; the others follow it. */
static const struct claim_point *find(const struct claim_point *list, size_t n, const char *point)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list[middle].point, point) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && strcmp(list[low].point, point) == 0 ? &list[low] : NULL;
}

typedef bool (*question_fn)(const struct claim *claim, const struct claim *about);

static bool any_at(const struct claim_point *list, size_t n, const char *point, question_fn asks,
		   const struct claim *about)
{
	const struct claim_point *p = find(list, n, point);

	for (; p && p < list + n && strcmp(p->point, point) == 0; p++)
		if (asks(p->claim, about))
			return true;
	return false;
}

/* Of the directories above point, from the nearest on; with self, of point first. */
static bool any_above(const struct claim_point *list, size_t n, const char *point, bool self,
		      question_fn asks, const struct claim *about)
{
	own_ptr char *path = strdup(point);
	char *slash;

	if (!path)
		return false;
	if (self && any_at(list, n, path, asks, about))
		return true;
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		if (any_at(list, n, path, asks, about))
			return true;
	}
	return false;
}

static bool is_kind(const struct claim *claim, const struct claim *about)
{
	return claim->kind == about->kind;
}

bool claims_beneath(const struct claims *claims, const char *point, enum claim_kind kind)
{
	const struct claim about = {.kind = kind};

	return any_above(claims->by_point, claims->n_by_point, point, true, is_kind, &about);
}

static bool is_tree(const struct claim *claim, const struct claim *about)
{
	(void)about;
	return claim->kind == CLAIM_READ_ONLY ||
	       (claim->entry && claim->entry->opt.actions & MOUNTOPT_RBIND);
}

bool claims_in_tree(const struct claims *claims, const char *point)
{
	return any_above(claims->by_point, claims->n_by_point, point, true, is_tree, NULL);
}

static bool is_later(const struct claim *claim, const struct claim *about)
{
	return claim->order > about->order && claim->kind == CLAIM_MOUNT;
}

bool claims_covered(const struct claims *claims, const struct claim *claim)
{
	return claim->clean &&
	       any_above(claims->by_path, claims->n_by_path, claim->clean, false, is_later, claim);
}

struct mountinfo *claims_below(const struct mountinfos *infos, const struct mountinfo *info)
{
	struct mountinfo *parent = mountinfo_find(infos, info->parent);

	return parent && parent != info && strcmp(parent->point, info->point) == 0 &&
			       strcmp(info->point, "/") != 0
		       ? parent
		       : NULL;
}

/* ---- What nobody asked for ------------------------------------------------------------------- */

static bool hooks_may_mount(const struct json_object *config)
{
	static const char *const hooks[] = {"prestart", "createRuntime", "createContainer",
					    "startContainer"};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (json_length(json_path(config, "hooks", hooks[i], NULL)) > 0)
			return true;
	return false;
}

/* The mounts that the root filesystem had on the host already, or has got there since. */
static char *host_mounts(const struct verify *v)
{
	own_fd int fd = sys_openat2(v->proc_root, "self/mountinfo", O_RDONLY | O_CLOEXEC, 0,
				    RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	char *text = NULL;
	size_t len;

	return fd < 0 || fd_read_all(fd, 64 << 20, &text, &len) < 0 ? NULL : text;
}

static int by_point(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct known {
	const char **points; /* sorted: of the host beneath rootfs, and of devices */
	size_t n;
	struct mountinfos host;
	struct device_list devices;
	char *text;
};

static int gather(const struct verify *v, struct known *k, struct oci_err *err)
{
	const char *rootfs = v->c->state->rootfs;
	const size_t len = strlen(rootfs);

	if (device_list_make(v->config, &k->devices, err) < 0)
		return -1;
	k->text = host_mounts(v);
	if (k->text && mountinfo_parse(k->text, &k->host) < 0)
		return no_memory(err);
	k->points = calloc(k->host.n + k->devices.n + 1, sizeof *k->points);
	if (!k->points)
		return no_memory(err);
	for (size_t i = 0; i < k->host.n; i++)
		if (strncmp(k->host.items[i].point, rootfs, len) == 0 &&
		    k->host.items[i].point[len] == '/')
			k->points[k->n++] = k->host.items[i].point + len;
	for (size_t i = 0; i < k->devices.n; i++)
		k->points[k->n++] = k->devices.items[i].path;
	if (json_true(v->process, "terminal"))
		k->points[k->n++] = "/dev/console";
	qsort(k->points, k->n, sizeof *k->points, by_point);
	return 0;
}

static void forget(struct known *k)
{
	free(k->points);
	mountinfo_free(&k->host);
	device_list_free(&k->devices);
	free(k->text);
}

static void mark_covered(const struct mountinfos *infos)
{
	for (size_t i = 0; i < infos->n; i++) {
		struct mountinfo *below = claims_below(infos, &infos->items[i]);

		if (below)
			below->covered = true;
	}
}

/* Whether it, or a mount that it is in, cannot be reached any more. */
static bool is_out_of_reach(const struct mountinfos *infos, const struct mountinfo *info)
{
	for (unsigned depth = 0; info && depth < PATH_MAX; depth++) {
		const struct mountinfo *parent = mountinfo_find(infos, info->parent);

		if (info->covered)
			return true;
		info = parent == info ? NULL : parent;
	}
	return false;
}

/* A mount that config.json asks for may be covered by a later one that is above it. */
static bool is_expected(const struct claims *claims, const struct mountinfo *info)
{
	const struct claim about = {.kind = CLAIM_MOUNT};

	return info->claimed || strcmp(info->point, "/") == 0 ||
	       any_at(claims->by_path, claims->n_by_path, info->point, is_kind, &about) ||
	       claims_in_tree(claims, info->point);
}

int claims_report_others(struct verify *v, const struct claims *claims,
			 const struct mountinfos *infos, struct oci_err *err)
{
	const bool hooks = hooks_may_mount(v->config);
	struct known known = {0};
	int result = 0;

	mark_covered(infos);
	for (size_t i = 0; i < infos->n && result == 0; i++) {
		const struct mountinfo *info = &infos->items[i];
		char found[PATH_MAX + 64];

		verify_compared(v);
		if (is_expected(claims, info) || is_out_of_reach(infos, info))
			continue;
		if (!known.points)
			result = gather(v, &known, err);
		if (result < 0 ||
		    bsearch(&info->point, known.points, known.n, sizeof *known.points, by_point))
			continue;
		snprintf(found, sizeof found, "%s on %s", info->type, info->point);
		if (hooks)
			verify_hidden(v, "/mounts", "a hook may have mounted %s", found);
		else
			verify_differs(v, "/mounts", "mountinfo", "no such mount", found);
	}
	forget(&known);
	return result;
}
