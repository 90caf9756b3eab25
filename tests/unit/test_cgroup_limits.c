/* Which text gets into which file: the control files here are plain ones in a temporary directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/own.h"
#include "kernel/cgroup_convert.h"
#include "kernel/cgroup_limits.h"

static char base[] = "/tmp/test_cgroup_limits.XXXXXX";

static const char *const v1_files[] = {
	"memory/c/memory.limit_in_bytes",
	"memory/c/memory.memsw.limit_in_bytes",
	"memory/c/memory.soft_limit_in_bytes",
	"memory/c/memory.kmem.limit_in_bytes",
	"memory/c/memory.kmem.tcp.limit_in_bytes",
	"memory/c/memory.swappiness",
	"memory/c/memory.oom_control",
	"memory/c/memory.use_hierarchy",
	"cpu,cpuacct/c/cpu.shares",
	"cpu,cpuacct/c/cpu.cfs_period_us",
	"cpu,cpuacct/c/cpu.cfs_quota_us",
	"cpu,cpuacct/c/cpu.rt_period_us",
	"cpu,cpuacct/c/cpu.rt_runtime_us",
	"cpuset/c/cpuset.cpus",
	"cpuset/c/cpuset.mems",
	"pids/c/pids.max",
	"blkio/c/blkio.bfq.weight",
	"blkio/c/blkio.bfq.weight_device",
	"blkio/c/blkio.leaf_weight",
	"blkio/c/blkio.leaf_weight_device",
	"blkio/c/blkio.throttle.read_bps_device",
	"blkio/c/blkio.throttle.write_bps_device",
	"blkio/c/blkio.throttle.read_iops_device",
	"blkio/c/blkio.throttle.write_iops_device",
	"hugetlb/c/hugetlb.2MB.limit_in_bytes",
	"net_cls,net_prio/c/net_cls.classid",
	"net_cls,net_prio/c/net_prio.ifpriomap",
	NULL,
};

static const char *const v2_files[] = {
	"v2/cgroup.controllers",
	"v2/cgroup.subtree_control",
	"v2/c/cgroup.controllers",
	"v2/c/memory.max",
	"v2/c/memory.low",
	"v2/c/memory.high",
	"v2/c/memory.swap.max",
	"v2/c/memory.current",
	"v2/c/cpu.weight",
	"v2/c/cpu.max",
	"v2/c/cpu.max.burst",
	"v2/c/cpu.idle",
	"v2/c/cpuset.cpus",
	"v2/c/cpuset.cpus.effective",
	"v2/c/pids.max",
	"v2/c/io.weight",
	"v2/c/io.max",
	"v2/c/hugetlb.2MB.max",
	"v2/c/hugetlb.2MB.rsvd.max",
	"v2/c/cgroup.max.depth",
	NULL,
};

static char *path_of(const char *file)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", base, file) > 0);
	return path;
}

static void put(const char *file, const char *text)
{
	own_file FILE *f = NULL;
	char path[256];

	snprintf(path, sizeof path, "%s/%s", base, file);
	for (char *slash = strchr(path + strlen(base) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
}

static void assert_file(const char *file, const char *expected)
{
	own_ptr char *path = path_of(file), *text = NULL;

	assert_int_equal(cgroup_read(AT_FDCWD, path, &text), 0);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", file, text, expected);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int clear(void **state)
{
	(void)state;
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int setup(void **state)
{
	strcpy(base, "/tmp/test_cgroup_limits.XXXXXX");
	if (!mkdtemp(base))
		return -1;
	*state = base;
	for (unsigned i = 0; v1_files[i]; i++)
		put(v1_files[i], "");
	for (unsigned i = 0; v2_files[i]; i++)
		put(v2_files[i], "");
	put("v2/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
	put("v2/c/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
	put("v2/c/cpu.max", "max 100000\n");
	put("v2/c/cpuset.cpus.effective", "0-1\n");
	return 0;
}

static void add_hierarchy(struct json_object *record, const char *name, int version)
{
	own_ptr char *mount = path_of(name), *leaf = NULL;
	struct json_object *json = json_object_new_object();
	struct stat st;

	assert_true(asprintf(&leaf, "%s/c", mount) > 0);
	assert_int_equal(stat(leaf, &st), 0);
	json_object_object_add(json, "mount", json_object_new_string(mount));
	json_object_object_add(json, "version", json_object_new_int(version));
	json_object_object_add(json, "id", json_object_new_uint64(st.st_ino));
	json_object_array_add(json_member(record, "hierarchies"), json);
}

enum machine { V1, V2, HYBRID };

static struct json_object *make_record(enum machine machine)
{
	static const char *const names[] = {"memory", "cpu,cpuacct", "cpuset",
					    "pids",   "blkio",	     "net_cls,net_prio"};
	struct json_object *record = json_object_new_object();

	json_object_object_add(record, "path", json_object_new_string("/c"));
	json_object_object_add(record, "hierarchies", json_object_new_array());
	for (unsigned i = 0; machine != V2 && i < ARRAY_SIZE(names); i++)
		add_hierarchy(record, names[i], 1);
	if (machine == V1)
		add_hierarchy(record, "hugetlb", 1);
	if (machine != V1)
		add_hierarchy(record, "v2", 2);
	return record;
}

static int apply(enum machine machine, const char *json, enum cgroup_phase phase,
		 struct oci_err *err)
{
	own_json struct json_object *record = make_record(machine);
	own_json struct json_object *resources = json_tokener_parse(json);

	if (!resources)
		fail_msg("no JSON: %s", json);
	return cgroup_limits_apply(record, resources, phase, NULL, err);
}

static void applies(enum machine machine, const char *json)
{
	own_err struct oci_err err = ERR_INIT;

	if (apply(machine, json, PHASE_CREATE, &err) < 0)
		fail_msg("%s: %s (%s)", json, err.message, err.pointer);
}

static void fails(enum machine machine, const char *json, enum oci_fault fault, const char *pointer,
		  const char *words)
{
	own_err struct oci_err err = ERR_INIT;

	if (apply(machine, json, PHASE_CREATE, &err) == 0)
		fail_msg("%s: no error", json);
	assert_int_equal(err.fault, fault);
	assert_string_equal(err.pointer, pointer);
	if (!strstr(err.message, words))
		fail_msg("\"%s\" has no \"%s\"", err.message, words);
}

static void test_v1_memory(void **state)
{
	(void)state;
	applies(V1, "{\"memory\": {\"limit\": 1000, \"swap\": 2000, \"reservation\": 500,"
		    "\"kernel\": 600, \"kernelTCP\": -1, \"swappiness\": 0,"
		    "\"disableOOMKiller\": true, \"useHierarchy\": true}}");
	assert_file("memory/c/memory.limit_in_bytes", "1000");
	assert_file("memory/c/memory.memsw.limit_in_bytes", "2000");
	assert_file("memory/c/memory.soft_limit_in_bytes", "500");
	assert_file("memory/c/memory.kmem.limit_in_bytes", "600");
	assert_file("memory/c/memory.kmem.tcp.limit_in_bytes", "");
	assert_file("memory/c/memory.swappiness", "0");
	assert_file("memory/c/memory.oom_control", "1");
	assert_file("memory/c/memory.use_hierarchy", "1");
}

static void test_v1_cpu(void **state)
{
	(void)state;
	applies(V1, "{\"cpu\": {\"shares\": 2048, \"quota\": -1, \"period\": 50000, \"burst\": 0,"
		    "\"realtimePeriod\": 1000000, \"realtimeRuntime\": 950000, \"cpus\": \"0-1\","
		    "\"mems\": \"0\", \"idle\": 0}}");
	assert_file("cpu,cpuacct/c/cpu.shares", "2048");
	assert_file("cpu,cpuacct/c/cpu.cfs_quota_us", "-1");
	assert_file("cpu,cpuacct/c/cpu.cfs_period_us", "50000");
	assert_file("cpu,cpuacct/c/cpu.rt_period_us", "1000000");
	assert_file("cpu,cpuacct/c/cpu.rt_runtime_us", "950000");
	assert_file("cpuset/c/cpuset.cpus", "0-1");
	assert_file("cpuset/c/cpuset.mems", "0");
}

static void test_v1_block(void **state)
{
	(void)state;
	applies(V1, "{\"blockIO\": {\"weight\": 10, \"leafWeight\": 20, \"weightDevice\":"
		    "[{\"major\": 8, \"minor\": 0, \"weight\": 500, \"leafWeight\": 300}],"
		    "\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 1, \"rate\": 600}],"
		    "\"throttleWriteIOPSDevice\": [{\"major\": 8, \"minor\": 2, \"rate\":"
		    "18446744073709551615}]}}");
	assert_file("blkio/c/blkio.bfq.weight", "10");
	assert_file("blkio/c/blkio.leaf_weight", "20");
	assert_file("blkio/c/blkio.bfq.weight_device", "8:0 500");
	assert_file("blkio/c/blkio.leaf_weight_device", "8:0 300");
	assert_file("blkio/c/blkio.throttle.read_bps_device", "8:1 600");
	assert_file("blkio/c/blkio.throttle.write_iops_device", "8:2 18446744073709551615");
}

static void test_v1_others(void **state)
{
	(void)state;
	applies(V1, "{\"pids\": {\"limit\": 32771},"
		    "\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 4194304}],"
		    "\"network\": {\"classID\": 1048577,"
		    "\"priorities\": [{\"name\": \"lo\", \"priority\": 500}]}}");
	assert_file("pids/c/pids.max", "32771");
	assert_file("hugetlb/c/hugetlb.2MB.limit_in_bytes", "4194304");
	assert_file("net_cls,net_prio/c/net_cls.classid", "1048577");
	assert_file("net_cls,net_prio/c/net_prio.ifpriomap", "lo 500");
	put("pids/c/pids.max", "");
	applies(V1, "{\"pids\": {\"limit\": -1}}");
	assert_file("pids/c/pids.max", "max");
}

/* What engines write for "nothing said". */
static void test_unset(void **state)
{
	const char *const json =
		"{\"memory\": {\"limit\": 0, \"swap\": 0, \"reservation\": 0, \"kernel\": 0,"
		"\"disableOOMKiller\": false, \"useHierarchy\": false},"
		"\"cpu\": {\"shares\": 0, \"quota\": 0, \"period\": 0, \"realtimePeriod\": 0,"
		"\"realtimeRuntime\": 0, \"cpus\": \"\", \"mems\": \"\"},"
		"\"blockIO\": {\"weight\": 0, \"leafWeight\": 0, \"weightDevice\": [],"
		"\"throttleReadBpsDevice\": []}, \"pids\": {}, \"hugepageLimits\": [],"
		"\"network\": {\"classID\": 0, \"priorities\": []}, \"rdma\": {}, \"unified\": {}}";
	own_json struct json_object *resources = json_tokener_parse(json);

	(void)state;
	assert_false(cgroup_limits_asked(resources));
	applies(V1, json);
	applies(V2, json);
	for (unsigned i = 0; v1_files[i]; i++)
		assert_file(v1_files[i], "");
	assert_file("v2/c/memory.max", "");
	assert_file("v2/c/cpu.weight", "");
}

