#!/usr/bin/env bats
# config-linux.md: what has no file of its own.
load ../lib/common
load process

# ---- IntelRdt: what is done in resctrl is in tests/unit/test_rdt.c -----------------------------------

@test "MUST: intelRdt without a mounted resctrl is an error, and nothing is left" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip "requires a machine without resctrl"
	refused '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"]}' \
		'/linux/intelRdt (config.json:' 'is set, but resctrl is not mounted'
	mkbundle box '.linux.intelRdt = {}'
	try oci-create box "$BUNDLE"
	((status == 103)) || fail "$status $stderr"
	[ "$(test_cgroups)" = "" ]
}

# ---- Devices in a user namespace ---------------------------------------------------------------------

USERNS='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
	| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
# One that the host has no node for is among them.
DEVICES='.linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 432, uid: 7, gid: 8},
	{path: "/dev/here/zero", type: "c", major: 1, minor: 5, fileMode: 438},
	{path: "/dev/none", type: "b", major: 240, minor: 7, fileMode: 384, uid: 9},
	{path: "/dev/pipe", type: "p", fileMode: 416, uid: 3}]
	| .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]'

# The directories above the bundle can be entered by ids of the container's.
open_up() { chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR" "$BUNDLE" 2>/dev/null || true; }

device_facts='for f in fuse here/zero none pipe null tty; do stat -c "%n %F %t:%T %a %u:%g" /dev/$f; done
	head -c 3 /dev/here/zero | od -An -tx1; echo x >/dev/null && echo written'

sees_devices() {
	diff - <(tail -8 "$1") <<-'END'
		/dev/fuse character special file a:e5 660 7:8
		/dev/here/zero character special file 1:5 666 0:0
		/dev/none block special file f0:7 600 9:0
		/dev/pipe fifo 0:0 640 3:0
		/dev/null character special file 1:3 666 0:0
		/dev/tty character special file 5:0 666 0:0
		 00 00 00
		written
	END
}

@test "devices: fileMode, uid and gid hold in a user namespace, also without a node on the host" {
	require root userns
	mkbundle box "$USERNS | $DEVICES | .process.args = [\"sh\", \"-c\", \$facts]" --arg facts "$device_facts"
	open_up
	before=$(host_mounts)
	seen_again box
	sees_devices "$SEEN" || fail "$(<"$SEEN")"
	[ "$before" = "$(host_mounts)" ]
}

@test "devices: the same on a kernel that clones no detached mounts" {
	require root userns command:strace
	mkbundle box "$USERNS | $DEVICES | del(.mounts[] | select(.type == \"cgroup\"))
		| .process.args = [\"sh\", \"-c\", \$facts + \"; grep devices /proc/self/mountinfo\"]" \
		--arg facts "$device_facts"
	open_up
	oci-create --until prepare-root box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	strace -f -qq -o trace -e trace=open_tree -e inject=open_tree:error=EINVAL:when=1 \
		"$OCI_BUILD/oci-mount" --root "$ROOT" box || fail "$(<trace)"
	grep -q INJECTED trace
	oci-create --resume box >>out 2>&1 </dev/null || fail "$(<out)"
	oci start box
	wait_for -t 60 is_status box stopped
	# Nothing of the tmpfs is left but what stands for a device.
	! grep ' - tmpfs devices ' out | grep -v '^[0-9]* [0-9]* [0-9:]* /[0-9]* /dev/' || fail "$(<out)"
	grep -v ' - tmpfs devices ' out >facts
	sees_devices facts || fail "$(<out)"
}

@test "devices: an owner that is not mapped is an error" {
	require root userns
	mkbundle box "$USERNS"' | .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 5, gid: 70000}]'
	open_up
	try oci create box "$BUNDLE"
	[[ $stderr = *'/linux/devices/0/gid'*'the group 70000 is not mapped'* ]] || fail "$stderr"
}

@test "devices: what only the host's device could give must be what it is" {
	require root userns command:setpriv
	mkbundle box "$USERNS"' | .linux.devices = [{path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 384}]'
	open_up
	# Root without CAP_MKNOD, as engines of today give it to nobody.
	try setpriv --bounding-set -mknod "$OCI" --root "$ROOT" create box "$BUNDLE"
	((status != 0))
	[[ $stderr = *'/linux/devices/0'*'the host'"'"'s "/dev/zero" has mode 0666 and owner '*', not mode 0600'* ]] || fail "$stderr"
	edit "$BUNDLE" '.linux.devices[0].fileMode = 438'
	setpriv --bounding-set -mknod "$OCI" --root "$ROOT" create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
}

# ---- Sysctl ------------------------------------------------------------------------------------------

@test "sysctl: parameters of the network, IPC and UTS namespaces" {
	local key before
	before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ping_group_range /proc/sys/fs/mqueue/msg_max)
	mkbundle box '.process.args = ["sh", "-c", "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax net/ipv4/ping_group_range fs/mqueue/msg_max"]
		| .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "9999", "net/ipv4/ping_group_range": "5 6", "fs.mqueue.msg_max": "77"}'
	seen_again box
	[ "$(tr '\t\n' '  ' <"$SEEN")" = "1 9999 5 6 77 " ] || fail "$(<"$SEEN")"
	[ "$before" = "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ping_group_range /proc/sys/fs/mqueue/msg_max)" ]
	refused '.linux.sysctl = {"net.ipv4.no_such": "1"}' /linux/sysctl/net.ipv4.no_such ENOENT
	refused '.linux.sysctl = {"net.ipv4.ip_forward": "abc"}' /linux/sysctl/net.ipv4.ip_forward EINVAL
}

