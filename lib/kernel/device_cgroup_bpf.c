/*
 * Purpose: give a v2 cgroup its list of allowed devices, an eBPF program of type
 *   BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15).
 * Runs in: the runtime's namespaces.
 * Should: attach with BPF_F_ALLOW_MULTI, so that the cgroups above keep theirs.
 * Mustn't: leave a program behind: the only reference to it is the cgroup's.
 * Undo: the program goes with the directory, or device_cgroup_v2_detach().
 * Specification: config-linux.md, "Allowed Device list".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/own.h"
#include "kernel/device_cgroup.h"

enum { PROGRAMS_MAX = 64 };

static const char program_name[] = "oci_devices";

/*
 * Room after the union: Linux 6.17 to 7.1 writes past the size it is told when
 * programs are queried.
 */
struct bpf_request {
	union bpf_attr attr;
	char spare[256];
};

static int bpf(int command, struct bpf_request *request)
{
	return (int)syscall(SYS_bpf, command, &request->attr, sizeof request->attr);
}

static int load(const struct bpf_insn *insns, size_t n)
{
	struct bpf_request request;

	memset(&request, 0, sizeof request);
	request.attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	request.attr.insns = (__u64)(uintptr_t)insns;
	request.attr.insn_cnt = (__u32)n;
	/* No function of the kernel is called, so that no licence is asked for. */
	request.attr.license = (__u64)(uintptr_t) "";
	memcpy(request.attr.prog_name, program_name, sizeof program_name);
	return bpf(BPF_PROG_LOAD, &request);
}

int device_cgroup_v2(int dir_fd, const struct device_rules *rules, struct oci_err *err)
{
	own_ptr struct bpf_insn *insns = NULL;
	struct bpf_request request;
	own_fd int program = -1;
	size_t n;

	insns = device_program(rules, &n, err);
	if (!insns)
		return -1;
	program = load(insns, n);
	if (program < 0)
		return err_sys(err, errno, "cannot load the program of %zu device rules", rules->n);
	memset(&request, 0, sizeof request);
	request.attr.target_fd = (__u32)dir_fd;
	request.attr.attach_bpf_fd = (__u32)program;
	request.attr.attach_type = BPF_CGROUP_DEVICE;
	request.attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &request) < 0)
		return err_sys(err, errno, "cannot attach the device program to the cgroup");
	return 0;
}

/* A descriptor of the program, if it is one of ours; -1 otherwise. */
static int open_ours(__u32 id)
{
	struct bpf_prog_info info = {0};
	struct bpf_request request;
	own_fd int program = -1;

	memset(&request, 0, sizeof request);
	request.attr.prog_id = id;
	program = bpf(BPF_PROG_GET_FD_BY_ID, &request);
	if (program < 0)
		return -1;
	memset(&request, 0, sizeof request);
	request.attr.info.bpf_fd = (__u32)program;
	request.attr.info.info_len = sizeof info;
	request.attr.info.info = (__u64)(uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &request) < 0 || strcmp(info.name, program_name) != 0)
		return -1;
	return steal_fd(&program);
}

int device_cgroup_v2_detach(int dir_fd, struct oci_err *err)
{
	__u32 ids[PROGRAMS_MAX];
	struct bpf_request request;

	memset(&request, 0, sizeof request);
	request.attr.query.target_fd = (__u32)dir_fd;
	request.attr.query.attach_type = BPF_CGROUP_DEVICE;
	request.attr.query.prog_ids = (__u64)(uintptr_t)ids;
	request.attr.query.prog_cnt = PROGRAMS_MAX;
	/* Who may not ask has not attached one either. */
	if (bpf(BPF_PROG_QUERY, &request) < 0)
		return errno == EPERM || errno == EINVAL || errno == ENOENT || errno == ENODEV
			       ? 0
			       : err_sys(err, errno, "cannot list the programs of the cgroup");
	for (__u32 i = 0, n = request.attr.query.prog_cnt; i < n && i < PROGRAMS_MAX; i++) {
		own_fd int program = open_ours(ids[i]);

		if (program < 0)
			continue;
		memset(&request, 0, sizeof request);
		request.attr.target_fd = (__u32)dir_fd;
		request.attr.attach_bpf_fd = (__u32)program;
		request.attr.attach_type = BPF_CGROUP_DEVICE;
		if (bpf(BPF_PROG_DETACH, &request) < 0 && errno != ENOENT && errno != ENODEV)
			return err_sys(err, errno, "cannot detach the device program");
	}
	return 0;
}
