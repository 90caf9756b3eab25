/*
 * Purpose: tell criu which mounts come from outside.
 * Runs in: the runtime's namespaces. The paths of a running container are resolved beneath
 *   its root, and compared with what the config says is mounted there.
 * Should: name a mount by its destination in config.json, never by what the image makes of it.
 * Mustn't: let a container that moves symbolic links about get another source at a place.
 * Undo: nothing.
 */
#include "lifecycle/criu_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "base/sys.h"
#include "kernel/joined.h"
#include "kernel/mount.h"
#include "kernel/mount_entry.h"
#include "kernel/proc.h"

static const char *const null_device = "/dev/null";

enum { MOUNTINFO_MAX = 64 << 20 };

static bool is_external(const struct mount_entry *e)
{
	return !e->link && (e->opt.actions & (MOUNTOPT_BIND | MOUNTOPT_RBIND)) &&
	       !(e->opt.actions & MOUNTOPT_REMOUNT);
}

/* The text of init's mountinfo, and its root. */
struct look {
	int root;
	char *mountinfo;
};

static void look_end(struct look *look)
{
	own_close_fd(&look->root);
	free(look->mountinfo);
}

char *criu_mounts_text(const struct container *c, struct oci_err *err)
{
	int proc = proc_fd(err);
	char path[48], *text = NULL;
	own_fd int fd = -1;
	size_t len;

	if (proc < 0)
		return NULL;
	snprintf(path, sizeof path, "%d/mountinfo", (int)c->state->init.pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd_read_all(fd, MOUNTINFO_MAX, &text, &len) < 0)
		err_sys(err, errno, "cannot read the mounts of the container");
	return text;
}

static int look_begin(const struct container *c, struct look *look, struct oci_err *err)
{
	look->root = proc_open_root(&c->state->init, err);
	if (look->root < 0)
		return -1;
	look->mountinfo = criu_mounts_text(c, err);
	return look->mountinfo ? 0 : -1;
}

/* Backslash and three octal digits stand for blanks and the like (proc_pid_mountinfo(5)). */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* The mount point of the mount with that id; the caller frees it. NULL: none. */
static char *mount_point(const struct look *look, uint64_t id)
{
	const char *line = look->mountinfo;
	char wanted[32];
	size_t len = (size_t)snprintf(wanted, sizeof wanted, "%llu ", (unsigned long long)id);

	while (line && strncmp(line, wanted, len) != 0) {
		line = strchr(line, '\n');
		line += line != NULL;
	}
	/* ID PARENT MAJOR:MINOR ROOT POINT */
	for (int field = 0; line && field < 4; field++) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	if (!line)
		return NULL;
	char *point = strndup(line, strcspn(line, " \n"));

	if (point)
		unescape(point);
	return point;
}

/* What is mounted at path: its mount point, and what is there. 1: nothing is mounted there. */
static int find(const struct look *look, const char *path, char **ret_point, struct stat *ret_stat,
		struct oci_err *err)
{
	own_fd int fd = path_open_in_root(look->root, path, O_PATH);
	struct statx sx;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd < 0 || fstat(fd, ret_stat) < 0 ||
	    statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
		return err_sys(err, errno, "cannot look at \"%s\" in the container", path);
	if (!(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 1;
	*ret_point = mount_point(look, sx.stx_mnt_id);
	return *ret_point ? 0 : 1;
}

static int save_entry(const struct look *look, const struct mount_entry *e, struct criu_request *r,
		      struct oci_err *err)
{
	own_ptr char *point = NULL, *name = mount_target_clean(e->destination);
	struct stat there, source;
	int result;

	if (!name)
		return err_sys(err, ENOMEM, "cannot prepare the mounts");
	result = find(look, e->destination, &point, &there, err);
	if (result)
		return result < 0 ? -1 : 0;
	if (stat(e->source, &source) < 0)
		return err_sys(err, errno, "cannot look at the mount source \"%s\"", e->source);
	if (source.st_dev != there.st_dev || source.st_ino != there.st_ino)
		return err_set(err, FAULT_STATE, "what is mounted on \"%s\" is not \"%s\" any more",
			       e->destination, e->source);
	return criu_request_mount(r, point, name, err);
}

/* Of masked paths the files: covered by the machine's /dev/null. */
static int save_masks(const struct container *c, const struct look *look, struct criu_request *r,
		      struct oci_err *err)
{
	const struct json_object *paths = json_path(c->config, "linux", "maskedPaths", NULL);

	for (size_t i = 0; i < json_length(paths); i++) {
		const char *path = json_item_string(paths, i);
		own_ptr char *point = NULL;
		struct stat there;
		int result = find(look, path, &point, &there, err);

		if (result < 0)
			return -1;
		if (result || !S_ISCHR(there.st_mode))
			continue;
		if (there.st_rdev != makedev(1, 3))
			return err_set(err, FAULT_STATE, "\"%s\" is not masked any more", path);
		if (criu_request_mount(r, point, path, err) < 0)
			return -1;
	}
	return 0;
}

int criu_mounts_saved(const struct container *c, struct criu_request *r, struct oci_err *err)
{
	__attribute__((cleanup(look_end))) struct look look = {.root = -1};
	__attribute__((cleanup(mount_list_free))) struct mount_list list = {0};

	if (look_begin(c, &look, err) < 0 || mount_list_parse(&list, c, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++)
		if (is_external(&list.entries[i]) &&
		    save_entry(&look, &list.entries[i], r, err) < 0)
			return err_at(err, "/mounts/%zu", list.entries[i].index);
	return save_masks(c, &look, r, err);
}

/* Beneath a tmpfs of the container's own, whose content the images have. */
static bool is_in_tmpfs(const struct mount_list *list, const char *destination)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mount_entry *e = &list->entries[i];
		size_t len = strlen(e->destination);

		if (strcmp(e->type, "tmpfs") == 0 && !e->link && !is_external(e) &&
		    strncmp(destination, e->destination, len) == 0 && destination[len] == '/')
			return true;
	}
	return false;
}

static int make_point(const struct mount_root *root, const struct mount_entry *e,
		      struct oci_err *err)
{
	struct mount_target target = {.fd = -1};
	struct mount_wish wish = {.destination = e->destination, .source_fd = -1};
	struct stat st;

