#!/usr/bin/env bats
# oci-validate --host: would this bundle run here?
load ../lib/common

# judge BUNDLE [COMMAND...]: the report as JSON in the file "report"; the exit code in $status.
judge() {
	run --separate-stderr timeout 60 "${@:2}" "$OCI_BUILD/oci-validate" --host --format json "$1"
	printf '%s\n' "$output" >report
}

# said POINTER: "STATUS RESULT".
said() { jq -r --arg p "$1" '.[] | select(.pointer == $p) | "\(.status) \(.result)"' report; }

# refused POINTER RESULT FILTER [JQ-OPTION...]: that requirement fails, and so does the creation.
refused() {
	local pointer=$1 result=$2
	shift 2
	edit "$BUNDLE" "$@"
	judge "$BUNDLE"
	[ "$status" = 103 ] || { show; return 1; }
	[[ $(said "$pointer") = "fail "$result ]] || fail "$pointer: $(said "$pointer")" "$(<report)"
	run ! oci-create --no-new-keyring box "$BUNDLE" </dev/null
	delete_all
	cp "$BUNDLE/good.json" "$BUNDLE/config.json"
}

bundle() {
	mkbundle box "$@"
	cp "$BUNDLE/config.json" "$BUNDLE/good.json"
}

@test "a bundle that runs here has no failure, and nothing is changed" {
	require root
	local before cgroups
	bundle
	before=$(host_mounts)
	cgroups=$(find /sys/fs/cgroup -path "*$CGROUP*" | wc -l)
	find "$BUNDLE" | sort >before
	judge "$BUNDLE"
	[ "$status" = 0 ] || show
	[ -z "$stderr" ] || show
	jq -e 'length > 15 and all(.[]; .pointer and .requirement and .probe and .result)' report
	jq -e '[.[].status] | index("fail") == null' report
	[ "$before" = "$(host_mounts)" ]
	[ "$cgroups" = "$(find /sys/fs/cgroup -path "*$CGROUP*" | wc -l)" ]
	diff before <(find "$BUNDLE" | sort)
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
}

@test "what is missing fails, and so does the creation" {
	require root
	bundle
	refused /mounts/7 'not there' '.mounts += [{destination: "/x", type: "nosuchfs", source: "none"}]'
	refused /mounts/7/source 'ENOENT: "/nosuch" does not exist*' \
		'.mounts += [{destination: "/x", type: "bind", source: "/nosuch/dir", options: ["bind"]}]'
	refused /mounts/7/options/0 EINVAL \
		'.mounts += [{destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=12q", "mode=755"]}]'
	refused /process/args/0 ENOENT '.process.args = ["nosuch"]'
	refused /process/args/0 EACCES '.process.args = ["/etc/passwd"]'
	refused /process/args/0 EISDIR '.process.args = ["/etc"]'
	refused /process/cwd ENOTDIR '.process.cwd = "/etc/passwd"'
	refused /linux/memoryPolicy EINVAL '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
	refused /linux/sysctl/fs.mqueue.nosuch ENOENT '.linux.sysctl = {"fs.mqueue.nosuch": "1"}'
	refused /hooks/createRuntime/0/path ENOENT '.hooks.createRuntime = [{path: "/nosuch/hook"}]'
	refused /hooks/createRuntime/0/path EACCES '.hooks.createRuntime = [{path: "/etc/passwd"}]'
	refused /linux/namespaces/0 'is not a namespace' \
		'.linux.namespaces |= ([{type: "time", path: "/etc/passwd"}] + .)'
}

