/* What is written to put a limit back; the control files here are plain ones in a temporary
 * directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/own.h"
#include "kernel/cgroup_limits.h"

static char base[] = "/tmp/test_cgroup_undo.XXXXXX";
static int dir = -1;

static void put(const char *file, const char *text)
{
	own_fd int fd = openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(base))
		return -1;
	dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dir);
	return rmdir(base);
}

/* now is in the file, text is to be written to it: what puts it back is `back`. */
static void puts_back(const char *file, const char *now, const char *text, const char *back)
{
	own_ptr char *own_file_name = strdup(file), *own_text = strdup(text), *got = NULL;
	struct cgroup_setting s = {.dir = dir, .file = own_file_name, .text = own_text};
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_undo undo = {0};

	put(file, now);
	assert_int_equal(cgroup_undo_note(&undo, &s, &err), 0);
	assert_int_equal(undo.n, 1);
	/* A plain file keeps what is behind the text: begin with an empty one. */
	put(file, "");
	cgroup_undo(&undo, &err);
	cgroup_undo_free(&undo);
	assert_int_equal(cgroup_read(dir, file, &got), 0);
	if (strcmp(got, back) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", file, got, back);
	assert_int_equal(unlinkat(dir, file, 0), 0);
}

static void whole_files(void **state)
{
	(void)state;
	puts_back("memory.max", "max\n", "100", "max");
	puts_back("cpu.max", "5000 10000\n", "max", "5000 10000");
	puts_back("memory.oom_control", "oom_kill_disable 1\nunder_oom 0\n", "0", "1");
	puts_back("cpuset.cpus", "\n", "0", "");
}

static void lines(void **state)
{
	(void)state;
	puts_back("io.max", "8:0 rbps=1 wbps=max riops=max wiops=max\n8:16 rbps=2 wbps=3\n",
		  "8:16 rbps=9", "8:16 rbps=2 wbps=3");
	puts_back("io.max", "8:0 rbps=1 wbps=max\n", "8:1 rbps=9",
		  "8:1 rbps=max wbps=max riops=max wiops=max");
	puts_back("blkio.throttle.read_bps_device", "", "8:0 100", "8:0 0");
	puts_back("blkio.throttle.read_bps_device", "8:0 50\n", "8:0 100", "8:0 50");
	puts_back("net_prio.ifpriomap", "lo 0\neth0 3\neth01 4\n", "eth0 7", "eth0 3");
	puts_back("rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n", "mlx4_0 hca_handle=9",
		  "mlx4_0 hca_handle=2 hca_object=max");
}

static void weights(void **state)
{
	(void)state;
	puts_back("io.weight", "default 100\n8:0 50\n", "500", "default 100");
	puts_back("io.weight", "default 100\n8:0 50\n", "8:0 500", "8:0 50");
	puts_back("io.weight", "default 100\n", "8:0 500", "8:0 default");
	puts_back("blkio.bfq.weight", "100\n", "500", "100");
	puts_back("io.bfq.weight", "default 100\n", "500", "default 100");
}

static void what_cannot_be(void **state)
{
	char file[] = "memory.max", text[] = "1";
	struct cgroup_setting s = {.dir = dir, .file = file, .text = text};
	own_err struct oci_err err = ERR_INIT;
	struct cgroup_undo undo = {0};

	(void)state;
	/* Nothing to note where there is no file. */
	assert_int_equal(cgroup_undo_note(&undo, &s, &err), 0);
	assert_int_equal(undo.n, 0);
	put(file, "7\n");
	assert_int_equal(cgroup_undo_note(&undo, &s, &err), 0);
	assert_int_equal(unlinkat(dir, file, 0), 0);
	err_set(&err, FAULT_CONFIG, "the reason");
	cgroup_undo(&undo, &err);
	assert_string_equal(err.message, "memory.max could not be set back to \"7\": the reason");
	cgroup_undo_free(&undo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(lines),
		cmocka_unit_test(weights),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
