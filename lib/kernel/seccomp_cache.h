/*
 * Compiled filters, kept by what they were compiled from: libseccomp takes 10 ms
 * and more for an engine's default profile, several times as long as all the
 * rest of a creation, and engines use the same profile again and again.
 *
 * A file holds its whole source and is used only for exactly that source, so
 * no digest has to be trusted. The directory is /run/oci-cache, or
 * $XDG_RUNTIME_DIR/oci-cache without root: gone after a reboot, so a filter is never
 * one for another kernel. It is refused, and everything compiled afresh, unless it is
 * our own and nobody else's to write. What fails here is no error.
 */
#ifndef KERNEL_SECCOMP_CACHE_H
#define KERNEL_SECCOMP_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/seccomp.h"

/* Enough for a machine's profiles; when there are more, all are dropped. */
enum { SECCOMP_CACHE_FILES_MAX = 64 };

/* The directory, made if it is missing; the caller closes it. -1: there is none to use. */
int seccomp_cache_open(void);

/* The same for another place, which must exist; for tests. */
int seccomp_cache_open_at(const char *parent);

/* True, with *ret_filter as from seccomp_compile(), if the source was compiled before. */
bool seccomp_cache_get(int dir, const char *source, struct seccomp_filter *ret_filter);

void seccomp_cache_put(int dir, const char *source, const struct seccomp_filter *filter);

#endif
