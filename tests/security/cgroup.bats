#!/usr/bin/env bats
# T-DEVDENY, T-CGRO, T-CGPATH, T-BPF: what a container may not do by means of cgroups.
# GHSA-g54h-m393-cpwq and CVE-2023-25809 (runc), crun's paths of cgroups, the kernel's query of programs.

load ../lib/common
load security

# on_v2 FUNCTION: in a mount namespace whose only cgroups are those of v2.
on_v2() {
	[[ -e /sys/fs/cgroup/cgroup.controllers || -e /sys/fs/cgroup/unified/cgroup.controllers ]] ||
		skip "requires cgroup v2"
	export -f oci "${1?}" wait_for fail
	export OCI BUNDLE CGROUP ROOT TOOLS BATS_TEST_TMPDIR
	# The same mount: a new one would change the options of all of them.
	unshare -m bash -euc 'mount --make-rprivate / && { [ -e /sys/fs/cgroup/cgroup.controllers ] ||
		mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; } && "$@"' bash "$@"
}

# ---- T-DEVDENY -----------------------------------------------------------------------------------

# A container that makes the node of a block device and opens it; what it says is in BUNDLE/rootfs/said.
tries='["sh", "-c", "mknod /tmp/disk b 7 0; { cat /tmp/disk; } 2>&1 | head -c 200; cat /dev/null && echo null works"]'
may_mknod='.process.capabilities |= with_entries(.value += ["CAP_MKNOD"]) | .process.args = $a'

try_device() {
	oci create box "$BUNDLE" >said 2>&1 </dev/null && oci start box
	wait_for -t 60 grep -q 'null works' said
	oci delete --force box
}

@test "control: a device that is allowed is opened, or is not there" {
	mkbundle box "$may_mknod | .linux.resources.devices = [{\"allow\": true, \"access\": \"rwm\"}]" --argjson a "$tries"
	try_device
	[[ $(<said) != *"not permitted"* ]] || fail "INVALID: $(<said)"
}

@test "devices are denied that no list allows" {
	local list
	for list in 'del(.linux.resources.devices)' '.linux.resources.devices = []' 'del(.linux.resources)' \
		'.linux.resources.devices = [{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}]'; do
		mkbundle box "$may_mknod | $list" --argjson a "$tries"
		try_device
		[[ $(<said) = *"/tmp/disk"*"not permitted"* ]] || fail "$list: $(<said)"
	done
}

@test "devices are denied on cgroup v2 that no list allows" {
	[[ ! ${SECURITY_RUNTIME-} ]] || skip "runc needs controllers"
	local list
	for list in 'del(.linux.resources.devices)' '.linux.resources.devices = []' 'del(.linux.resources)'; do
		mkbundle box "$may_mknod | $list" --argjson a "$tries"
		on_v2 try_device
		[[ $(<said) = *"/tmp/disk"*"not permitted"* ]] || fail "$list: $(<said)"
	done
}

# ---- T-CGRO --------------------------------------------------------------------------------------

writes='["sh", "-c", "for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/escape && echo wrote $d; done 2>/dev/null; echo done; exec sleep 1000"]'

# cgroup_mounts PID: the options of the mounts of cgroups that can be reached.
cgroup_mounts() {
	awk '{ for (i = 7; $i != "-"; i++); if ($(i + 1) ~ /^cgroup/) last[$5] = $6 } END { for (at in last) print at, last[at] }' \
		"/proc/$1/mountinfo"
}

# read_only: the container box can write to no cgroup.
read_only() {
	runs box
	wait_for -t 60 grep -q 'done' box.out
	[[ $(<box.out) != *wrote* ]] || fail "$(<box.out)"
	run cgroup_mounts "$PID"
	[[ $output ]] || fail "INVALID: no cgroups are mounted"
	[[ $(grep -v ' ro\(,\|$\)' <<<"$output") = "" ]] || fail "$output"
}

@test "cgroups that are mounted read-only are, without a cgroup namespace" {
	mkbundle box '.linux.namespaces |= map(select(.type != "cgroup")) | .process.args = $a' --argjson a "$writes"
	read_only
}

