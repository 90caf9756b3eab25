/*
 * Purpose: what of the features of this program the kernel, the machine and the
 *   caller's rights allow.
 * Runs in: the runtime's namespaces, and children that end at once.
 * Mustn't: change anything.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/own.h"
#include "host/host.h"
#include "kernel/caps.h"
#include "kernel/cgroup.h"
#include "kernel/lsm.h"
#include "kernel/ns.h"
#include "oci/mountopt.h"

/* For each word of an array of the document. */
static void each(struct json_object *report, const struct json_object *list, const char *pointer,
		 void (*probe)(struct json_object *requirement, const char *word))
{
	for (size_t i = 0; i < json_length(list); i++)
		probe(host_require(report, "%s/%s", pointer, json_item_string(list, i)),
		      json_item_string(list, i));
}

static void probe_kernel(struct json_object *report)
{
	struct json_object *r = host_require(report, "/");
	struct utsname uts;

	host_what(r, "Linux 5.14 or newer");
	host_probe(r, "uname, openat2, mount_setattr, fsopen");
	if (uname(&uts) < 0)
		host_result_errno(r, HOST_FAIL, errno);
	else if (mount_setattr(-1, "", 0, NULL, 0) < 0 && errno == ENOSYS)
		host_result(r, HOST_FAIL, "%s has no mount_setattr", uts.release);
	else
		host_result(r, HOST_OK, "%s", uts.release);
}

static void probe_namespace(struct json_object *r, const char *name)
{
	const struct ns_type *type = ns_find(name);
	const bool nested = geteuid() != 0 && type->flag != CLONE_NEWUSER;

	host_what(r, "%s namespace", name);
	host_probe(r, "unshare(%s%s)", nested ? "CLONE_NEWUSER and " : "", type->name);
	host_result_errno(r, HOST_FAIL,
			  host_try_namespaces(type->flag | (nested ? CLONE_NEWUSER : 0)));
}

static void probe_capability(struct json_object *r, const char *name)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct caps held = {0};
	cap_value_t cap;

	host_what(r, "capability");
	host_probe(r, "PR_CAPBSET_READ, capget");
	if (cap_from_name(name, &cap) < 0 || prctl(PR_CAPBSET_READ, cap) < 0)
		host_result(r, HOST_FAIL, "not known to this kernel or libcap");
	else if (caps_held(&held, &ignored) < 0)
		host_result(r, HOST_FAIL, "%s", ignored.message);
	else if (!(held.bounding & (uint64_t)1 << cap))
		host_result(r, HOST_DEGRADED, "not in the bounding set");
	else if (!(held.permitted & (uint64_t)1 << cap))
		host_result(r, HOST_DEGRADED, "not held: only in a user namespace");
	else
		host_result(r, HOST_OK, "held");
}

/* ---- Mounts ---------------------------------------------------------------------------------- */

static int new_tmpfs(void)
{
	own_fd int fs = -1;

	if (geteuid() != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return -1;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, 0);
}

static int set_attributes(const struct mountopt_row *row)
{
	const bool recursive = row->kind == MOUNTOPT_RECURSIVE || row->recursive;
	struct mount_attr attr = {.attr_set = row->set, .attr_clr = row->clear};
	own_fd int fd = new_tmpfs();

	if (fd < 0)
		return errno;
	if (row->kind == MOUNTOPT_PROPAGATION)
		attr = (struct mount_attr){.propagation = row->set};
	return mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			     sizeof attr) < 0
		       ? errno
		       : 0;
}

static int set_superblock(const char *name)
{
	own_fd int fs = -1;

	if (geteuid() != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	return fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, name, NULL, 0) < 0 ? errno : 0;
}

static int try_option(const void *arg)
{
	const struct mountopt_row *row = arg;

	return row->kind == MOUNTOPT_SUPERBLOCK ? set_superblock(row->name) : set_attributes(row);
}

static void probe_option(struct json_object *r, const char *name)
{
	const struct mountopt_row *row = mountopt_find(name);
	const bool idmap = row->kind == MOUNTOPT_ACTION &&
			   (row->set == MOUNTOPT_IDMAP || row->set == MOUNTOPT_RIDMAP);

	host_what(r, "mount option");
	if (row->kind == MOUNTOPT_NOTHING || (row->kind == MOUNTOPT_ACTION && !idmap)) {
		host_probe(r, "none needed");
		host_result(r, HOST_OK, "done by this program");
	} else if (idmap) {
		host_probe(r, "see /linux/mountExtensions/idmap");
		host_result(r, HOST_OK, "depends on the filesystem");
	} else if (strcmp(name, "iversion") == 0) {
		host_probe(r, "none");
		host_result(r, HOST_DEGRADED, "of ext4 only; others count versions always");
	} else {
		int e = host_try(try_option, row);

		host_probe(r, "%s on a tmpfs",
			   row->kind == MOUNTOPT_SUPERBLOCK ? "fsconfig" : "mount_setattr");
		host_result_errno(r, HOST_FAIL, e);
	}
}