# ---- Time ---------------------------------------------------------------------------------------------

@test "timeOffsets: the clocks are shifted; what is out of range is an error" {
	local up
	mkbundle box '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: 7, nanosecs: 5}, boottime: {secs: 1000000}}
		| .process.args = ["sh", "-c", "cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime"]'
	seen_again box
	[[ $(sed -n 's/  */ /g; 1,2p' "$SEEN") = "monotonic 7 5"$'\n'"boottime 1000000 0" ]] || fail "$(<"$SEEN")"
	up=$(sed -n 3p "$SEEN")
	((up >= 1000000)) || fail "$(<"$SEEN")"
	refused '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {monotonic: {secs: -100000000000}}' \
		/linux/timeOffsets/monotonic ERANGE
	refused '.linux.timeOffsets = {monotonic: {secs: 1}}' /linux/timeOffsets 'no time namespace'
	refused '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {realtime: {secs: 1}}' /linux/timeOffsets realtime
	refused '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {nanosecs: 1000000000}}' \
		/linux/timeOffsets/boottime/nanosecs
}

# ---- Annotations ---------------------------------------------------------------------------------------

@test "annotations are in the state, unchanged, and mean nothing" {
	local annotations='{"org.example.key": "value", "a/b": "\u0001\"{}", "org.systemd.property.X": "1", "run.oci.hooks.stderr": "/x"}'
	mkbundle box ".annotations = $annotations"
	oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	oci state box | jq -e --argjson want "$annotations" '.annotations == $want'
	refused '.annotations = {"a": 1}' /annotations/a
}

# ---- Root file system propagation ---------------------------------------------------------------------

@test "rootfsPropagation: every value" {
	local value
	for value in shared slave private unbindable rshared rslave rprivate runbindable; do
		seen box '.linux.rootfsPropagation = $value | .process.args = ["grep", " / / ", "/proc/self/mountinfo"]
			| .process.args[1] = "/rootfs / "' --arg value "$value"
		case $value in
		*shared) grep -q ' shared:' "$SEEN" ;;
		*unbindable) grep -q ' unbindable ' "$SEEN" ;;
		*) ! grep -Eq ' (shared:|unbindable)' "$SEEN" ;;
		esac || fail "$value: $(<"$SEEN")"
	done
	refused '.linux.rootfsPropagation = "open"' /linux/rootfsPropagation open
}
