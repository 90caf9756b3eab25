/*
 * Which security modules this kernel runs: a label or profile that none of
 * them enforces must be refused, not ignored.
 */
#ifndef KERNEL_LSM_H
#define KERNEL_LSM_H

#include <stdbool.h>

bool lsm_has_apparmor(void);
bool lsm_has_selinux(void);

#endif
