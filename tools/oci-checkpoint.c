/* oci-checkpoint: save a running container to files. */
#include <unistd.h>

#include "base/own.h"
#include "lifecycle/checkpoint.h"
#include "lifecycle/lifecycle.h"
#include "tool.h"

static struct checkpoint what = {.status_fd = -1};

static const struct opt options[] = {
	{0, "image-path", "DIR", OPT_PATH, &what.options.image_path,
	 "where to save it, default: ./checkpoint"},
	{0, "work-path", "DIR", OPT_PATH, &what.options.work_path, "for criu's log"},
	{0, "parent-path", "DIR", OPT_STRING, &what.parent_path,
	 "of an earlier --pre-dump, relative to the images"},
	{0, "leave-running", NULL, OPT_FLAG, &what.leave_running, "do not end it"},
	{0, "pre-dump", NULL, OPT_FLAG, &what.pre_dump,
	 "save its memory only, as a parent of a later checkpoint"},
	{0, "lazy-pages", NULL, OPT_FLAG, &what.options.lazy_pages,
	 "keep its memory, for a restore to fetch"},
	{0, "page-server", "ADDRESS", OPT_STRING, &what.page_server,
	 "address:port, where its memory goes or is fetched from"},
	{0, "status-fd", "FD", OPT_FD, &what.status_fd,
	 "gets a zero byte when pages can be fetched"},
	{0, "tcp-established", NULL, OPT_FLAG, &what.options.tcp_established,
	 "with its open TCP connections"},
	{0, "tcp-skip-in-flight", NULL, OPT_FLAG, &what.tcp_skip_in_flight,
	 "but not those that are being opened"},
	{0, "ext-unix-sk", NULL, OPT_FLAG, &what.options.ext_unix_sk,
	 "with unix sockets that lead out of it"},
	{0, "shell-job", NULL, OPT_FLAG, &what.options.shell_job, "with a terminal of ours"},
	{0, "file-locks", NULL, OPT_FLAG, &what.options.file_locks, "with file locks"},
	{0, "link-remap", NULL, OPT_FLAG, &what.options.link_remap,
	 "with open files that have been removed"},
	{0, "auto-dedup", NULL, OPT_FLAG, &what.options.auto_dedup,
	 "drop from the parent what is saved again"},
	{0, "manage-cgroups-mode", "MODE", OPT_STRING, &what.options.cgroup_mode,
	 "soft (the default), full, strict, ignore"},
	{0, "empty-ns", "NAMESPACE", OPT_STRING, &what.options.empty_ns,
	 "network: without its devices"},
	OPT_END,
};

static const struct command command = {
	.name = "oci-checkpoint",
	.operands = "CONTAINER-ID",
	.purpose = "Save a running container to files, by criu; oci-restore makes it from them.",
	.example = "oci-checkpoint --image-path ./images web",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
};

int main(int argc, char **argv)
{
	own_err struct oci_err err = ERR_INIT;
	own_container struct container *c = NULL;
	own_ptr char *images = NULL;

	if (tool_begin(&command, &argc, &argv, &err) < 0)
		return tool_fail(&err);
	if (!what.options.image_path) {
		images = opt_absolute("checkpoint", &err);
		what.options.image_path = images;
	}
	if (!what.options.image_path)
		return tool_fail(&err);
	c = tool_open(argv[0], LOCK_WAIT, &err);
	if (!c || lifecycle_checkpoint(c, &what, &err) < 0)
		return tool_fail_at(&err, c);
	/* It has ended, as its record would say of itself: nothing is left to run on. */
	if (!what.leave_running && !what.pre_dump && lifecycle_delete(c, true, &err) < 0)
		return tool_fail_at(&err, c);
	tool_warn(c);
	return 0;
}
