#!/usr/bin/env bats
# oci-verify: a container compared with its config.json.
# shellcheck disable=SC2154

load ../lib/common

setup() {
	common_setup
	require root
}

# seen ID: what oci-verify says, in $SEEN; its exit code in $status.
look() {
	status=0
	oci-verify --format json "$1" >seen 2>err || status=$?
	((status == 0 || status == 106)) || fail "oci-verify: $status: $(<err)" || return
	SEEN=$(<seen)
}

# clean ID: no difference.
clean() {
	look "$1"
	((status == 0)) || fail "differences: $(jq -c '.differences[]' <<<"$SEEN")"
}

# differs ID POINTER...: these, and no others.
differs() {
	local id=$1 want
	shift
	look "$id"
	want=$(printf '%s\n' "$@" | sort -u)
	[[ $status = 106 && $(jq -r '.differences[].pointer' <<<"$SEEN" | sort -u) = "$want" ]] ||
		fail "wanted ($status): $want" "$(jq -c '.differences[]' <<<"$SEEN")"
}

hides() { jq -e --arg p "$1" 'any(.hidden[]; .pointer == $p)' <<<"$SEEN" >/dev/null || fail "$1 is not hidden"; }

in_mounts() { nsenter --target "$(ctr_pid box)" --mount --pid "$@"; }

# Everything that this machine can do.
ALL='.process.args = ["sleep", "1000"]
	| .process.cwd = "/tmp" | .process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6], umask: 63}
	| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]
	| .process.oomScoreAdj = 100 | .process.noNewPrivileges = true
	| .process.scheduler = {policy: "SCHED_BATCH", nice: 3}
	| .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 3}
	| .process.env += ["WORD=yes"]
	| .root.readonly = true | .hostname = "gamma" | .domainname = "delta"
	| .linux.namespaces = [{type: "pid"}, {type: "network"}, {type: "ipc"}, {type: "uts"}, {type: "mount"}, {type: "time"}]
	| .linux.timeOffsets = {monotonic: {secs: 10, nanosecs: 5}, boottime: {secs: 20}}
	| .linux.personality = {domain: "LINUX32"}
	| .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: " 0 ", flags: ["MPOL_F_STATIC_NODES"]}
	| .linux.rootfsPropagation = "private"
	| .linux.maskedPaths = ["/etc/passwd", "/sys/firmware"]
	| .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shmmni": "100"}
	| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["chmod"], action: "SCMP_ACT_ERRNO"}]}
	| .linux.devices = [{type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 432, uid: 5, gid: 6},
		{type: "p", path: "/dev/pipe", fileMode: 420}]
	| .mounts += [{destination: "/mnt", type: "tmpfs", source: "scratch", options: ["size=64k", "mode=700", "nosuid", "noatime"]},
		{destination: "/home", type: "bind", source: $src, options: ["bind", "nodev"]}]'

all_ctr() {
	mkdir -p src
	start_ctr box "$ALL" --arg src "$PWD/src"
}

# ---- No difference ------------------------------------------------------------------------------

@test "oci-spec's bundle has no difference, created, running and paused" {
	mkbundle box '.process.args = ["sleep", "1000"]'
	oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	clean box
	hides /process/args
	oci start box
	clean box
	oci pause box
	clean box
	oci resume box
}

@test "a container with all that this machine can do has no difference" {
	mkbundle box "$ALL" --arg src "$(mkdir -p src && echo "$PWD/src")"
	oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	clean box
	oci start box
	clean box
	jq -e '.compared > 100' <<<"$SEEN"
}

@test "a user namespace and a cgroup namespace: no difference" {
	require userns
	start_ctr box '.process.args = ["sleep", "1000"] | .linux.namespaces += [{type: "user"}, {type: "cgroup"}]
		| .linux.namespaces |= unique_by(.type)
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}, {containerID: 1000, hostID: 300000, size: 10}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .process.user = {uid: 1000, gid: 7, additionalGids: [9]}
		| .linux.devices = [{type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0}]
		| .linux.resources.devices = [{allow: false}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]'
	clean box
	edit "$ROOT/box" '.linux.uidMappings[1].hostID = 4000 | .linux.gidMappings += [{containerID: 65536, hostID: 1, size: 1}]'
	differs box /linux/uidMappings/1 /linux/gidMappings /linux/gidMappings/1
}

