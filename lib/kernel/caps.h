/*
 * Capabilities as config.json names them (config.md, process.capabilities).
 *
 * What cannot be granted is no error but a warning: a name that this kernel or
 * libcap does not know, a capability that we do not hold ourselves, an
 * inheritable one outside of the bounding set, an effective one that is not
 * permitted, an ambient one that is not both permitted and inheritable. The
 * kernel would refuse the whole set for one of them; they are left out.
 */
#ifndef KERNEL_CAPS_H
#define KERNEL_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

/* Bit n is capability n. */
struct caps {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* What a child of ours can be given: our bounding and our permitted set. -1 with *err. */
int caps_held(struct caps *ret_held, struct oci_err *err);

/*
 * Takes everything out of our inheritable set, and with it of the ambient set: what root
 * executes would get it even beyond the bounding set. -1 with errno. No memory is used.
 */
int caps_clear_inheritable(void);

/* What init has in a user namespace of its own: everything that the kernel knows. */
struct caps caps_all(void);

/*
 * The sets of process.capabilities (NULL: five empty sets; runc 1.3
 * would leave the caller's), as far as held.bounding and held.permitted allow. Warnings are
 * appended as strings to the array.
 */
struct caps caps_parse(const struct json_object *capabilities, const struct caps *held,
		       struct json_object *warnings);

#endif
