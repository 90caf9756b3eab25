#!/usr/bin/env bats
# config-linux.md, "Network Devices": what is moved into the container, and what comes back.
#
# The devices are one end each of veth pairs in a network namespace of the test's own, in which the
# commands run, so that nothing of the machine is touched.
load ../lib/common
load process

setup() {
	common_setup
	require root command:ip
	new_ns
	NS=$holder
	in_ns ip link set lo up
}

teardown() {
	kill "${holders[@]}" 2>/dev/null
	common_teardown
}

# new_ns: a network namespace, which lives as long as the process $holder.
holders=()
new_ns() {
	unshare --net sleep 1000 >/dev/null 2>&1 </dev/null 3>&- &
	holder=$!
	holders+=("$holder")
	wait_for -t 60 is_elsewhere "$holder"
}
is_elsewhere() { [[ $(readlink "/proc/$1/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }

in_ns() { nsenter --net="/proc/$NS/ns/net" "$@"; }
# As the test's own commands, in the namespace of the devices.
oci_in() { in_ns "$OCI" --root "$ROOT" "$@" </dev/null; }

# device NAME [ADDRESS...]: one that can be moved; its peer NAME-p stays.
device() {
	local name=$1 address
	in_ns ip link add "$name" type veth peer name "$name-p" || skip "requires veth devices"
	in_ns ip link set "$name-p" up
	shift
	for address; do in_ns ip address add "$address" dev "$name"; done
}

create() { oci_in create "$1" "$BUNDLE" >out 2>err || fail "$(<err)"; }
inside() { nsenter --net="/proc/$(ctr_pid "$1")/ns/net" "${@:2}"; }
addresses() { jq -r '[.[].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" ")'; }

# All that can be seen of the devices, but for counters and what DAD and the carrier do meanwhile.
devices() {
	in_ns ip -j address | jq -S '[.[] | {ifname, ifindex, address, mtu, up: (.flags | index("UP") != null),
		addresses: [.addr_info[] | select(.scope == "global") | {local, prefixlen, broadcast, "label": .label}] | sort}]'
}

@test "MUST: a device is moved, renamed, set up, and keeps its permanent global addresses" {
	device eth7 10.7.0.2/24 10.7.1.2/32 fd07::2/64
	in_ns ip link set eth7 mtu 1400 address 02:00:00:00:00:07 up
	in_ns ip address add 10.9.9.9/24 dev eth7 valid_lft 600 preferred_lft 600
	in_ns ip address add 10.8.8.8/24 dev eth7 scope link
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}}'
	create box
	run ! in_ns ip link show eth7
	inside box ip -j -d link show net0 >link.json
	jq -e '.[0] | .mtu == 1400 and .address == "02:00:00:00:00:07" and (.flags | index("UP"))' link.json || fail "$(<link.json)"
	inside box ip -j address show net0 >seen
	[ "$(addresses <seen)" = "10.7.0.2/24 10.7.1.2/32 fd07::2/64" ] || fail "$(<seen)"
	jq -e '.[0].addr_info[] | select(.local == "10.8.8.8" or .local == "10.9.9.9")' seen && fail "more than was to be kept"
	[ "$(jq -r '.oci.netDevices[0] | "\(.host) \(.name) \(.up)"' "$ROOT/box/state.json")" = "eth7 net0 true" ]
}

@test "without a name it keeps the host's; several are moved" {
	device eth7 10.7.0.2/24
	device eth8 fd08::2/64
	mkbundle box '.linux.netDevices = {eth7: {}, eth8: {name: "b"}}'
	create box
	[ "$(inside box ip -j address show eth7 | addresses)" = 10.7.0.2/24 ]
	[ "$(inside box ip -j address show b | addresses)" = fd08::2/64 ]
	inside box ip -j link | jq -e '[.[] | select(.ifname != "lo") | .flags | index("UP")] | length == 2 and all'
}

@test "a template gets a name of the kernel's" {
	device eth7
	device eth8
	mkbundle box '.linux.netDevices = {eth7: {name: "net%d"}, eth8: {name: "net%d"}}'
	create box
	[ "$(inside box ip -j link | jq -r '[.[].ifname] | sort | join(" ")')" = "lo net0 net1" ]
}