@test "devices that cannot be made must be the host's" {
	require root userns command:setpriv
	bundle '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{type: "user"}]'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$BATS_TEST_TMPDIR" "$BUNDLE"
	judge "$BUNDLE"
	[ "$(said /linux/uidMappings)" = 'ok done' ] || fail "$(<report)"
	edit "$BUNDLE" '.linux.devices = [{path: "/dev/nosuch", type: "c", major: 1, minor: 3},
		{path: "/dev/null", type: "c", major: 1, minor: 5}, {path: "/dev/zero", type: "c", major: 1, minor: 5},
		{path: "/dev/full", type: "c", major: 1, minor: 7, fileMode: 384}]'
	judge "$BUNDLE"
	[ "$(said /linux/devices/0)" = 'ok would be made' ] || fail "$(<report)"
	judge "$BUNDLE" setpriv --bounding-set -mknod --inh-caps -mknod
	[[ $(said /linux/devices/3) = 'fail has another mode'* ]] || fail "$(<report)"
	[ "$(said /linux/devices/0)" = 'fail ENOENT' ] || fail "$(<report)"
	[ "$(said /linux/devices/1)" = 'fail is another file' ] || fail "$(<report)"
	[ "$(said /linux/devices/2)" = 'ok would be bound' ] || fail "$(<report)"
}

@test "destinations are made by the container's root, who must be allowed to" {
	require root userns
	bundle '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .linux.namespaces += [{type: "user"}]
		| .mounts += [{destination: "/new/dir", type: "tmpfs", source: "tmpfs"}]'
	judge "$BUNDLE"
	[ "$(said /mounts/7/destination)" = 'fail not there, and cannot be made: EACCES' ] || fail "$(<report)"
	chown 100000:100000 "$BUNDLE/rootfs"
	judge "$BUNDLE"
	[ "$(said /mounts/7/destination)" = 'ok would be made' ] || fail "$(<report)"
}

@test "a network device must be there" {
	require root
	bundle '.linux.netDevices = {nosuch0: {}, lo: {}}'
	judge "$BUNDLE"
	[[ $status != 102 ]] || skip 'netDevices are refused'
	[ "$(said /linux/netDevices/nosuch0)" = 'fail ENODEV' ] || fail "$(<report)"
	[ "$(said /linux/netDevices/lo)" = 'ok there' ] || fail "$(<report)"
}

@test "a security module that is not there fails" {
	require root
	bundle '.process.apparmorProfile = "nosuch" | .process.selinuxLabel = "a:b:c:d"
		| .linux.mountLabel = "a:b:c:d"'
	judge "$BUNDLE"
	[ "$status" = 103 ] || show
	if require_apparmor; then
		jq -e 'any(.[]; .requirement == "AppArmor profile \"nosuch\"" and .status == "fail")' report
	else
		[ "$(said /process/apparmorProfile)" = 'fail not enabled' ] || fail "$(<report)"
	fi
	[[ -d /sys/fs/selinux ]] || [ "$(said /process/selinuxLabel)" = 'fail not enabled' ]
	[[ -d /sys/fs/selinux ]] || [ "$(said /linux/mountLabel)" = 'fail not enabled' ]
}

@test "a controller that is not there fails, by the property that needs it" {
	require root cgroup_v1
	bundle '.linux.resources = {pids: {limit: 100}, memory: {limit: 100000000},
		rdma: {mlx5_0: {hcaHandles: 1}}, unified: {"nosuch.max": "1"}}'
	judge "$BUNDLE"
	[ "$status" = 103 ] || show
	[ "$(said /linux/resources/pids/limit)" = 'ok there' ] || fail "$(<report)"
	[ "$(said /linux/resources/memory/limit)" = 'ok there' ] || fail "$(<report)"
	[[ $(said /linux/resources/unified/nosuch.max) = fail* ]] || fail "$(<report)"
	grep -q '^rdma' /proc/cgroups || [[ $(said /linux/resources/rdma/mlx5_0) = 'fail n'* ]] || fail "$(<report)"
}

@test "where there is cgroup v2 alone, what it has not fails" {
	require root
	[[ -e /sys/fs/cgroup/cgroup.controllers || -e /sys/fs/cgroup/unified/cgroup.controllers ]] ||
		skip 'requires cgroup v2'
	bundle '.linux.resources = {network: {classID: 1}, unified: {"nosuch.max": "1", "cgroup.max.depth": "5"}}'
	# The same mount: a new one would change the options of all of them.
	judge "$BUNDLE" unshare --mount --propagation private sh -c '[ -e /sys/fs/cgroup/cgroup.controllers ] ||
		mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; exec "$@"' -
	[ "$status" = 103 ] || show
	[ "$(said /linux/resources/network/classID)" = 'fail there is no such limit in cgroup v2' ] || fail "$(<report)"
	[ "$(said /linux/resources/unified/nosuch.max)" = 'fail not available there' ] || fail "$(<report)"
	[ "$(said /linux/resources/unified/cgroup.max.depth)" = 'ok there' ] || fail "$(<report)"
}