@test "mounts over, beneath and after each other: no difference" {
	mkdir -p src/sub other
	mkbundle box '.mounts += [
		{destination: "/mnt", type: "tmpfs", source: "a", options: ["size=4k"]},
		{destination: "/mnt", type: "tmpfs", source: "b", options: ["size=8k"]},
		{destination: "/mnt/deep", type: "bind", source: $src, options: ["rbind", "rro"]},
		{destination: "/home", type: "bind", source: $src, options: ["rbind", "rslave"]},
		{destination: "/link/inside", type: "tmpfs", source: "c"},
		{destination: "/tmp/covered", type: "tmpfs", source: "d"},
		{destination: "/tmp", type: "tmpfs", source: "e", options: ["ro"]},
		{destination: "/var", type: "tmpfs", source: "f"},
		{destination: "/var", options: ["remount", "bind", "ro", "nosuid"]}]
		| .linux.maskedPaths += ["/mnt/deep/sub", "/nowhere", "/etc/passwd"]
		| .linux.readonlyPaths += ["/var", "/home", "/etc"]' --arg src "$PWD/src"
	ln -s usr "$BUNDLE/rootfs/link"
	oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	clean box
	hides /mounts/12
}

@test "limits: no difference; and after each changed value" {
	require cgroup_v1
	start_ctr box '.process.args = ["sleep", "1000"] | .linux.resources = {
		memory: {limit: 67108865, reservation: 33554432, swappiness: 10}, pids: {limit: 100},
		cpu: {shares: 512, quota: 50000, period: 100000, cpus: "0", mems: "0"},
		network: {classID: 1048577, priorities: [{name: "lo", priority: 5}]},
		hugepageLimits: [{pageSize: "2MB", limit: 4194304}],
		devices: [{allow: false}, {allow: true, type: "c", major: 10, minor: 229, access: "rw"}]}
		| if $net == "no" then del(.linux.resources.network) else . end
		| if $huge == "no" then del(.linux.resources.hugepageLimits) else . end' \
		--arg net "$([[ -d /sys/fs/cgroup/net_cls && -d /sys/fs/cgroup/net_prio ]] || echo no)" \
		--arg huge "$([[ -d /sys/fs/cgroup/hugetlb ]] || echo no)"
	clean box
	dir=/sys/fs/cgroup
	echo 70000000 >"$dir/memory$CGROUP/box/memory.limit_in_bytes"
	differs box /linux/resources/memory/limit
	echo 67108864 >"$dir/memory$CGROUP/box/memory.limit_in_bytes"
	echo 20 >"$dir/memory$CGROUP/box/memory.swappiness"
	echo max >"$dir/pids$CGROUP/box/pids.max"
	echo 600 >"$(echo "$dir"/cpu{,,cpuacct}"$CGROUP/box/cpu.shares" | tr ' ' '\n' | xargs -n1 ls 2>/dev/null | head -1)"
	differs box /linux/resources/memory/swappiness /linux/resources/pids/limit /linux/resources/cpu/shares
	echo 'c 10:200 rwm' >"$dir/devices$CGROUP/box/devices.allow"
	differs box /linux/resources/memory/swappiness /linux/resources/pids/limit /linux/resources/cpu/shares \
		/linux/resources/devices
	jq -e '.differences[] | select(.pointer == "/linux/resources/devices") | .found == "c 10:200 rwm"' <<<"$SEEN"
}

# ---- Differences: the snapshot says something else ----------------------------------------------

