#!/usr/bin/env bats
# config.md, "User" and "Linux Process": ids, groups, capabilities, no_new_privs.
load ../lib/common
load process

@test "uid and gid are real, effective and saved" {
	seen box '.process.user = {uid: 1000, gid: 1001}'
	see '.uid == [1000, 1000, 1000] and .gid == [1001, 1001, 1001]'
	seen box '.process.user = {uid: 4294967294, gid: 4294967294}'
	see '.uid == [4294967294, 4294967294, 4294967294] and .gid[0] == 4294967294'
}

@test "username is of another system and ignored" {
	seen box '.process.user = {uid: 1000, gid: 1000, username: "root"}'
	see '.uid[0] == 1000'
}

@test "T-GROUPS: the groups are additionalGids exactly, none of the caller's" {
	mkbundle box '.process.args = ["probe"]'
	SEEN=$PWD/seen
	# The driver itself runs with groups.
	setpriv --groups 11,12,13 "$OCI" --root "$ROOT" create box "$BUNDLE" >"$SEEN" 2>err </dev/null || fail "$(<err)"
	oci start box
	wait_for is_status box stopped
	see '.groups == []'
	oci delete box
	seen box '.process.user.additionalGids = [5, 7, 4294967294]'
	see '.groups == [5, 7, 4294967294]'
}

@test "umask is the configured one, and 022 without one, whatever the caller's is" {
	seen box '.process.user.umask = 63'
	see '.umask == 63'
	umask 077
	seen other .
	see '.umask == 18'
}

@test "capabilities: each set is as configured" {
	seen box '.process.noNewPrivileges = false | .process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_BPF"],
		permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_CHOWN"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]} | .process.user = {uid: 1000, gid: 1000}'
	# By an exec the ambient set becomes the permitted and effective ones of who is not root.
	see '.capabilities == {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_BPF"],
		permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	seen box '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"]}'
	# Root's are those of the bounding set by the exec, but with no_new_privs it gains none.
	see '.capabilities.bounding == ["CAP_CHOWN", "CAP_KILL"]'
}

@test "capabilities: init waits with the configured sets" {
	local pid
	mkbundle box '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"],
		permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	oci create box "$BUNDLE" >/dev/null 2>err </dev/null
	pid=$(ctr_pid box)
	[ "$(sed -n 's/^Cap.*:.0*\([^0].*\|0\)$/\1/p' "/proc/$pid/status" | xargs)" = "20 21 1 a1 20" ]
}

@test "capabilities: without the object there are none" {
	seen box 'del(.process.capabilities)'
	see "[.capabilities | .[]] == [[], [], [], [], []]"
}

@test "T-CAPINH: inheritable and ambient are empty unless configured, also when ours are not" {
	mkbundle box '.process.args = ["probe"] | .process.capabilities |= {bounding, permitted, effective}'
	SEEN=$PWD/seen
	setpriv --inh-caps +chown,+kill --ambient-caps +chown,+kill \
		"$OCI" --root "$ROOT" create box "$BUNDLE" >"$SEEN" 2>err </dev/null || fail "$(<err)"
	oci start box
	wait_for is_status box stopped
	see '.capabilities | .inheritable == [] and .ambient == []'
}

@test "MUST: capabilities that cannot be granted are a warning, not an error" {
	mkbundle box '.process.args = ["probe"] | .process.capabilities =
		({bounding, effective, permitted, inheritable, ambient} | map_values(["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_NO_SUCH"]))'
	SEEN=$PWD/seen
	((!(0x$(sed -n 's/^CapEff:.//p' /proc/self/status) >> 24 & 1))) || skip "we hold CAP_SYS_RESOURCE"
	oci create box "$BUNDLE" >"$SEEN" 2>err </dev/null || fail "$(<err)"
	grep -q CAP_NO_SUCH err
	grep -q CAP_SYS_RESOURCE err
	oci start box
	wait_for is_status box stopped
	see '.capabilities | map_values(. == ["CAP_CHOWN"]) | all'
}

@test "capabilities: every single one can be the whole bounding set" {
	local cap number
	mkbundle box
	for cap in $("$TOOLS/probe" capabilities | jq -r '.capabilities.bounding[]'); do
		number=$(awk -v name="$cap" '$1 == "#define" && $2 == name { print $3 }' /usr/include/linux/capability.h)
		edit "$BUNDLE" '.process.capabilities = {bounding: [$cap]}' --arg cap "$cap"
		oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
		[ "$(sed -n 's/^CapBnd:.//p' "/proc/$(ctr_pid box)/status")" = "$(printf %016x $((1 << number)))" ]
		oci delete --force box
	done
}

@test "noNewPrivileges" {
	seen box '.process.noNewPrivileges = true'
	see '.no_new_privs == 1'
	seen box '.process.noNewPrivileges = false'
	see '.no_new_privs == 0'
}

@test "a user namespace: ids are the container's, all capabilities can be granted" {
	require userns
	mkbundle box '.process.args = ["probe"] | .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .process.user = {uid: 1000, gid: 1000, additionalGids: [7]}
		| .process.capabilities = {bounding: ["CAP_SYS_RESOURCE"], permitted: ["CAP_SYS_RESOURCE"],
			effective: ["CAP_SYS_RESOURCE"], inheritable: ["CAP_SYS_RESOURCE"], ambient: ["CAP_SYS_RESOURCE"]}'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	seen_again box
	see '.uid[0] == 1000 and .gid[0] == 1000 and .groups == [7] and .capabilities.effective == ["CAP_SYS_RESOURCE"]'
}

@test "a user namespace: ids that are not mapped are an error" {
	require userns
	local map='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}]
		| .linux.gidMappings = .linux.uidMappings'
	refused "$map | .process.user = {uid: 1000, gid: 0}" /process/user/uid "not mapped"
	refused "$map | .process.user = {uid: 0, gid: 1000}" /process/user/gid "not mapped"
	refused "$map | .process.user = {uid: 0, gid: 0, additionalGids: [1000]}" /process/user/additionalGids
}
