/*
 * Purpose: give the container the host's network devices that its config names.
 * Runs in: the caller's namespaces, once init has its network namespace.
 * Should: leave all devices where they were if one cannot be moved.
 * Mustn't: start the helper if no device is asked for.
 * Undo: netdev_put_back(), while the namespace is kept.
 * Specification: config-linux.md, "Network Devices".
 */
#include "kernel/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/libexec.h"
#include "base/own.h"
#include "base/spawn.h"
#include "kernel/proc.h"

#define KEPT_NAME "netns"

enum { ANSWER_SIZE_MAX = 1 << 20, TIMEOUT_MS = 60000 };

static int open_namespace(const struct container *c, struct oci_err *err)
{
	own_fd int fd = -1, pidfd = proc_open(&c->state->init, err);
	const int proc = pidfd < 0 ? -1 : proc_fd(err);
	char path[32];

	if (proc < 0)
		return -1;
	snprintf(path, sizeof path, "%d/ns/net", (int)c->state->init.pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	/* Still the process that it was: so is the namespace. */
	if (fd < 0 || !proc_alive(&c->state->init))
		return err_sys(err, fd < 0 ? errno : ESRCH,
			       "cannot open the container's network namespace");
	return steal_fd(&fd);
}

static int take_error(const struct json_object *answer, const struct spawn *spawn,
		      const struct spawn_result *result, struct oci_err *err)
{
	const char *text = json_string(answer, "error");
	own_ptr char *how = NULL;

	if (!text) {
		how = spawn_explain(spawn, result);
		return err_set(err, FAULT_SYSTEM, "the helper program \"%s\" failed: %s",
			       spawn->path, how ? how : "no answer");
	}
	err_set(err, (enum oci_fault)json_int(answer, "fault", FAULT_SYSTEM), "%s", text);
	err->errnum = (int)json_int(answer, "errnum", 0);
	if (json_has(answer, "pointer"))
		err_at(err, "%s", json_string(answer, "pointer"));
	if (json_has(answer, "hint"))
		err_hint(err, "%s", json_string(answer, "hint"));
	return -1;
}

/* Runs the helper. The caller puts *ret_answer. */
static int ask(int namespace, const char *verb, const char *request,
	       struct json_object **ret_answer, struct oci_err *err)
{
	own_ptr char *path = libexec_path("oci-netdev", err), *text = NULL;
	own_fd int out = memfd_create("netdev", MFD_CLOEXEC);
	own_json struct json_object *answer = NULL;
	own_err struct oci_err ignored = ERR_INIT;
	struct spawn_result result = {0};
	struct spawn spawn = SPAWN_INIT;
	size_t len = 0;

	if (!path)
		return -1;
	if (out < 0 || !request)
		return err_sys(err, out < 0 ? errno : ENOMEM, "cannot ask for network devices");
	spawn.path = path;
	spawn.argv = (const char *const[]){"oci-netdev", verb, request, NULL};
	spawn.stdin_fd = namespace;
	spawn.stdout_fd = out;
	spawn.timeout_ms = TIMEOUT_MS;
	if (spawn_run(&spawn, &result, err) < 0)
		return err_wrap(err, "cannot run the helper program \"%s\"", path);
	if (lseek(out, 0, SEEK_SET) == 0 && fd_read_all(out, ANSWER_SIZE_MAX, &text, &len) == 0)
		answer = json_parse(text, len, "answer", &ignored);
	if (result.timed_out || result.interrupted || result.status != 0 ||
	    !json_object_is_type(answer, json_type_array))
		return take_error(answer, &spawn, &result, err);
	*ret_answer = steal_ptr(&answer);
	return 0;
}

/*
 * If we are killed init ends, and the namespace with all virtual devices in it: a mount keeps it,
 * and lets whoever clears up find it.
 */
static int keep_namespace(const struct container *c, int namespace, struct oci_err *err)
{
	own_fd int file =
		openat(c->dir_fd, KEPT_NAME, O_CREAT | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	own_fd int tree =
		open_tree(namespace, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (file >= 0 && tree >= 0 &&
	    move_mount(tree, "", file, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0)
		return 0;
	/* Root of a user namespace may have the right to move devices, and not that to mount. */
	if (errno == EPERM)
		return 0;
	return err_sys(err, errno, "cannot keep the container's network namespace at \"%s/%s/%s\"",
		       c->root, c->id, KEPT_NAME);
}

static int open_kept(const struct container *c)
{
	own_fd int fd = openat(c->dir_fd, KEPT_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == NSFS_MAGIC ? steal_fd(&fd) : -1;
}

static int note(struct container *c, struct json_object *record, struct oci_err *err)
{
	json_object_put(c->state->net_devices);
	c->state->net_devices = record;
	return container_save(c, err);
}

/* What is to be moved is on record before it is, and how to put it back afterwards. */
int netdev_move(struct container *c, struct oci_err *err)
{
	struct json_object *devices = json_path(c->config, "linux", "netDevices", NULL);
	struct json_object *plan = NULL, *record = NULL;
	own_fd int namespace = -1;
	const char *request;

	if (!devices || json_object_object_length(devices) == 0)
		return 0;
	request = json_object_to_json_string_ext(devices, JSON_C_TO_STRING_PLAIN);
	namespace = open_namespace(c, err);
	if (namespace < 0 || ask(namespace, "plan", request, &plan, err) < 0)
		return err_at(err, "/linux/netDevices");
	if (note(c, plan, err) < 0 || keep_namespace(c, namespace, err) < 0)
		return -1;
	if (ask(namespace, "move", request, &record, err) < 0)
		return err_at(err, "/linux/netDevices");
	return note(c, record, err);
}

int netdev_hold(const struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;
	int kept;

	if (json_length(c->state->net_devices) == 0)
		return -1;
	kept = open_kept(c);
	return kept >= 0 ? kept : open_namespace(c, &ignored);
}

void netdev_release(const struct container *c)
{
	own_fd int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (faccessat(c->dir_fd, KEPT_NAME, F_OK, AT_SYMLINK_NOFOLLOW) < 0 || here < 0 ||
	    fchdir(c->dir_fd) < 0)
		return;
	/* There is no umount by descriptor. It may have been killed before it was mounted. */
	while (umount2(KEPT_NAME, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	unlinkat(c->dir_fd, KEPT_NAME, 0);
	(void)!fchdir(here);
}

int netdev_put_back(const struct container *c, int namespace, struct oci_err *err)
{
	struct json_object *record = c->state->net_devices;
	own_json struct json_object *answer = NULL;
	own_fd int own = namespace < 0 ? netdev_hold(c) : -1;

	if (namespace < 0)
	namespace = own;
	if (json_length(record) == 0 || namespace < 0)
		return 0;
	return ask(namespace, "back",
		   json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN), &answer, err);
}
