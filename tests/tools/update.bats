#!/usr/bin/env bats
# oci-update: limits of a container that runs.
# shellcheck disable=SC2154
load ../lib/common

# The text of a v1 control file of the container "box".
v1() { cat "/sys/fs/cgroup/${1%%.*}$CGROUP/box/$1"; }

# is FILE VALUE: of a v1 control file.
is() { [[ $(v1 "$1") = "$2" ]] || fail "$1 is $(v1 "$1"), not $2"; }

# running [RESOURCES]: the container "box", running.
running() {
	require hybrid
	start_ctr box '.linux.resources += $r' --argjson r "${1-"{}"}"
}

# update_by RESOURCES: as engines do it.
update_by() { oci update --resources - box <<<"$1"; }

# refused CODE WORDS... -- OPTION...: the update fails with that code and these words.
refused() {
	local code=$1 words=()
	shift
	while [[ $1 != -- ]]; do words+=("$1") && shift; done
	shift
	run -"$code" --separate-stderr oci-update "$@" box
	local word
	for word in "${words[@]}"; do [[ $stderr = *"$word"* ]] || show; done
}

# refused_by CODE RESOURCES WORDS...
refused_by() {
	local code=$1 text=$2 word
	shift 2
	printf '%s' "$text" >doc.json
	run -"$code" --separate-stderr oci-update --resources doc.json box
	for word; do [[ $stderr = *"$word"* ]] || show; done
}

snapshot() { jq -cS ".linux.resources.$1" "$ROOT/box/config.json"; }

# ---- What is changed -----------------------------------------------------------------------------

@test "each option changes its limit" {
	running
	oci update --memory 64M --memory-swap 128m --memory-reservation 33554432 --cpu-share 512 \
		--cpu-period 200000 --cpu-quota 50000 --cpu-burst 20000 --cpuset-cpus 0 --cpuset-mems 0 \
		--pids-limit 42 box
	is memory.limit_in_bytes 67108864
	is memory.memsw.limit_in_bytes 134217728
	is memory.soft_limit_in_bytes 33554432
	is cpu.shares 512
	is cpu.cfs_period_us 200000
	is cpu.cfs_quota_us 50000
	is cpu.cfs_burst_us 20000
	is cpuset.cpus 0
	is cpuset.mems 0
	is pids.max 42
	oci update --cpu-idle 1 box
	is cpu.idle 1
	[[ $(snapshot memory) = '{"limit":67108864,"reservation":33554432,"swap":134217728}' ]]
	[[ $(snapshot pids) = '{"limit":42}' ]]
}

@test "sizes: units, fractions, without limit" {
	running
	oci update --memory 1.5m --memory-swap 1gib box && is memory.limit_in_bytes 1572864
	is memory.memsw.limit_in_bytes 1073741824
	oci update --memory=64MiB box && is memory.limit_in_bytes 67108864
	# Unlimited memory without a word about swap: that is unlimited too.
	oci update --memory -1 box
	((0x7fffffffffff0000 < $(v1 memory.limit_in_bytes)))
	((0x7fffffffffff0000 < $(v1 memory.memsw.limit_in_bytes)))
	[[ $(snapshot memory) = *'"limit":-1,"swap":-1'* ]]
	for size in 5x -2 1. M 1MM 99999999999999999999 8388608T ''; do
		refused 100 "option \"--memory\" needs a size" -- --memory "$size"
	done
}

@test "resources from standard input, and from a file" {
	running '{"pids": {"limit": 50}}'
	update_by '{"memory": {"limit": 67108864}, "cpu": {"shares": 256}}'
	is memory.limit_in_bytes 67108864
	is cpu.shares 256
	is pids.max 50
	echo '{"pids": {"limit": 60}}' >doc.json
	oci update --resources=doc.json box
	is pids.max 60
	oci update -r doc.json box
}

@test "what engines write for no change changes nothing" {
	running '{"memory": {"limit": 67108864}, "cpu": {"shares": 256, "cpus": "0"}}'
	update_by '{"devices": [], "memory": {"limit": 0, "swap": 0, "reservation": 0},
		"cpu": {"shares": 0, "quota": 0, "period": 0, "cpus": "", "mems": ""},
		"blockIO": {"weight": 0}, "hugepageLimits": null}'
	is memory.limit_in_bytes 67108864
	is cpu.shares 256
	is cpuset.cpus 0
	[[ $(snapshot 'cpu | {shares, cpus}') = '{"cpus":"0","shares":256}' ]]
}

@test "swap grows before memory, and memory shrinks before swap" {
	running '{"memory": {"limit": 67108864, "swap": 67108864}}'
	oci update --memory 256M --memory-swap 512M box
	is memory.memsw.limit_in_bytes 536870912
	oci update --memory 64M --memory-swap 64M box
	is memory.limit_in_bytes 67108864
	is memory.memsw.limit_in_bytes 67108864
}

