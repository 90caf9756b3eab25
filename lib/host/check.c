#include "host/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/utsname.h>

#include "base/own.h"
#include "host/host.h"
#include "kernel/ns.h"

static void check_root(struct host_check *check)
{
	struct json_object *r = host_require(check->report, "/root/path");

	host_what(r, "root filesystem");
	host_probe(r, "open \"%s\"", check->bundle->rootfs);
	host_result_errno(r, HOST_FAIL, check->root < 0 ? errno : 0);
}

static void check_release(struct host_check *check)
{
	struct json_object *r = host_require(check->report, "/ociVersion");
	struct utsname uts;

	host_what(r, "Linux 5.14 or newer");
	host_probe(r, "mount_setattr");
	if (uname(&uts) == 0)
		host_result(r,
			    mount_setattr(-1, "", 0, NULL, 0) < 0 && errno == ENOSYS ? HOST_FAIL
										     : HOST_OK,
			    "%s", uts.release);
}

struct json_object *host_check_bundle(const struct host_bundle *bundle, struct oci_err *err)
{
	own_fd int root = open(bundle->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct host_check check = {
		.bundle = bundle,
		.config = bundle->config,
		.process = json_member(bundle->config, "process"),
		.platform = json_member(bundle->config, "linux"),
		.report = json_object_new_array(),
		.new_namespaces = ns_new(bundle->config),
		.namespaces = ns_listed(bundle->config),
		.root = root,
	};

	if (!check.report) {
		err_sys(err, ENOMEM, "cannot make a report");
		return NULL;
	}
	check_root(&check);
	check_release(&check);
	host_check_namespaces(&check);
	host_check_cgroup(&check);
	host_check_mounts(&check);
	host_check_devices(&check);
	host_check_process(&check);
	host_check_labels(&check);
	host_check_seccomp(&check);
	host_check_kernel(&check);
	host_check_hooks(&check);
	return check.report;
}