@test "each property that says something else than there is: reported, with its pointer" {
	all_ctr
	cp "$ROOT/box/config.json" good.json
	while IFS='|' read -r pointers filter; do
		jq "$filter" good.json >"$ROOT/box/config.json"
		# shellcheck disable=SC2086
		differs box $pointers || fail "after: $filter"
	done <<'END'
/process/cwd|.process.cwd = "/etc"
/process/user/uid|.process.user.uid = 1002
/process/user/gid|.process.user.gid = 1002
/process/user/additionalGids|.process.user.additionalGids = [5]
/process/user/umask|.process.user.umask = 18
/process/env/2|.process.env[2] = "WORD=no"
/process/noNewPrivileges|.process.noNewPrivileges = false
/process/capabilities/bounding|.process.capabilities.bounding += ["CAP_SYS_CHROOT"]
/process/capabilities/inheritable|.process.capabilities.inheritable = ["CAP_KILL"]
/process/rlimits/0/soft|.process.rlimits[0].soft = 99
/process/rlimits/0/hard|.process.rlimits[0].hard = 201
/process/oomScoreAdj|.process.oomScoreAdj = 101
/process/scheduler/policy|.process.scheduler.policy = "SCHED_OTHER"
/process/scheduler/nice|.process.scheduler.nice = 4
/process/ioPriority/class|.process.ioPriority.class = "IOPRIO_CLASS_IDLE"
/process/ioPriority/priority|.process.ioPriority.priority = 4
/root/readonly|.root.readonly = false
/hostname|.hostname = "other"
/domainname|.domainname = "other"
/linux/namespaces/5|.linux.namespaces[5] = {type: "cgroup"} | .linux.namespaces += [{type: "time"}]
/linux/namespaces|.linux.namespaces -= [{type: "ipc"}]
/linux/namespaces/1|.linux.namespaces[1].path = "/proc/self/ns/net"
/linux/timeOffsets/monotonic|.linux.timeOffsets.monotonic.nanosecs = 6
/linux/timeOffsets/boottime|.linux.timeOffsets.boottime.secs = 21
/linux/personality/domain|.linux.personality.domain = "LINUX"
/linux/memoryPolicy/mode|.linux.memoryPolicy.mode = "MPOL_INTERLEAVE"
/linux/memoryPolicy/nodes|.linux.memoryPolicy.nodes = "1"
/linux/memoryPolicy/flags|del(.linux.memoryPolicy.flags)
/linux/rootfsPropagation|.linux.rootfsPropagation = "shared"
/linux/sysctl/net.ipv4.ip_forward|.linux.sysctl["net.ipv4.ip_forward"] = "0"
/linux/sysctl/kernel.shmmni|.linux.sysctl["kernel.shmmni"] = "101"
/linux/devices/0|.linux.devices[0].minor = 228
/linux/devices/0|.linux.devices[0].fileMode = 438
/linux/devices/0|.linux.devices[0].uid = 6
/linux/devices/1|.linux.devices[1].path = "/dev/nopipe"
/mounts/7/type|.mounts[7].type = "ramfs"
/mounts/7/source|.mounts[7].source = "other"
/mounts/7/options/0|.mounts[7].options[0] = "size=68k"
/mounts/7/options/1|.mounts[7].options[1] = "mode=755"
/mounts/7/options|.mounts[7].options[2] = "nodev"
/mounts/7/options|.mounts[7].options[3] = "relatime"
/mounts/7/options|.mounts[7].options += ["shared"]
/mounts/8/source|.mounts[8].source = "/usr"
/mounts/8/options|.mounts[8].options += ["ro"]
/mounts/9|.mounts += [{destination: "/var", type: "tmpfs"}]
/mounts|del(.mounts[8])
/linux/maskedPaths/0|.linux.maskedPaths = ["/etc/group"] + .linux.maskedPaths
/linux/readonlyPaths/0|.linux.readonlyPaths = ["/mnt"] + .linux.readonlyPaths
END
	cp good.json "$ROOT/box/config.json"
	clean box
}

# ---- Differences: somebody has changed the container --------------------------------------------

@test "mounts changed from outside: reported" {
	all_ctr
	in_mounts mount -t tmpfs -o size=4k intruder /var
	differs box /mounts
	jq -e '.differences[0].found == "tmpfs on /var"' <<<"$SEEN"
	in_mounts umount /var
	in_mounts mount -o remount,bind,rw,nosuid,noatime,exec /mnt
	clean box
	in_mounts mount -o remount,bind,ro,nosuid,noatime /mnt
	differs box /mounts/7/options
	in_mounts mount -o remount,bind,rw,nosuid,noatime /mnt
	in_mounts mount -o remount,size=128k /mnt
	differs box /mounts/7/options/0
	in_mounts mount -o remount,size=64k /mnt
	in_mounts umount /home
	differs box /mounts/8
	in_mounts mount -t tmpfs none /home
	look box
	((status == 106))
}

