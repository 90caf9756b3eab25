/*
 * A further program in a container that is there: oci-exec.
 *
 * Its process is set up by init's program, as the container's first one is
 * (init/enter.c): it joins the namespaces and cgroups, and takes on what "process" says.
 */
#ifndef LIFECYCLE_EXEC_H
#define LIFECYCLE_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "oci/container.h"

struct exec_request {
	struct json_object *process;	 /* as config.json's /process, validated */
	const struct json_object *below; /* kernel/cgroup_further.h */
	const char *console_socket;	 /* where its terminal goes, an absolute path; or NULL: */
	int console;			 /* a connected socket, ours to close; or -1 */
	const char *pid_file, *pidfd_socket; /* absolute paths, or NULL */
	unsigned preserve_fds, listen_fds;   /* as in struct create_options */
	const char *listen_names;
	bool ignore_paused;

	/* Called when the process is ready, and its terminal sent; -1 with *err stops it. */
	int (*before_start)(void *arg, struct oci_err *err);
	void *arg;
};

/*
 * Runs it. 0: the program runs, *ret_pidfd is its process, a child of ours (the
 * caller closes it). -1: nothing is left of it, and no pid file. The container needs no
 * lock; its config in memory is changed, and must not be used or saved afterwards.
 *
 * FAULT_STATE, with the words "container not running" if it is not, also when it ends meanwhile.
 */
int lifecycle_exec(struct container *c, const struct exec_request *request, int *ret_pidfd,
		   struct oci_err *err);

#endif