@test "the container sees the device" {
	device eth7 10.7.0.2/24
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}} | .process.args = ["ls", "/sys/class/net"]'
	create box
	oci_in start box
	wait_for -t 60 is_status box stopped
	grep -q net0 out || fail "$(<out)"
}

@test "MUST: a name that is taken is an error, and nothing has been moved" {
	device eth7 10.7.0.2/24 fd07::2/64
	device eth8 10.8.0.2/24
	in_ns ip link set eth7 up
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}, eth8: {name: "net0"}}'
	devices >before
	try oci_in create box "$BUNDLE"
	((status != 0))
	[[ $stderr = 'oci-nsenter-setup: /linux/netDevices/eth8 (config.json:'*'EEXIST: the container'"'"'s network namespace has a device "net0" already' ]] || fail "$stderr"
	devices | diff before -
	[ ! -e "$ROOT/box" ]
	edit "$BUNDLE" '.linux.netDevices = {eth7: {name: "lo"}}'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices/eth7'*'has a device "lo" already'* ]] || fail "$stderr"
	devices | diff before -
}

@test "a device that is not there is an error, and one that belongs to its namespace" {
	device eth7 10.7.0.2/24
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {}, eth9: {}}'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices/eth9'*'ENODEV: there is no network device "eth9"' ]] || fail "$stderr"
	devices | diff before -
	edit "$BUNDLE" '.linux.netDevices = {lo: {name: "lo2"}}'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices/lo'*'cannot move the network device "lo"'*EINVAL* ]] || fail "$stderr"
}

@test "a creation that fails later puts a device back as it was" {
	device eth7 10.7.0.2/24 10.7.1.2/32 fd07::2/64
	in_ns ip link set eth7 mtu 1400 up
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}} | .process.args = ["no-such-program"]'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'executable file not found'* ]] || fail "$stderr"
	devices | diff before -
}

@test "the same with each stage as its tool" {
	device eth7 10.7.0.2/24
	in_ns ip link set eth7 up
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}} | .process.args = ["no-such-program"]'
	try in_ns "$OCI_BUILD/oci-create" --exec --root "$ROOT" box "$BUNDLE"
	[[ $stderr = *'executable file not found'* ]] || fail "$stderr"
	devices | diff before -
	edit "$BUNDLE" '.process.args = ["true"]'
	in_ns "$OCI_BUILD/oci-create" --exec --root "$ROOT" box "$BUNDLE" >out 2>err </dev/null || fail "$(<err)"
	[ "$(inside box ip -j address show net0 | addresses)" = 10.7.0.2/24 ]
}

@test "so does a creation that is given up half-way" {
	device eth7 10.7.0.2/24
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}}'
	in_ns "$OCI_BUILD/oci-create" --root "$ROOT" --until mount box "$BUNDLE" >out 2>err </dev/null || fail "$(<err)"
	inside box ip link show net0
	oci_in delete --force box
	devices | diff before -
}

init_ended() { [[ -e $ROOT/box/state.json && ! -d /proc/$(jq '.oci.init.pid // "none"' "$ROOT/box/state.json") ]]; }

# killed_when STEP: a creation whose driver is killed after it.
killed_when() {
	local status=0
	cat >killer <<-'END'
		#!/bin/sh
		kill -KILL "$(jq .oci.creator.pid "$OCI_STATE_DIR/state.json")"
		sleep 10
	END
	chmod +x killer
	sed "s|^$1.*|&\nexec $PWD/killer|" "$REPO/pipeline/default.pipeline" >p
	(in_ns "$OCI_BUILD/oci-create" --root "$ROOT" --pipeline p box "$BUNDLE" >out 2>err </dev/null) 2>/dev/null || status=$?
	((status == 137)) || fail "not killed but $status: $(<err)"
	wait_for -t 60 init_ended
}

