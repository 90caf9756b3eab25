/*
 * The options of the machine's v2 hierarchy. They belong to the superblock: whoever
 * mounts cgroup2 once more without them, as criu does, takes them away from everybody.
 */
#ifndef KERNEL_CGROUP_OPTIONS_H
#define KERNEL_CGROUP_OPTIONS_H

#include "base/err.h"

/* A set of options; 0 without a v2 hierarchy, or if it cannot be told. */
unsigned cgroup_options(void);

/* Sets exactly these, if others are set now. */
int cgroup_options_set(unsigned options, struct oci_err *err);

#endif
