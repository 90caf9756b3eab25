/*
 * Purpose: seccomp, kernel parameters, network devices, Intel RDT, hooks.
 * Runs in: the runtime's namespaces.
 * Mustn't: write or open what is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/own.h"
#include "base/path.h"
#include "base/sys.h"
#include "host/check.h"
#include "host/host.h"
#include "kernel/proc.h"
#include "kernel/seccomp.h"
#include "kernel/sysctl.h"

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821
#endif

/* ---- seccomp --------------------------------------------------------------------------------- */

static void check_filter(struct host_check *check, const struct json_object *seccomp)
{
	struct json_object *r = host_require(check->report, "/linux/seccomp");
	own_err struct oci_err err = ERR_INIT;
	struct seccomp_filter filter = {0};

	host_what(r, "seccomp filter");
	host_probe(r, "libseccomp");
	if (seccomp_compile(seccomp, &filter, &err) < 0)
		host_result(r, HOST_FAIL, "%s", err.message);
	else
		host_result(r, HOST_OK, "%zu instructions", filter.size / 8);
	free(filter.program);
}

static void check_action(struct host_check *check, const char *pointer, const char *action)
{
	struct json_object *r;

	if (!action || host_has_seccomp_action(action))
		return;
	r = host_require(check->report, "%s", pointer);
	host_what(r, "seccomp action %s", action);
	host_probe(r, "SECCOMP_GET_ACTION_AVAIL");
	host_result(r, HOST_FAIL, "not known to this kernel");
}

/* Names that libseccomp does not know are left out of the filter, as profiles rely on. */
static void check_names(struct host_check *check, size_t i, const struct json_object *rule)
{
	const struct json_object *names = json_member(rule, "names");
	struct json_object *r;
	char unknown[160] = "";
	size_t n = 0;

	for (size_t k = 0; k < json_length(names); k++) {
		const char *name = json_item_string(names, k);
		const size_t len = strlen(unknown);

		if (seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR)
			continue;
		n++;
		snprintf(unknown + len, sizeof unknown - len, "%s%s", len ? ", " : "", name);
	}
	if (!n)
		return;
	r = host_require(check->report, "/linux/seccomp/syscalls/%zu/names", i);
	host_what(r, "names of system calls");
	host_probe(r, "seccomp_syscall_resolve_name");
	host_result(r, HOST_DEGRADED, "%zu not known, left out: %s", n, unknown);
}

void host_check_seccomp(struct host_check *check)
{
	const struct json_object *seccomp = json_member(check->platform, "seccomp");
	const struct json_object *rules = json_member(seccomp, "syscalls");
	const struct json_object *flags = json_member(seccomp, "flags");
	const char *listener = json_string(seccomp, "listenerPath");
	char pointer[64];
	struct stat st;

	if (!seccomp)
		return;
	check_filter(check, seccomp);
	check_action(check, "/linux/seccomp/defaultAction", json_string(seccomp, "defaultAction"));
	for (size_t i = 0; i < json_length(rules); i++) {
		snprintf(pointer, sizeof pointer, "/linux/seccomp/syscalls/%zu/action", i);
		check_action(check, pointer, json_string(json_item(rules, i), "action"));
		check_names(check, i, json_item(rules, i));
	}
	for (size_t i = 0; i < json_length(flags); i++) {
		const bool has = host_has_seccomp_flag(json_item_string(flags, i));
		struct json_object *r = host_require(check->report, "/linux/seccomp/flags/%zu", i);

		host_what(r, "%s", json_item_string(flags, i));
		host_probe(r, "SECCOMP_SET_MODE_FILTER without a program");
		host_result(r, has ? HOST_OK : HOST_FAIL,
			    has ? "there" : "not known to this kernel");
	}
	if (listener && *listener) {
		const int e = fstatat(AT_FDCWD, listener, &st, 0) < 0 ? errno : 0;
		struct json_object *r = host_require(check->report, "/linux/seccomp/listenerPath");

		host_what(r, "seccomp agent");
		host_probe(r, "stat \"%s\"", listener);
		host_result_errno(r, HOST_FAIL, e ? e : S_ISSOCK(st.st_mode) ? 0 : ENOTSOCK);
	}
}

/* ---- Kernel parameters ----------------------------------------------------------------------- */

