/*
 * Purpose: the stage "mount": mounts[], devices, default devices and links.
 * Runs in: the runtime's namespaces (prepare), then the container's mount and user
 *   namespaces (attach). Only descriptors cross.
 * Should: mount in the listed order, and make new mounts in it too; make attributes true
 *   before a mount can be seen.
 * Mustn't: resolve a path of the container anywhere but beneath the root's descriptor;
 *   make a superblock that shows namespaces of the runtime's (init makes those).
 * Undo: nothing; the mounts go with the namespace.
 * Specification: config.md, "Mounts"; config-linux.md, "Devices".
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/device.h"
#include "kernel/cgroup_stats.h"
#include "kernel/device_nodes.h"
#include "kernel/idmap.h"
#include "kernel/joined.h"
#include "kernel/lsm.h"
#include "kernel/mount.h"
#include "kernel/mount_entry.h"
#include "stage/stage.h"

/* Each bind mount is a descriptor until it is attached; the usual limit is 1024. */
enum { MANY_MOUNTS = 500 };

struct job {
	const struct container *c;
	bool raised; /* the limit of descriptors, from: */
	struct rlimit limit;
	struct mount_context context;
	struct mount_list list;
	struct idmap_cache idmaps;
	struct device_list devices;
	int nodes; /* of the devices, or -1 */
};

static void own_end_job(struct job *job)
{
	if (job->raised)
		setrlimit(RLIMIT_NOFILE, &job->limit);
	mount_list_free(&job->list);
	own_close_fd(&job->context.init);
	idmap_free(&job->idmaps);
	device_list_free(&job->devices);
	own_close_fd(&job->nodes);
}

#define own_job __attribute__((cleanup(own_end_job)))

/* In the mount namespace, but not in the user namespace. */
static int outside(void *arg, struct oci_err *err)
{
	struct job *job = arg;

	return job->nodes < 0 ? 0
			      : device_nodes_clone(job->nodes, joined_root(), &job->devices, err);
}

static int inside(void *arg, struct oci_err *err)
{
	struct job *job = arg;
	own_fd int root_fd = rootfs_open(job->c, err);
	struct mount_root root;

	if (root_fd < 0 || mount_root_look(root_fd, &root, err) < 0)
		return -1;
	/* Modes are what config.json says. It is this task's own: see joined_run(). */
	umask(0);
	for (size_t i = 0; i < job->list.n; i++)
		if (mount_entry_attach(&job->list.entries[i], &job->context, &root, err) < 0)
			return -1;
	if (device_make_all(job->c->config, &job->devices, root_fd, err) < 0)
		return -1;
	for (size_t i = 0; i < job->list.n; i++)
		if (mount_entry_finish(&job->list.entries[i], err) < 0)
			return -1;
	return 0;
}

static void raise_limit(struct job *job)
{
	struct rlimit raised;

	if (job->list.n < MANY_MOUNTS || getrlimit(RLIMIT_NOFILE, &job->limit) < 0)
		return;
	raised = (struct rlimit){.rlim_cur = job->limit.rlim_max, .rlim_max = job->limit.rlim_max};
	job->raised = setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

static int prepare(struct job *job, struct oci_err *err)
{
	const struct json_object *config = job->c->config;

	job->context.host_propagation = mount_host_propagation(config);
	job->context.label = json_string(json_member(config, "linux"), "mountLabel");
	job->context.idmaps = &job->idmaps;
	if (job->context.label && !*job->context.label)
		job->context.label = NULL;
	if (job->context.label && !lsm_has_selinux()) {
		err_set(err, FAULT_UNSUPPORTED,
			"\"%s\" is asked for, but SELinux is not enabled on this machine",
			job->context.label);
		return err_at(err, "/linux/mountLabel");
	}
	if (mount_list_parse(&job->list, job->c, err) < 0)
		return -1;
	raise_limit(job);
	if (device_list_make(config, &job->devices, err) < 0 ||
	    device_nodes_make(job->c, &job->devices, &job->nodes, err) < 0)
		return -1;
	for (size_t i = 0; i < job->list.n; i++)
		if (mount_entry_prepare(&job->list.entries[i], &job->context, err) < 0)
			return -1;
	return 0;
}

int stage_mount(struct container *c, struct oci_err *err)
{
	own_job struct job job = {.c = c, .context = {.c = c, .init = -1}, .nodes = -1};

	if (!mount_namespace_is_own(c->config))
		return 0;
	if (prepare(&job, err) < 0 ||
	    joined_run_prepared(c, CLONE_NEWNS, outside, inside, &job, err) < 0)
		return cgroup_explain_kill(c->state->cgroup, err);
	return 0;
}

char *describe_mount(const struct container *c)
{
	const struct json_object *mounts = json_member(c->config, "mounts");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < json_length(mounts); i++) {
		const char *destination = json_string(json_item(mounts, i), "destination");

		fprintf(out, "%s%s", i > 0 ? " " : "", destination ? destination : "");
	}
	if (json_length(mounts) == 0)
		fputs("none", out);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
