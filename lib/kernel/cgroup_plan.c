/*
 * Purpose: decide where the container's cgroup will be, in which hierarchies,
 *   and what of the way there is not there yet.
 * Runs in: the runtime's namespaces; looks only.
 * Should: find out cheaply which kind of machine this is: one statfs(2) tells
 *   pure v2 from the rest, one directory lists v1 hierarchies; mountinfo is not read.
 * Mustn't: make anything; accept a cgroup that processes are in.
 * Undo: nothing to undo.
 * Specification: config-linux.md, "Cgroups Path".
 */
#include "kernel/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/own.h"
#include "base/sys.h"
#include "kernel/cgroup_limits.h"
#include "kernel/cgroup_systemd.h"
#include "kernel/cgroup_tree.h"
#include "kernel/proc.h"

struct plan {
	struct json_object *record, *hierarchies;
	const char *path; /* in the record */
	dev_t devices[CGROUP_HIERARCHIES_MAX];
	unsigned n;
	bool unified, has_v2;
	bool occupied; /* systemd has made it, and is in it already */
	bool refused;  /* the user may not create directories in some hierarchy */
};

/* The cgroup that the caller's v2 cgroup lies in: "/user.slice/x" for "/user.slice/x/y". */
static char *beside_own(struct oci_err *err)
{
	int proc = proc_fd(err);
	own_fd int fd = -1;
	char text[8192], *own, *end;
	ssize_t n;

	if (proc < 0)
		return NULL;
	fd = sys_openat2(proc, "self/cgroup", O_RDONLY | O_CLOEXEC, 0, RESOLVE_BENEATH);
	n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0) {
		err_sys(err, errno, "cannot read /proc/self/cgroup");
		return NULL;
	}
	text[n] = '\0';
	own = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!own)
		return strdup("/");
	own = strchr(own, '/');
	if (!own)
		return strdup("/");
	own[strcspn(own, "\n")] = '\0';
	end = strrchr(own, '/');
	end[end == own] = '\0';
	return strdup(own);
}

/* FAULT_STATE if the cgroup that is there already cannot take a container. */
static int check_existing(const struct cgroup_hierarchy *h, int leaf, struct oci_err *err)
{
	own_ptr char *procs = NULL, *events = NULL, *state = NULL;

	if (h->v2 && cgroup_read(leaf, "cgroup.events", &events) == 0) {
		if (strstr(events, "populated 1"))
			return err_set(
				err, FAULT_STATE,
				"the container's cgroup is not empty: processes are in \"%s%s\"",
				h->mount, h->path);
		if (strstr(events, "frozen 1"))
			return err_set(err, FAULT_STATE,
				       "container's cgroup unexpectedly frozen: \"%s%s\" is frozen",
				       h->mount, h->path);
		return 0;
	}
	if (cgroup_read(leaf, "cgroup.procs", &procs) < 0)
		return err_sys(err, errno, "cannot read \"%s%s/cgroup.procs\"", h->mount, h->path);
	if (*procs)
		return err_set(err, FAULT_STATE,
			       "the container's cgroup is not empty: processes are in \"%s%s\"",
			       h->mount, h->path);
	if (cgroup_read(leaf, "freezer.state", &state) == 0 && strcmp(state, "THAWED") != 0)
		return err_set(err, FAULT_STATE,
			       "container's cgroup unexpectedly frozen: \"%s%s\" is frozen",
			       h->mount, h->path);
	return 0;
}

/*
 * Counts the last components of the path that are not there. *ret_fd is the
 * deepest directory that is, -1 if that is the root; the caller closes it.
 */
static int count_missing(const struct cgroup_hierarchy *h, int root, unsigned *ret_missing,
			 int *ret_fd, struct oci_err *err)
{
	own_ptr char *part = strdup(h->path);

	for (unsigned missing = 0; part; missing++) {
		char *slash = strrchr(part, '/');
		int fd = *part ? cgroup_open_beneath(root, part) : -1;

		if (fd >= 0 || !*part) {
			*ret_missing = missing;
			*ret_fd = fd;
			return 0;
		}
		if (errno == ENOTDIR || errno == ENAMETOOLONG) {
			err_sys(err, errno, "cgroupsPath \"%s\" cannot be a cgroup of \"%s\"",
				h->path, h->mount);
			err->fault = FAULT_CONFIG;
			return err_at(err, "/linux/cgroupsPath");
		}
		if (errno != ENOENT || !slash)
			break;
		*slash = '\0';
	}
	return err_sys(err, errno, "cannot open cgroup \"%s%s\"", h->mount, h->path);
}

