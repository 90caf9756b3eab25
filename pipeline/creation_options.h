/*
 * What oci-create and oci-run can be asked for alike, and what both do with it.
 *
 *	static const struct opt options[] = {
 *		CREATION_OPTIONS,
 *		... the command's own ...
 *		OPT_END,
 *	};
 */
#ifndef PIPELINE_CREATION_OPTIONS_H
#define PIPELINE_CREATION_OPTIONS_H

#include "base/opt.h"
#include "driver.h"

struct creation_options {
	const char *bundle, *trace;
	char *config_file, *console_socket, *pid_file, *pidfd_socket, *pipeline_file;
	unsigned preserve_fds;
	bool no_pivot, no_new_keyring, as_tools, timing, steps;
};

extern struct creation_options asked;

/* clang-format off */
#define CREATION_OPTIONS                                                                           \
	{'b', "bundle", "DIR", OPT_PATH, &asked.bundle, "the bundle, default: where you are"},     \
	{0, "config", "FILE", OPT_PATH, &asked.config_file,                                        \
	 "read this in place of its config.json"},                                                 \
	{0, "pid-file", "FILE", OPT_PATH, &asked.pid_file,                                         \
	 "write the pid of its first process there"},                                              \
	{0, "console-socket", "PATH", OPT_PATH, &asked.console_socket,                             \
	 "send its terminal there"},                                                               \
	{0, "pidfd-socket", "PATH", OPT_PATH, &asked.pidfd_socket,                                 \
	 "send a pidfd of its first process there"},                                               \
	{0, "preserve-fds", "N", OPT_UINT, &asked.preserve_fds,                                    \
	 "leave it N descriptors from 3 on"},                                                      \
	{0, "no-pivot", NULL, OPT_FLAG, &asked.no_pivot, "chroot in place of pivot_root"},         \
	{0, "no-new-keyring", NULL, OPT_FLAG, &asked.no_new_keyring,                               \
	 "leave it the session keyring"},                                                          \
	{0, "pipeline", "FILE", OPT_PATH, &asked.pipeline_file,                                    \
	 "other steps than the stock ones"},                                                       \
	{0, "exec", NULL, OPT_FLAG, &asked.as_tools, "run each stage as its own program"},         \
	{0, "steps", NULL, OPT_FLAG, &asked.steps, "print each step as it is done"},               \
	{0, "timing", NULL, OPT_FLAG, &asked.timing, "draw where the time went"},                  \
	{0, "trace", "FILE", OPT_PATH, &asked.trace, "write that as a Chrome trace"}
/* clang-format on */

/*
 * The bundle that the operands ([0] is the id) or --bundle name; the caller frees it. "oci
 * COMMAND ID", as engines write it, takes the working directory; by hand that is an oversight.
 */
int creation_find_bundle(int argc, char **argv, char **ret_bundle, struct oci_err *err);

/* The options that a creation records, LISTEN_FDS of socket activation among them. */
int creation_fill_options(struct create_options *o, struct oci_err *err);

/* --pipeline, or else the stock one. NULL with *err. */
struct pipeline *creation_load_pipeline(struct oci_err *err);

/* driver_create() with what --steps, --timing and --trace want to know. */
int creation_run(struct create_request *r, struct container **ret_container, bool *ret_stopped,
		 struct oci_err *err);

/*
 * Reports how it went: what is to be drawn, warnings, the error. result: of
 * creation_run(). The exit code.
 */
int creation_report(const struct create_request *r, const struct container *c, int result,
		    struct oci_err *err);

#endif
