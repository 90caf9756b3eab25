/*
 * The container's cgroup, on v1, v2 and hybrid hierarchies.
 *
 * A "record" is the JSON object kept in state.json under "cgroup": mode, and
 * the directory in each hierarchy. cgroup_plan() decides it, and it is saved
 * before cgroup_create() makes anything, so that cgroup_remove() can undo a
 * creation that was killed at any moment. Only this module reads inside it.
 *
 * config-linux.md, "Control groups"; kernel: cgroup-v1/, cgroup-v2.rst.
 */
#ifndef KERNEL_CGROUP_H
#define KERNEL_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * Decides where the container's cgroup will be. cgroups_path: linux.cgroupsPath
 * or NULL. Makes nothing.
 *
 *	"/a/b"	beneath the root of each hierarchy
 *	"a/b"	the same; for a user who may not write there, beside his own v2
 *		cgroup, in the part of the tree that has been delegated to him
 *	none	as "ID"
 *
 * ".." is FAULT_CONFIG, and a cgroup that processes are in, or that is frozen,
 * FAULT_STATE. An empty one is used, and left when the container is removed. On a
 * machine without cgroups, and for a user who may create none, the record says
 * so and the other functions accept it, if no limits are asked for (FAULT_UNSUPPORTED).
 */
int cgroup_plan(const char *id, const char *cgroups_path, const struct json_object *resources,
		struct json_object **ret_record, struct oci_err *err);

/*
 * The same for the systemd driver: cgroups_path is "SLICE:PREFIX:NAME", or NULL. Which directories
 * it will be is systemd's, so cgroup_create() says it. annotations (or NULL): those that are
 * properties of the unit. FAULT_UNSUPPORTED where systemd does not run. (kernel/cgroup_systemd.c)
 */
int cgroup_plan_systemd(const char *id, const char *cgroups_path,
			const struct json_object *annotations, struct json_object **ret_record,
			struct oci_err *err);

/*
 * The record of a container without a cgroup of its own (--cgroup-manager=disabled): it stays in
 * that of its creator. Limits are FAULT_CONFIG; rules for devices are not applied, because engines
 * send theirs all the same.
 */
int cgroup_plan_none(const struct json_object *resources, struct json_object **ret_record,
		     struct oci_err *err);

/*
 * What resources need of the machine, after cgroup_plan() and before anything is made: an array
 * of objects, one for each property that is set: pointer, controller, where (the file or
 * hierarchy that was looked at), and missing (why it cannot be), if it is. The caller puts it.
 * NULL with *err. Devices are not among them.
 */
struct json_object *cgroup_needs(const struct json_object *record,
				 const struct json_object *resources, struct oci_err *err);

/*
 * Makes the directories and applies linux.resources (NULL: none). The ids of
 * the directories are added to the record: it must be saved again before a
 * process is put into the cgroup. Without them cgroup_remove() removes what is
 * empty, but ends no process. leash: a pipe; systemd's scope ends with its writer, unless a byte
 * INIT_COMMIT or the container's first process came before; or -1.
 */
int cgroup_create(struct json_object *record, const struct json_object *resources, int leash,
		  struct oci_err *err);

/*
 * Gives the directory, and the files in it that are made for it
 * (/sys/kernel/cgroup/delegate), to the user `owner`: the host's uid of who runs
 * in the container. For a container with a cgroup namespace of its own and a writable
 * mount of its cgroup (config-linux.md, "Cgroup ownership"). Does nothing where
 * there is v1, whose cgroups cannot be delegated safely. Who may not give away
 * does not have to.
 */
int cgroup_delegate(const struct json_object *record, uid_t owner, struct oci_err *err);

/*
 * The directory in the v2 hierarchy for CLONE_INTO_CGROUP; the caller closes it.
 * -1 with err->fault FAULT_NONE if there is none to use.
 */
int cgroup_open_v2(const struct json_object *record, struct oci_err *err);

/* Moves pid into the hierarchies that CLONE_INTO_CGROUP does not serve (v1). */
int cgroup_join_v1(const struct json_object *record, pid_t pid, struct oci_err *err);

/*
 * The fast way to do the same: a process with a single thread that writes "0"
 * to each of these descriptors ("tasks" of each v1 hierarchy) moves itself, and
 * the kernel waits for no RCU grace period, as it does when another's pid is
 * written (0.2 ms against 10 ms for nine hierarchies). Stores at most *n_fds
 * descriptors, close-on-exec, the caller's to close; 0 on a v2 machine.
 */
int cgroup_open_v1(const struct json_object *record, int *fds, size_t *n_fds, struct oci_err *err);

/*
 * Where it is in the i-th hierarchy: its controllers ("cpu,cpuacct"; "" is v2), where the hierarchy
 * is mounted, and the path beneath. Borrowed. False beyond the last one.
 */
struct cgroup_location {
	const char *controllers, *mount, *path;
};
bool cgroup_location(const struct json_object *record, size_t i, struct cgroup_location *ret);

/* One line: where it is, for --timing. The caller frees it. */
char *cgroup_describe(const struct json_object *record);

/*
 * The limits that would keep the first process out, and therefore wait until it
 * is in: a limit of 0 or 1 processes. To be called after it; no system call if there is
 * nothing to do.
 */
int cgroup_settle(const struct json_object *record, const struct json_object *resources,
		  struct oci_err *err);

/* linux.resources as they have been so far (or NULL), as they will be, and what of it is changed.
 */
struct cgroup_change {
	const struct json_object *before, *after, *resources;
};

/*
 * Applies changed limits (oci-update): only the properties that are there, by the same rules as at
 * creation. All of them, or none: when one fails, the others are put back. Devices are changed only
 * if the list says something else than before: hooks of device makers change it behind our back,
 * and engines send the whole of resources along with any change.
 */
int cgroup_update(const struct json_object *record, const struct cgroup_change *change,
		  struct oci_err *err);

/*
 * What of these resources has been taken, but has no effect on this kernel: adds a line for each
 * to the array. After cgroup_create() or cgroup_update().
 */
void cgroup_warnings(const struct json_object *record, const struct json_object *resources,
		     struct json_object *warnings);

/* Whether the kernel counts swap by itself (v2), and not together with memory. */
bool cgroup_swap_alone(const struct json_object *record);

/* Freezes or thaws, and waits until it is so. cgroup_is_frozen() is false where there is none. */
int cgroup_freeze(const struct json_object *record, bool frozen, struct oci_err *err);
bool cgroup_is_frozen(const struct json_object *record);

/*
 * For a command that looks at many containers, makes no process and joins no namespace: the root of
 * the first hierarchy that is reached stays open for the others.
 */
void cgroup_keep_root(void);

/* Signals every process in it; SIGKILL even if it is frozen. Whoever forks meanwhile is reached
 * too. */
int cgroup_signal(const struct json_object *record, int signal, struct oci_err *err);

/*
 * After SIGKILL: a v1 freezer keeps even the killed, and the container may have frozen
 * itself, or a part of itself.
 */
void cgroup_thaw_killed(const struct json_object *record);

/* The processes in it and below; the caller frees *ret_pids. */
int cgroup_pids(const struct json_object *record, pid_t **ret_pids, size_t *ret_n,
		struct oci_err *err);

/*
 * Kills what is left in it and removes the directories that are ours. What is
 * already gone is no error. Gives up after 10 s.
 */
int cgroup_remove(const struct json_object *record, struct oci_err *err);

#endif