static void test_v2(void **state)
{
	(void)state;
	applies(V2, "{\"memory\": {\"limit\": 1000, \"swap\": 3000, \"reservation\": -1,"
		    "\"kernel\": -1, \"useHierarchy\": true},"
		    "\"cpu\": {\"shares\": 1024, \"quota\": 50000, \"period\": 200000,"
		    "\"burst\": 1000, \"cpus\": \"0,1\"},"
		    "\"pids\": {\"limit\": 7},"
		    "\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 4194304}]}");
	assert_file("v2/c/memory.max", "1000");
	assert_file("v2/c/memory.swap.max", "2000");
	assert_file("v2/c/memory.low", "max");
	assert_file("v2/c/cpu.weight", "100");
	assert_file("v2/c/cpu.max", "50000 200000");
	assert_file("v2/c/cpu.max.burst", "1000");
	assert_file("v2/c/cpuset.cpus", "0,1");
	assert_file("v2/c/pids.max", "7");
	assert_file("v2/c/hugetlb.2MB.max", "4194304");
	assert_file("v2/c/hugetlb.2MB.rsvd.max", "4194304");
}

static void test_v2_io(void **state)
{
	(void)state;
	applies(V2, "{\"blockIO\": {\"weight\": 100, \"throttleWriteBpsDevice\":"
		    "[{\"major\": 8, \"minor\": 1, \"rate\": 600}]}}");
	assert_file("v2/c/io.weight", "910");
	assert_file("v2/c/io.max", "8:1 wbps=600");
	put("v2/c/io.bfq.weight", "");
	put("v2/c/io.max", "");
	applies(V2, "{\"blockIO\": {\"weight\": 100, \"throttleReadIOPSDevice\":"
		    "[{\"major\": 8, \"minor\": 1, \"rate\": 0}]}}");
	assert_file("v2/c/io.bfq.weight", "100");
	assert_file("v2/c/io.max", "8:1 riops=max");
}

