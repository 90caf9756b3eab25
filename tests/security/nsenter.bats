#!/usr/bin/env bats
# oci-nsenter in a running container: its programs are the container's, which may have put anything in
# their place, and its processes watch.

load ../lib/common
load security

# A block device that the container may make, and no list of its config.json allows.
node='.process.capabilities |= with_entries(.value += ["CAP_MKNOD"])'

# device NAME OPTION...: what comes of making and opening it by oci-nsenter, in `output`.
device() { run oci-nsenter "${@:2}" "$1" -- sh -c 'rm -f /node; mknod /node b 7 0 && head -c 0 /node'; }

@test "control: with --privileged a device is the caller's to open" {
	mkbundle box "$node"
	runs box
	device box --privileged
	[[ $output != *"Operation not permitted"* ]] || skip "requires a machine on which root may open devices"
}

@test "a program of the container opens no device that the container may not open" {
	mkbundle box "$node"
	runs box
	device box --privileged
	[[ $output != *"Operation not permitted"* ]] || skip "requires a machine on which root may open devices"
	device box
	[[ $output = *"Operation not permitted"* ]] || show
}

@test "the command is in the container's cgroups, also where they are for others only" {
	local beneath
	mkbundle box
	runs box
	oci-nsenter box -- sleep 98761 3>&- &
	wait_for -t 30 eval 'COMMAND=$(pgrep -f "^sleep 98761\$")'
	diff "/proc/$PID/cgroup" "/proc/$COMMAND/cgroup"
	kill -KILL "$COMMAND"
	wait $! || true
	# As a systemd in the container does it.
	for beneath in /sys/fs/cgroup{,/unified}"$CGROUP"/box; do [[ ! -e $beneath/cgroup.kill ]] || break; done
	[[ $(<"$beneath/cgroup.controllers") ]] || return 0
	mkdir "$beneath/init"
	echo "$PID" >"$beneath/init/cgroup.procs"
	sed 's/^\| / +/g' "$beneath/cgroup.controllers" >"$beneath/cgroup.subtree_control"
	run -0 oci-nsenter box -- true
}

@test "a paused container is not entered, but with --privileged" {
	mkbundle box
	runs box
	oci pause box
	run -104 oci-nsenter box -- true
	[[ $output = 'oci-nsenter: cannot enter the paused container "box"'* ]] || show
	run -0 oci-nsenter --privileged box -- true
	oci resume box
	run -0 oci-nsenter box -- true
}

# Held between its birth in the container and the command, for as long as it takes to look at it.
@test "what becomes the command has nothing of the host's open, and is not the installed program" {
	require command:strace
	local tracer pid file
	mkbundle box
	runs box
	strace -f -qq -o trace -e trace=execve -e inject=execve:delay_enter=20000000:when=1 \
		"$OCI_BUILD/oci-nsenter" --root "$ROOT" box -- true </dev/null >out 2>&1 3>&- &
	tracer=$!
	wait_for -t 60 find_becoming
	pid=$BECOMING
	for file in "/proc/$pid/fd"/*; do
		[[ ${file##*/} -le 2 || $(readlink "$file") = @(pipe:*|anon_inode:*pidfd*|pidfd:*) ]] ||
			fail "$(ls -l "/proc/$pid/fd")"
	done
	[[ $(stat -Lc %d:%i "/proc/$pid/exe") != "$(stat -Lc %d:%i "$(realpath "$OCI")")" ]]
	(($("$TOOLS/exe" seals "/proc/$pid/exe") & 8))
	kill -KILL "$tracer"
	kill -KILL "$pid" || true
	wait "$tracer" || true
}
# The one in the container's pid namespace that is not yet a program of its.
find_becoming() {
	local pid
	for pid in $(grep -l "OCI_TEST=$OCI_TEST" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do
		[[ $pid != "$PID" && $(readlink "/proc/$pid/ns/pid") = "$(readlink "/proc/$PID/ns/pid")" ]] || continue
		BECOMING=$pid
		return 0
	done
	return 1
}
