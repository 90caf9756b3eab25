/*
 * Purpose: give a v2 cgroup its list of allowed devices, an eBPF program of type
 *   BPF_PROG_TYPE_CGROUP_DEVICE (Linux 4.15).
 * Runs in: the runtime's namespaces.
 * Should: attach with BPF_F_ALLOW_MULTI, so that the cgroups above keep theirs; replace with
 *   BPF_F_REPLACE (Linux 5.6), so that there is always one.
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

/* The loaded program of these rules; -1 with *err. */
static int load_rules(const struct device_rules *rules, struct oci_err *err)
{
	own_ptr struct bpf_insn *insns = NULL;
	size_t n;
	int program;

	insns = device_program(rules, &n, err);
	if (!insns)
		return -1;
	program = load(insns, n);
	if (program < 0)
		err_sys(err, errno, "cannot load the program of %zu device rules", rules->n);
	return program;
}

/* old: a program that is attached, which this one replaces; or -1. */
static int attach(int dir_fd, int program, int old, struct oci_err *err)
{
	struct bpf_request request;

	memset(&request, 0, sizeof request);
	request.attr.target_fd = (__u32)dir_fd;
	request.attr.attach_bpf_fd = (__u32)program;
	request.attr.attach_type = BPF_CGROUP_DEVICE;
	request.attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (old >= 0) {
		request.attr.attach_flags |= BPF_F_REPLACE;
		request.attr.replace_bpf_fd = (__u32)old;
	}
	if (bpf(BPF_PROG_ATTACH, &request) < 0)
		return err_sys(err, errno, "cannot %s the device program %s the cgroup",
			       old < 0 ? "attach" : "replace", old < 0 ? "to" : "of");
	return 0;
}

int device_cgroup_v2(int dir_fd, const struct device_rules *rules, struct oci_err *err)
{
	own_fd int program = load_rules(rules, err);

	return program < 0 ? -1 : attach(dir_fd, program, -1, err);
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

/*
 * The attached programs that are ours: at most max descriptors, the caller's to close. Returns
 * their number; -1 with *err. Who may not ask has not attached one either.
 */
static int query_ours(int dir_fd, int *ret_fds, int max, struct oci_err *err)
{
	__u32 ids[PROGRAMS_MAX];
	struct bpf_request request;
	int found = 0;

	memset(&request, 0, sizeof request);
	request.attr.query.target_fd = (__u32)dir_fd;
	request.attr.query.attach_type = BPF_CGROUP_DEVICE;
	request.attr.query.prog_ids = (__u64)(uintptr_t)ids;
	request.attr.query.prog_cnt = PROGRAMS_MAX;
	if (bpf(BPF_PROG_QUERY, &request) < 0)
		return errno == EPERM || errno == EINVAL
			       ? 0
			       : err_sys(err, errno, "cannot list the programs of the cgroup");
	for (__u32 i = 0, n = request.attr.query.prog_cnt; i < n && i < PROGRAMS_MAX; i++) {
		own_fd int program = open_ours(ids[i]);

		if (program >= 0 && found < max)
			ret_fds[found++] = steal_fd(&program);
	}
	return found;
}

static int detach(int dir_fd, int program, struct oci_err *err)
{
	struct bpf_request request;

	memset(&request, 0, sizeof request);
	request.attr.target_fd = (__u32)dir_fd;
	request.attr.attach_bpf_fd = (__u32)program;
	request.attr.attach_type = BPF_CGROUP_DEVICE;
	if (bpf(BPF_PROG_DETACH, &request) < 0 && errno != ENOENT)
		return err_sys(err, errno, "cannot detach the device program");
	return 0;
}

int device_cgroup_v2_detach(int dir_fd, struct oci_err *err)
{
	int fds[PROGRAMS_MAX], n = query_ours(dir_fd, fds, PROGRAMS_MAX, err), result = 0;

	for (int i = 0; i < n; i++) {
		if (result == 0)
			result = detach(dir_fd, fds[i], err);
		close(fds[i]);
	}
	return n < 0 ? -1 : result;
}

int device_cgroup_v2_update(int dir_fd, const struct device_rules *rules, struct oci_err *err)
{
	int fds[PROGRAMS_MAX], n, result = 0;
	own_fd int program = -1;

	if (device_rules_allow_all(rules))
		return device_cgroup_v2_detach(dir_fd, err);
	program = load_rules(rules, err);
	if (program < 0)
		return -1;
	n = query_ours(dir_fd, fds, PROGRAMS_MAX, err);
	if (n < 0)
		return -1;
	result = attach(dir_fd, program, n > 0 ? fds[0] : -1, err);
	for (int i = 0; i < n; i++) {
		/* More than one would be a defect; they would all have to allow. */
		if (result == 0 && i > 0)
			result = detach(dir_fd, fds[i], err);
		close(fds[i]);
	}
	return result;
}

/* The digest of a program's instructions, by which the kernel tells programs apart. */
static int read_tag(int program, uint8_t tag[BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	struct bpf_request request;

	memset(&request, 0, sizeof request);
	request.attr.info.bpf_fd = (__u32)program;
	request.attr.info.info_len = sizeof info;
	request.attr.info.info = (__u64)(uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &request) < 0)
		return -1;
	memcpy(tag, info.tag, BPF_TAG_SIZE);
	return 0;
}

int device_cgroup_v2_has(int dir_fd, const struct device_rules *rules, bool *ret_has,
			 struct oci_err *err)
{
	uint8_t want[BPF_TAG_SIZE], found[BPF_TAG_SIZE];
	own_fd int program = load_rules(rules, err);
	int fds[PROGRAMS_MAX], n;

	*ret_has = false;
	if (program < 0)
		return -1;
	if (read_tag(program, want) < 0)
		return err_sys(err, errno, "cannot look at the device program");
	n = query_ours(dir_fd, fds, PROGRAMS_MAX, err);
	for (int i = 0; i < n; i++) {
		if (read_tag(fds[i], found) == 0 && memcmp(want, found, sizeof want) == 0)
			*ret_has = true;
		close(fds[i]);
	}
	return n < 0 ? -1 : 0;
}
