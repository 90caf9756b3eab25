/*
 * The out-of-memory killer's score (config.md, process.oomScoreAdj; proc_pid_oom_score_adj(5)).
 */
#ifndef KERNEL_OOM_H
#define KERNEL_OOM_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Sets it for a process. Not written if it is so already: to lower it, even
 * to what it was, may need CAP_SYS_RESOURCE.
 */
int oom_apply(pid_t pid, int score_adj, struct oci_err *err);

#endif
