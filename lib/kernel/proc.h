/*
 * Processes by identity, and the host's procfs.
 *
 * A pid alone may be anybody's by the time it is used. A container's process
 * is its pid and the inode number of its pidfd, which no other process has before a reboot (Linux
 * 6.9), or its start time where there is none; it is signalled, waited for and joined through a
 * pidfd that was opened first and checked afterwards (Linux 5.4).
 */
#ifndef KERNEL_PROC_H
#define KERNEL_PROC_H

#include <sys/types.h>

#include "base/err.h"
#include "oci/state.h"

/*
 * A descriptor of a procfs of this process's pid namespace that nobody can
 * have mounted anything over: a private instance, or, where the kernel refuses
 * one (a user namespace without its own /proc), /proc after a check. Opened
 * once, then kept for the life of the process; not to be closed. Open it before
 * joining any namespace: /proc/self does not exist in a joined one. Use it with
 * openat2(2)'s RESOLVE_BENEATH only. -1 with *err.
 */
int proc_fd(struct oci_err *err);

/*
 * To be called first by a command that joins no namespace itself: proc_fd() is /proc then, if
 * it is a procfs of our pid namespace. A private instance costs 0.2 ms, most of it when its mount
 * goes.
 */
void proc_use_host(void);

/*
 * The root of the procfs at /proc, O_PATH, after a check that it is one; the
 * caller closes it. Unlike proc_fd() it shows sys/ too. -1 with *err.
 */
int proc_open_host(struct oci_err *err);

/* The identity of a process of ours that has not been waited for; start_time is 0 if there is none.
 */
struct proc_id proc_identify(pid_t pid);

/* Start time of pid in clock ticks since boot; 0 if there is no such process. */
uint64_t proc_start_time(pid_t pid);

/* The number that pid has in its own pid namespace, 1 for most containers' init; 0: no such
 * process. */
pid_t proc_innermost_pid(pid_t pid);

/* The boot id, "" if unknown; static storage. */
const char *proc_boot_id(void);

/*
 * Whether boot_id, of a record, is another boot's: none of its processes lives. An id that is not
 * known, then or now, is no other boot's; what a record says is then decided by start times.
 */
bool proc_other_boot(const char *boot_id);

/*
 * A pidfd of exactly this process. -1 with *err: FAULT_STATE if it has ended
 * (or its pid is another's now).
 */
int proc_open(const struct proc_id *id, struct oci_err *err);

/*
 * The root directory of exactly this process, O_PATH; the caller closes it. -1 with *err:
 * FAULT_STATE if it has ended.
 */
int proc_open_root(const struct proc_id *id, struct oci_err *err);

/* Whether it lives: it exists, is the same one, and is no zombie. */
bool proc_alive(const struct proc_id *id);

/* Whether it is about to end, or has: it was sent SIGKILL, or is in its exit. */
bool proc_dying(const struct proc_id *id);

/* Waits until the process of pidfd has ended, at most timeout_ms (-1: for ever). False: it lives.
 */
bool proc_wait(int pidfd, int timeout_ms);

#endif
