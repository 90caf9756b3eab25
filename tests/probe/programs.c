/*
 * programs [DIR]: the ids of the device programs that are attached to the cgroup DIR and are called
 * oci_devices, one a line; without DIR, of all such programs that the kernel holds.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Some kernels write beyond the size that they are told. */
struct request {
	union bpf_attr attr;
	char spare[256];
};

static int bpf(int command, struct request *r)
{
	return (int)syscall(SYS_bpf, command, &r->attr, sizeof r->attr);
}

static void print_ours(__u32 id)
{
	struct bpf_prog_info info;
	struct request r;
	int fd;

	memset(&r, 0, sizeof r);
	r.attr.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &r);
	if (fd < 0)
		return;
	memset(&r, 0, sizeof r);
	memset(&info, 0, sizeof info);
	r.attr.info.bpf_fd = (__u32)fd;
	r.attr.info.info_len = sizeof info;
	r.attr.info.info = (__u64)(uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &r) == 0 && strcmp(info.name, "oci_devices") == 0)
		printf("%u\n", id);
	close(fd);
}

static int attached(const char *path)
{
	__u32 ids[64];
	struct request r;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(&r, 0, sizeof r);
	r.attr.query.target_fd = (__u32)dir;
	r.attr.query.attach_type = BPF_CGROUP_DEVICE;
	r.attr.query.prog_ids = (__u64)(uintptr_t)ids;
	r.attr.query.prog_cnt = 64;
	if (dir < 0 || bpf(BPF_PROG_QUERY, &r) < 0) {
		perror(path);
		return 1;
	}
	for (__u32 i = 0; i < r.attr.query.prog_cnt; i++)
		print_ours(ids[i]);
	return 0;
}

int main(int argc, char **argv)
{
	__u32 id = 0;

	if (argc > 1)
		return attached(argv[1]);
	for (;;) {
		struct request r;

		memset(&r, 0, sizeof r);
		r.attr.start_id = id;
		if (bpf(BPF_PROG_GET_NEXT_ID, &r) < 0)
			return 0;
		id = r.attr.next_id;
		print_ours(id);
	}
}