static void check_sysctl(struct host_check *check, int proc, const char *key)
{
	own_ptr char *pointer = json_pointer_to("/linux/sysctl", key);
	struct json_object *r = host_require(check->report, "%s", pointer ? pointer : "");
	own_ptr char *file = sysctl_file(key);
	own_fd int fd = file ? sys_openat2(proc, file, O_PATH | O_CLOEXEC, 0, RESOLVE_BENEATH) : -1;

	host_what(r, "kernel parameter");
	host_probe(r, "/proc/%s", file ? file : "sys");
	if (fd >= 0)
		host_result(r, HOST_OK, "there");
	/* That of a network device that only the container will have. */
	else if (errno == ENOENT && strncmp(key, "net", 3) == 0)
		host_result(r, HOST_DEGRADED, "not in this network namespace");
	else
		host_result_errno(r, HOST_FAIL, errno);
}

static void check_sysctls(struct host_check *check)
{
	const struct json_object *all = json_member(check->platform, "sysctl");
	own_err struct oci_err err = ERR_INIT;
	own_fd int proc = all ? proc_open_host(&err) : -1;

	if (!all || proc < 0)
		return;
	json_object_object_foreach (all, key, value) {
		(void)value;
		check_sysctl(check, proc, key);
	}
}

/* ---- Network devices, Intel RDT -------------------------------------------------------------- */

static void check_net_devices(struct host_check *check)
{
	const struct json_object *all = json_member(check->platform, "netDevices");
	const bool allowed = host_has_capability(CAP_NET_ADMIN);

	if (!all)
		return;
	json_object_object_foreach (all, name, value) {
		struct json_object *r = host_require(check->report, "/linux/netDevices/%s", name);

		(void)value;
		host_what(r, "network device");
		host_probe(r, "if_nametoindex, capget CAP_NET_ADMIN");
		if (!if_nametoindex(name))
			host_result_errno(r, HOST_FAIL, errno);
		else
			host_result(r, allowed ? HOST_OK : HOST_FAIL, "%s",
				    allowed ? "there" : "there, but CAP_NET_ADMIN is not held");
	}
}

static void check_rdt(struct host_check *check)
{
	const struct json_object *rdt = json_member(check->platform, "intelRdt");
	struct json_object *r;
	struct statfs fs;
	struct stat st;
	bool mounted;

	if (!rdt)
		return;
	mounted = statfs("/sys/fs/resctrl", &fs) == 0 && fs.f_type == RDTGROUP_SUPER_MAGIC;
	r = host_require(check->report, "/linux/intelRdt");
	host_what(r, "Intel RDT");
	host_probe(r, "statfs \"/sys/fs/resctrl\"");
	host_result(r, mounted ? HOST_OK : HOST_FAIL, mounted ? "mounted" : "not mounted");
	if (!json_true(rdt, "enableMonitoring"))
		return;
	r = host_require(check->report, "/linux/intelRdt/enableMonitoring");
	host_what(r, "monitoring groups");
	host_probe(r, "stat \"/sys/fs/resctrl/mon_groups\"");
	host_result_errno(r, HOST_FAIL,
			  fstatat(AT_FDCWD, "/sys/fs/resctrl/mon_groups", &st, 0) < 0 ? errno : 0);
}

void host_check_kernel(struct host_check *check)
{
	check_sysctls(check);
	check_net_devices(check);
	check_rdt(check);
}

/* ---- Hooks ----------------------------------------------------------------------------------- */

/* 0 for a program that we may execute; or an errno. */
static int look_at_hook(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return EACCES;
	return 0;
}

static void check_hook(struct host_check *check, const char *kind, size_t i,
		       const struct json_object *hook)
{
	struct json_object *r = host_require(check->report, "/hooks/%s/%zu/path", kind, i);
	const char *path = json_string(hook, "path");
	own_fd int host = open(path, O_PATH | O_CLOEXEC), inside = -1;
	int e = look_at_hook(host);

	host_what(r, "hook");
	host_probe(r, "\"%s\"", path);
	/* It runs in the container, where the host's is used if there is none. */
	if (strcmp(kind, "startContainer") == 0) {
		inside = path_open_in_root(check->root, path, O_PATH);
		host_probe(r, "\"%s\" in the root filesystem, or the host's", path);
		e = inside >= 0 ? look_at_hook(inside) : e;
	}
	host_result_errno(r, HOST_FAIL, e);
}

void host_check_hooks(struct host_check *check)
{
	const struct json_object *hooks = json_member(check->config, "hooks");

	if (!hooks)
		return;
	json_object_object_foreach (hooks, kind, list) {
		for (size_t i = 0; i < json_length(list); i++)
			check_hook(check, kind, i, json_item(list, i));
	}
}
