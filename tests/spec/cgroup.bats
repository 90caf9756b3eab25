#!/usr/bin/env bats
# config-linux.md, "Control groups". What needs v2 controllers is in cgroup-v2.bats.
# shellcheck disable=SC2154
load ../lib/common

V2=/sys/fs/cgroup/unified
[[ -d $V2 ]] || V2=/sys/fs/cgroup

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

# in_cgroup PID PATH: its cgroup in every hierarchy.
in_cgroup() {
	local line
	while read -r line; do
		[[ ${line#*:*:} = "$2" ]] || fail "$line is not in $2"
	done <"/proc/$1/cgroup"
}

# refused CODE POINTER WORDS FILTER: the configuration is an error of oci-create.
refused() {
	local code=$1 pointer=$2 words=$3
	mkbundle box "$4"
	run -"$code" --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *"$pointer"* && $stderr = *"$words"* ]] || show
	[[ ! -e $ROOT/box && ! $(test_cgroups) ]]
}

@test "MUST: an absolute cgroupsPath is relative to the cgroups mount point" {
	mkbundle box
	create box
	in_cgroup "$(ctr_pid box)" "$CGROUP/box"
}

@test "MUST: the same relative cgroupsPath is the same place every time" {
	mkbundle box '.linux.cgroupsPath = $p' --arg p "${CGROUP#/}/rel"
	create box
	in_cgroup "$(ctr_pid box)" "$CGROUP/rel"
	oci delete --force box
	# Also for a caller that is in another cgroup.
	mkdir "$V2$CGROUP"
	(
		echo "$BASHPID" >"$V2$CGROUP/cgroup.procs"
		create box
	)
	in_cgroup "$(ctr_pid box)" "$CGROUP/rel"
	oci delete --force box
	wait_for rmdir "$V2$CGROUP"
}

@test "MUST: a cgroupsPath that is considered invalid is an error" {
	refused 102 /linux/cgroupsPath '".."' '.linux.cgroupsPath = "/a/../b"'
	refused 102 /linux/cgroupsPath 'names no cgroup' '.linux.cgroupsPath = "/"'
}

@test "MUST: a cgroup that is not fit for purpose is an error of create" {
	mkbundle box
	mkdir -p "$V2$CGROUP/box"
	sleep 1000 3>&- &
	echo $! >"$V2$CGROUP/box/cgroup.procs"
	run -104 --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *"not empty: processes are in"* ]] || show
	kill -0 $!
	kill $! && wait $! || true
	wait_for rmdir "$V2$CGROUP/box"
	mkdir "$V2$CGROUP/box"
	echo 1 >"$V2$CGROUP/box/cgroup.freeze"
	run -104 --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *"is frozen"* ]] || show
	rmdir "$V2$CGROUP/box" "$V2$CGROUP"
}

@test "cgroups are created if they do not exist, and removed with the container" {
	mkbundle box '.linux.cgroupsPath = $p' --arg p "$CGROUP/a/b/c"
	create box
	[[ -d $V2$CGROUP/a/b/c ]]
	oci delete --force box
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
}

@test "SHOULD NOT: cgroup v1 directories do not change their owner" {
	require cgroup_v1
	mkbundle box '.linux.namespaces += [{"type": "cgroup"}] | .process.user.uid = 1000
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]'
	create box
	[[ $(find /sys/fs/cgroup -path "*$CGROUP*" ! -uid 0) = "" ]]
}

# Which of the devices a and b a process of the container can open for reading and for writing.
open_devices='.process.capabilities[] += ["CAP_MKNOD"] | .process.args = ["sh", "-c", "
	mknod /a c 10 229; mknod /b b 7 0
	for f in /a /b; do
		(exec 9<$f) 2>/dev/null && echo $f r
		(exec 9>>$f) 2>/dev/null && echo $f w
	done
	echo >/done; exec sleep 1000"]'

@test "MUST: device rules are applied in their order" {
	require root
	[[ -b /dev/loop0 ]] || skip "requires loop devices"
	mkbundle box "$open_devices"' | .linux.resources.devices = [
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"},
		{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", "major": 7, "minor": 0, "access": "rwm"},
		{"allow": false, "type": "b", "major": 7, "minor": 0, "access": "w"}]'
	oci create box "$BUNDLE" >out 2>&1 </dev/null
	oci start box
	wait_for test -e box/rootfs/done
	[[ $(<out) = "/b r" ]] || fail "$(<out)"
}

@test "a device cgroup denies what nothing allows" {
	require root
	mkbundle box "$open_devices"' | del(.linux.resources)'
	oci create box "$BUNDLE" >out 2>&1 </dev/null
	oci start box
	wait_for test -e box/rootfs/done
	[[ $(<out) = "" ]] || fail "$(<out)"
}

@test "SHOULD: 0 is a valid limit of processes" {
	mkbundle box '.linux.resources.pids.limit = 0 | .process.args = ["sh", "-c", "ls & : >/done; exec sleep 1000"]'
	require_controller pids || skip "requires the pids controller"
	oci create box "$BUNDLE" >out 2>&1 </dev/null
	oci start box
	wait_for eval '[[ $(<out) = *fork* ]]'
}
require_controller() { [[ -d /sys/fs/cgroup/$1 ]] || grep -qw "$1" /sys/fs/cgroup/cgroup.controllers; }

@test "what the namespaces take of the kernel's memory is not the first thing that a limit meets" {
	local usage=/sys/fs/cgroup/memory$CGROUP/box/memory.kmem.usage_in_bytes
	[[ -d /sys/fs/cgroup/memory ]] || skip "requires the memory controller of cgroup v1"
	mkbundle box '.process.args = ["/bin/true"] | .linux.resources.memory.limit = 67108864'
	create box
	# A network namespace alone takes 90 KiB.
	(($(<"$usage") < 65536)) || fail "$(<"$usage")"
	oci delete --force box
	# Where that counted it was 290 KiB. With what is left a static program runs.
	edit "$BUNDLE" '.linux.resources.memory.limit = 262144'
	oci run --bundle "$BUNDLE" box </dev/null
}

@test "MUST: no limits where there is no controller for them" {
	require cgroup_v1
	[[ ! -d /sys/fs/cgroup/rdma ]] || skip "requires a machine without the rdma controller"
	refused 103 /linux/resources/rdma/x "the rdma controller is not available" \
		'.linux.resources.rdma = {"x": {"hcaHandles": 3}}'
	refused 103 /linux/resources/unified/memory.high "the memory controller is not available" \
		'.linux.resources.unified = {"memory.high": "1"}'
}

@test "MUST: page sizes of hugepageLimits match those of the machine" {
	require hybrid
	grep -qw hugetlb $V2/cgroup.controllers || skip "requires the hugetlb controller"
	before=$(<$V2/cgroup.subtree_control)
	refused 103 /linux/resources/hugepageLimits/0 hugetlb.3MB \
		'.linux.resources.hugepageLimits = [{"pageSize": "3MB", "limit": 1}]'
	mkbundle box '.linux.resources.hugepageLimits = [{"pageSize": "2MB", "limit": 4194304}]'
	create box
	[[ $(<"$V2$CGROUP/box/hugetlb.2MB.rsvd.max") = 4194304 ]]
	oci delete --force box
	[[ $before = *hugetlb* ]] || echo -hugetlb >$V2/cgroup.subtree_control
}

@test "MUST: burst is no larger than quota" {
	require hybrid
	refused 102 /linux/resources/cpu/burst 6000 '.linux.resources.cpu = {"quota": 5000, "burst": 6000}'
}
