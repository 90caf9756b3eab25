/* What is done to all processes of a container by means of its cgroup. */
#include <errno.h>
#include <stdlib.h>

#include "base/own.h"
#include "kernel/cgroup.h"
#include "lifecycle/lifecycle.h"

static int refuse(const struct container *c, const char *verb, enum oci_status status,
		  struct oci_err *err)
{
	return err_set(err, FAULT_STATE, "cannot %s container \"%s\": it is %s", verb, c->id,
		       status_name(status));
}

int lifecycle_pause(const struct container *c, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);

	if (status != STATUS_RUNNING && status != STATUS_CREATED)
		return refuse(c, "pause", status, err);
	return cgroup_freeze(c->state->cgroup, true, err);
}

int lifecycle_resume(const struct container *c, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);

	if (status != STATUS_PAUSED)
		return refuse(c, "resume", status, err);
	return cgroup_freeze(c->state->cgroup, false, err);
}

int lifecycle_pids(const struct container *c, pid_t **ret_pids, size_t *ret_n, struct oci_err *err)
{
	enum oci_status status = lifecycle_status(c);

	if (status == STATUS_STOPPED)
		return err_set(err, FAULT_STATE, "container \"%s\": container not running", c->id);
	if (cgroup_pids(c->state->cgroup, ret_pids, ret_n, err) < 0)
		return -1;
	if (*ret_n > 0)
		return 0;
	/* Without a cgroup its first process is known. */
	free(*ret_pids);
	*ret_pids = malloc(sizeof **ret_pids);
	if (!*ret_pids)
		return err_sys(err, ENOMEM, "cannot list the processes of \"%s\"", c->id);
	**ret_pids = c->state->init.pid;
	*ret_n = 1;
	return 0;
}