@test "masked and read-only paths uncovered from outside: reported" {
	all_ctr
	read_only=$(jq -r '.linux.readonlyPaths | index("/proc/sys")' "$ROOT/box/config.json")
	in_mounts umount /etc/passwd
	differs box /linux/maskedPaths/0
	in_mounts umount /proc/sys
	differs box /linux/maskedPaths/0 "/linux/readonlyPaths/$read_only"
	in_mounts mount -o remount,bind,rw /
	differs box /linux/maskedPaths/0 "/linux/readonlyPaths/$read_only" /root/readonly
}

@test "the source of a bind mount that is replaced, a device that is: reported" {
	all_ctr
	mv src old
	mkdir src
	differs box /mounts/8/source
	rmdir src
	mv old src
	clean box
	in_mounts chmod 666 /dev/fuse
	differs box /linux/devices/0
	in_mounts rm /dev/fuse /dev/null
	differs box /linux/devices /linux/devices/0
}

@test "the process changed from outside: reported" {
	all_ctr
	pid=$(ctr_pid box)
	# As the process's own user: root needs CAP_SYS_RESOURCE for it.
	setpriv --reuid 1000 --regid 1001 --clear-groups prlimit --pid "$pid" --nofile=50:200
	echo 200 >"/proc/$pid/oom_score_adj"
	renice -n 5 -p "$pid" >/dev/null
	nsenter --target "$pid" --uts hostname intruder
	nsenter --target "$pid" --net sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	differs box /process/rlimits/0/soft /process/oomScoreAdj /process/scheduler/nice /hostname \
		/linux/sysctl/net.ipv4.ip_forward
}

@test "a process in another cgroup: reported" {
	start_ctr box
	dir=$(echo /sys/fs/cgroup/{unified,pids}"$CGROUP" | tr ' ' '\n' | xargs ls -d 2>/dev/null | head -1)
	[[ $dir ]] || dir=/sys/fs/cgroup$CGROUP
	mkdir "$dir/other"
	ctr_pid box >"$dir/other/cgroup.procs"
	differs box /linux/cgroupsPath
	ctr_pid box >"$dir/box/cgroup.procs"
	clean box
	rmdir "$dir/other"
}

# ---- The command --------------------------------------------------------------------------------

@test "text: a line for each difference, and what could not be seen with --verbose" {
	start_ctr box
	run -0 oci-verify box
	[[ ${lines[-1]} = "0 differences, "*" values compared, "*" not to be seen (--verbose)" ]] || show
	run -0 oci-verify --verbose box
	[[ $output = *"/process/args: hidden: "*sleep* ]] || show
	in_mounts mount -t tmpfs "$(printf 'a\033b')" /var
	run -106 oci-verify box
	[[ ${lines[0]} = "/mounts: wanted no such mount, found tmpfs on /var (mountinfo)" ]] || show
	run -106 oci verify box
}

@test "a container that is not there, not made, or has ended: an error, not a difference" {
	run -104 oci-verify nobody
	mkbundle box
	oci-validate box "$BUNDLE"
	run -104 oci-verify box
	[[ $output = *"not yet created"* ]] || show
	oci-delete box
	start_ctr box
	oci kill box KILL
	wait_for -t 30 is_status box stopped
	run -104 oci-verify box
	[[ $output = *"is not running"* ]] || show
	run -100 oci-verify --format xml box
}

@test "a container that ends while it is looked at: an error or an answer, never a crash" {
	for i in 1 2 3 4 5; do
		start_ctr "box$i"
		oci kill "box$i" KILL &
		status=0
		oci-verify "box$i" >out 2>&1 || status=$?
		((status == 0 || status == 104)) || fail "$status: $(<out)"
		wait
	done
}