@test "a machine without cgroups: limits fail, none asked for is degraded" {
	require root
	bundle '.linux.resources = {pids: {limit: 10}}'
	judge "$BUNDLE" unshare --mount --propagation private sh -c 'mount -t tmpfs none /sys/fs && exec "$@"' -
	[[ $(said /linux/cgroupsPath) = 'fail there are limits, but no cgroups'* ]] || fail "$(<report)"
	edit "$BUNDLE" 'del(.linux.resources, .linux.cgroupsPath)'
	judge "$BUNDLE" unshare --mount --propagation private sh -c 'mount -t tmpfs none /sys/fs && exec "$@"' -
	[[ $(said /linux/cgroupsPath) = 'degraded none can be made'* ]] || fail "$(<report)"
}

@test "rights that are not held: degraded for capabilities, failure for what they would do" {
	require root command:setpriv
	bundle '.process.capabilities |= map_values(. + ["CAP_SYS_RESOURCE"])
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 4000},
			{type: "RLIMIT_NPROC", soft: 10, hard: 10}]
		| .process.oomScoreAdj = -999'
	judge "$BUNDLE" prlimit --nofile=100:1000 setpriv --bounding-set -sys_resource --inh-caps -sys_resource
	[ "$status" = 103 ] || show
	[[ $(said /process/rlimits/0) = 'fail EPERM'* ]] || fail "$(<report)"
	[ "$(said /process/rlimits/1)" = 'ok done' ] || fail "$(<report)"
	[[ $(said /process/oomScoreAdj) = 'fail E'* ]] || fail "$(<report)"
	[[ $(said /process/capabilities/bounding) = 'degraded CAP_SYS_RESOURCE: not held'* ]] || fail "$(<report)"
	edit "$BUNDLE" 'del(.process.oomScoreAdj, .process.rlimits)'
	judge "$BUNDLE" setpriv --bounding-set -sys_resource --inh-caps -sys_resource
	[ "$status" = 0 ] || show
}

@test "namespaces that may not be made fail" {
	require root command:setpriv
	bundle
	judge "$BUNDLE" setpriv --bounding-set -sys_admin --inh-caps -sys_admin
	[ "$status" = 103 ] || show
	jq -e '[.[] | select(.pointer | startswith("/linux/namespaces/"))
		| select(.status == "fail" and .result == "EPERM")] | length >= 4' report
}

@test "seccomp: unknown system calls are named, and left out" {
	require root
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_LOG"],
		listenerPath: "/nosuch/socket",
		syscalls: [{names: ["mkdir", "nosuchcall"], action: "SCMP_ACT_ERRNO"},
			{names: ["getcwd"], action: "SCMP_ACT_NOTIFY"}]}'
	judge "$BUNDLE"
	[ "$(said /linux/seccomp/syscalls/0/names)" = 'degraded 1 not known, left out: nosuchcall' ] || fail "$(<report)"
	[[ $(said /linux/seccomp) = 'ok '*' instructions' ]] || fail "$(<report)"
	[ "$(said /linux/seccomp/listenerPath)" = 'fail ENOENT' ] || fail "$(<report)"
	[ "$(said /linux/seccomp/flags/0)" = 'ok there' ] || fail "$(<report)"
}

@test "clocks, scheduling and namespaces that are joined are tried" {
	require root
	bundle '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000}}
		| .process.scheduler = {policy: "SCHED_BATCH", nice: 3}
		| .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 4}
		| (.linux.namespaces[] | select(.type == "ipc")).path = "/proc/self/ns/ipc"
		| (.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/net"'
	judge "$BUNDLE"
	[ "$status" = 0 ] || show
	[ "$(said /linux/timeOffsets)" = 'ok done' ] || fail "$(<report)"
	[ "$(said /process/scheduler)" = 'ok done' ] || fail "$(<report)"
	[ "$(said /process/ioPriority)" = 'ok done' ] || fail "$(<report)"
	jq -e 'any(.[]; .requirement == "ipc namespace" and .result == "done" and (.probe | startswith("setns")))' report
}

