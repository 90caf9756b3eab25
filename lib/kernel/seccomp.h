/*
 * linux.seccomp as a BPF program for seccomp(2) (config-linux.md, "Seccomp"),
 * made by libseccomp and installed by init.
 *
 * Names of system calls that the library does not know are ignored, as profiles
 * written for newer kernels rely on; what is unknown otherwise is an error.
 */
#ifndef KERNEL_SECCOMP_H
#define KERNEL_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct seccomp_filter {
	void *program;	/* struct sock_filter each; NULL: no filter */
	size_t size;	/* bytes */
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
	bool notifies;	/* SCMP_ACT_NOTIFY is among its actions */
};

/*
 * Compiles the object (NULL: no filter). The caller frees ret_filter->program.
 * FAULT_CONFIG with the pointer of what is wrong; FAULT_UNSUPPORTED for what
 * this library or kernel cannot do.
 */
int seccomp_compile(const struct json_object *seccomp, struct seccomp_filter *ret_filter,
		    struct oci_err *err);

#endif