@test "cgroups that are mounted read-only are, with the host's /sys beneath" {
	mkbundle box '.linux.namespaces |= map(select(.type != "cgroup")) | .process.args = $a
		| .mounts |= map(if .destination == "/sys" then
			{destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"]}
			else . end)' --argjson a "$writes"
	read_only
}

@test "cgroups that are mounted read-only are, in a user namespace" {
	mkbundle box '.linux.namespaces |= map(select(.type != "cgroup")) + [{"type": "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .process.args = $a' --argjson a "$writes"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	read_only
}

# ---- T-CGPATH ------------------------------------------------------------------------------------

# paths_of PID: its cgroups, without those of hierarchies that have no directory of ours.
paths_of() { cut -d: -f3- "/proc/$1/cgroup" | sort -u; }

@test "a path of cgroups stays in its place" {
	local path
	for path in "$CGROUP//deep///box" "$CGROUP/./box" "${CGROUP#/}/box"; do
		mkbundle box '.linux.cgroupsPath = $p' --arg p "$path"
		runs box
		[[ $(paths_of "$PID") = "$CGROUP/"* ]] || fail "$path: $(paths_of "$PID")"
		oci delete --force box
	done
}

@test "a path of cgroups that leaves its place is refused" {
	local path long
	long=$(printf '/%.0sa' {1..2100})
	for path in "$CGROUP/../../escape" .. "a/../../b" "/.." $'/a\nb' "$CGROUP$long"; do
		mkbundle box '.linux.cgroupsPath = $p' --arg p "$path"
		create box
		((status)) || fail "not refused: ${path:0:50}"
		refused box cgroupsPath
		[[ ! $(find /sys/fs/cgroup -maxdepth 3 -name escape) ]]
	done
}

@test "names of which one begins with the other are two" {
	mkbundle ab '.linux.cgroupsPath = $p' --arg p "$CGROUP/ab"
	runs ab
	mkbundle abc '.linux.cgroupsPath = $p' --arg p "$CGROUP/abc"
	runs abc
	oci kill --all ab KILL
	oci delete --force ab
	is_status abc running || fail "abc is $(ctr_status abc)"
	kill -0 "$PID"
}

@test "a process of exec is beneath the container's cgroup" {
	mkbundle box '.linux.cgroupsPath = $p' --arg p "$CGROUP/box"
	runs box
	start box
	local path
	for path in ../box2 /../x ../../ "box/../../x" "../$(basename "$CGROUP")"; do
		run ! oci exec --cgroup "$path" box true
	done
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*" -name box2) ]]
}

# ---- T-BPF ---------------------------------------------------------------------------------------

many_lives() {
	local i
	for i in {1..100}; do
		oci create "b$i" "$BUNDLE" >out 2>&1 </dev/null
		oci update --resources - "b$i" <<<"$CHANGE"
		[[ $("$TOOLS/programs" "/sys/fs/cgroup$CGROUP/box" | wc -l) = 1 ]]
		oci delete --force "b$i"
	done
}

@test "a hundred programs of devices, replaced and gone" {
	[[ ! ${SECURITY_RUNTIME-} ]] || skip "programs have other names"
	mkbundle box '.linux.resources.devices = [{"allow": false, "access": "rwm"}]'
	export CHANGE='{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 200, "access": "r"}]}'
	before=$("$TOOLS/programs" | sort)
	on_v2 many_lives
	# Other tests may have theirs meanwhile: those that are new, and stay.
	leaked() { [[ $(comm -13 <(echo "$before") <("$TOOLS/programs" | sort) | wc -l) -lt 50 ]]; }
	wait_for -t 60 leaked
}

# A container that owns its cgroup nests cgroups deeper than there are descriptors.
@test "processes in cgroups a hundred levels deep are listed, signalled and ended with 40 descriptors" {
	local dir deep pid
	mkbundle box
	runs box
	for dir in /sys/fs/cgroup{,/unified}"$CGROUP"/box; do [[ ! -e $dir/cgroup.kill ]] || break; done
	[[ -e $dir/cgroup.procs ]] || dir=/sys/fs/cgroup/freezer$CGROUP/box
	deep=$dir$(printf '/d%.0s' {1..100})
	mkdir -p "$deep" "$dir/d/d/other"
	(
		echo "$BASHPID" >"$deep/cgroup.procs"
		exec sleep 1000 3>&-
	) &
	pid=$!
	wait_for grep -qx "$pid" "$deep/cgroup.procs"
	run -0 few oci ps --format json box
	[[ $(jq -c sort <<<"$output") = "$(jq -nc --argjson a "$PID" --argjson b "$pid" '[$a, $b] | sort')" ]] || show
	run -0 few oci kill --all box TERM
	wait "$pid" || (($? == 143))
	run -0 few oci delete --force box
	[[ ! -d $dir ]]
}
few() { (ulimit -n 40 && "$@"); }
