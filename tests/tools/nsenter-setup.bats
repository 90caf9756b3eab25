#!/usr/bin/env bats
# oci-nsenter-setup: the namespaces, and init in them.
load ../lib/common

# prepare [FILTER]: a container that has its cgroup and waits for its namespaces.
prepare() {
	mkbundle box "$@"
	oci-validate --bundle "$BUNDLE" box
	oci-cgroup box
}

init_pid() { jq .pid "$ROOT/box/state.json"; }

# same NAMESPACE: whether init shares it with us.
same() { [[ $(readlink "/proc/$(init_pid)/ns/$1") = "$(readlink "/proc/self/ns/$1")" ]]; }

@test "init lives in new namespaces, in the cgroup, with no descriptor of ours" {
	prepare
	oci-nsenter-setup box >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	pid=$(init_pid)
	for ns in pid net ipc uts mnt; do ! same $ns || fail "shares $ns"; done
	same user
	grep -q "$CGROUP/box" "/proc/$pid/cgroup"
	grep -q '^oci-init$' "/proc/$pid/comm"
	# Standard streams and the socket that it listens on.
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" -eq 4 ]
	[ "$(jq .oci.init.startTime "$ROOT/box/state.json")" = "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" ]
}

@test "hostname, domainname and loopback are set" {
	prepare '.hostname = "alpha" | .domainname = "beta.test"'
	oci-nsenter-setup box
	run -0 nsenter -t "$(init_pid)" -u hostname
	[ "$output" = alpha ]
	run -0 nsenter -t "$(init_pid)" -u cat /proc/sys/kernel/domainname
	[ "$output" = beta.test ]
	run -0 nsenter -t "$(init_pid)" -n cat /sys/class/net/lo/flags
	[ "$(hostname)" != alpha ]
	run -0 nsenter -t "$(init_pid)" -n sh -c 'ip -o link show lo 2>/dev/null || echo UP'
	[[ $output = *UP* ]]
}

@test "twice is once; without its cgroup it is refused" {
	mkbundle box
	oci-validate --bundle "$BUNDLE" box
	run ! oci-nsenter-setup box
	[[ $output = *'"cgroup" has not been done'* ]] || show
	oci-cgroup box
	oci-nsenter-setup box
	pid=$(init_pid)
	run -0 oci-nsenter-setup box
	[[ $output = *"has been done before"* ]] || show
	[ "$(init_pid)" = "$pid" ]
}

@test "a namespace is joined by its path" {
	unshare --net sleep 1000 >/dev/null 2>&1 3>&- &
	other=$!
	wait_for elsewhere $other
	prepare '(.linux.namespaces[] | select(.type == "network")).path = $p' --arg p "/proc/$other/ns/net"
	oci-nsenter-setup box
	[ "$(readlink "/proc/$(init_pid)/ns/net")" = "$(readlink /proc/$other/ns/net)" ]
	kill $other
}

@test "a namespace of the wrong type is named, and so is a missing path" {
	prepare '(.linux.namespaces[] | select(.type == "network")).path = "/proc/self/ns/uts"'
	run -102 oci-nsenter-setup box
	[[ $output = *'/linux/namespaces/'*'"/proc/self/ns/uts" is a uts namespace, not a network namespace'* ]] || show
	oci delete --force box
	prepare '(.linux.namespaces[] | select(.type == "ipc")).path = "/nonexistent/ipc"'
	run -102 oci-nsenter-setup box
	[[ $output = *'"/nonexistent'*ENOENT* ]] || show
	[[ ${output,,} != *"no such file"* ]] || show
	oci delete --force box
	prepare '(.linux.namespaces[] | select(.type == "ipc")).path = "/etc/passwd"'
	run -102 oci-nsenter-setup box
	[[ $output = *'"/etc/passwd" is not a namespace'* ]] || show
}

@test "time offsets are those of config.json" {
	prepare '.linux.namespaces += [{"type": "time"}]
		| .linux.timeOffsets = {"boottime": {"secs": 86400000}, "monotonic": {"secs": 100, "nanosecs": 5}}'
	oci-nsenter-setup box
	pid=$(init_pid)
	run ! same time
	[ "$(readlink "/proc/$pid/ns/time")" = "$(readlink "/proc/$pid/ns/time_for_children")" ]
	grep -Eq 'boottime +86400000 +0' "/proc/$pid/timens_offsets"
	grep -Eq 'monotonic +100 +5' "/proc/$pid/timens_offsets"
	run -0 nsenter -t "$pid" -T cut -d. -f1 /proc/uptime
	[ "$output" -gt 86400000 ]
}

@test "ids are mapped, and init is root of its user namespace" {
	require userns
	prepare '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 1000}]
		| .linux.gidMappings = [{"containerID": 0, "hostID": 200000, "size": 1000}]'
	oci-nsenter-setup box
	pid=$(init_pid)
	run ! same user
	grep -Eq '^ +0 +100000 +1000$' "/proc/$pid/uid_map"
	grep -Eq '^ +0 +200000 +1000$' "/proc/$pid/gid_map"
	[ "$(awk '/^Uid:/ { print $2, $3 }' "/proc/$pid/status")" = "100000 100000" ]
	[ "$(awk '/^Gid:/ { print $2, $3 }' "/proc/$pid/status")" = "200000 200000" ]
	[ "$(awk '/^Groups:/ { print NF }' "/proc/$pid/status")" = 1 ]
}

@test "a cgroup in which cgroup.kill was used is entered all the same" {
	require root
	v2=/sys/fs/cgroup
	[[ -e $v2/cgroup.procs ]] || v2=$v2/unified
	[[ -e $v2/cgroup.procs ]] || skip "requires cgroup v2"
	mkdir -p "$v2$CGROUP/box"
	echo 1 >"$v2$CGROUP/box/cgroup.kill"
	prepare
	oci-nsenter-setup box
	grep -q "^0::$CGROUP/box$" "/proc/$(init_pid)/cgroup"
	oci delete --force box
	# It was there before us.
	rmdir "$v2$CGROUP/box" "$v2$CGROUP"
}

@test "init ends with its leash, unless it was set free" {
	prepare
	mkfifo leash
	exec 7<>leash 8<leash
	"$OCI_BUILD/oci-nsenter-setup" --root "$ROOT" --leash-fd 8 box 3>&- 7>&-
	pid=$(init_pid)
	exec 8<&-
	kill -0 "$pid"
	exec 7>&-
	wait_for gone "$pid"
}

@test "init that was set free outlives its leash" {
	prepare
	mkfifo leash
	exec 7<>leash 8<leash
	"$OCI_BUILD/oci-nsenter-setup" --root "$ROOT" --leash-fd 8 box 3>&- 7>&-
	pid=$(init_pid)
	printf C >&7
	exec 8<&-
	wait_for [ "$(find "/proc/$pid/fd" -lname 'pipe*leash*' | wc -l)" -eq 0 ]
	wait_for eval "! readlink /proc/$pid/fd/* | grep -q leash"
	exec 7>&-
	kill -0 "$pid"
}

@test "SIGTERM ends a container that is only created" {
	prepare
	oci-nsenter-setup box
	pid=$(init_pid)
	kill -TERM "$pid"
	wait_for gone "$pid"
}

elsewhere() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }
gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }
