/* oci-events: print what a container uses. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/duration.h"
#include "base/own.h"
#include "kernel/cgroup_stats.h"
#include "kernel/proc.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

enum { NS_PER_MS = 1000000, POLL_MAX_MS = 1 << 30 };

static bool once;
static const char *interval = "5s";

static const struct opt options[] = {
	{0, "stats", NULL, OPT_FLAG, &once, "print the usage once, and exit"},
	{0, "interval", "TIME", OPT_STRING, &interval, "between two lines of usage: 5s, 500ms"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-events",
	.operands = "CONTAINER-ID",
	.purpose = "print what a container uses, and when it runs out of memory",
	.details = "A line of JSON for each, until the container ends.",
	.example = "oci-events --stats web | jq .data.memory.usage",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

/* data may be NULL; it is taken over. */
static int print_event(const char *type, const char *id, struct json_object *data,
		       struct oci_err *err)
{
	own_json struct json_object *event = json_object_new_object();

	json_object_object_add(event, "type", json_object_new_string(type));
	json_object_object_add(event, "id", json_object_new_string(id));
	if (data)
		json_object_object_add(event, "data", data);
	puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE));
	if (fflush(stdout) != 0)
		return err_sys(err, errno, "cannot write to standard output");
	return 0;
}

/* 1: printed; 0: the container has ended. */
static int print_stats(struct container *c, struct oci_err *err)
{
	struct json_object *data = lifecycle_stats(c, err);

	if (!data && err->fault == FAULT_STATE)
		return 0;
	if (!data)
		return -1;
	return print_event("stats", c->id, data, err) < 0 ? -1 : 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int until(int64_t next)
{
	int64_t left = (next - now_ns() + NS_PER_MS - 1) / NS_PER_MS;

	return left < 0 ? 0 : left > POLL_MAX_MS ? POLL_MAX_MS : (int)left;
}

/* Usage in every period, and what happens in between, until init has ended. */
static int follow(struct container *c, int init, struct cgroup_watch *watch, int64_t period,
		  struct oci_err *err)
{
	struct pollfd fds[] = {{.fd = init, .events = POLLIN}, {.fd = watch->fd, .events = POLLIN}};
	int64_t next = now_ns() + period;

	for (;;) {
		int n = poll(fds, ARRAY_SIZE(fds), until(next)), more;

		if (n < 0 && errno != EINTR)
			return err_sys(err, errno, "cannot wait for events");
		if (cgroup_watch_read(watch) && print_event("oom", c->id, NULL, err) < 0)
			return -1;
		if (n > 0 && fds[0].revents)
			return 0;
		if (now_ns() < next)
			continue;
		next += period;
		more = print_stats(c, err);
		if (more <= 0)
			return more;
	}
}

static int not_running(const struct container *c, struct oci_err *err)
{
	return err_set(err, FAULT_STATE, "container \"%s\": container not running", c->id);
}

static int events(struct container *c, int64_t period, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);
	struct cgroup_watch watch = CGROUP_WATCH_INIT;
	own_fd int init = -1;
	int result;

	if (status == STATUS_STOPPED || status == STATUS_CREATING)
		return not_running(c, err);
	if (once) {
		result = print_stats(c, err);
		return result == 0 ? not_running(c, err) : result;
	}
	init = proc_open(&c->state->init, err);
	if (init < 0 || cgroup_watch_open(c->state->cgroup, &watch, err) < 0)
		return err->fault == FAULT_STATE ? not_running(c, err) : -1;
	result = follow(c, init, &watch, period, err);
	cgroup_watch_close(&watch);
	return result;
}

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	int64_t period;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (!duration_parse(interval, &period) || period <= 0) {
		err_set(&err, FAULT_USAGE,
			"option \"--interval\" needs a time above 0 (5s, 500ms), not \"%s\"",
			interval);
		return tool_fail(&err);
	}
	c = tool_open(argv[0], LOCK_NONE, &err);
	if (!c || events(c, period, &err) < 0)
		return tool_fail_at(&err, c);
	return 0;
}
