/*
 * The process that oci-exec is to run, as one says it: by a document, or by what
 * is to be different from the container's own process.
 */
#ifndef LIFECYCLE_EXEC_PROCESS_H
#define LIFECYCLE_EXEC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/opt.h"
#include "oci/container.h"

struct exec_process {
	const char *file;	/* --process: a document as config.json's /process; or NULL */
	char *const *args;	/* NULL-terminated; none: those of the document */
	const char *cwd, *user; /* NULL: unchanged. user: "UID" or "UID:GID" */
	const char *apparmor, *selinux;
	struct opt_list env, groups, caps; /* added */
	bool tty, no_new_privs;
};

/*
 * The process to be run; the caller puts it. c's config must be loaded. With a
 * document, what it does not say of rights and limits is as in the container (runc).
 * NULL with *err: FAULT_CONFIG for the document, FAULT_USAGE for the rest.
 */
struct json_object *exec_process_make(const struct container *c, const struct exec_process *wanted,
				      struct oci_err *err);

#endif
