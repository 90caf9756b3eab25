/*
 * Purpose: mounts and devices: sources, filesystems, options, id mappings, and
 *   what they are put on.
 * Runs in: the runtime's namespaces, and children that end at once.
 * Mustn't: open a source or anything of the image but with O_PATH; load a module.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "host/check.h"
#include "host/host.h"
#include "kernel/mount.h"
#include "oci/mountopt.h"

enum { MODULES_MAX = 4 << 20 };

/* ---- Filesystems ----------------------------------------------------------------------------- */

/* /proc/filesystems: "nodev\tNAME" or "\tNAME". */
static bool is_listed(const char *type)
{
	own_ptr char *text = host_read_proc("filesystems"), *line = NULL;

	return text && asprintf(&line, "\t%s\n", type) >= 0 && strstr(text, line);
}

/* Whether a module could bring it, by the list of those that are installed. */
static bool is_module(const char *type)
{
	own_ptr char *text = NULL, *name = NULL;
	own_fd int modules = -1, release = -1;
	struct utsname uts;
	size_t len;

	modules = open("/lib/modules", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (modules < 0 || uname(&uts) < 0)
		return false;
	release = openat(modules, uts.release, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return release >= 0 &&
	       fd_read_file(release, "modules.dep", MODULES_MAX, &text, &len) == 0 &&
	       asprintf(&name, "/%s.ko", type) >= 0 && strstr(text, name);
}

struct making {
	const char *type;
	int flags;
	const char *key, *value; /* try only this option; value NULL: a flag */
};

static int make_filesystem(const void *arg)
{
	const struct making *making = arg;
	own_fd int fs = fsopen(making->type, FSOPEN_CLOEXEC);

	if (fs < 0)
		return errno;
	if (making->key)
		return fsconfig(fs, making->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
				making->key, making->value, 0) < 0
			       ? errno
			       : 0;
	fsconfig(fs, FSCONFIG_SET_STRING, "source", making->type, 0);
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? errno : 0;
}

/* A process is in a new pid namespace only from the next fork on. */
static int enter_and_make(const void *arg)
{
	const struct making *making = arg;

	if (unshare(making->flags) < 0)
		return errno;
	return host_try(make_filesystem, making);
}

static void check_filesystem(struct host_check *check, size_t i, const char *type)
{
	struct json_object *r = host_require(check->report, "/mounts/%zu", i);
	const int flags = (int)check->new_namespaces | CLONE_NEWNS;
	const struct making making = {.type = type, .flags = flags};

	host_what(r, "filesystem %s", type);
	host_probe(r, "/proc/filesystems");
	/* "cgroup" is whatever the machine has: /linux/cgroupsPath says more. */
	if (!is_listed(type) && strcmp(type, "cgroup") != 0) {
		const bool module = is_module(type);

		host_result(r, module ? HOST_DEGRADED : HOST_FAIL, "not there%s",
			    module ? ", but there is a module" : "");
		return;
	}
	/* Which of them a user namespace may make only the kernel knows. */
	if (!(flags & CLONE_NEWUSER) || !mount_is_virtual(type) ||
	    strncmp(type, "cgroup", 6) == 0) {
		host_result(r, HOST_OK, "listed");
		return;
	}
	host_probe(r, "/proc/filesystems, fsopen in new namespaces");
	host_result_errno(r, HOST_FAIL, host_try(enter_and_make, &making));
}

/*
 * An option of the filesystem itself. Owners are left out: the namespace that it is tried in maps
 * no ids.
 */
static void check_data(struct host_check *check, size_t i, const char *type,
		       const struct mountopt_data *data)
{
	own_ptr char *key = strdup(data->text);
	char *equals = key ? strchr(key, '=') : NULL;
	struct making making = {
		.type = type,
		.flags = (int)(check->new_namespaces & CLONE_NEWUSER) | CLONE_NEWNS,
		.key = key,
		.value = equals ? equals + 1 : NULL,
	};
	struct json_object *r;
	int e;

	if (equals)
		*equals = '\0';
	if (!key || ((making.flags & CLONE_NEWUSER) &&
		     (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0)))
		return;
	e = host_try(enter_and_make, &making);
	r = host_require(check->report, "/mounts/%zu/options/%zu", i, data->index);
	host_what(r, "option \"%s\" of %s", data->text, type);
	host_probe(r, "fsconfig");
	host_result_errno(r, HOST_FAIL, e);
}

/* ---- Sources, destinations, options ---------------------------------------------------------- */

static void check_source(struct host_check *check, size_t i, const char *source)
{
	own_fd int bundle = open(check->bundle->path, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct json_object *r = host_require(check->report, "/mounts/%zu/source", i);

	fd = openat(bundle, source, O_PATH | O_CLOEXEC);
	host_what(r, "source");
	host_probe(r, "open \"%s\"", source);
	if (fd < 0) {
		const int e = errno;
		own_ptr char *why = source[0] == '/' ? path_explain(source) : NULL;

		host_result(r, HOST_FAIL, "%s%s%s", err_name(e), why && *why ? ": " : "",
			    why ? why : "");
		return;
	}
	host_result(r, HOST_OK, "there");
}

/* The first mount whose destination is above this one's: it is made in there. */
static bool is_in_mount(const struct json_object *list, size_t i, const char *path)
{
	for (size_t k = 0; k < i; k++) {
		const char *to = json_string(json_item(list, k), "destination");
		size_t len = to ? strlen(to) : 0;

		while (len > 0 && to[len - 1] == '/')
			len--;
		if (len > 0 && strncmp(path, to, len) == 0 && (path[len] == '/' || !path[len]))
			return true;
	}
	return false;
}

/* The host's id of the container's root, who makes what is missing. */
static uint32_t root_of(const struct host_check *check, const char *mappings)
{
	const struct json_object *list = json_member(check->platform, mappings);

	for (size_t i = 0; i < json_length(list); i++)
		if (json_uint(json_item(list, i), "containerID", 1) == 0)
			return (uint32_t)json_uint(json_item(list, i), "hostID", 0);
	return UINT32_MAX;
}

struct writing {
	int dir;
	uint32_t uid, gid; /* UINT32_MAX: as we are */
};

static int may_write(const void *arg)
{
	const struct writing *writing = arg;

	if (writing->uid != UINT32_MAX && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(writing->gid, writing->gid, writing->gid) < 0 ||
	     setresuid(writing->uid, writing->uid, writing->uid) < 0))
		return errno;
	return faccessat(writing->dir, ".", W_OK, AT_EACCESS) < 0 ? errno : 0;
}

/* The deepest directory above path that is there; the caller closes it. */
static int open_above(const struct host_check *check, const char *path)
{
	own_ptr char *part = strdup(path);

	for (char *slash; part && (slash = strrchr(part, '/')) && slash != part;) {
		int fd;

		*slash = '\0';
		fd = path_open_in_root(check->root, part, O_PATH | O_DIRECTORY);
		if (fd >= 0 || errno != ENOENT)
			return fd;
	}
	return dup(check->root);
}

static void check_destination(struct host_check *check, size_t i, const char *path)
{
	const bool mapped = check->new_namespaces & CLONE_NEWUSER;
	struct writing writing = {-1, UINT32_MAX, UINT32_MAX};
	own_fd int fd = -1, above = -1;
	struct json_object *r;
	int e;

	if (is_in_mount(json_member(check->config, "mounts"), i, path))
		return;
	fd = path_open_in_root(check->root, path, O_PATH);
	if (fd >= 0)
		return;
	e = errno;
	r = host_require(check->report, "/mounts/%zu/destination", i);
	host_what(r, "\"%s\" in the root filesystem", path);
	host_probe(r, "openat2, writing to the directory above");
	if (e != ENOENT) {
		host_result_errno(r, HOST_FAIL, e);
		return;
	}
	above = open_above(check, path);
	writing.dir = above;
	if (mapped) {
		writing.uid = root_of(check, "uidMappings");
		writing.gid = root_of(check, "gidMappings");
	}
	e = above < 0 ? errno : host_try(may_write, &writing);
	host_result(r, e ? HOST_FAIL : HOST_OK, "%s%s",
		    e ? "not there, and cannot be made: " : "would be made", e ? err_name(e) : "");
}

static bool is_idmapped(const struct json_object *mount, const struct mountopt *opt)
{
	return json_has(mount, "uidMappings") ||
	       (opt->actions & (MOUNTOPT_IDMAP | MOUNTOPT_RIDMAP));
}

static void check_idmap(struct host_check *check, size_t i, const struct json_object *mount,
			const struct mountopt *opt)
{
	const bool own = json_has(mount, "uidMappings");
	const struct json_object *from = own ? mount : check->platform;
	own_fd int bundle = open(check->bundle->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *source = json_string(mount, "source");
	own_err struct oci_err err = ERR_INIT;
	struct json_object *r =
		host_require(check->report, "/mounts/%zu/%s", i, own ? "uidMappings" : "options");
	int e;

	host_what(r, "id-mapped mount");
	if (!mountopt_is_bind(mount) || !source) {
		host_probe(r, "none");
		host_result(r, HOST_DEGRADED, "cannot be told of a new filesystem");
		return;
	}
	host_probe(r, "mount_setattr MOUNT_ATTR_IDMAP on \"%s\"", source);
	e = host_try_idmap(bundle, source, opt->actions & MOUNTOPT_RIDMAP,
			   json_member(from, "uidMappings"), json_member(from, "gidMappings"),
			   &err);
	if (err.message)
		host_result(r, HOST_FAIL, "%s", err.message);
	else if (e == EINVAL)
		host_result(r, HOST_FAIL, "EINVAL: its filesystem does not know id-mapped mounts");
	else
		host_result_errno(r, HOST_FAIL, e);
}

/* What the kernel accepts without doing it, or does by its own rules. */
static void check_options(struct host_check *check, size_t i, const struct json_object *mount)
{
	const struct json_object *list = json_member(mount, "options");

	for (size_t k = 0; k < json_length(list); k++) {
		const char *option = json_item_string(list, k);
		struct json_object *r;

		if (strcmp(option, "mand") != 0 && strcmp(option, "iversion") != 0)
			continue;
		r = host_require(check->report, "/mounts/%zu/options/%zu", i, k);
		host_what(r, "mount option %s", option);
		host_probe(r, "none");
		host_result(r, HOST_DEGRADED, "%s",
			    *option == 'm' ? "of no effect since Linux 5.15"
					   : "of ext4 only; others count versions always");
	}
}

static void check_mount(struct host_check *check, size_t i, const struct json_object *mount)
{
	const char *source = json_string(mount, "source"), *type = mountopt_type(mount);
	own_err struct oci_err ignored = ERR_INIT;
	own_mountopt struct mountopt opt = {0};

	if (mountopt_parse(mount, i, &opt, &ignored) < 0)
		return;
	if (opt.actions & MOUNTOPT_REMOUNT)
		return;
	if (type)
		check_filesystem(check, i, type);
	/* "cgroup" may be another type here. */
	for (size_t k = 0; type && mount_is_virtual(type) && k < opt.n_data; k++)
		if (strncmp(type, "cgroup", 6) != 0)
			check_data(check, i, type, &opt.data[k]);
	/* A filesystem on a device. */
	if (source && (!type || (!mount_is_virtual(type) && source[0] == '/')))
		check_source(check, i, source);
	if (is_idmapped(mount, &opt))
		check_idmap(check, i, mount, &opt);
	check_options(check, i, mount);
	check_destination(check, i, json_string(mount, "destination"));
}

void host_check_mounts(struct host_check *check)
{
	const struct json_object *list = json_member(check->config, "mounts");

	for (size_t i = 0; i < json_length(list); i++)
		check_mount(check, i, json_item(list, i));
}

/* ---- Devices --------------------------------------------------------------------------------- */

static void check_device(struct host_check *check, size_t i, const struct json_object *device)
{
	const char *path = json_string(device, "path"), *type = json_string(device, "type");
	const dev_t number = makedev((unsigned)json_int(device, "major", 0),
				     (unsigned)json_int(device, "minor", 0));
	const bool may_make = host_has_capability(CAP_MKNOD);
	struct json_object *r = host_require(check->report, "/linux/devices/%zu", i);
	own_fd int fd = -1;
	struct stat st;

	host_what(r, "device %s", path);
	if (may_make || *type == 'p') {
		host_probe(r, "capget CAP_MKNOD");
		host_result(r, HOST_OK, "would be made");
		return;
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	host_probe(r, "the host's \"%s\"", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		host_result_errno(r, HOST_FAIL, errno);
	else if ((st.st_mode & S_IFMT) != (*type == 'b' ? S_IFBLK : S_IFCHR) ||
		 st.st_rdev != number)
		host_result(r, HOST_FAIL, "is another file");
	else if ((json_has(device, "fileMode") &&
		  (st.st_mode & 07777) != (json_uint(device, "fileMode", 0) & 07777)) ||
		 json_uint(device, "uid", st.st_uid) != st.st_uid ||
		 json_uint(device, "gid", st.st_gid) != st.st_gid)
		host_result(r, HOST_FAIL, "has another mode or owner, and cannot be made");
	else
		host_result(r, HOST_OK, "would be bound");
}

void host_check_devices(struct host_check *check)
{
	const struct json_object *list = json_member(check->platform, "devices");

	for (size_t i = 0; i < json_length(list); i++)
		check_device(check, i, json_item(list, i));
}
