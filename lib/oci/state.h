/*
 * state.json: what is known of one container, the record that stages pass on.
 *
 * It is the state of the OCI runtime specification (runtime.md, "State") plus
 * one object "oci" of our own. oci-state.json(5) describes the format; its
 * JSON Schema is lib/oci/state.schema.json. Nothing passes from one stage to
 * another except through this record and the snapshot of config.json.
 */
#ifndef OCI_STATE_H
#define OCI_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/json.h"

/*
 * The socket on which the program says that it is ready (sd_notify(3)): made by who starts the
 * container in ROOT/ID/notify, a directory that is mounted in the container.
 */
#define NOTIFY_DIRECTORY "notify"
#define NOTIFY_SOCKET_NAME "notify.sock"
#define NOTIFY_MOUNT "/run/notify"
#define NOTIFY_IN_CONTAINER NOTIFY_MOUNT "/" NOTIFY_SOCKET_NAME

/*
 * Of the format. A program refuses the containers of another version: it cannot know what it would
 * do to them. A property that is only added does not change it: programs ignore, and keep, those
 * that they do not know, and do without those that are missing.
 */
enum { STATE_VERSION = 1 };

enum oci_status {
	STATUS_CREATING,
	STATUS_CREATED,
	STATUS_RUNNING,
	STATUS_STOPPED, /* never in the file: computed from the process */
	STATUS_PAUSED,	/* never in the file: computed from the cgroup */
};

/* A process that pid reuse cannot confuse (kernel/proc.h). */
struct proc_id {
	pid_t pid;	     /* 0: none */
	uint64_t start_time; /* proc_pid_stat(5), field 22 */
	/* Of its pidfd: no other process has this one before a reboot. 0: the kernel has none. */
	uint64_t inode;
};

/* What oci-create was asked for on the command line and stages need to know. */
struct create_options {
	char *config_file;    /* read in place of the bundle's config.json, or NULL; not kept */
	char *console_socket; /* absolute path, or NULL */
	char *pid_file;	      /* absolute path, or NULL */
	char *pidfd_socket;   /* absolute path, or NULL */
	char *listen_names;   /* LISTEN_FDNAMES, or NULL */
	char *pipeline;	      /* --pipeline, absolute path, for --resume; NULL: the stock one */
	unsigned preserve_fds;
	unsigned listen_fds; /* LISTEN_FDS: counted in preserve_fds' range, from 3 on */
	bool notify;	     /* NOTIFY_SOCKET: the container gets one too, lifecycle/notify.h */
	bool no_pivot, no_new_keyring, systemd_cgroup, no_cgroup;
};

struct oci_state {
	/* runtime.md */
	char *oci_version, *id, *bundle;
	enum oci_status status;
	struct json_object *annotations; /* or NULL */

	/* Ours. */
	char *created;		/* RFC 3339 */
	char *boot_id;		/* another one: the machine was restarted, nothing of this runs */
	struct proc_id init;	/* pid 0 until oci-nsenter-setup has made it */
	struct proc_id creator; /* the driver whose transaction this is; pid 0: none, it is
				   committed or made by hand */
	uid_t owner;
	char *rootfs; /* canonical absolute path */
	uint64_t root_dev, root_ino;
	struct create_options options;
	struct json_object *cgroup; /* owned by kernel/cgroup.h; NULL until oci-cgroup plans it */
	struct json_object *net_devices; /* owned by kernel/netdev.h: what was moved, or NULL */
	struct json_object *rdt;	 /* owned by kernel/rdt.h: the group, or NULL */
	struct json_object *stages; /* array of {name, result, ms}: what has been done, in order */

	/* Of the file, of "oci", of the options: what a later version has written, to be kept; or
	 * NULL. */
	struct json_object *later, *later_ours, *later_options;
};

/* NULL with *err: FAULT_STATE if the text is no state of ours; errnum EPROTO if it is one of
 * another version of the format, so a container that somebody can handle. The caller: state_free().
 */
struct oci_state *state_parse(const char *text, size_t len, struct oci_err *err);

/*
 * Takes the records of the stages, which are half of it, out of a text that state_format() has
 * written, for who looks at the states of many containers; any other is left as it is. Returns the
 * length of what is left, which is still to be parsed.
 */
size_t state_leave_out_stages(char *text, size_t len);

/* The text of state.json; the caller frees it. */
char *state_format(const struct oci_state *state);

/*
 * The properties of runtime.md alone, with this status. pid is that which the
 * reader sees; 0: none. The caller puts it. And as hooks get it, as one line of
 * text; the caller frees it.
 */
struct json_object *state_public(const struct oci_state *state, enum oci_status status, pid_t pid);
char *state_for_hooks(const struct oci_state *state, enum oci_status status, pid_t pid);

void state_free(struct oci_state *state);

static inline void own_free_state(struct oci_state *const *state)
{
	state_free(*state);
}

#define own_state __attribute__((cleanup(own_free_state)))

/* The owner as engines read it: "root", or the number. */
enum { STATE_OWNER_SIZE = 16 };
void state_owner(const struct oci_state *state, char ret_text[STATE_OWNER_SIZE]);

/* The record of a stage in state->stages, or NULL. */
struct json_object *state_stage(const struct oci_state *state, const char *name);

/* Adds the record of a stage that is done. microseconds: how long it took. */
void state_add_stage(struct oci_state *state, const char *name, int64_t microseconds);

const char *status_name(enum oci_status status);

#endif
