/*
 * Saving a running container to files, and making one from them, by criu(8).
 *
 * The images are a directory of criu's, with two files of ours:
 *
 *	descriptors.json	where the standard streams led: ["pipe:[4711]", ...], as runc
 *				and crun write it
 *
 * Mounts that come from outside the container are known in the images by their
 * destination in config.json, and get their source from the config.json that the container is
 * restored with: its bundle must have the same mounts.
 */
#ifndef LIFECYCLE_CHECKPOINT_H
#define LIFECYCLE_CHECKPOINT_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"

/* What both have in common; the names are runc's and criu's. Paths are absolute. */
struct criu_options {
	const char *image_path;	 /* made if it is not there */
	const char *work_path;	 /* for criu's log; NULL: image_path */
	const char *cgroup_mode; /* "soft", "full", "strict", "ignore"; NULL: soft */
	const char *empty_ns;	 /* "network": its devices are left alone; NULL */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, link_remap, lazy_pages,
		auto_dedup;
};

struct checkpoint {
	struct criu_options options;
	const char *parent_path; /* images of an earlier pre-dump, relative to image_path; NULL */
	const char *page_server; /* "ADDRESS:PORT", or NULL */
	bool leave_running, pre_dump, tcp_skip_in_flight;
	int status_fd; /* gets a NUL byte when lazy pages can be asked for; -1 */
};

/*
 * Saves the container, which must be running. Without leave_running or
 * pre_dump its processes end with it. The caller holds the lock.
 */
int lifecycle_checkpoint(struct container *c, const struct checkpoint *what, struct oci_err *err);

struct restore {
	const char *root, *id, *bundle;
	struct create_options create; /* console_socket, pid_file, systemd_cgroup */
	struct criu_options options;
	const char *lsm_profile, *lsm_mount_context; /* NULL: as saved */
	bool tcp_close;
};

/*
 * Makes the container. Its first process is a child of ours, who waits for it
 * (or leaves it to init or a subreaper). *ret_terminal: its terminal, if it has one and there
 * is no console socket to send it to, else -1; the caller closes it. Without
 * success nothing is left.
 */
struct container *lifecycle_restore(const struct restore *what, int *ret_terminal,
				    struct oci_err *err);

#endif
