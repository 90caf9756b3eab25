/* /linux and /mounts: what their properties demand of each other. */
#include "validating.h"

static void test_namespaces(void **state)
{
	(void)state;
	ERROR("/linux/namespaces/5/type", "is not one of mount, pid,", "/linux/namespaces/5",
	      "{\"type\": \"usr\"}");
	ERROR("/linux/namespaces/5/type", "\"pid\" is there twice: first in /linux/namespaces/0",
	      "/linux/namespaces/5", "{\"type\": \"pid\", \"path\": \"/x\"}");
	WRONG("/linux/namespaces/0/path", "\"proc/1/ns/pid\"", "is no absolute path");
	FINE("/linux/namespaces/0/path", "\"\"");
	FINE("/linux/namespaces/0/path", "\"/proc/1/ns/pid\"");
	ERROR("/hostname", "has no UTS namespace", "/linux/namespaces/2", "{\"type\": \"cgroup\"}");
	ERROR("/domainname", "has no UTS namespace", "/linux/namespaces/2",
	      "{\"type\": \"cgroup\"}", "/hostname", "null", "/domainname", "\"d\"");
	fine("/linux/namespaces/2", "{\"type\": \"uts\", \"path\": \"/n\"}", NULL);
	WRONG("/hostname", "\"0123456789012345678901234567890123456789012345678901234567890123x\"",
	      "longer than 64");
	WRONG("/hostname", "\"a\\nb\"", "contains a line break");
}

static const char user_ns[] = "{\"type\": \"user\"}";
static const char mapping[] = "[{\"containerID\": 0, \"hostID\": 1000, \"size\": 10}]";

static void test_id_mappings(void **state)
{
	static const char ns[] = "/linux/namespaces/5";
	static const char uids[] = "/linux/uidMappings", gids[] = "/linux/gidMappings";

	(void)state;
	ERROR(uids, "has no user namespace", uids, mapping);
	fine(uids, mapping, ns, user_ns, gids, mapping, NULL);
	ERROR(gids, "is required for a new user namespace", ns, user_ns, uids, mapping);
	fine(ns, "{\"type\": \"user\", \"path\": \"/n\"}", NULL);
	fine(ns, "{\"type\": \"user\", \"path\": \"/n\"}", uids, mapping, gids, mapping, NULL);
	ERROR("/linux/uidMappings/0/size", "0 is out of range: 1", ns, user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 0},"
	      " {\"containerID\": 0, \"hostID\": 2, \"size\": 1}]");
	ERROR("/linux/uidMappings/1/containerID", "overlaps that of /linux/uidMappings/0", ns,
	      user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 10},"
	      " {\"containerID\": 9, \"hostID\": 50, \"size\": 10}]");
	ERROR("/linux/uidMappings/1/hostID", "overlaps", ns, user_ns, gids, mapping, uids,
	      "[{\"containerID\": 0, \"hostID\": 5, \"size\": 10},"
	      " {\"containerID\": 10, \"hostID\": 0, \"size\": 6}]");
	fine(uids,
	     "[{\"containerID\": 0, \"hostID\": 5, \"size\": 10},"
	     " {\"containerID\": 10, \"hostID\": 0, \"size\": 5}]",
	     ns, user_ns, gids, mapping, NULL);
	ERROR("/linux/uidMappings/0/hostID", "ends beyond the largest id", ns, user_ns, gids,
	      mapping, uids, "[{\"containerID\": 0, \"hostID\": 4294967295, \"size\": 2}]");
	ERROR("/process/user/uid", "10 is not mapped", ns, user_ns, uids, mapping, gids, mapping,
	      "/process/user/uid", "10");
	ERROR("/process/user/additionalGids/1", "10 is not mapped", ns, user_ns, uids, mapping,
	      gids, mapping, "/process/user/additionalGids", "[9, 10]");
}

