/*
 * The stages of a creation, and the contract they share.
 *
 * A stage is a function from a loaded container to a changed one. It does one
 * step to the machine; what the next stages need goes into c->state, nowhere
 * else. stage_run() wraps every stage, whether its tool or the driver calls it:
 *
 *	- done already: says so and does nothing (run twice is harmless);
 *	- out of order: FAULT_STATE, names the stage that is missing;
 *	- the container was created or started already: FAULT_STATE, before
 *	  anything is joined;
 *	- on success its name and duration are recorded and the state is saved
 *	  (a driven container is saved by the driver).
 *
 * A stage that is about to make something that outlives it (a cgroup, a
 * process) records it and calls container_save() first: oci-delete must be able
 * to undo a creation that was killed between any two instructions.
 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"

enum stage_side {
	SIDE_RUNTIME,	/* works in the caller's namespaces */
	SIDE_CONTAINER, /* its work is done by joined_run() */
};

struct stage {
	const char *name;    /* as in a pipeline and in state.json: "mount" */
	const char *command; /* "oci-mount" */
	enum stage_side side;
	const char *after; /* the stage that must be done before, or NULL */
	bool optional;	   /* needed only where stage_is_asked_for() */
	int (*run)(struct container *c, struct oci_err *err);
	/* One line for --timing and make demo: what was done; the caller frees it. */
	char *(*describe)(const struct container *c);
};

/* In the stock order. The hook stages are "hook prestart", "hook createRuntime", "hook
 * createContainer". */
extern const struct stage stages[];
extern const unsigned n_stages;

const struct stage *stage_find(const char *name);

/* Whether the config has anything to do for the stage; always, unless it is optional. */
bool stage_is_asked_for(const struct stage *stage, const struct json_object *config);

/* *ret_done_before (may be NULL): it had been done, nothing was done now. */
int stage_run(const struct stage *stage, struct container *c, bool *ret_done_before,
	      struct oci_err *err);

/*
 * oci-validate as a stage: makes the state directory, checks, snapshots, writes
 * the first state. It differs from the others, since there is no container before it.
 * bundle may be relative. options is copied. creator: the driver whose
 * transaction this is; then the container is driven and its first state is not
 * saved here (until oci-cgroup saves it there is nothing to undo but the
 * directory). NULL: by hand, saved. All errors of config.json are in
 * err->details. *ret_warnings (NULL: not wanted) is set to the report of what is no
 * error, or NULL if there is nothing to report; the caller frees it.
 */
struct container *stage_validate(const char *root, const char *id, const char *bundle,
				 const struct create_options *options,
				 const struct proc_id *creator, char **ret_warnings,
				 struct oci_err *err);

int stage_seccomp(struct container *c, struct oci_err *err);
int stage_cgroup(struct container *c, struct oci_err *err);
int stage_nsenter_setup(struct container *c, struct oci_err *err);
int stage_prepare_root(struct container *c, struct oci_err *err);
int stage_mount(struct container *c, struct oci_err *err);
int stage_hook_prestart(struct container *c, struct oci_err *err);
int stage_hook_create_runtime(struct container *c, struct oci_err *err);
int stage_hook_create_container(struct container *c, struct oci_err *err);
int stage_pivot(struct container *c, struct oci_err *err);

/* Each in its own file beside the stage: the line for --timing. */
char *describe_validate(const struct container *c);
char *describe_seccomp(const struct container *c);
char *describe_cgroup(const struct container *c);
char *describe_nsenter_setup(const struct container *c);
char *describe_prepare_root(const struct container *c);
char *describe_mount(const struct container *c);
char *describe_hook_prestart(const struct container *c);
char *describe_hook_create_runtime(const struct container *c);
char *describe_hook_create_container(const struct container *c);
char *describe_pivot(const struct container *c);

#endif
