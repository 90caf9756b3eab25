/*
 * criu, which saves processes to files and makes them again: a conversation
 * with "criu swrk", its protocol on a socket (criu_rpc.proto).
 *
 *	criu_start(&criu, &start, err)
 *	criu_call(&criu, &request, notify, arg, &response, err)	once or more
 *	criu_end(&criu)
 *
 * Needs criu 3.15 or newer, as root. It is looked for where distributions
 * install it, never through PATH.
 */
#ifndef KERNEL_CRIU_H
#define KERNEL_CRIU_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"
#include "criu_rpc.pb-c.h"

struct criu {
	int sock;		 /* -1: not started */
	pid_t pid;		 /* of criu: a child of ours */
	unsigned cgroup_options; /* of the machine, as they were */
};

#define CRIU_INIT ((struct criu){.sock = -1})

struct criu_start {
	/* A cgroup's record: criu, and what it restores, is in it. NULL: where we are. */
	const struct json_object *cgroup;
	/*
	 * To restore: criu gets a mount namespace of its own, in which a copy of the root
	 * filesystem (a descriptor, -1: none) is mounted on this directory, since it wants the
	 * root to be a mount. We are in it for a moment: "inside" opens the directories of the
	 * request, which criu can mount in only if they are of its namespace.
	 */
	int rootfs;
	const char *root_mount;
	int (*inside)(void *arg, struct oci_err *err);
	void *arg;
	/* What it inherits, each with the number it has here; 0 to 2 it inherits anyway. */
	const int *fds;
	size_t n_fds;
};

/* Starts it and asks for its version. -1 with *err (FAULT_UNSUPPORTED if there is none). */
int criu_start(struct criu *criu, const struct criu_start *start, struct oci_err *err);

/*
 * Called for each step that criu announces: "pre-dump", "setup-namespaces", ... pid: of the first
 * process, as seen from here. fd: of "orphan-pts-master" the terminal, else -1; it is
 * closed afterwards. -1 with *err makes criu give up.
 */
typedef int (*criu_notify_fn)(void *arg, const char *script, pid_t pid, int fd,
			      struct oci_err *err);

/*
 * One request to its end. 0 if it succeeded, then *ret_response (may be NULL) is the caller's, who
 * frees it with criu_response__free_unpacked(response, NULL). -1 with *err: that of
 * notify, or what criu says, with the first error of its log: the file log in work_dir.
 */
int criu_call(struct criu *criu, const CriuRequest *request, criu_notify_fn notify, void *arg,
	      CriuResponse **ret_response, struct oci_err *err);

/* Adds to err what went wrong by the log `name` in the directory work_fd, called work_path. */
void criu_explain(int work_fd, const char *work_path, const char *name, struct oci_err *err);

/* Waits for its end, and gives the machine's cgroups the options back that criu takes away. */
void criu_end(struct criu *criu);

#endif