@test "id-mapped mounts are tried on the source's filesystem" {
	require root
	bundle '.mounts += [{destination: "/x", type: "bind", source: $d, options: ["bind"],
		uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]},
		{destination: "/y", type: "bind", source: "/proc", options: ["bind"],
		uidMappings: [{containerID: 0, hostID: 1000, size: 10}], gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]' \
		--arg d "$BATS_TEST_TMPDIR"
	judge "$BUNDLE"
	[[ $(said /mounts/7/uidMappings) = 'ok done' || $(said /mounts/7/uidMappings) = 'fail EINVAL'* ]] || fail "$(<report)"
	# proc knows no id mappings.
	[[ $(said /mounts/8/uidMappings) = 'fail EINVAL'* ]] || fail "$(<report)"
}

@test "nothing of the image and no source is opened: FIFOs and devices" {
	require root command:strace
	bundle '.process.args = ["/bin/pipe"] | .mounts += [{destination: "/x", type: "bind", source: $d, options: ["bind"]}]
		| .hooks.startContainer = [{path: "/bin/pipe"}]' --arg d "$BATS_TEST_TMPDIR/pipe"
	mkfifo pipe "$BUNDLE/rootfs/bin/pipe"
	judge "$BUNDLE" strace -f -o trace -e trace=open,openat,openat2
	[ "$(said /process/args/0)" = 'fail EACCES' ] || fail "$(<report)"
	[ "$(said /hooks/startContainer/0/path)" = 'fail EACCES' ] || fail "$(<report)"
	[ "$(said /mounts/7/source)" = 'ok there' ] || fail "$(<report)"
	grep -q 'pipe' trace
	run ! grep -E '/pipe"' <(grep -v O_PATH trace)
}

@test "links of the image stay beneath its root" {
	require root
	bundle '.process.args = ["/link/sleep"]'
	mkdir outside
	cp "$(command -v busybox)" outside/sleep
	ln -s "$PWD/outside" "$BUNDLE/rootfs/link"
	judge "$BUNDLE"
	[ "$(said /process/args/0)" = 'fail ENOENT' ] || fail "$(<report)"
	mkdir -p "$BUNDLE/rootfs/$PWD/outside"
	cp outside/sleep "$BUNDLE/rootfs/$PWD/outside"
	judge "$BUNDLE"
	[ "$(said /process/args/0)" = 'ok done' ] || fail "$(<report)"
}

@test "what a mount may hold cannot be told" {
	require root
	mkdir tools
	bundle '.process.args = ["/tools/program"]
		| .mounts += [{destination: "/tools/", type: "bind", source: $d, options: ["bind"]}]' --arg d "$PWD/tools"
	judge "$BUNDLE"
	[[ $(said /process/args/0) = 'degraded cannot be told'*'/mounts/7' ]] || fail "$(<report)"
	[ "$status" = 0 ]
}

@test "text: a line for each requirement, in columns, and the sum" {
	require root
	bundle '.process.args = ["nosuch"]'
	run -103 oci-validate --host "$BUNDLE"
	[[ ${lines[-1]} = *' ok, 0 degraded, 1 fail' ]] || show
	[[ $output = *$'\nfail      /process/args/0 '*executable*ENOENT* ]] || show
	[ "$(oci-validate --host --json "$BUNDLE" | jq length)" = $((${#lines[@]} - 1)) ]
	run -1 oci validate --host "$BUNDLE"
}

@test "a config.json with errors is judged by them alone" {
	bundle 'del(.process.cwd)'
	run -102 oci-validate --host "$BUNDLE"
	[[ $output = *'/process/cwd'* ]] || show
	run -100 oci-validate --host --format yaml "$BUNDLE"
	run -100 oci-validate --host a b
}
