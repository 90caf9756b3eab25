/*
 * Purpose: install the seccomp filter, and give its listener to the agent.
 * Runs in: the container, as the user; with CAP_SYS_ADMIN or no_new_privs.
 * Should: hand over the listener by a thread that is not under the filter, since
 *   whatever we call may be what the agent is to be asked about: without the
 *   listener it could not answer, and we would wait for ever.
 * Mustn't: make a system call after the filter that it need not make.
 * Specification: config-linux.md, "Seccomp", "The Container Process State".
 */
#include "init/init.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PENDING = -1, NO_LISTENER = -2, EXIT_FAILED = 126 };

static int agent = -1;

/* Between the thread under the filter and the one that is not. */
static struct delivery {
	const struct plan *plan;
	int connection;
	int listener; /* or PENDING, NO_LISTENER */
	int done;
	int errnum; /* 0: it was sent */
} delivery;

void keep_agent(int fd)
{
	agent = fd;
}

static long load(const struct plan *plan, uint32_t flags)
{
	struct sock_fprog program = {
		.len = (unsigned short)(plan->filter.size / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)(uintptr_t)plan_at(plan, plan->filter),
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* Without a listener: nobody would answer for a hook, so what is to be asked about fails. */
long install_hook_filter(const struct plan *plan)
{
	const uint32_t of_listeners = SECCOMP_FILTER_FLAG_NEW_LISTENER |
				      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
				      SECCOMP_FILTER_FLAG_TSYNC;

	/* Without no_new_privs it is in force already. */
	if (!(plan->flags & PLAN_NO_NEW_PRIVS) || !plan->filter.size)
		return 0;
	return load(plan, plan->filter_flags & ~of_listeners);
}

static int fail_load(struct init_reply *reply)
{
	return reply_error_at(reply, "/linux/seccomp", errno, "cannot install the seccomp filter");
}

static int fail_delivery(struct init_reply *reply, int errnum)
{
	return reply_error_at(reply, "/linux/seccomp/listenerPath", errnum,
			      "cannot send the seccomp listener to its agent");
}

/* ---- In the thread that is not under the filter --------------------------------------------- */

static int send_listener(const struct delivery *d)
{
	const char *text = plan_at(d->plan, d->plan->listener_state);
	size_t left = d->plan->listener_state.size;
	int fd = d->listener;

	while (left) {
		/* The descriptor goes with the first part. */
		ssize_t n = send_some(agent, text, left, fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		fd = -1;
		text += n;
		left -= (size_t)n;
	}
	return 0;
}

static void *deliver(void *arg)
{
	static const struct timespec moment = {.tv_nsec = 50000};
	struct delivery *d = arg;

	while (__atomic_load_n(&d->listener, __ATOMIC_ACQUIRE) == PENDING)
		nanosleep(&moment, NULL);
	if (d->listener != NO_LISTENER) {
		d->errnum = send_listener(d);
		close(d->listener);
	}
	/* The stage that waits for us has it open too: for the agent it must end now. */
	shutdown(agent, SHUT_RDWR);
	close(agent);
	if (d->errnum && d->connection >= 0) {
		static struct init_reply reply;

		fail_delivery(&reply, d->errnum);
		send_message(d->connection, &reply, sizeof reply, -1);
		_exit(EXIT_FAILED);
	}
	__atomic_store_n(&d->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- In the thread that becomes the program -------------------------------------------------- */

static int install_and_deliver(const struct plan *plan, int connection, struct init_reply *reply)
{
	pthread_t thread;
	long listener;
	int e;

	if (agent < 0)
		return fail_delivery(reply, ENOTCONN);
	delivery = (struct delivery){plan, connection, PENDING, 0, 0};
	e = pthread_create(&thread, NULL, deliver, &delivery);
	if (e)
		return fail_delivery(reply, e);
	listener = load(plan, plan->filter_flags);
	e = errno;
	__atomic_store_n(&delivery.listener, listener < 0 ? NO_LISTENER : (int)listener,
			 __ATOMIC_RELEASE);
	/* Not a system call, of whatever kind: see above. It takes as long as one message. */
	while (!__atomic_load_n(&delivery.done, __ATOMIC_ACQUIRE))
		;
	errno = e;
	if (listener < 0)
		return fail_load(reply);
	return delivery.errnum ? fail_delivery(reply, delivery.errnum) : 0;
}

int install_filter(const struct plan *plan, int connection, struct init_reply *reply)
{
	if (plan->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		return install_and_deliver(plan, connection, reply);
	return load(plan, plan->filter_flags) < 0 ? fail_load(reply) : 0;
}

/* A call that must fail by itself: with another errno it was the filter that made it fail. */
static int is_forbidden(int result)
{
	return result < 0 && errno != EBADF;
}

int check_filter(struct init_reply *reply)
{
	struct msghdr msg = {0};
	const char *name = is_forbidden(poll(NULL, 0, 0))			 ? "poll"
			   : is_forbidden(accept4(-1, NULL, NULL, SOCK_CLOEXEC)) ? "accept4"
			   : is_forbidden((int)recvmsg(-1, &msg, 0))		 ? "recvmsg"
			   : is_forbidden(close(-1))				 ? "close"
										 : NULL;

	if (!name)
		return 0;
	return reply_error_at(
		reply, "/linux/seccomp", errno,
		"the seccomp filter forbids %s, which init needs until it executes the "
		"program: without noNewPrivileges the filter is in force before",
		name);
}
