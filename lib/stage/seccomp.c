/*
 * Purpose: the stage "seccomp": linux.seccomp as a program for the kernel.
 * Runs in: the runtime's namespaces, before there is anything of the container's.
 * Should: report everything that is wrong with the filter; leave the program in the state
 *   directory, from where init gets it.
 * Mustn't: do anything at all if the config asks for no filter.
 * Undo: the file goes with the state directory.
 * Specification: config-linux.md, "Seccomp".
 */
#include <stdio.h>

#include "base/own.h"
#include "kernel/seccomp_cache.h"
#include "stage/stage.h"

int stage_seccomp(struct container *c, struct oci_err *err)
{
	return container_load_config(c, err) < 0 ? -1 : seccomp_cache_prepare(c, err);
}

char *describe_seccomp(const struct container *c)
{
	own_err struct oci_err ignored = ERR_INIT;
	struct seccomp_filter filter = {0};
	own_ptr void *program = NULL;
	char *text = NULL;

	if (seccomp_cache_load(c, &filter, &ignored) < 0)
		return NULL;
	program = filter.program;
	if (asprintf(&text, "a filter of %zu instructions", filter.size / sizeof(uint64_t)) < 0)
		return NULL;
	return text;
}