/*
 * Below or in a threaded directory there are only threads, of processes that are
 * in a directory above. The root has no type.
 */
static int check_type(const struct cgroup_hierarchy *h, int deepest, struct oci_err *err)
{
	own_ptr char *type = NULL;

	if (cgroup_read(deepest, "cgroup.type", &type) < 0 || strcmp(type, "domain") == 0)
		return 0;
	err_set(err, FAULT_UNSUPPORTED, "cgroup \"%s%s\": what is there of it is of type \"%s\"",
		h->mount, h->path, type);
	err_hint(err, "a container can only be in a cgroup of type \"domain\"");
	return err_at(err, "/linux/cgroupsPath");
}

/* Adds the hierarchy whose root is `root` to the record. */
static int add_hierarchy(struct plan *plan, const char *mount, bool v2, int root,
			 struct oci_err *err)
{
	struct json_object *json = json_object_new_object();
	struct cgroup_hierarchy h = {.mount = mount, .path = plan->path, .v2 = v2};
	own_fd int found = -1;
	int deepest;

	json_object_array_add(plan->hierarchies, json);
	json_object_object_add(json, "mount", json_object_new_string(mount));
	json_object_object_add(json, "version", json_object_new_int(v2 ? 2 : 1));
	if (count_missing(&h, root, &h.made, &found, err) < 0)
		return -1;
	deepest = found < 0 ? root : found;
	if (h.made == 0 && !plan->occupied && check_existing(&h, deepest, err) < 0)
		return -1;
	if (v2 && found >= 0 && check_type(&h, deepest, err) < 0)
		return -1;
	if (faccessat(deepest, ".", W_OK, AT_EACCESS) < 0) {
		if (errno != EACCES && errno != EPERM && errno != EROFS)
			return err_sys(err, errno, "cannot look at cgroup \"%s%s\"", mount, h.path);
		plan->refused = true;
		json_object_array_del_idx(plan->hierarchies, json_length(plan->hierarchies) - 1, 1);
		return 0;
	}
	json_object_object_add(json, "made", json_object_new_int((int)h.made));
	return 0;
}

