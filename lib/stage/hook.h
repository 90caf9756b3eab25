/*
 * Hooks (config.md, "POSIX-platform Hooks"), all but startContainer, which is
 * init's.
 *
 * A hook gets its own env and nothing else, the state on standard input (a
 * memory file: reading it never blocks, and nobody need read it), "/" as its
 * working directory, no controlling terminal, standard output to /dev/null.
 * Its standard error is kept for the error if it fails.
 *
 * createContainer hooks are opened in the caller's namespaces and run in the
 * container's, all of them, the pid namespace too, before the pivot: so that
 * the loader and libraries that they need are the host's.
 */
#ifndef STAGE_HOOK_H
#define STAGE_HOOK_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/container.h"

/* Whether the config (which is loaded) has hooks of this kind: "poststop". */
bool hooks_has(const struct container *c, const char *kind);

/*
 * Runs the hooks of a kind, in order, up to the first that fails (FAULT_HOOK, pointer
 * "/hooks/poststart/1"). The state says the status.
 */
int hooks_run(const struct container *c, const char *kind, enum oci_status status,
	      struct oci_err *err);

/*
 * For poststop: a hook that fails is a warning only (c->warnings) and the rest runs.
 */
void hooks_run_all(struct container *c, const char *kind, enum oci_status status);

#endif
