#!/usr/bin/env bats
# oci-nsenter: a look into a container.
load ../lib/common

@test "before the pivot the host's programs see the container's mounts" {
	mkbundle box
	oci-create --until mount c box 2>err </dev/null
	run -0 oci-nsenter c -- sh -c 'echo "$PWD $OCI_ROOTFS"'
	[ "$output" = "$BUNDLE/rootfs $BUNDLE/rootfs" ] || show
	run -0 oci-nsenter c -- findmnt --noheadings --output TARGET,FSTYPE "$BUNDLE/rootfs/proc"
	[[ $output = "$BUNDLE/rootfs/proc"*proc ]] || show
	run -0 oci-nsenter c hostname
	[ "$output" = "$(jq -r .hostname box/config.json)" ] || show
}

@test "before the pivot --chroot shows the image" {
	mkbundle box
	echo mine >box/rootfs/only-here
	oci-create --until prepare-root c box 2>err </dev/null
	run -0 oci-nsenter --chroot c -- cat /only-here
	[ "$output" = mine ] || show
	run -127 oci-nsenter --chroot c -- findmnt
}

@test "in a running container it has the container's namespaces, files and environment" {
	local pid ns
	start_ctr box '.process.env += ["COLOUR=red"]'
	pid=$(ctr_pid box)
	run -0 oci-nsenter box -- sh -c 'echo $COLOUR; pwd; ls /proc | grep -c "^1$"; cat /etc/group'
	[ "${lines[*]}" = "red / 1 root:x:0: user:x:1000:" ] || show
	for ns in ipc mnt net pid uts; do
		run -0 oci-nsenter box -- readlink "/proc/self/ns/$ns"
		[ "$output" = "$(readlink "/proc/$pid/ns/$ns")" ] || fail "$ns: $output"
	done
}

@test "in a user namespace it is the container's root" {
	require userns
	mkbundle box '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 box/rootfs
	chmod 755 . box
	oci create c box >out 2>err </dev/null || fail "$(<err)"
	run -0 oci-nsenter c -- sh -c 'id -u; cat /proc/self/uid_map | tr -s " "'
	[ "${lines[0]}" = 0 ] || show
	[ "${lines[1]}" = " 0 100000 65536" ] || show
}

@test "programs of the image get no capability that the container has not" {
	start_ctr box
	run -0 oci-nsenter box -- sh -c 'grep -E "Cap(Prm|Eff|Bnd)|NoNewPrivs" /proc/self/status | cut -f2'
	[ "$(sort -u <<<"$output" | tr '\n' ' ')" = "0000000020000420 1 " ] || show
	run -0 oci-nsenter --privileged box -- grep CapBnd /proc/self/status
	[ "${output#*:	}" = "$(awk '/CapBnd/ { print $2 }' /proc/self/status)" ] || show
}

@test "the caller's inheritable and ambient capabilities are not the command's" {
	require command:setpriv
	start_ctr box
	run -0 setpriv --inh-caps +chown,+net_raw --ambient-caps +chown,+net_raw "$OCI_BUILD/oci-nsenter" --root "$ROOT" box -- \
		sh -c 'grep ^Cap /proc/self/status | cut -f2'
	# Inheritable, permitted, effective, bounding, ambient.
	[ "${lines[*]}" = "0000000000000000 0000000020000420 0000000020000420 0000000020000420 0000000000000000" ] || show
}

@test "nothing of ours is open in the command" {
	start_ctr box
	run -0 --separate-stderr oci-nsenter box -- ls /proc/self/fd
	# And ls's own.
	[ "${lines[*]}" = "0 1 2 3" ] || show
}

@test "it exits as the command does" {
	start_ctr box
	run -7 oci-nsenter box -- sh -c 'exit 7'
	run -143 oci-nsenter box -- sh -c 'kill -TERM $$'
	run -127 oci-nsenter box -- /none/such
	[ "$output" = 'oci-nsenter: cannot run "/none/such": ENOENT' ] || show
	run -126 oci-nsenter box -- /etc/passwd
	[ "$output" = 'oci-nsenter: cannot run "/etc/passwd": EACCES' ] || show
}

@test "options of the command are the command's" {
	start_ctr box
	run -0 oci-nsenter box echo --privileged -h
	[ "$output" = "--privileged -h" ] || show
}

@test "without a command it is a shell" {
	start_ctr box
	run -0 oci-nsenter box <<<'echo in $(hostname)'
	[ "$output" = "in $(jq -r .hostname box/config.json)" ] || show
}

@test "without a process there is nothing to enter" {
	mkbundle box
	oci-create --until cgroup c box 2>err </dev/null
	run -104 oci-nsenter c
	[ "$output" = 'oci-nsenter: container "c" has no process yet' ] || show
	run -104 oci-nsenter none
	[ "$output" = 'oci-nsenter: container "none" does not exist' ] || show
	start_ctr box2 '.process.args = ["true"]'
	wait_for is_status box2 stopped
	run -104 oci-nsenter box2
	[[ $output = *"has ended" ]] || show
}

@test "the command ends with oci-nsenter" {
	local pid
	start_ctr box
	"$OCI_BUILD/oci-nsenter" --root "$ROOT" box -- sh -c 'echo began >/began; exec sleep 1000' &
	pid=$!
	wait_for test -e box/rootfs/began
	kill -KILL $pid
	wait $pid || true
	wait_for eval '[[ $(oci-nsenter box -- sh -c "ps | grep -c [s]leep") = 1 ]]'
}

@test "a user without root enters what is theirs" {
	require root userns
	mkbundle box '.linux.namespaces = [{type: "mount"}, {type: "pid"}, {type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 1234, size: 1}] | .linux.gidMappings = .linux.uidMappings
		| .mounts = [] | del(.hostname, .linux.resources, .linux.cgroupsPath)'
	mkdir mine
	mv box mine
	chown -R 1234:1234 mine
	chmod 755 . "$BATS_RUN_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
	as_user() { setpriv --reuid 1234 --regid 1234 --clear-groups "$OCI_BUILD/$1" --root "$PWD/mine/root" "${@:2}"; }
	as_user oci-create --until mount c mine/box 2>err </dev/null || fail "$(<err)"
	run as_user oci-nsenter c -- sh -c 'id -u; pwd'
	as_user oci-delete c
	[ "${lines[*]}" = "0 $PWD/mine/box/rootfs" ] || show
}

@test "a time namespace is joined" {
	start_ctr box '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 100000}}'
	run -0 oci-nsenter box -- cat /proc/uptime
	((${output%%.*} > 100000)) || show
}

@test "without a pivot it is the container's root all the same" {
	mkbundle box
	echo mine >box/rootfs/only-here
	oci create --no-pivot c box >out 2>err </dev/null || fail "$(<err)"
	run -0 oci-nsenter c -- cat /only-here
	[ "$output" = mine ] || show
}