static void test_mount_namespace(void **state)
{
	static const char ns[] = "/linux/namespaces/1";
	static const char *const pointers[] = {"/mounts", "/root/readonly", "/linux/maskedPaths",
					       "/linux/readonlyPaths"};
	static const char *const others[] = {"{\"type\": \"cgroup\"}",
					     "{\"type\": \"mount\", \"path\": \"/n\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		own_json struct json_object *config = parse(base);
		own_findings struct findings found = {0};

		set(&config, ns, others[i]);
		validate_config(config, &found);
		assert_int_equal(found.n_errors, ARRAY_SIZE(pointers));
		for (size_t j = 0; j < ARRAY_SIZE(pointers); j++)
			find(&found, FINDING_ERROR, pointers[j],
			     i ? "the mount namespace is another's" : "has no mount namespace");
	}
	ERROR("/linux/rootfsPropagation", "has no mount namespace", ns, "{\"type\": \"cgroup\"}",
	      "/mounts", "[]", "/root/readonly", "false", "/linux/maskedPaths", "null",
	      "/linux/readonlyPaths", "null", "/linux/rootfsPropagation", "\"slave\"");
	FINE("/linux/rootfsPropagation", "\"rslave\"");
	WRONG("/linux/rootfsPropagation", "\"slaves\"", "is not one of");
}

static void test_mounts(void **state)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};

	(void)state;
	WRONG("/mounts/1/source", "null", "is required for a bind mount");
	WRONG("/mounts/2/type", "null", "is required for what is no bind mount");
	WRONG("/mounts/0/destination", "\"\"", "must not be empty");
	WARNING("/mounts/0/destination", "deprecated", "/mounts/0/destination", "\"proc\"");
	WRONG("/mounts/1/options/1", "\"foo\"", "foo");
	WRONG("/mounts/2/options/0", "\"a,b\"", "comma");
	WRONG("/mounts/2/options/0", "\"\"", "empty");
	WRONG("/mounts/1/options/1", "1", "must be a string");
	FINE("/mounts/2/options/0", "\"nr_inodes=5\"");
	set(&config, "/mounts/2/options/0", "\"strictatme\"");
	assert_string_equal(only(config, &found)->hint, "did you mean \"strictatime\"?");
	assert_string_equal(found.items[0].pointer, "/mounts/2/options/0");
}

static void test_id_mapped_mounts(void **state)
{
	static const char options[] = "/mounts/1/options", uids[] = "/mounts/1/uidMappings";

	(void)state;
	ERROR(options, "needs uidMappings and gidMappings", options, "[\"rbind\", \"idmap\"]");
	fine(options, "[\"rbind\", \"ridmap\"]", uids, mapping, "/mounts/1/gidMappings", mapping,
	     NULL);
	fine(options, "[\"rbind\", \"idmap\"]", "/linux/namespaces/5", user_ns,
	     "/linux/uidMappings", mapping, "/linux/gidMappings", mapping, NULL);
	ERROR("/mounts/1/gidMappings", "is required along with uidMappings", uids, mapping);
	ERROR("/mounts/1/uidMappings", "is required along with gidMappings",
	      "/mounts/1/gidMappings", mapping);
	ERROR("/mounts/1/uidMappings/1/containerID", "overlaps", "/mounts/1/gidMappings", mapping,
	      uids,
	      "[{\"containerID\": 0, \"hostID\": 1, \"size\": 10},"
	      " {\"containerID\": 9, \"hostID\": 50, \"size\": 10}]");
}

static void test_time(void **state)
{
	static const char offsets[] = "/linux/timeOffsets", ns[] = "/linux/namespaces/5";
	static const char value[] = "{\"boottime\": {\"secs\": -5, \"nanosecs\": 999999999}}";

	(void)state;
	fine(offsets, value, ns, "{\"type\": \"time\"}", NULL);
	FINE(offsets, "{}");
	ERROR(offsets, "has no time namespace", offsets, value);
	ERROR(offsets, "is joined", offsets, value, ns, "{\"type\": \"time\", \"path\": \"/n\"}");
	ERROR("/linux/timeOffsets/realtime", "is no clock", offsets, "{\"realtime\": {}}", ns,
	      "{\"type\": \"time\"}");
	ERROR("/linux/timeOffsets/boottime/nanosecs", "out of range", offsets,
	      "{\"boottime\": {\"nanosecs\": 1000000000}}", ns, "{\"type\": \"time\"}");
}