static void test_v2_cpu_max(void **state)
{
	(void)state;
	put("v2/c/cpu.max", "");
	applies(V2, "{\"cpu\": {\"quota\": 3000}}");
	assert_file("v2/c/cpu.max", "3000");
	put("v2/c/cpu.max", "4000 100000\n");
	applies(V2, "{\"cpu\": {\"period\": 200000}}");
	assert_file("v2/c/cpu.max", "4000 200000");
}

static void test_v2_swap(void **state)
{
	(void)state;
	put("v2/c/memory.max", "5000\n");
	applies(V2, "{\"memory\": {\"swap\": 5500}}");
	assert_file("v2/c/memory.swap.max", "500");
	put("v2/c/memory.swap.max", "");
	applies(V2, "{\"memory\": {\"limit\": -1}}");
	assert_file("v2/c/memory.swap.max", "max");
	fails(V2, "{\"memory\": {\"limit\": 1000, \"swap\": 999}}", FAULT_CONFIG,
	      "/linux/resources/memory/swap", "less than memory.limit");
	fails(V2, "{\"memory\": {\"limit\": -1, \"swap\": 999}}", FAULT_CONFIG,
	      "/linux/resources/memory/swap", "without memory.limit");
	put("v2/c/memory.max", "max\n");
	fails(V2, "{\"memory\": {\"swap\": 999}}", FAULT_CONFIG, "/linux/resources/memory/swap",
	      "without memory.limit");
}

