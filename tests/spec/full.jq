# A config.json, as oci-spec writes it, to one that has every property for Linux, and is valid.

def ids: [{containerID: 0, hostID: 100000, size: 65536}];
def hook: [{path: "/bin/true", args: ["true"], env: ["A=b"], timeout: 5}];
def throttle: [{major: 8, minor: 0, rate: 1000}];

.domainname = "example"
| .annotations = {"org.example.key": "value"}
| .hooks = {prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook,
	poststart: hook, poststop: hook}
| .mounts += [{destination: "/bound", type: "bind", source: "/", options: ["bind", "ro"],
	uidMappings: ids, gidMappings: ids}]
| .process += {terminal: true, consoleSize: {height: 25, width: 80}, apparmorProfile: "profile",
	selinuxLabel: "a:b:c:d", oomScoreAdj: 10, commandLine: "x",
	scheduler: {policy: "SCHED_DEADLINE", nice: 0, priority: 0, flags: ["SCHED_FLAG_RESET_ON_FORK"],
		runtime: 100000, deadline: 1000000, period: 1000000},
	ioPriority: {class: "IOPRIO_CLASS_BE", priority: 4}, execCPUAffinity: {initial: "0", final: "0"}}
| .process.capabilities |= (.inheritable = .bounding | .ambient = .bounding)
| .process.user += {umask: 18, additionalGids: [5], username: "x"}
| .linux += {uidMappings: ids, gidMappings: ids, timeOffsets: {boottime: {secs: 1, nanosecs: 1}},
	devices: [{type: "c", path: "/dev/x", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}],
	netDevices: {eth0: {name: "eth1"}}, rootfsPropagation: "slave", mountLabel: "a:b:c:d",
	cgroupsPath: "/full", sysctl: {"net.ipv4.ip_forward": "1"},
	intelRdt: {closID: "a", l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=20", schemata: ["L3:0=f"],
		enableMonitoring: true},
	memoryPolicy: {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]},
	personality: {domain: "LINUX", flags: []},
	seccomp: {defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, architectures: ["SCMP_ARCH_X86_64"],
		flags: ["SECCOMP_FILTER_FLAG_LOG"], listenerPath: "/run/agent", listenerMetadata: "x",
		syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 1,
			args: [{index: 0, value: 1, valueTwo: 2, op: "SCMP_CMP_MASKED_EQ"}]}]}}
| .linux.namespaces = [("mount", "pid", "network", "uts", "ipc", "user", "cgroup", "time") | {type: .}]
| .linux.namespaces[2].path = "/proc/1/ns/net"
| .linux.resources = {devices: [{allow: true, type: "c", major: 1, minor: 3, access: "rwm"}],
	memory: {limit: 100000000, reservation: 1000000, swap: 200000000, kernel: 0, kernelTCP: 0,
		swappiness: 10, disableOOMKiller: false, useHierarchy: true, checkBeforeUpdate: false},
	cpu: {shares: 1024, quota: 10000, burst: 100, period: 100000, realtimeRuntime: 0, realtimePeriod: 0,
		cpus: "0", mems: "0", idle: 0},
	blockIO: {weight: 100, leafWeight: 100,
		weightDevice: [{major: 8, minor: 0, weight: 100, leafWeight: 100}],
		throttleReadBpsDevice: throttle, throttleWriteBpsDevice: throttle,
		throttleReadIOPSDevice: throttle, throttleWriteIOPSDevice: throttle},
	hugepageLimits: [{pageSize: "2MB", limit: 0}],
	network: {classID: 1, priorities: [{name: "lo", priority: 1}]}, pids: {limit: 100},
	rdma: {mlx5_0: {hcaHandles: 1, hcaObjects: 1}}, unified: {"memory.high": "max"}}
