/*
 * System calls that are newer than a profile.
 *
 * A C library asks for a new system call first, and for the old one if the answer is ENOSYS. A
 * profile that allows by name what was there when it was written answers EPERM, and the program
 * fails. So what has a higher number than all that the profile names gets ENOSYS, as with runc:
 * it is refused all the same.
 */
#ifndef KERNEL_SECCOMP_ENOSYS_H
#define KERNEL_SECCOMP_ENOSYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "kernel/seccomp.h"

/*
 * Puts that before the filter's program; the architectures are SCMP_ARCH_* numbers. Nothing is
 * done for a program that has no room for it. -1 with errno.
 */
int seccomp_add_enosys(struct seccomp_filter *filter, const struct json_object *seccomp,
		       const uint32_t *architectures, size_t n);

#endif