/* A directory of /sys/fs/cgroup: a hierarchy, unless it is none or is mounted twice. */
static int add_v1(struct plan *plan, int cgroup_fd, const char *name, struct oci_err *err)
{
	own_fd int root = openat(cgroup_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char mount[sizeof CGROUP_MOUNT + NAME_MAX + 1];
	struct statfs fs;
	struct stat st;

	if (root < 0 || fstatfs(root, &fs) < 0 || fstat(root, &st) < 0)
		return err_sys(err, errno, "cannot look at \"%s/%s\"", CGROUP_MOUNT, name);
	if (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC)
		return 0;
	for (unsigned i = 0; i < plan->n; i++)
		if (plan->devices[i] == st.st_dev)
			return 0;
	if (plan->n == CGROUP_HIERARCHIES_MAX)
		return err_set(err, FAULT_UNSUPPORTED, "more than %d cgroup hierarchies",
			       CGROUP_HIERARCHIES_MAX);
	plan->devices[plan->n++] = st.st_dev;
	plan->has_v2 |= fs.f_type == CGROUP2_SUPER_MAGIC;
	snprintf(mount, sizeof mount, "%s/%s", CGROUP_MOUNT, name);
	return add_hierarchy(plan, mount, fs.f_type == CGROUP2_SUPER_MAGIC, root, err);
}

/* The v1 hierarchies, and the v2 one beside them, are directories of a tmpfs. */
static int add_all_v1(struct plan *plan, int cgroup_fd, struct oci_err *err)
{
	int fd = openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int result = 0;

	if (!dir) {
		err_sys(err, errno, "cannot list \"%s\"", CGROUP_MOUNT);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	/* A symbolic link (cpu -> cpu,cpuacct) is a second name of a hierarchy. */
	for (struct dirent *e; result == 0 && (e = readdir(dir));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			result = add_v1(plan, cgroup_fd, e->d_name, err);
	closedir(dir);
	return result;
}

/* The path, from what was asked for; base: where relative ones and the default lie. */
static int plan_path(struct plan *plan, const char *id, const char *cgroups_path, int cgroup_fd,
		     struct oci_err *err)
{
	bool absolute = cgroups_path && cgroups_path[0] == '/';
	bool given = cgroups_path && cgroups_path[0];
	own_ptr char *base = NULL, *path = NULL;

	/* Who cannot write at the root has been given a part of the tree: his own cgroup's parent.
	 */
	if (!absolute && plan->unified && faccessat(cgroup_fd, ".", W_OK, AT_EACCESS) < 0) {
		base = beside_own(err);
		if (!base)
			return -1;
	}
	path = cgroup_normal_path(base ? base : "", given ? cgroups_path : id, err);
	if (!path)
		return -1;
	json_object_object_add(plan->record, "path", json_object_new_string(path));
	plan->path = json_string(plan->record, "path");
	return 0;
}

static int plan_hierarchies(struct plan *plan, const char *id, const char *cgroups_path,
			    struct oci_err *err)
{
	own_fd int fd = open(CGROUP_MOUNT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(err, errno, "cannot look at \"%s\"", CGROUP_MOUNT);
	plan->unified = fs.f_type == CGROUP2_SUPER_MAGIC;
	if (plan_path(plan, id, cgroups_path, fd, err) < 0)
		return -1;
	if (plan->unified)
		return add_hierarchy(plan, CGROUP_MOUNT, true, fd, err);
	return fs.f_type == TMPFS_MAGIC ? add_all_v1(plan, fd, err) : 0;
}

/* Of the machine; it is this whether or not the user may create anything. */
static const char *mode_of(const struct plan *plan)
{
	if (plan->unified)
		return "unified";
	if (plan->n == 0)
		return "none";
	return plan->has_v2 ? "hybrid" : "legacy";
}

/* Without a cgroup: nothing may be asked for that needs one. */
static int check_unlimited(const struct plan *plan, const struct json_object *resources,
			   struct oci_err *err)
{
	bool limits = cgroup_limits_asked(resources);

	if (!limits && !cgroup_devices_asked(resources))
		return 0;
	if (plan->refused)
		err_set(err, FAULT_UNSUPPORTED,
			"there are limits, but uid %u may not create cgroup \"%s\" in \"%s\"",
			(unsigned)geteuid(), plan->path, CGROUP_MOUNT);
	else
		err_set(err, FAULT_UNSUPPORTED,
			"there are limits, but no cgroups are mounted on \"%s\"", CGROUP_MOUNT);
	return err_at(err, limits ? "/linux/resources" : "/linux/resources/devices");
}

int cgroup_plan(const char *id, const char *cgroups_path, const struct json_object *resources,
		struct json_object **ret_record, struct oci_err *err)
{
	own_json struct json_object *record = json_object_new_object();
	struct plan plan = {.record = record, .hierarchies = json_object_new_array()};

	json_object_object_add(record, "hierarchies", plan.hierarchies);
	if (plan_hierarchies(&plan, id, cgroups_path, err) < 0)
		return -1;
	json_object_object_add(record, "mode", json_object_new_string(mode_of(&plan)));
	if (cgroup_count(record) == 0 && check_unlimited(&plan, resources, err) < 0)
		return -1;
	*ret_record = steal_ptr(&record);
	return 0;
}

int cgroup_plan_at(struct json_object *record, const char *path, struct oci_err *err)
{
	struct plan plan = {
		.record = record, .hierarchies = json_object_new_array(), .occupied = true};

	json_object_object_add(record, "hierarchies", plan.hierarchies);
	if (plan_hierarchies(&plan, path, path, err) < 0)
		return -1;
	json_object_object_add(record, "mode", json_object_new_string(mode_of(&plan)));
	return 0;
}