@test "quota, period and burst, up and down, and each alone" {
	running '{"cpu": {"quota": 10000, "period": 100000, "burst": 5000}}'
	oci update --cpu-quota 800000 --cpu-period 1000000 --cpu-burst 700000 box
	is cpu.cfs_burst_us 700000
	oci update --cpu-quota 5000 --cpu-period 20000 --cpu-burst 1000 box
	is cpu.cfs_quota_us 5000
	is cpu.cfs_period_us 20000
	oci update --cpu-quota 6000 box && is cpu.cfs_quota_us 6000 && is cpu.cfs_period_us 20000
	oci update --cpu-period 30000 box && is cpu.cfs_period_us 30000 && is cpu.cfs_quota_us 6000
	oci update --cpu-burst 0 box && is cpu.cfs_burst_us 0
	oci update --cpu-quota -1 box && is cpu.cfs_quota_us -1
}

@test "zero is a number of processes; without limit is -1" {
	running '{"pids": {"limit": 9}}'
	update_by '{"pids": {"limit": 0}}'
	is pids.max 0
	oci update --pids-limit -1 box
	is pids.max max
}

@test "the OOM killer, off and on again" {
	running '{"memory": {"disableOOMKiller": true}}'
	[[ $(v1 memory.oom_control) = *"oom_kill_disable 1"* ]]
	update_by '{"memory": {"disableOOMKiller": false}}'
	[[ $(v1 memory.oom_control) = *"oom_kill_disable 0"* ]]
	update_by '{"memory": {"disableOOMKiller": true}}'
	[[ $(v1 memory.oom_control) = *"oom_kill_disable 1"* ]]
	[[ $(snapshot memory.disableOOMKiller) = true ]]
}

@test "lists go by what their entries are about" {
	local dir=/sys/fs/cgroup/unified
	grep -qw hugetlb $dir/cgroup.controllers && [[ -e /sys/kernel/mm/hugepages/hugepages-2048kB ]] ||
		skip "requires hugetlb beside v1"
	running '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	update_by '{"hugepageLimits": [{"pageSize": "2MB", "limit": 2097152}]}'
	[[ $(cat $dir"$CGROUP"/box/hugetlb.2MB.max) = 2097152 ]]
	[[ $(cat $dir"$CGROUP"/box/hugetlb.2MB.rsvd.max) = 2097152 ]]
	[[ $(snapshot hugepageLimits) = '[{"limit":2097152,"pageSize":"2MB"}]' ]]
	# 0 is a limit here.
	update_by '{"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}'
	[[ $(cat $dir"$CGROUP"/box/hugetlb.2MB.max) = 0 ]]
}

@test "a file of the v2 hierarchy" {
	running
	update_by '{"unified": {"cgroup.max.depth": "3"}}'
	[[ $(cat "/sys/fs/cgroup/unified$CGROUP/box/cgroup.max.depth") = 3 ]]
	[[ $(snapshot unified) = '{"cgroup.max.depth":"3"}' ]]
}

@test "created, paused and stopped containers" {
	require hybrid
	mkbundle box
	oci create box "$BUNDLE" >out 2>&1 </dev/null
	oci update --pids-limit 30 box
	is pids.max 30
	oci start box
	oci pause box
	oci update --pids-limit 31 box
	is pids.max 31
	oci resume box
	oci kill box KILL
	wait_for -t 30 is_status box stopped
	refused 104 'cannot update container "box": it is stopped' -- --pids-limit 5
	run -104 --separate-stderr oci-update --pids-limit 5 none
	[[ $stderr = *"does not exist"* ]] || show
}

@test "kernel memory: taken, with a warning that it has no effect" {
	running
	run -0 --separate-stderr oci-update --kernel-memory 64M box
	[[ $stderr = *"warning: /memory/kernel: no effect"* ]] || show
	update_by '{"memory": {"kernelTCP": 1048576}}'
	is memory.kmem.tcp.limit_in_bytes 1048576
	run -0 --separate-stderr oci-update --resources - box <<<'{"memory": {"useHierarchy": false}}'
	[[ $stderr = *"/memory/useHierarchy: no effect"* ]] || show
}

# ---- What is refused -----------------------------------------------------------------------------

@test "a limit below current use" {
	# Nothing of it may be swapped out.
	running '{"memory": {"limit": 134217728, "swappiness": 0}}'
	oci exec box sh -c 'dd if=/dev/zero of=/dev/shm/fill bs=1M count=32 2>/dev/null'
	refused 102 "/memory/limit: memory.limit: 4194304 is below current use, " -- --memory 4M
	is memory.limit_in_bytes 134217728
	[[ $(snapshot memory.limit) = 134217728 ]]
}