static void test_check_before_update(void **state)
{
	(void)state;
	put("v2/c/memory.current", "8192\n");
	applies(V2, "{\"memory\": {\"limit\": 4096}}");
	applies(V2, "{\"memory\": {\"limit\": 8192, \"checkBeforeUpdate\": true}}");
	fails(V2, "{\"memory\": {\"limit\": 4096, \"checkBeforeUpdate\": true}}", FAULT_CONFIG,
	      "/linux/resources/memory/limit", "8192 bytes that are in use");
}

static void test_unified(void **state)
{
	(void)state;
	applies(V2, "{\"memory\": {\"reservation\": 1}, \"unified\": {\"memory.high\": \"77\","
		    "\"cgroup.max.depth\": \"3\", \"io.max\": \"8:0 rbps=1\"}}");
	assert_file("v2/c/memory.high", "77");
	assert_file("v2/c/cgroup.max.depth", "3");
	assert_file("v2/c/io.max", "8:0 rbps=1");
	fails(V2, "{\"unified\": {\"../memory.max\": \"1\"}}", FAULT_CONFIG,
	      "/linux/resources/unified/..~1memory.max", "not the name");
	fails(V2, "{\"unified\": {\"rdma.max\": \"x\"}}", FAULT_UNSUPPORTED,
	      "/linux/resources/unified/rdma.max", "the rdma controller is not available");
	fails(V2, "{\"unified\": {\"memory.none\": \"x\"}}", FAULT_UNSUPPORTED,
	      "/linux/resources/unified/memory.none", "memory.none\": ENOENT");
	fails(V1, "{\"unified\": {\"memory.high\": \"1\"}}", FAULT_UNSUPPORTED,
	      "/linux/resources/unified/memory.high", "memory controller is not available");
}

