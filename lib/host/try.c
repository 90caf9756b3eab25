/*
 * Purpose: what a process can only find out by doing it: scheduling, memory
 *   policies, id-mapped mounts.
 * Runs in: children that end at once; a detached mount that nobody sees.
 * Mustn't: leave anything behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "host/host.h"
#include "kernel/idmap.h"
#include "kernel/scheduling.h"

enum { IOPRIO_WHO_PROCESS = 1 };

static int set_scheduling(const void *arg)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct plan plan = {0};
	struct memory_nodes nodes = {0};
	uint64_t bits;

	if (scheduling_fill(arg, &plan, &nodes, &ignored) < 0)
		return EINVAL;
	bits = nodes.n_words * 64;
	if ((plan.flags & PLAN_SCHEDULER) && syscall(SYS_sched_setattr, 0, &plan.scheduler, 0) < 0)
		return errno;
	if ((plan.flags & PLAN_IOPRIO) &&
	    syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, plan.ioprio) < 0)
		return errno;
	if ((plan.flags & PLAN_PERSONALITY) && syscall(SYS_personality, plan.personality) < 0)
		return errno;
	/* The kernel looks at one bit less than it is told. */
	if ((plan.flags & PLAN_MEMPOLICY) &&
	    syscall(SYS_set_mempolicy, plan.mempolicy_mode | plan.mempolicy_flags,
		    bits ? nodes.bits : NULL, bits ? bits + 1 : 0) < 0)
		return errno;
	return 0;
}

int host_try_scheduling(const struct json_object *config)
{
	return host_try(set_scheduling, config);
}

/* The files of a process that is not dumpable are root's: who is not root could not write its maps.
 */
int host_get_mapping(struct idmap_cache *cache, const struct json_object *uids,
		     const struct json_object *gids, struct oci_err *err)
{
	int fd;

	if (geteuid() == 0)
		return idmap_get(cache, uids, gids, err);
	prctl(PR_SET_DUMPABLE, 1);
	fd = idmap_get(cache, uids, gids, err);
	prctl(PR_SET_DUMPABLE, 0);
	return fd;
}

int host_try_idmap(int dir_fd, const char *path, bool recursive, const struct json_object *uids,
		   const struct json_object *gids, struct oci_err *err)
{
	const unsigned tree_flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
	struct idmap_cache cache = {0};
	int userns = host_get_mapping(&cache, uids, gids, err);
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};
	own_fd int tree = -1;
	int result;

	if (userns < 0)
		return err->errnum ? err->errnum : EPERM;
	tree = open_tree(dir_fd, path, tree_flags | (recursive ? AT_RECURSIVE : 0));
	result = tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0),
					   &attr, sizeof attr) < 0
			 ? errno
			 : 0;
	idmap_free(&cache);
	return result;
}