static struct json_object *own_mapping(uint32_t id)
{
	struct json_object *map = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(map, "containerID", json_object_new_int(0));
	json_object_object_add(map, "hostID", json_object_new_int64(id));
	json_object_object_add(map, "size", json_object_new_int(1));
	json_object_array_add(list, map);
	return list;
}

static void probe_idmap(struct json_object *report)
{
	struct json_object *r = host_require(report, "/linux/mountExtensions/idmap");
	own_json struct json_object *uids = own_mapping(geteuid()), *gids = own_mapping(getegid());
	own_err struct oci_err err = ERR_INIT;
	const int e = host_try_idmap(AT_FDCWD, "/", false, uids, gids, &err);

	host_what(r, "id-mapped mounts");
	host_probe(r, "open_tree of \"/\", mount_setattr MOUNT_ATTR_IDMAP");
	/* EINVAL: the kernel knows it, and the filesystem does not. */
	if (err.message)
		host_result(r, HOST_FAIL, "%s", err.message);
	else
		host_result_errno(r, e == EINVAL ? HOST_DEGRADED : HOST_FAIL, e);
}

/* ---- Cgroups --------------------------------------------------------------------------------- */

static void probe_cgroup(struct json_object *report)
{
	own_err struct oci_err err = ERR_INIT;
	own_json struct json_object *record = NULL;
	struct json_object *r = host_require(report, "/linux/cgroup");
	own_ptr char *controllers = NULL, *text = NULL;

	host_what(r, "cgroups that we may create");
	host_probe(r, "/sys/fs/cgroup");
	if (cgroup_plan("oci-features", NULL, NULL, &record, &err) < 0) {
		host_result(r, HOST_FAIL, "%s", err.message);
		return;
	}
	text = cgroup_describe(record);
	host_result(r, json_length(json_member(record, "hierarchies")) ? HOST_OK : HOST_DEGRADED,
		    "%s: %s", json_string(record, "mode"), text ? text : "");
	r = host_require(report, "/linux/cgroup/rdma");
	controllers = host_read_proc("cgroups");
	host_what(r, "rdma controller");
	host_probe(r, "/proc/cgroups");
	host_result(r, controllers && strstr(controllers, "\nrdma\t") ? HOST_OK : HOST_DEGRADED,
		    controllers && strstr(controllers, "\nrdma\t") ? "there" : "not there");
}

static void probe_systemd(struct json_object *report)
{
	struct json_object *r = host_require(report, "/linux/cgroup/systemd");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	own_ptr char *bus = NULL;
	struct stat st;

	host_what(r, "systemd as the machine's init");
	host_probe(r, "/run/systemd/system");
	host_result_errno(r, HOST_DEGRADED,
			  fstatat(AT_FDCWD, "/run/systemd/system", &st, 0) < 0 ? errno : 0);
	r = host_require(report, "/linux/cgroup/systemdUser");
	host_what(r, "systemd of the user's session");
	host_probe(r, "$XDG_RUNTIME_DIR/systemd/private");
	if (!runtime || asprintf(&bus, "%s/systemd/private", runtime) < 0)
		host_result(r, HOST_DEGRADED, "no $XDG_RUNTIME_DIR");
	else
		host_result_errno(r, HOST_DEGRADED, fstatat(AT_FDCWD, bus, &st, 0) < 0 ? errno : 0);
}

/* ---- seccomp, security modules --------------------------------------------------------------- */

static void probe_action(struct json_object *r, const char *name)
{
	const bool has = host_has_seccomp_action(name);

	host_what(r, "seccomp action");
	host_probe(r, "SECCOMP_GET_ACTION_AVAIL");
	host_result(r, has ? HOST_OK : HOST_FAIL, has ? "there" : "not known to this kernel");
}

