#include "kernel/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/path.h"
#include "kernel/proc.h"

const struct ns_type ns_types[] = {
	{"user", "user", CLONE_NEWUSER},       {"pid", "pid", CLONE_NEWPID},
	{"network", "net", CLONE_NEWNET},      {"ipc", "ipc", CLONE_NEWIPC},
	{"uts", "uts", CLONE_NEWUTS},	       {"mount", "mnt", CLONE_NEWNS},
	{"cgroup", "cgroup", CLONE_NEWCGROUP}, {"time", "time", CLONE_NEWTIME},
};

const size_t n_ns_types = ARRAY_SIZE(ns_types);

const struct ns_type *ns_find(const char *name)
{
	for (size_t i = 0; name && i < n_ns_types; i++)
		if (strcmp(ns_types[i].name, name) == 0)
			return &ns_types[i];
	return NULL;
}

static uint64_t collect(const struct json_object *config, bool joined_too)
{
	const struct json_object *list = json_path(config, "linux", "namespaces", NULL);
	uint64_t flags = 0;

	for (size_t i = 0; i < json_length(list); i++) {
		const struct json_object *ns = json_item(list, i);
		const struct ns_type *type = ns_find(json_string(ns, "type"));
		const char *path = json_string(ns, "path");

		if (type && (joined_too || !path || !*path))
			flags |= type->flag;
	}
	return flags;
}

uint64_t ns_new(const struct json_object *config)
{
	return collect(config, false);
}

uint64_t ns_listed(const struct json_object *config)
{
	return collect(config, true);
}

int ns_open(const struct ns_type *type, const char *path, struct oci_err *err)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int flag;

	if (fd < 0) {
		int e = errno;
		own_ptr char *why = path_explain(path);

		err_sys(err, e, "cannot open the %s namespace \"%s\"%s%s", type->name, path,
			why && *why ? ": " : "", why ? why : "");
		err->fault = FAULT_CONFIG;
		return -1;
	}
	flag = ioctl(fd, NS_GET_NSTYPE); /* Linux 4.11 */
	if (flag < 0)
		return err_set(err, FAULT_CONFIG, "\"%s\" is not a namespace", path);
	if ((uint64_t)flag == type->flag)
		return steal_fd(&fd);
	for (size_t i = 0; i < n_ns_types; i++)
		if (ns_types[i].flag == (uint64_t)flag)
			return err_set(err, FAULT_CONFIG,
				       "\"%s\" is a %s namespace, not a %s namespace", path,
				       ns_types[i].name, type->name);
	return err_set(err, FAULT_CONFIG, "\"%s\" is another kind of namespace, not %s", path,
		       type->name);
}

bool ns_is_ours(const struct ns_type *type, const char *path)
{
	own_err struct oci_err err = ERR_INIT;
	own_fd int proc = proc_open_host(&err);
	struct stat ours, theirs;
	char file[32];

	snprintf(file, sizeof file, "self/ns/%s", type->file);
	return proc >= 0 && fstatat(proc, file, &ours, 0) == 0 &&
	       fstatat(AT_FDCWD, path, &theirs, 0) == 0 && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}