@test "a creation that is killed has lost no device: delete puts it back, as it was" {
	device eth7 10.7.0.2/24 10.7.1.2/32 fd07::2/64
	device eth8 10.8.0.2/24
	in_ns ip link set eth7 mtu 1400 up
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}, eth8: {name: "net%d"}}'
	for step in nsenter-setup pivot; do
		killed_when "$step"
		run ! in_ns ip link show eth7
		oci_in delete --force box
		devices | diff before - || fail "$step"
		[ ! -e "$ROOT/box" ]
		[ "$(test_mounts)" = "$MOUNTS_BEFORE" ]
	done
	# So does the next creation of that name, which moves it again.
	killed_when mount
	create box
	[ "$(inside box ip -j address show net0 | addresses)" = "10.7.0.2/24 10.7.1.2/32 fd07::2/64" ]
	[ ! -e "$ROOT/box/netns" ]
	[ "$(test_mounts)" = "$MOUNTS_BEFORE" ]
}

@test "nor has one whose driver is killed before, between and after the move and its record" {
	device eth7 10.7.0.2/24
	in_ns ip link set eth7 up
	devices >before
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}}'
	mkdir -p install/libexec
	cp "$OCI_BUILD/oci" install/oci
	for when in 'plan before' 'plan after' 'move before' 'move after'; do
		cat >install/libexec/oci-netdev <<-END
			#!/bin/sh
			driver=\$(jq .oci.creator.pid "$ROOT/box/state.json")
			[ "\$1 before" != "$when" ] || kill -KILL \$driver
			"$OCI_BUILD/libexec/oci-netdev" "\$@"
			[ "\$1 after" != "$when" ] || kill -KILL \$driver
		END
		chmod +x install/libexec/oci-netdev
		(in_ns "$PWD/install/oci" --root "$ROOT" create box "$BUNDLE" >out 2>err </dev/null) 2>/dev/null && fail "$when: not killed"
		wait_for -t 60 init_ended
		[[ $when != 'move after' ]] || run ! in_ns ip link show eth7
		oci_in delete --force box
		devices | diff before - || fail "$when"
		[[ ! -e $ROOT/box && $(test_mounts) = "$MOUNTS_BEFORE" ]]
	done
}

@test "MUST NOT: when the container is deleted nothing is moved back: a virtual device ends" {
	device eth7 10.7.0.2/24
	mkbundle box '.linux.netDevices = {eth7: {}}'
	create box
	oci_in start box
	oci_in delete --force box
	gone() { ! in_ns ip link show eth7-p >/dev/null 2>&1; }
	wait_for -t 60 gone
	run ! in_ns ip link show eth7
}

@test "with a user namespace of the container's" {
	device eth7 10.7.0.2/24
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}} | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BUNDLE"
	create box
	[ "$(inside box ip -j address show net0 | addresses)" = 10.7.0.2/24 ]
}

@test "a namespace that is joined gets the device, and keeps it" {
	device eth7 10.7.0.2/24
	new_ns
	mkbundle box '.linux.netDevices = {eth7: {name: "net0"}}
		| (.linux.namespaces[] | select(.type == "network")).path = "/proc/'"$holder"'/ns/net"'
	create box
	oci_in delete --force box
	run -0 nsenter --net="/proc/$holder/ns/net" ip link show net0
}

@test "MUST: without a network namespace there is nowhere to move it to" {
	device eth7
	mkbundle box '.linux.netDevices = {eth7: {}} | .linux.namespaces |= map(select(.type != "network"))'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices'*'no network namespace'* ]] || fail "$stderr"
	edit "$BUNDLE" '.linux.namespaces += [{type: "network", path: "/proc/'"$NS"'/ns/net"}]'
	try oci_in create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices'*'is the one that the devices are in'* ]] || fail "$stderr"
}

@test "without devices the helper program is not needed" {
	mkbundle box
	mkdir install
	cp "$OCI_BUILD/oci" install/oci
	"$PWD/install/oci" --root "$ROOT" create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	oci delete --force box
	edit "$BUNDLE" '.linux.netDevices = {eth7: {}}'
	try in_ns "$PWD/install/oci" --root "$ROOT" create box "$BUNDLE"
	[[ $stderr = *'/linux/netDevices'*'helper program "oci-netdev" is not installed'* ]] || fail "$stderr"
}