/* What the library does not know is another machine's, and ignored. */
static void probe_architecture(struct json_object *r, const char *name)
{
	char lower[32] = "";
	bool known;

	for (size_t i = 0; name[i] && i < sizeof lower - 1; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	known = strlen(name) > strlen("SCMP_ARCH_") &&
		seccomp_arch_resolve_name(lower + strlen("SCMP_ARCH_")) != 0;
	host_what(r, "seccomp architecture");
	host_probe(r, "seccomp_arch_resolve_name");
	host_result(r, known ? HOST_OK : HOST_DEGRADED, "%s",
		    known ? "known to libseccomp" : "not known to libseccomp: ignored");
}

static void probe_operator(struct json_object *r, const char *name)
{
	(void)name;
	host_what(r, "seccomp operator");
	host_probe(r, "none needed");
	host_result(r, HOST_OK, "compiled to BPF");
}

static void probe_hook(struct json_object *r, const char *name)
{
	(void)name;
	host_what(r, "hooks");
	host_probe(r, "none needed");
	host_result(r, HOST_OK, "done by this program");
}

static void probe_flag(struct json_object *r, const char *name)
{
	const bool has = host_has_seccomp_flag(name);

	host_what(r, "seccomp flag");
	host_probe(r, "SECCOMP_SET_MODE_FILTER without a program");
	host_result(r, has ? HOST_OK : HOST_FAIL, has ? "there" : "not known to this kernel");
}

static void module(struct json_object *report, const char *pointer, const char *name,
		   const char *probe, bool there)
{
	struct json_object *r = host_require(report, "%s", pointer);

	host_what(r, "%s", name);
	host_probe(r, "%s", probe);
	host_result(r, there ? HOST_OK : HOST_DEGRADED, there ? "enabled" : "not enabled");
}

/* ---- Memory policies, Intel RDT, network devices --------------------------------------------- */

static int try_policy(const char *mode, const char *flag, bool nodes)
{
	struct json_object *o = json_object_new_object(), *flags = json_object_new_array();
	struct json_object *platform = json_object_new_object();
	own_json struct json_object *config = json_object_new_object();

	json_object_object_add(o, "mode", json_object_new_string(mode));
	if (nodes)
		json_object_object_add(o, "nodes", json_object_new_string("0"));
	if (flag)
		json_object_array_add(flags, json_object_new_string(flag));
	json_object_object_add(o, "flags", flags);
	json_object_object_add(platform, "memoryPolicy", o);
	json_object_object_add(config, "linux", platform);
	return host_try_scheduling(config);
}

static void probe_policy_flag(struct json_object *r, const char *name)
{
	host_what(r, "flag of memory policies");
	host_probe(r, "set_mempolicy MPOL_BIND of node 0");
	host_result_errno(r, HOST_FAIL, try_policy("MPOL_BIND", name, true));
}

static void probe_policy(struct json_object *r, const char *name)
{
	const bool nodes = strcmp(name, "MPOL_DEFAULT") != 0 && strcmp(name, "MPOL_LOCAL") != 0;

	host_what(r, "memory policy");
	host_probe(r, "set_mempolicy%s", nodes ? " of node 0" : "");
	host_result_errno(r, HOST_FAIL, try_policy(name, NULL, nodes));
}

static void probe_rdt(struct json_object *report)
{
	static const struct {
		const char *pointer, *what, *path;
	} parts[] = {
		{"/linux/intelRdt/enabled", "Intel RDT", "/sys/fs/resctrl/schemata"},
		{"/linux/intelRdt/schemata", "Intel RDT classes", "/sys/fs/resctrl/schemata"},
		{"/linux/intelRdt/monitoring", "Intel RDT monitoring",
		 "/sys/fs/resctrl/mon_groups"},
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct json_object *r = host_require(report, "%s", parts[i].pointer);

		host_what(r, "%s", parts[i].what);
		host_probe(r, "%s", parts[i].path);
		host_result_errno(r, HOST_DEGRADED,
				  fstatat(AT_FDCWD, parts[i].path, &st, 0) < 0 ? errno : 0);
	}
}

static void probe_net(struct json_object *report)
{
	struct json_object *r = host_require(report, "/linux/netDevices/enabled");
	const bool has = host_has_capability(CAP_NET_ADMIN);

	host_what(r, "moving network devices");
	host_probe(r, "capget CAP_NET_ADMIN");
	host_result(r, has ? HOST_OK : HOST_DEGRADED, has ? "held" : "not held");
}

struct json_object *host_probe_features(const struct json_object *features)
{
	const struct json_object *platform = json_member(features, "linux");
	const struct json_object *seccomp = json_member(platform, "seccomp");
	struct json_object *report = json_object_new_array();

	probe_kernel(report);
	each(report, json_member(features, "hooks"), "/hooks", probe_hook);
	each(report, json_member(features, "mountOptions"), "/mountOptions", probe_option);
	each(report, json_member(platform, "namespaces"), "/linux/namespaces", probe_namespace);
	each(report, json_member(platform, "capabilities"), "/linux/capabilities",
	     probe_capability);
	probe_cgroup(report);
	probe_systemd(report);
	each(report, json_member(seccomp, "actions"), "/linux/seccomp/actions", probe_action);
	each(report, json_member(seccomp, "operators"), "/linux/seccomp/operators", probe_operator);
	each(report, json_member(seccomp, "archs"), "/linux/seccomp/archs", probe_architecture);
	each(report, json_member(seccomp, "knownFlags"), "/linux/seccomp/knownFlags", probe_flag);
	module(report, "/linux/apparmor", "AppArmor", "/sys/module/apparmor/parameters/enabled",
	       lsm_has_apparmor());
	module(report, "/linux/selinux", "SELinux", "/sys/fs/selinux", lsm_has_selinux());
	each(report, json_path(platform, "memoryPolicy", "modes", NULL),
	     "/linux/memoryPolicy/modes", probe_policy);
	each(report, json_path(platform, "memoryPolicy", "flags", NULL),
	     "/linux/memoryPolicy/flags", probe_policy_flag);
	probe_rdt(report);
	probe_idmap(report);
	probe_net(report);
	return report;
}
