/*
 * What every command's main starts and ends with.
 *
 *	int main(int argc, char **argv)
 *	{
 *		own_err struct oci_err err = ERR_INIT;
 *
 *		if (tool_begin(&command, &argc, &argv, &err) < 0)
 *			return tool_fail(&err);
 *		...
 *		return 0;
 *	}
 *
 * Each file in tools/ and pipeline/ has a main; the build renames it (main of
 * oci-mount.c becomes oci_mount_main) and links all into one executable that
 * acts as the name it is called by.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "base/err.h"
#include "base/opt.h"
#include "oci/container.h"
#include "stage/stage.h"

int main(int argc, char **argv);

/*
 * The global options. For the driver that runs a stage as its tool: --lock-fd, on which it holds
 * the lock, and --error-fd, a file that takes the error as JSON in place of stderr and log.
 */
struct tool_globals {
	const char *root; /* never NULL after tool_begin() */
	const char *log, *log_format;
	bool debug, systemd_cgroup, no_cgroup, version;
	bool dump_options;	     /* for the build: opt_dump() */
	const char *cgroup_manager;  /* crun's: sets the two above */
	const char *rootless, *criu; /* accepted, as runc does, and ignored */
	int lock_fd;		     /* -1: take the lock */
	int error_fd;		     /* -1: report to stderr and the log */
	bool front_end;		     /* called as "oci COMMAND": runc's exit codes */
	const char *command;	     /* "oci-mount" */
};

extern struct tool_globals tool;
extern const char tool_version[], tool_commit[];
extern const struct opt tool_global_options[];

/*
 * Parses the options; afterwards *argc and *argv are the operands. Prints
 * --help or --version and exits 0 if that was asked for. Before any main,
 * main.c has refused set-user-ID, made the process non-dumpable, opened the
 * standard descriptors, set all others close-on-exec, and set the umask to
 * 022. The working directory is as it was: a command that has relative paths
 * uses OPT_PATH or opt_absolute(), and changes to / before it touches a container.
 */
int tool_begin(const struct command *command, int *argc, char ***argv, struct oci_err *err);

/*
 * report.c: reports err once: one line on stderr ("oci-mount: /mounts/4 (config.json:52): ..."),
 * a second one with the hint on a terminal or with --debug (err->details in place of both); and,
 * with --log, one JSON or text line in the log. Returns the exit code: the fault's, or 1 for
 * "oci COMMAND". c gives the line number of err->pointer, if its config is loaded.
 */
int tool_fail(const struct oci_err *err);
int tool_fail_at(const struct oci_err *err, const struct container *c);

/* With --debug: a line of level "debug" in the log, or on stderr in the form of one. */
void tool_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The error that a tool wrote to its --error-fd; false if it is none. */
bool tool_read_error(const char *text, size_t len, struct oci_err *err);

void tool_print_version(void);

/* report_host.c: prints a report of host/host.h, a line for each requirement, in columns. */
void tool_print_host(const struct json_object *report);

/* Prints it as JSON, for people and programs. */
void tool_print_json(struct json_object *json);

/* Opens the container named by an operand, with the lock that --lock-fd says. */
struct container *tool_open(const char *id, enum container_lock lock, struct oci_err *err);

/*
 * What a program is left of the caller's descriptors from 3 on: so many of --preserve-fds and, as
 * sd_listen_fds(3) says, those of socket activation, which *ret_all counts too.
 */
int tool_count_fds(unsigned preserve_fds, unsigned *ret_all, unsigned *ret_listen,
		   struct oci_err *err);

/*
 * Prints c->warnings on stderr: never to the log, where engines expect one error and nothing
 * else.
 */
void tool_warn(const struct container *c);

/* Runs the stage and reports; the exit code. */
int tool_run_stage(const struct command *command, const char *stage, struct container *c);

/* The whole main of a stage tool that takes only an id. */
int tool_stage(const char *stage, const struct command *command, int argc, char **argv);

#endif
