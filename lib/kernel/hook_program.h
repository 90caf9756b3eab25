/*
 * Programs of startContainer hooks that the container does not have.
 *
 * Such a hook's path resolves in the container (config.md). Where nothing is
 * there, the program of that path in the runtime's namespaces is run instead:
 * a static one, since its loader would be the container's. It is copied into a sealed
 * memory file, so that the container never holds a descriptor of the host's file
 * (CVE-2019-5736); it costs nothing where the container has the file.
 *
 *	struct hook_programs programs = {0};
 *	hook_programs_open(&programs, hooks);	before joining
 *	hook_programs_copy(&programs, hooks, root_fd, &ready, err);	inside
 *	hook_programs_close(&programs);
 */
#ifndef KERNEL_HOOK_PROGRAM_H
#define KERNEL_HOOK_PROGRAM_H

#include "base/err.h"
#include "base/json.h"
#include "kernel/init.h"

struct hook_programs {
	int host[INIT_HOOK_PROGRAMS_MAX]; /* the host's file of hook n, or -1 */
	int copies[INIT_HOOK_PROGRAMS_MAX];
	unsigned n, n_copies;
};

/* Opens what there is on the host, of the first hooks; what there is not is no error. */
void hook_programs_open(struct hook_programs *programs, const struct json_object *hooks);

/* Copies those that root_fd does not have, and adds them to *ready. */
int hook_programs_copy(struct hook_programs *programs, const struct json_object *hooks, int root_fd,
		       struct init_ready *ready, struct oci_err *err);

void hook_programs_close(struct hook_programs *programs);

#endif
