/*
 * Purpose: install the seccomp filter.
 * Runs in: the container, as the user; with CAP_SYS_ADMIN or no_new_privs.
 * Mustn't: make a system call after the filter that it need not make.
 * Specification: config-linux.md, "Seccomp".
 */
#include "init/init.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int install_filter(const struct plan *plan, struct init_reply *reply)
{
	struct sock_fprog program = {
		.len = (unsigned short)(plan->filter.size / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(uintptr_t)plan_at(plan, plan->filter),
	};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, plan->filter_flags, &program) < 0)
		return reply_error_at(reply, "/linux/seccomp", errno,
				      "cannot install the seccomp filter");
	return 0;
}
