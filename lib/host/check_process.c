/*
 * Purpose: the process: executable, working directory, capabilities, limits,
 *   scheduling, labels.
 * Runs in: the runtime's namespaces, and children that end at once.
 * Mustn't: open anything of the image but with O_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "base/path.h"
#include "host/check.h"
#include "host/host.h"
#include "kernel/caps.h"
#include "kernel/lsm.h"
#include "kernel/oom.h"
#include "kernel/rlimit.h"

/* ---- The executable -------------------------------------------------------------------------- */

/* The mount that covers a path of the container: its index, or -1. */
static int covering_mount(const struct host_check *check, const char *path)
{
	const struct json_object *list = json_member(check->config, "mounts");

	for (size_t i = json_length(list); i-- > 0;) {
		const char *to = json_string(json_item(list, i), "destination");
		size_t len = to ? strlen(to) : 0;

		while (len > 0 && to[len - 1] == '/')
			len--;
		if (len > 0 && strncmp(path, to, len) == 0 && (path[len] == '/' || !path[len]))
			return (int)i;
	}
	return -1;
}

/* 0 if it is a file that somebody may execute; or an errno. */
static int look_at_program(const struct host_check *check, const char *path)
{
	own_fd int fd = path_open_in_root(check->root, path, O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return S_ISREG(st.st_mode) && (st.st_mode & 0111) ? 0 : EACCES;
}

static const char *path_variable(const struct host_check *check)
{
	const struct json_object *env = json_member(check->process, "env");

	for (size_t i = json_length(env); i-- > 0;)
		if (strncmp(json_item_string(env, i), "PATH=", 5) == 0)
			return json_item_string(env, i) + 5;
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/*
 * A name without a slash, in the directories of PATH: 0 or an errno. *ret_mount: a mount that
 * covers one of them, and so may have it.
 */
static int search_program(const struct host_check *check, const char *name, int *ret_mount)
{
	char path[4096];
	int best = ENOENT;

	for (const char *dir = path_variable(check); dir; dir = strchr(dir, ':')) {
		int len, mount, e;

		dir += *dir == ':';
		len = (int)strcspn(dir, ":");
		snprintf(path, sizeof path, "%.*s/%s", len, dir, name);
		mount = covering_mount(check, path);
		if (mount >= 0) {
			*ret_mount = mount;
			continue;
		}
		e = look_at_program(check, path);
		if (e == 0)
			return 0;
		best = e == ENOENT || e == ENOTDIR ? best : e;
	}
	return best;
}

static void check_executable(struct host_check *check)
{
	const char *name = json_item_string(json_member(check->process, "args"), 0);
	const char *cwd = json_string(check->process, "cwd");
	struct json_object *r = host_require(check->report, "/process/args/0");
	int mount = -1, e;
	char path[4096];

	host_what(r, "executable");
	if (strchr(name, '/')) {
		snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : cwd,
			 name[0] == '/' ? "" : "/", name);
		host_probe(r, "\"%s\" in the root filesystem", path);
		mount = covering_mount(check, path);
		e = mount >= 0 ? ENOENT : look_at_program(check, path);
	} else {
		host_probe(r, "\"%s\" in $PATH, in the root filesystem", name);
		e = search_program(check, name, &mount);
	}
	if (e && mount >= 0)
		host_result(r, HOST_DEGRADED, "cannot be told: it may be in the mount /mounts/%d",
			    mount);
	else
		host_result_errno(r, HOST_FAIL, e);
}

static void check_cwd(struct host_check *check)
{
	const char *cwd = json_string(check->process, "cwd");
	struct json_object *r = host_require(check->report, "/process/cwd");
	own_fd int fd = -1;

	host_what(r, "working directory");
	host_probe(r, "\"%s\" in the root filesystem", cwd);
	if (covering_mount(check, cwd) >= 0) {
		host_result(r, HOST_OK, "in the mount /mounts/%d", covering_mount(check, cwd));
		return;
	}
	fd = path_open_in_root(check->root, cwd, O_PATH | O_DIRECTORY);
	if (fd < 0 && errno == ENOENT)
		host_result(r, HOST_OK, "would be made");
	else
		host_result_errno(r, HOST_FAIL, fd < 0 ? errno : 0);
}

/* ---- Rights and limits ----------------------------------------------------------------------- */

static void check_capabilities(struct host_check *check)
{
	const struct json_object *sets = json_member(check->process, "capabilities");
	own_json struct json_object *warnings = json_object_new_array();
	own_err struct oci_err err = ERR_INIT;
	struct caps held = caps_all();
	struct json_object *r;

	if (!sets)
		return;
	if (!(check->new_namespaces & CLONE_NEWUSER) && caps_held(&held, &err) < 0) {
		r = host_require(check->report, "/process/capabilities");
		host_what(r, "capabilities");
		host_probe(r, "capget");
		host_result(r, HOST_FAIL, "%s", err.message);
		return;
	}
	caps_parse(sets, &held, warnings);
	for (size_t i = 0; i < json_length(warnings); i++) {
		const char *text = json_item_string(warnings, i);
		int len = (int)strcspn(text, ":");

		r = host_require(check->report, "%.*s", len, text);
		host_what(r, "capabilities");
		host_probe(r, "capget, PR_CAPBSET_READ");
		host_result(r, HOST_DEGRADED, "%s", text[len] ? text + len + 2 : "");
	}
	if (json_length(warnings))
		return;
	r = host_require(check->report, "/process/capabilities");
	host_what(r, "capabilities");
	host_probe(r, "capget, PR_CAPBSET_READ");
	host_result(r, HOST_OK, "%s",
		    check->new_namespaces & CLONE_NEWUSER ? "all, in the new user namespace"
							  : "held");
}

static int set_limit(const void *arg)
{
	own_err struct oci_err err = ERR_INIT;

	if (rlimit_apply(getpid(), arg, &err) == 0)
		return 0;
	return err.errnum ? err.errnum : EINVAL;
}

static void check_limits(struct host_check *check)
{
	const struct json_object *list = json_member(check->process, "rlimits");

	for (size_t i = 0; i < json_length(list); i++) {
		struct json_object *r = host_require(check->report, "/process/rlimits/%zu", i);
		own_json struct json_object *one = json_object_new_array();
		const char *type = json_string(json_item(list, i), "type");
		uint64_t most;
		int e;

		json_object_array_add(one, json_object_get(json_item(list, i)));
		host_what(r, "%s", type);
		host_probe(r, "prlimit");
		e = host_try(set_limit, one);
		most = e == EPERM ? rlimit_most_files() : 0;
		if (most && strcmp(type, "RLIMIT_NOFILE") == 0 &&
		    json_uint(json_item(list, i), "hard", 0) > most)
			host_result(r, HOST_FAIL, "EPERM: fs.nr_open is %llu",
				    (unsigned long long)most);
		else if (e == EPERM)
			host_result(r, HOST_FAIL,
				    "EPERM: to raise the hard limit takes CAP_SYS_RESOURCE");
		else
			host_result_errno(r, HOST_FAIL, e);
	}
}

static int set_score(const void *arg)
{
	own_err struct oci_err err = ERR_INIT;

	return oom_apply(getpid(), *(const int *)arg, &err) == 0 ? 0
	       : err.errnum					 ? err.errnum
								 : EINVAL;
}

static void check_score(struct host_check *check)
{
	const int score = (int)json_int(check->process, "oomScoreAdj", 0);
	struct json_object *r;

	if (!json_has(check->process, "oomScoreAdj"))
		return;
	r = host_require(check->report, "/process/oomScoreAdj");
	host_what(r, "out-of-memory score %d", score);
	host_probe(r, "writing oom_score_adj");
	host_result_errno(r, HOST_FAIL, host_try(set_score, &score));
}

/* One property of process or linux alone, as the child takes it. */
static void check_scheduling(struct host_check *check, const char *object, const char *key,
			     const char *what, const char *probe)
{
	struct json_object *value = json_path(check->config, object, key, NULL);
	own_json struct json_object *config = json_object_new_object();
	struct json_object *inner = json_object_new_object(), *r;

	json_object_object_add(inner, key, json_object_get(value));
	json_object_object_add(config, object, inner);
	if (!value)
		return;
	r = host_require(check->report, "/%s/%s", object, key);
	host_what(r, "%s", what);
	host_probe(r, "%s", probe);
	host_result_errno(r, HOST_FAIL, host_try_scheduling(config));
}

/* ---- Labels ---------------------------------------------------------------------------------- */

static void check_label(struct host_check *check, const char *label, const char *pointer,
			const char *module, const char *probe, bool enabled)
{
	struct json_object *r;

	if (!label || !*label)
		return;
	r = host_require(check->report, "%s", pointer);
	host_what(r, "%s", module);
	host_probe(r, "%s", probe);
	host_result(r, enabled ? HOST_OK : HOST_FAIL, enabled ? "enabled" : "not enabled");
}

/* Only root can read the list; for others the exec tells. */
static void check_profile(struct host_check *check, const char *profile)
{
	struct json_object *r;
	own_ptr char *text = NULL, *line = NULL;
	own_fd int fd = -1;
	size_t len;

	if (!profile || !*profile || strcmp(profile, "unconfined") == 0 || !lsm_has_apparmor())
		return;
	r = host_require(check->report, "/process/apparmorProfile");
	host_what(r, "AppArmor profile \"%s\"", profile);
	host_probe(r, "/sys/kernel/security/apparmor/profiles");
	fd = open("/sys/kernel/security/apparmor/profiles", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd_read_all(fd, 1 << 22, &text, &len) < 0)
		host_result(r, HOST_DEGRADED, "cannot be read: %s", err_name(errno));
	else if (asprintf(&line, "\n%s (", profile) >= 0)
		host_result(r,
			    strstr(text, line) || strncmp(text, line + 1, strlen(line + 1)) == 0
				    ? HOST_OK
				    : HOST_FAIL,
			    "%s", strstr(text, line + 1) ? "loaded" : "not loaded");
}

void host_check_labels(struct host_check *check)
{
	const char *profile = json_string(check->process, "apparmorProfile");

	check_label(check, profile, "/process/apparmorProfile", "AppArmor",
		    "/sys/module/apparmor/parameters/enabled", lsm_has_apparmor());
	check_profile(check, profile);
	check_label(check, json_string(check->process, "selinuxLabel"), "/process/selinuxLabel",
		    "SELinux", "/sys/fs/selinux", lsm_has_selinux());
	check_label(check, json_string(check->platform, "mountLabel"), "/linux/mountLabel",
		    "SELinux", "/sys/fs/selinux", lsm_has_selinux());
}

void host_check_process(struct host_check *check)
{
	if (!check->process)
		return;
	check_executable(check);
	check_cwd(check);
	check_capabilities(check);
	check_limits(check);
	check_score(check);
	check_scheduling(check, "process", "scheduler", "scheduling policy", "sched_setattr");
	check_scheduling(check, "process", "ioPriority", "I/O priority", "ioprio_set");
	check_scheduling(check, "linux", "personality", "execution domain", "personality");
	check_scheduling(check, "linux", "memoryPolicy", "memory policy and nodes",
			 "set_mempolicy");
}
