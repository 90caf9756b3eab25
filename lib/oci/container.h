/*
 * One container as a command holds it: its state directory (open, and locked
 * by those that change it), its state, and the snapshot of its config.json.
 *
 * The state directory (oci-state.json(5)):
 *
 *	ROOT/ID/state.json	the record, replaced by rename
 *	ROOT/ID/config.json	the snapshot; the bundle is not read again
 *	ROOT/ID/seccomp		the compiled filter, if there is one (kernel/seccomp_cache.h)
 *	ROOT/ID/init.sock	where init listens
 *
 * ROOT is refused if it is a symbolic link, not owned by us, or writable by
 * others. Everything beneath is reached from its descriptor.
 *
 * The lock is flock(2) on the directory ID itself: it cannot be left behind.
 * Commands that change a container hold it; oci-state and oci-kill never wait
 * for it, so that a container whose creation hangs can be looked at and ended.
 * The sticky bit of ID says that a start has begun. There is no fsync: after a power failure no
 *container is left, and boot_id says that a record is from before it.
 */
#ifndef OCI_CONTAINER_H
#define OCI_CONTAINER_H

#include "base/err.h"
#include "base/json.h"
#include "oci/state.h"

enum { CONFIG_SIZE_MAX = 16 << 20, STATE_SIZE_MAX = 32 << 20 };

enum container_lock {
	LOCK_NONE, /* look only */
	LOCK_TRY,  /* FAULT_STATE if another command is changing the container */
	LOCK_WAIT, /* the same, but only after 10 s */
};

struct container {
	char *id;
	char *root;  /* --root, absolute */
	int root_fd; /* of --root */
	bool root_is_borrowed;
	bool start_begun; /* container_note_start() */
	int dir_fd;	  /* of ROOT/ID; carries the lock */
	struct oci_state *state;
	char *config_text; /* the snapshot; NULL until container_load_config() */
	size_t config_len;
	struct json_object *config;
	struct json_object *warnings; /* array of strings for the user, or NULL */
	bool driven;	/* state is saved at the points of no return only, not after each stage */
	int leash_fd;	/* --leash-fd of a stage: what it leaves running dies with its writer; or -1
			 */
	int console_fd; /* --console-fd of oci-pivot: connected, in place of a console socket; or -1
			 */
};

/* Whether id may name a container: [A-Za-z0-9_+][A-Za-z0-9_+.-]{0,254}. */
int container_check_id(const char *id, struct oci_err *err);

/*
 * The default of --root: /run/oci, or $XDG_RUNTIME_DIR/oci without root, and for root of a user
 * namespace whose $USER is not root. The caller frees it.
 */
char *container_default_root(void);

/*
 * Makes the state directory of a new container and locks it; no state yet.
 * The remains of a creation whose driver was killed are cleared away first
 * (the caller passes how, since that is a matter of kernel objects). FAULT_STATE
 * if the id is in use: of two at the same moment exactly one wins.
 */
typedef int (*container_clear_fn)(struct container *remains, struct oci_err *err);
struct container *container_new(const char *root, const char *id, container_clear_fn clear,
				struct oci_err *err);

/*
 * Opens an existing container and reads its state. lock_fd >= 0 is a
 * descriptor of its directory on which the caller's parent holds the lock
 * (--lock-fd). FAULT_STATE 'container "x" does not exist'.
 */
struct container *container_open(const char *root, const char *id, enum container_lock lock,
				 int lock_fd, struct oci_err *err);

/*
 * The same for who deletes it: if its state is none (torn, edited, or
 * not yet written; another version's is one, and an error) c->state is NULL, and all that can be
 * done with it is container_remove(). Here and above err->errnum is EBUSY if another command holds
 * the lock, ENOENT if there is no such container.
 */
struct container *container_open_remains(const char *root, const char *id, enum container_lock lock,
					 int lock_fd, struct oci_err *err);

/*
 * The state root, after the check above, made if it is missing and make says so; the caller closes
 * it. -1 with *err; err->errnum is ENOENT if there is none.
 */
int container_open_root(const char *root, bool make, struct oci_err *err);

/*
 * As container_open_remains() without a lock, for who looks at many: root_fd, of root, stays the
 * caller's and has to stay open. The state comes without the records of the stages.
 */
struct container *container_look(int root_fd, const char *root, const char *id,
				 struct oci_err *err);

/*
 * Notes that init is about to be asked to run the program: from then on, whatever happens to who
 * asks, only init knows whether it still waits. Before, whoever finds it alive knows that it does.
 */
int container_note_start(struct container *c, struct oci_err *err);

/* Reads and parses the snapshot, once. */
int container_load_config(struct container *c, struct oci_err *err);

/*
 * False if the snapshot can have no member of that name (ASCII letters): its text is searched
 * without parsing it. True, or an unreadable snapshot, decides nothing: load it.
 */
bool container_may_have(struct container *c, const char *member);

/* Writes the snapshot and makes it the container's config: takes over both. */
int container_set_config(struct container *c, char *text, size_t len, struct json_object *config,
			 struct oci_err *err);

/* Replaces the snapshot of a container that lives, atomically; what is loaded stays as it is. */
int container_replace_config(const struct container *c, const char *text, size_t len,
			     struct oci_err *err);

/* Adds a line to c->warnings. */
void container_warn(struct container *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Replaces state.json atomically. */
int container_save(struct container *c, struct oci_err *err);

/* Removes the state directory. */
int container_remove(struct container *c, struct oci_err *err);

/* Closes what is open; the container stays as it is. NULL is fine. */
void container_close(struct container *c);

static inline void own_close_container(struct container *const *c)
{
	container_close(*c);
}

#define own_container __attribute__((cleanup(own_close_container)))

#endif