static void sysctl(const char *key, const char *problem, const char *ns)
{
	own_json struct json_object *config = parse(base);
	own_findings struct findings found = {0};
	struct json_object *map = json_object_new_object();

	json_object_object_add(map, key, json_object_new_string("1"));
	json_object_object_add(json_member(config, "linux"), "sysctl", map);
	if (ns)
		set(&config, ns, "{\"type\": \"cgroup\"}");
	validate_config(config, &found);
	if (!problem ? found.n : found.n_errors != 1 || !strstr(found.items[0].message, problem)) {
		print_findings(&found);
		fail_msg("%s, not \"%s\"", key, problem ? problem : "nothing");
	}
}

static void test_sysctl(void **state)
{
	static const char *const ipc[] = {
		"kernel.msgmax", "kernel.msgmnb",	   "kernel.msgmni",
		"kernel.sem",	 "kernel.shmall",	   "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.x"};
	static const char *const others[] = {"kernel.core_pattern",
					     "vm.swappiness",
					     "kernel.shm",
					     "fs.file-max",
					     "kernel",
					     "kernel.msgmax.x",
					     "net",
					     "user.max_net_namespaces",
					     "fs/mqueue"};
	static const char *const odd[] = {"",
					  ".",
					  "..",
					  "../x",
					  "net..x",
					  "net.ipv4.",
					  ".net.ipv4",
					  "net/../kernel/x",
					  "net.ipv4/../x",
					  "net/ipv4/../../kernel/core_pattern",
					  "net.a b",
					  "net.a\n",
					  "net.\xc3\xa4",
					  "net.*"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++) {
		sysctl(ipc[i], NULL, NULL);
		sysctl(ipc[i], "needs an ipc namespace", "/linux/namespaces/4");
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		sysctl(others[i], "the whole machine's", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		own_json struct json_object *config = parse(base);
		own_findings struct findings found = {0};
		struct json_object *map = json_object_new_object();

		json_object_object_add(map, odd[i], json_object_new_string("1"));
		json_object_object_add(json_member(config, "linux"), "sysctl", map);
		validate_config(config, &found);
		if (!found.n_errors)
			fail_msg("accepted: \"%s\"", odd[i]);
	}
	sysctl("net.ipv4.ip_forward", NULL, NULL);
	sysctl("net/ipv4/conf/eth0.1/forwarding", NULL, NULL);
	sysctl("net.ipv4.conf.eth0/1.forwarding", NULL, NULL);
	sysctl("net.ipv4.ip_forward", "needs a network namespace", "/linux/namespaces/3");
	sysctl("kernel.domainname", NULL, NULL);
	sysctl("kernel.hostname", "contradicts /hostname", NULL);
	ERROR("/linux/sysctl/net.x", "must be a string", "/linux/sysctl", "{\"net.x\": 1}");
	ERROR("/linux/sysctl/net.x", "line break", "/linux/sysctl", "{\"net.x\": \"1\\n2\"}");
	FINE("/linux/sysctl", "{\"net.x\": \"1\\t2 3\"}");
}

static void test_sysctl_twice(void **state)
{
	(void)state;
	ERROR("/linux/sysctl/net~1x~1y", "is there twice: first as \"net.x.y\"", "/linux/sysctl",
	      "{\"net.x.y\": \"1\", \"net/x/y\": \"2\"}");
	ERROR("/linux/sysctl/net.x.y", "is there twice: first as \"net/x/y\"", "/linux/sysctl",
	      "{\"net/x/y\": \"1\", \"net.x.y\": \"2\"}");
	FINE("/linux/sysctl", "{\"net.x.eth0/1\": \"1\", \"net/x/eth0/1\": \"2\"}");
}

static void test_devices(void **state)
{
	static const char list[] = "/linux/devices", path[] = "/linux/devices/0/path";

	(void)state;
	FINE(list, "[{\"type\": \"c\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": 3,"
		   "\"fileMode\": 438, \"uid\": 0, \"gid\": 0}]");
	FINE(list, "[{\"type\": \"p\", \"path\": \"/dev/fifo\"}]");
	ERROR("/linux/devices/0/major", "is required for a device of type \"u\"", list,
	      "[{\"type\": \"u\", \"path\": \"/dev/x\", \"minor\": 3}]");
	ERROR("/linux/devices/0/minor", "-1 is out of range: 0 to 1048575", list,
	      "[{\"type\": \"b\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": -1}]");
	ERROR("/linux/devices/0/major", "4096 is out of range", list,
	      "[{\"type\": \"b\", \"path\": \"/dev/x\", \"major\": 4096, \"minor\": 1}]");
	ERROR("/linux/devices/0/type", "is not one of c, b, u, p", list,
	      "[{\"type\": \"a\", \"path\": \"/dev/x\", \"major\": 1, \"minor\": 1}]");
	ERROR(path, "is no absolute path", list, "[{\"type\": \"p\", \"path\": \"dev/x\"}]");
	ERROR("/linux/devices/1/path", "is there twice", list,
	      "[{\"type\": \"p\", \"path\": \"/a\"}, {\"type\": \"p\", \"path\": \"/a\"}]");
	WARNING("/linux/devices/0/fileMode", "more than the permission bits", list,
		"[{\"type\": \"p\", \"path\": \"/a\", \"fileMode\": 8630}]");
	ERROR("/linux/devices/0/fileMode", "out of range", list,
	      "[{\"type\": \"p\", \"path\": \"/a\", \"fileMode\": 65536}]");
}