@test "one that fails takes the others back" {
	running '{"memory": {"limit": 67108864, "swap": 134217728}, "pids": {"limit": 20},
		"cpu": {"shares": 256, "quota": 10000, "period": 50000}}'
	refused_by 102 '{"memory": {"limit": 268435456, "swap": 536870912}, "pids": {"limit": 21},
		"cpu": {"shares": 512, "quota": 600000, "period": 1000000, "cpus": "0-4000"}}' \
		"/cpu/cpus: cannot write \"0-4000\""
	refused_by 102 '{"memory": {"limit": 268435456, "swap": 536870912}, "pids": {"limit": 21},
		"cpu": {"shares": 512, "quota": 600000, "period": 1000000},
		"unified": {"cgroup.max.depth": "deep"}}' "/unified/cgroup.max.depth: cannot write" EINVAL
	is memory.limit_in_bytes 67108864
	is memory.memsw.limit_in_bytes 134217728
	is pids.max 20
	is cpu.shares 256
	is cpu.cfs_quota_us 10000
	is cpu.cfs_period_us 50000
	[[ $(snapshot pids.limit) = 20 ]]
}

@test "one that fails leaves the snapshot as it was" {
	running '{"pids": {"limit": 20}}'
	cp "$ROOT/box/config.json" before.json
	refused_by 102 '{"pids": {"limit": 21}, "unified": {"cgroup.max.depth": "deep"}}' EINVAL
	cmp before.json "$ROOT/box/config.json"
	is pids.max 20
}

@test "wrong values, each with its place in the document" {
	running
	refused_by 102 '{"memory": {"limit": "64M"}}' "/memory/limit" "must be an integer"
	refused_by 102 '{"memory": {"limit": 200, "swap": 100}}' "/memory/swap" "is below the memory limit"
	refused_by 102 '{"memory": {"swappiness": 101}}' "/memory/swappiness" "out of range"
	refused_by 102 '{"cpu": {"cpus": "a-b"}}' "/cpu/cpus"
	refused_by 102 '{"cpu": {"idle": 2}}' "/cpu/idle" "out of range"
	refused_by 102 '{"cpu": {"shares": 1}}' "/cpu/shares" "not from 2 to 262144"
	refused_by 102 '{"cpu": {"quota": 10, "period": 100000}}' "/cpu/quota" EINVAL
	refused_by 102 '{"pids": {}}' "/pids/limit" "is required"
	refused_by 102 '{"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}}' "needs weight or leafWeight"
	refused_by 102 '{"unified": {"a/b": "1"}}' "/unified/"
	refused_by 102 '{"unified": {"cgroup.freeze": "1"}}' "/unified/cgroup.freeze: " "is no limit"
	refused_by 102 '{"unified": {"cgroup.procs": "1"}}' "/unified/cgroup.procs: " "is no limit"
	refused_by 102 '[]' "must be an object"
	refused_by 102 '{"cpu": ' "doc.json:1:"
	refused_by 103 '{"unified": {"memory.max": "1"}}' "the memory controller is not available in"
	refused_by 103 '{"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}' "/hugepageLimits/0"
	run -0 --separate-stderr oci-update --resources - box <<<'{"cpu": {"share": 5}}'
	[[ $stderr = *"standard input:1:"*"warning: /cpu/share: no such property"*'did you mean "shares"'* ]] || show
}

@test "the command line" {
	running
	refused 100 "nothing is to be changed" --
	refused 100 "either --resources or options" -- --resources /dev/null --memory 5M
	refused 100 "option \"--pids-limit\" needs a number" -- --pids-limit many
	refused 100 "/cpu/cpus" -- --cpuset-cpus x
	refused 111 'cannot open "/nonexistent/file"' -- --resources /nonexistent/file
	refused 103 resctrl -- --l3-cache-schema "L3:0=f" || refused 104 group -- --l3-cache-schema "L3:0=f"
}

# ---- Devices -------------------------------------------------------------------------------------

# opens PATH: whether the container can read the device.
opens() { oci exec box sh -c "head -c 1 $1 >/dev/null 2>&1"; }

@test "devices that are allowed, and not any more" {
	running '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]}'
	grep -qx 'c 10:200 rwm' <<<"$(v1 devices.list)"
	update_by '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]}'
	grep -qx 'c 10:229 rw' <<<"$(v1 devices.list)"
	[[ $(v1 devices.list) != *'c 10:200'* ]]
	grep -qx 'c 1:3 rwm' <<<"$(v1 devices.list)"
	opens /dev/null
	[[ $(snapshot 'devices | length') = 2 ]]
}

@test "the same list again leaves alone what a hook has added" {
	local list='{"devices": [{"allow": false, "access": "rwm"}]}'
	running "$list"
	echo 'c 10:229 rw' >"/sys/fs/cgroup/devices$CGROUP/box/devices.allow"
	update_by "$list"
	grep -qx 'c 10:229 rw' <<<"$(v1 devices.list)"
}

@test "from everything to a list, and back" {
	running '{"devices": [{"allow": true, "access": "rwm"}]}'
	update_by '{"devices": [{"allow": false, "access": "rwm"}]}'
	[[ $(v1 devices.list) != 'a *:* rwm'* ]]
	grep -qx 'c 1:3 rwm' <<<"$(v1 devices.list)"
	is_status box running
	update_by '{"devices": [{"allow": true, "access": "rwm"}]}'
	is devices.list 'a *:* rwm'
}