static void test_v1_only(void **state)
{
	static const char *const properties[][2] = {
		{"{\"memory\": {\"swappiness\": 0}}", "memory/swappiness"},
		{"{\"memory\": {\"kernel\": 5000}}", "memory/kernel"},
		{"{\"memory\": {\"kernelTCP\": 5000}}", "memory/kernelTCP"},
		{"{\"memory\": {\"disableOOMKiller\": true}}", "memory/disableOOMKiller"},
		{"{\"cpu\": {\"realtimeRuntime\": 5}}", "cpu/realtimeRuntime"},
		{"{\"cpu\": {\"realtimePeriod\": 5}}", "cpu/realtimePeriod"},
		{"{\"blockIO\": {\"leafWeight\": 5}}", "blockIO/leafWeight"},
		{"{\"network\": {\"classID\": 5}}", "network/classID"},
		{"{\"network\": {\"priorities\": [{\"name\": \"lo\", \"priority\": 1}]}}",
		 "network/priorities/0"},
		{"{\"blockIO\": {\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"leafWeight\": "
		 "5}]}}",
		 "blockIO/weightDevice/0/leafWeight"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(properties); i++) {
		own_ptr char *pointer = NULL;

		assert_true(asprintf(&pointer, "/linux/resources/%s", properties[i][1]) > 0);
		fails(V2, properties[i][0], FAULT_UNSUPPORTED, pointer, "cgroup v2");
	}
}

/* A hybrid machine: v1 where there is a hierarchy, v2 for the rest. */
static void test_hybrid(void **state)
{
	(void)state;
	applies(HYBRID, "{\"memory\": {\"limit\": 1000},"
			"\"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 0}]}");
	assert_file("memory/c/memory.limit_in_bytes", "1000");
	assert_file("v2/c/memory.max", "");
	assert_file("v2/c/hugetlb.2MB.max", "0");
}

static void test_not_available(void **state)
{
	(void)state;
	fails(V1, "{\"rdma\": {\"mlx5_1\": {\"hcaHandles\": 3}}}", FAULT_UNSUPPORTED,
	      "/linux/resources/rdma/mlx5_1", "the rdma controller is not available");
	fails(V2, "{\"rdma\": {\"mlx5_1\": {\"hcaHandles\": 3}}}", FAULT_UNSUPPORTED,
	      "/linux/resources/rdma/mlx5_1", "the rdma controller is not available");
	fails(V1, "{\"hugepageLimits\": [{\"pageSize\": \"3MB\", \"limit\": 1}]}",
	      FAULT_UNSUPPORTED, "/linux/resources/hugepageLimits/0", "hugetlb.3MB");
	fails(V1, "{\"cpu\": {\"burst\": 5}}", FAULT_UNSUPPORTED, "/linux/resources/cpu/burst",
	      "cpu.cfs_burst_us\": ENOENT");
	fails(V1, "{\"cpu\": {\"shares\": 1}}", FAULT_CONFIG, "/linux/resources/cpu/shares",
	      "not from 2 to 262144");
	fails(V2, "{\"cpu\": {\"cpus\": \"0-3\"}}", FAULT_CONFIG, "/linux/resources/cpu/cpus",
	      "has only \"0-1\"");
}

/* The first process could not come in. */
static void test_late(void **state)
{
	own_err struct oci_err err = ERR_INIT;

	(void)state;
	applies(V2, "{\"pids\": {\"limit\": 0}}");
	assert_file("v2/c/pids.max", "");
	assert_int_equal(apply(V2, "{\"pids\": {\"limit\": 0}}", PHASE_SETTLE, &err), 0);
	assert_file("v2/c/pids.max", "0");
	assert_int_equal(apply(V2, "{\"pids\": {\"limit\": 2}}", PHASE_SETTLE, &err), 0);
	assert_file("v2/c/pids.max", "0");
	assert_int_equal(apply(V2, "{\"pids\": {\"limit\": 1}}", PHASE_UPDATE, &err), 0);
	assert_file("v2/c/pids.max", "1");
}

static void test_controllers(void **state)
{
	(void)state;
	put("v2/c/cgroup.controllers", "");
	fails(V2, "{\"pids\": {\"limit\": 5}}", FAULT_UNSUPPORTED, "/linux/resources/pids/limit",
	      "the pids controller is not available");
	/* It was asked for, with what statistics need; the file is none of the kernel's here. */
	assert_file("v2/cgroup.subtree_control", "+pids +cpu +io +memory");
	put("v2/cgroup.subtree_control", "");
	put("v2/cgroup.controllers", "");
	applies(V2, "{}");
	assert_file("v2/cgroup.subtree_control", "");
}

static void test_weights(void **state)
{
	static const uint64_t pairs[][2] = {{0, 1},	     {2, 1},	      {3, 2},
					    {102, 17},	     {512, 59},	      {1000, 99},
					    {1024, 100},     {2048, 174},     {10240, 639},
					    {262144, 10000}, {1000000, 10000}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_int_equal(cgroup_weight_of_shares(pairs[i][0]), pairs[i][1]);
	for (uint64_t shares = 3; shares <= 262144; shares++)
		assert_true(cgroup_weight_of_shares(shares) >= cgroup_weight_of_shares(shares - 1));
	assert_int_equal(cgroup_io_weight(10), 1);
	assert_int_equal(cgroup_io_weight(1000), 10000);
}

static void test_lists(void **state)
{
	struct cgroup_set a, b;

	(void)state;
	assert_true(cgroup_parse_list("0-3,7", &a));
	assert_int_equal(a.bits[0], 0x8f);
	assert_true(cgroup_parse_list("0-63,100", &b));
	assert_true(cgroup_set_within(&a, &b));
	assert_false(cgroup_set_within(&b, &a));
	assert_true(cgroup_parse_list("", &a));
	assert_false(cgroup_parse_list("3-1", &a));
	assert_false(cgroup_parse_list("1,", &a));
	assert_false(cgroup_parse_list("x", &a));
	assert_false(cgroup_parse_list("1-", &a));
	assert_false(cgroup_parse_list("99999", &a));
	/* Blanks around numbers and ranges, as validation allows them, and nowhere else. */
	assert_true(cgroup_parse_list(" 0 , 2-3 ", &a));
	assert_int_equal(a.bits[0], 0xd);
	assert_false(cgroup_parse_list("1 2", &a));
	assert_false(cgroup_parse_list("1 - 2", &a));
	assert_false(cgroup_parse_list(" ", &a));
}

#define WITH_FILES(f) cmocka_unit_test_setup_teardown(f, setup, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILES(test_v1_memory),	WITH_FILES(test_v1_cpu),
		WITH_FILES(test_v1_block),	WITH_FILES(test_v1_others),
		WITH_FILES(test_unset),		WITH_FILES(test_v2),
		WITH_FILES(test_v2_io),		WITH_FILES(test_v2_cpu_max),
		WITH_FILES(test_v2_swap),	WITH_FILES(test_check_before_update),
		WITH_FILES(test_unified),	WITH_FILES(test_v1_only),
		WITH_FILES(test_hybrid),	WITH_FILES(test_not_available),
		WITH_FILES(test_late),		WITH_FILES(test_controllers),
		cmocka_unit_test(test_weights), cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