static void test_resources(void **state)
{
	static const char rules[] = "/linux/resources/devices";

	(void)state;
	WRONG("/linux/cgroupsPath", "\"/a/../b\"", "must not contain \"..\"");
	WRONG("/linux/cgroupsPath", "\"..\"", "must not contain \"..\"");
	WRONG("/linux/cgroupsPath", "\"/a\\nb\"", "line break");
	FINE("/linux/cgroupsPath", "\"/a..b/...\"");
	FINE("/linux/cgroupsPath", "\"system.slice:docker:0123\"");
	FINE(rules, "[{\"allow\": true, \"type\": \"c\", \"major\": -1, \"minor\": 3}]");
	ERROR("/linux/resources/devices/0/access", "other letters", rules,
	      "[{\"allow\": true, \"access\": \"rwx\"}]");
	ERROR("/linux/resources/devices/0/type", "is not one of a, c, b", rules,
	      "[{\"allow\": true, \"type\": \"p\"}]");
	ERROR("/linux/resources/unified/..~1x", "is no plain file name", "/linux/resources/unified",
	      "{\"../x\": \"1\"}");
	ERROR("/linux/resources/unified/", "is no plain file name", "/linux/resources/unified",
	      "{\"\": \"1\"}");
	FINE("/linux/resources/unified", "{\"memory.high\": \"max\"}");
	ERROR("/linux/resources/hugepageLimits/0/pageSize", "is no page size",
	      "/linux/resources/hugepageLimits", "[{\"pageSize\": \"2mB\", \"limit\": 0}]");
	FINE("/linux/resources/hugepageLimits", "[{\"pageSize\": \"2MB\", \"limit\": 0}]");
	ERROR("/linux/resources/cpu/burst", "above the quota", "/linux/resources/cpu",
	      "{\"quota\": 10, \"burst\": 11}");
	ERROR("/linux/resources/cpu/cpus", "is no list", "/linux/resources/cpu",
	      "{\"cpus\": \"0-,3\"}");
	FINE("/linux/resources/cpu", "{\"cpus\": \"0-3,7\", \"mems\": \"\"}");
	ERROR("/linux/resources/memory/swap", "below the memory limit", "/linux/resources/memory",
	      "{\"limit\": 10, \"swap\": 9}");
	ERROR("/linux/resources/memory/swap", "limited, but the memory is not",
	      "/linux/resources/memory", "{\"limit\": -1, \"swap\": 9}");
	ERROR("/linux/resources/hugepageLimits/1/pageSize", "is there twice",
	      "/linux/resources/hugepageLimits",
	      "[{\"pageSize\": \"2MB\", \"limit\": 0}, {\"pageSize\": \"2MB\", \"limit\": 1}]");
	ERROR("/linux/resources/blockIO/weightDevice/0", "needs weight or leafWeight",
	      "/linux/resources/blockIO", "{\"weightDevice\": [{\"major\": 8, \"minor\": 0}]}");
	ERROR("/linux/resources/blockIO/throttleReadBpsDevice/1", "first in",
	      "/linux/resources/blockIO",
	      "{\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": 1},"
	      "{\"major\": 8, \"minor\": 0, \"rate\": 2}]}");
	ERROR("/linux/resources/blockIO/weightDevice/2", "first in", "/linux/resources/blockIO",
	      "{\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": 10},"
	      "{\"major\": 8, \"minor\": 0, \"leafWeight\": 10},"
	      "{\"major\": 8, \"minor\": 0, \"weight\": 20}]}");
	WARNING("/linux/resources/cpu/shares", "no effect", "/linux/resources/cpu",
		"{\"idle\": 1, \"shares\": 512}");
	FINE("/linux/resources/cpu", "{\"idle\": 0, \"shares\": 512}");
	FINE("/linux/resources/cpu", "{\"idle\": 1, \"shares\": 1024}");
	ERROR("/linux/resources/rdma/a~1b", "needs hcaHandles", "/linux/resources/rdma",
	      "{\"a/b\": {}}");
	ERROR("/linux/resources/pids/limit", "is required", "/linux/resources/pids", "{}");
}

