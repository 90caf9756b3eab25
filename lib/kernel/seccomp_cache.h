/*
 * Compiled filters, kept by what they were compiled from: libseccomp takes 10 ms
 * and more for an engine's default profile, several times as long as all the
 * rest of a creation, and engines use the same profile again and again.
 *
 *	ROOT/.seccomp/DIGEST	the cache
 *	ROOT/ID/seccomp		the container's own: the same file under a second name
 *
 * A file holds its whole source, with the boot that it is from, and is taken
 * from the cache only for exactly that source, so no digest has to be trusted; a
 * checksum tells a damaged one, which is compiled afresh. The files are made in the
 * container's directory, which is locked, and enter the cache whole, by a link: any
 * number of creations may do that at once. When there are more than
 * SECCOMP_CACHE_FILES_MAX, all are dropped from the cache; the containers keep theirs. The
 * directory may be removed at any time. Its failures are no errors.
 */
#ifndef KERNEL_SECCOMP_CACHE_H
#define KERNEL_SECCOMP_CACHE_H

#include "kernel/seccomp.h"
#include "oci/container.h"

/* Enough for a machine's profiles. */
enum { SECCOMP_CACHE_FILES_MAX = 64 };

/*
 * Puts the filter of the container's linux.seccomp into its state directory, compiled only
 * if no container before had the same. Its config must be loaded. Nothing is done if it asks for
 * none. Errors are those of seccomp_compile().
 */
int seccomp_cache_prepare(const struct container *c, struct oci_err *err);

/*
 * The filter that was put there, for init and for oci-exec; compiled here if it is missing or
 * damaged. The caller frees ret_filter->program; NULL: the config asks for none.
 */
int seccomp_cache_load(const struct container *c, struct seccomp_filter *ret_filter,
		       struct oci_err *err);

#endif