	if (stat(e->source, &st) < 0)
		return err_sys(err, errno, "mount source \"%s\"", e->source);
	wish.file = !S_ISDIR(st.st_mode);
	if (mount_target_open(root, &wish, &target, err) < 0)
		return -1;
	own_close_fd(&target.fd);
	return 0;
}

static int restore_entry(const struct mount_list *list, const struct mount_entry *e,
			 const struct mount_root *root, struct criu_request *r, struct oci_err *err)
{
	own_ptr char *name = mount_target_clean(e->destination);

	if (!name)
		return err_sys(err, ENOMEM, "cannot prepare the mounts");
	if (!is_in_tmpfs(list, name) && make_point(root, e, err) < 0)
		return -1;
	return criu_request_mount(r, name, e->source, err);
}

int criu_mounts_restored(const struct container *c, struct criu_request *r, struct oci_err *err)
{
	__attribute__((cleanup(mount_list_free))) struct mount_list list = {0};
	const struct json_object *paths = json_path(c->config, "linux", "maskedPaths", NULL);
	own_fd int root_fd = rootfs_open(c, err);
	struct mount_root root;

	if (root_fd < 0 || mount_root_look(root_fd, &root, err) < 0 ||
	    mount_list_parse(&list, c, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++)
		if (is_external(&list.entries[i]) &&
		    restore_entry(&list, &list.entries[i], &root, r, err) < 0)
			return err_at(err, "/mounts/%zu", list.entries[i].index);
	for (size_t i = 0; i < json_length(paths); i++)
		if (criu_request_mount(r, json_item_string(paths, i), null_device, err) < 0)
			return err_at(err, "/linux/maskedPaths/%zu", i);
	return 0;
}

struct protecting {
	const struct container *c;
	struct mount_list list;
};

/* What was not restored there is no error here: it has not been mounted. */
static int protect_path(int root, const char *path, uint64_t set, uint64_t clear,
			struct oci_err *err)
{
	own_fd int fd = path_open_in_root(root, path, O_PATH);
	struct statx sx;

	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0 ||
	    !(sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (mount_change(fd, false, set, clear, 0) < 0)
		return err_sys(err, errno, "cannot set the attributes of the mount on \"%s\"",
			       path);
	return 0;
}

static int protect(void *arg, struct oci_err *err)
{
	struct protecting *p = arg;
	const struct json_object *masked = json_path(p->c->config, "linux", "maskedPaths", NULL);
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(err, errno, "cannot open the container's root");
	for (size_t i = 0; i < p->list.n; i++) {
		const struct mount_entry *e = &p->list.entries[i];

		if (!e->link && !(e->opt.actions & MOUNTOPT_REMOUNT) &&
		    protect_path(root, e->destination, e->opt.set, e->opt.clear, err) < 0)
			return err_at(err, "/mounts/%zu", e->index);
	}
	for (size_t i = 0; i < json_length(masked); i++)
		if (protect_path(root, json_item_string(masked, i), MOUNT_ATTR_RDONLY, 0, err) < 0)
			return err_at(err, "/linux/maskedPaths/%zu", i);
	return 0;
}

int criu_mounts_protect(const struct container *c, struct oci_err *err)
{
	struct protecting p = {.c = c};
	int result = mount_list_parse(&p.list, c, err);

	if (result == 0 && mount_namespace_is_own(c->config))
		result = joined_run(c, CLONE_NEWNS, protect, &p, err);
	mount_list_free(&p.list);
	return result;
}