static void test_seccomp(void **state)
{
	static const char pointer[] = "/linux/seccomp";

	(void)state;
	FINE(pointer,
	     "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38,"
	     "\"architectures\": [\"SCMP_ARCH_X86_64\"],"
	     "\"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"], \"syscalls\": ["
	     "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": ["
	     "{\"index\": 5, \"value\": 18446744073709551615, \"op\": \"SCMP_CMP_EQ\"}]}]}");
	ERROR("/linux/seccomp/defaultAction", "is required", pointer, "{}");
	ERROR("/linux/seccomp/defaultAction", "is not one of", pointer,
	      "{\"defaultAction\": \"X\"}");
	ERROR("/linux/seccomp/architectures/0", "is not one of", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_PDP11\"]}");
	ERROR("/linux/seccomp/syscalls/0/names", "at least one", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [], \"action\": \"SCMP_ACT_LOG\"}]}");
	ERROR("/linux/seccomp/syscalls/0/args/0/index", "out of range: 0 to 5", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"x\"], \"action\": \"SCMP_ACT_LOG\", \"args\": ["
	      "{\"index\": 6, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]}]}");
	ERROR("/linux/seccomp/syscalls/0/errnoRet", "SCMP_ACT_ALLOW returns no errno", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"x\"], \"action\": \"SCMP_ACT_ALLOW\", \"errnoRet\": 1}]}");
	ERROR("/linux/seccomp/defaultErrnoRet", "returns no errno", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_KILL\", \"defaultErrnoRet\": 1}");
	ERROR("/linux/seccomp/listenerPath", "is required for SCMP_ACT_NOTIFY", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_NOTIFY\"}");
	ERROR("/linux/seccomp/listenerPath", "is required for SCMP_ACT_NOTIFY", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": ["
	      "{\"names\": [\"mount\"], \"action\": \"SCMP_ACT_NOTIFY\"}]}");
	ERROR("/linux/seccomp/listenerMetadata", "set without listenerPath", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerMetadata\": \"x\"}");
}

#define RULE(action, more) "{\"names\": [\"x\"], \"action\": \"SCMP_ACT_" action "\"" more "}"
#define RULES(...) "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [" __VA_ARGS__ "]}"

