#!/usr/bin/env bats
# oci-events: what a container uses, and when it runs out of memory.
# shellcheck disable=SC2154
load ../lib/common

stats() { oci events --stats box | jq -r ".data$1"; }

# follow [OPTION...]: oci-events in the background, its output in the file "events".
follow() {
	# The program itself, whose pid is wanted, and no function.
	"$OCI_BUILD/oci-events" --root "$ROOT" "$@" box >events 2>events.err 3>&- &
	FOLLOWS=$!
}
follow_ended() { ! kill -0 "$FOLLOWS" 2>/dev/null; }
lines_are() { (($(wc -l <events) >= $1)); }

# What oci-events needs before it can miss nothing: its watch on the memory.
watching() {
	local fd
	for fd in /proc/"$FOLLOWS"/fd/*; do
		[[ $(readlink "$fd") != anon_inode:*@(eventfd|inotify)* ]] || return 0
	done
	return 1
}

@test "usage, as runc says it" {
	start_ctr box '.linux.resources += {"memory": {"limit": 67108864, "swap": 67108864}, "pids": {"limit": 40}}'
	run -0 --separate-stderr oci events --stats box
	[[ ${#lines[@]} = 1 && ! $stderr ]] || show
	jq -e '.type == "stats" and .id == "box"' <<<"$output"
	jq -e '.data.memory | .usage.limit == 67108864 and .usage.usage > 0 and .swap.limit == 67108864
		and (.raw | length > 5) and .cache >= 0' <<<"$output"
	jq -e '.data.pids == {"current": 1, "limit": 40}' <<<"$output"
	jq -e '.data.cpu | .usage.total > 0 and .usage.kernel >= 0 and .throttling.periods == 0' <<<"$output"
	jq -e '.data | has("blkio") and has("hugetlb") and has("intel_rdt")' <<<"$output"
	jq -e '.data.network_interfaces == []' <<<"$output"
	jq -e '.data.cpuset.cpus | length > 0' <<<"$output"
}

@test "the numbers are those of the control files" {
	require hybrid
	start_ctr box '.linux.resources += {"cpu": {"quota": 20000, "period": 100000}, "memory": {"limit": 67108864}}
		| .process.args = ["sh", "-c", "while :; do :; done"]'
	throttled() { (($(stats .cpu.throttling.throttledPeriods) > 0)); }
	wait_for -t 60 throttled
	oci pause box
	[[ $(stats .cpu.usage.total) = $(cat "/sys/fs/cgroup/cpuacct$CGROUP/box/cpuacct.usage") ]]
	[[ $(stats .cpu.throttling.throttledPeriods) = $(sed -n 's/nr_throttled //p' "/sys/fs/cgroup/cpu$CGROUP/box/cpu.stat") ]]
	[[ $(stats .memory.usage.limit) = $(cat "/sys/fs/cgroup/memory$CGROUP/box/memory.limit_in_bytes") ]]
	oci resume box
}

@test "no limit of processes is none" {
	start_ctr box
	[[ $(stats .pids.limit) = null ]]
}

@test "block devices: what has been read" {
	start_ctr box '.mounts += [{"destination": "/here", "type": "bind", "source": $d, "options": ["bind"]}]' \
		--arg d "$BATS_TEST_TMPDIR"
	oci exec box dd if=/dev/zero of=/here/file bs=1M count=2 conv=fsync 2>/dev/null
	rm -f file
	run -0 stats '.blkio.ioServiceBytesRecursive // []'
	[[ $output = "[]" ]] || jq -e 'all(.major >= 0 and .value >= 0 and (.op | type) == "string")' <<<"$output"
}

@test "interfaces of the container's network namespace, but for lo" {
	require root
	start_ctr box
	# veth comes as a pair: the other end goes with it.
	ip link add name "ov$$" type veth peer name "op$$" 2>/dev/null || skip "requires veth interfaces"
	ip link set "ov$$" netns "$(ctr_pid box)" || { ip link del "ov$$"; return 1; }
	[[ $(stats '.network_interfaces | map(.Name) | join(" ")') = "ov$$" ]]
	[[ $(stats '.network_interfaces[0].RxBytes') = 0 ]]
}

@test "a line in each interval, until the container ends" {
	start_ctr box
	follow --interval 50ms
	wait_for -t 60 lines_are 3
	oci kill box KILL
	wait_for -t 60 follow_ended
	wait "$FOLLOWS"
	jq -es 'length >= 3 and all(.type == "stats" and .data.pids.current >= 0)' events
	[[ ! -s events.err ]] || fail "$(<events.err)"
}

@test "out of memory" {
	start_ctr box '.linux.resources.memory = {"limit": 33554432, "swap": 33554432}'
	follow --interval 1h
	wait_for -t 60 watching
	oci exec box sh -c 'head -c 200m /dev/zero | tail' >/dev/null 2>&1 || true
	wait_for -t 60 lines_are 1
	[[ $(head -1 events) = '{"type":"oom","id":"box"}' ]] || fail "$(<events)"
	oci kill box KILL
	wait_for -t 60 follow_ended
	wait "$FOLLOWS"
}

@test "containers that do not run" {
	run -104 --separate-stderr oci-events --stats none
	[[ $stderr = *"does not exist"* ]] || show
	start_ctr box
	oci kill box KILL
	wait_for -t 30 is_status box stopped
	run -104 --separate-stderr oci-events --stats box
	[[ $stderr = *"container not running"* ]] || show
	run -104 --separate-stderr oci-events box
	[[ $stderr = *"container not running"* ]] || show
}

@test "intervals" {
	local bad
	for bad in 0 0s 5 -1s x 1 '' 1d; do
		run -100 --separate-stderr oci-events --interval "$bad" box
		[[ $stderr = *"--interval"* ]] || show
	done
}