static void test_seccomp_values(void **state)
{
	static const char pointer[] = "/linux/seccomp",
			  errno_of_0[] = "/linux/seccomp/syscalls/0/errnoRet";
	static const char args[] =
		", \"args\": [{\"index\": 0, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]";
	own_ptr char *with_args = NULL;

	(void)state;
	FINE(pointer, RULES(RULE("ERRNO", ", \"errnoRet\": 4094")));
	ERROR(errno_of_0, "4095 is out of range", pointer,
	      RULES(RULE("ERRNO", ", \"errnoRet\": 4095")));
	FINE(pointer, RULES(RULE("TRACE", ", \"errnoRet\": 65535")));
	ERROR(errno_of_0, "65536 is out of range", pointer,
	      RULES(RULE("TRACE", ", \"errnoRet\": 65536")));
	ERROR("/linux/seccomp/defaultErrnoRet", "4095 is out of range", pointer,
	      "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 4095}");
	/* The first of two holds. */
	WARNING("/linux/seccomp/syscalls/1/names/0", "contradicts /linux/seccomp/syscalls/0",
		pointer, RULES(RULE("ERRNO", "") "," RULE("KILL", "")));
	WARNING("/linux/seccomp/syscalls/1/names/0", "contradicts", pointer,
		RULES(RULE("ERRNO", ", \"errnoRet\": 1") "," RULE("KILL", "") "," RULE("ERRNO",
										       "")));
	FINE(pointer, RULES(RULE("ERRNO", "") "," RULE("ERRNO", ", \"errnoRet\": 1")));
	FINE(pointer, RULES(RULE("ERRNO", "") "," RULE("ALLOW", "")));
	assert_true(asprintf(&with_args, RULES(RULE("ERRNO", "%s") "," RULE("KILL", "")), args) >
		    0);
	FINE(pointer, with_args);
}

static void test_others(void **state)
{
	(void)state;
	ERROR("/annotations/", "must not be empty", "/annotations", "{\"\": \"x\"}");
	ERROR("/linux/intelRdt/closID", "", "/linux/intelRdt", "{\"closID\": \"a/b\"}");
	ERROR("/linux/intelRdt/memBwSchema", "must begin with", "/linux/intelRdt",
	      "{\"memBwSchema\": \"L3:0=1\"}");
	ERROR("/linux/intelRdt/schemata/0", "", "/linux/intelRdt",
	      "{\"schemata\": [\"L3:0=1\\n\"]}");
	ERROR("/linux/personality/flags/0", "is not supported", "/linux/personality",
	      "{\"domain\": \"LINUX\", \"flags\": [\"X\"]}");
	FINE("/linux/personality", "{\"domain\": \"LINUX32\"}");
	ERROR("/linux/memoryPolicy/nodes", "is required for MPOL_BIND", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_BIND\"}");
	ERROR("/linux/memoryPolicy/nodes", "MPOL_LOCAL has no nodes", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_LOCAL\", \"nodes\": \"0\"}");
	ERROR("/linux/memoryPolicy/flags", "MPOL_DEFAULT has no flags", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_DEFAULT\", \"flags\": [\"MPOL_F_STATIC_NODES\"]}");
	ERROR("/linux/memoryPolicy/nodes", "must be a string", "/linux/memoryPolicy",
	      "{\"mode\": \"MPOL_BIND\", \"nodes\": 0}");
	WRONG("/linux/maskedPaths/0", "\"proc\"", "is no absolute path");
	WRONG("/linux/maskedPaths/0", "\"//\"", "the root itself cannot be masked");
	WRONG("/linux/readonlyPaths/0", "\"\"", "is no absolute path");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_namespaces),	 cmocka_unit_test(test_id_mappings),
		cmocka_unit_test(test_mount_namespace),	 cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_id_mapped_mounts), cmocka_unit_test(test_time),
		cmocka_unit_test(test_sysctl),		 cmocka_unit_test(test_sysctl_twice),
		cmocka_unit_test(test_devices),		 cmocka_unit_test(test_resources),
		cmocka_unit_test(test_seccomp),		 cmocka_unit_test(test_seccomp_values),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
