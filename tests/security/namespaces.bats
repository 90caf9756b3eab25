#!/usr/bin/env bats
# T-NOMNT, T-P2: a configuration, or a failing system call, that would let the runtime work in the
# host's own namespaces.

load ../lib/common
load security

# Prints what differs in this mount namespace after a creation of the bundle $1, made in a copy of it:
# some runtimes really do change it.
host_changes() {
	timeout 60 unshare --mount --propagation private bash -c '
		mount --make-shared "$3/host" 2>/dev/null
		list() { cut -d" " -f4- /proc/self/mountinfo | sort; }
		before=$(list)
		"$1" --root "$2" create --bundle "$3/$4" "$4" >"$3/$4.out" 2>"$3/$4.err" </dev/null
		echo $? >"$3/status"
		diff <(echo "$before") <(list)
		"$1" --root "$2" delete --force "$4" >/dev/null 2>&1
		diff <(echo "$before") <(list)
		true' - "$OCI" "$ROOT" "$BATS_TEST_TMPDIR" "$1"
	status=$(<"$BATS_TEST_TMPDIR/status")
}

setup_host() {
	mkdir "$BATS_TEST_TMPDIR/host"
	mount --bind "$BATS_TEST_TMPDIR/host" "$BATS_TEST_TMPDIR/host"
}

teardown() {
	umount -l "$BATS_TEST_TMPDIR/host" 2>/dev/null || true
	security_teardown
}

@test "control: a container with a mount namespace changes no mount of the host" {
	setup_host
	mkbundle box
	[[ $(host_changes box) = "" ]]
	((status == 0)) || [[ $(<status) = 0 ]] || fail "INVALID: $(<box.err)"
}

# T-NOMNT
@test "without a mount namespace no mount of the host is made or changed" {
	local changes
	setup_host
	mkbundle attack '.linux.namespaces |= map(select(.type != "mount"))'
	changes=$(host_changes attack)
	echo "status $(<status): $(<attack.err)"
	[[ ! $changes ]] || fail "$changes"
	[[ $(<status) = 0 ]] || { status=1 && refused attack '(mount|mnt) namespace|namespaces'; }
}

@test "without a mount namespace and without mounts no propagation of the host is changed" {
	local changes
	setup_host
	mkbundle attack '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .linux.rootfsPropagation = "private"'
	changes=$(host_changes attack)
	echo "status $(<status): $(<attack.err)"
	[[ ! $changes ]] || fail "$changes"
	[[ $(<status) = 0 ]] || { status=1 && refused attack '(mount|mnt) namespace|namespaces'; }
}

# T-P2: setns says that it worked, but did not.
@test "a lying setns does not make the host's mounts the container's" {
	[[ ! ${SECURITY_RUNTIME-} ]] || skip "of our own stages"
	require command:strace
	local changes
	setup_host
	mkbundle attack
	printf '#!/bin/sh\nexec strace -qq -f -A -o %s/trace -e trace=setns -e inject=setns:retval=0 %s "$@"\n' \
		"$BATS_TEST_TMPDIR" "$OCI" >lying
	chmod 755 lying
	changes=$(OCI=$BATS_TEST_TMPDIR/lying host_changes attack)
	echo "status $(<status): $(<attack.err)"
	grep -q INJECTED trace || fail "INVALID: nothing was injected"
	[[ ! $changes ]] || fail "$changes"
	[[ $(<status) != 0 ]] || fail "not noticed"
}

# A chroot is left by whoever has CAP_SYS_CHROOT: what is above the root then is what counts.
@test "a mount namespace that is joined by path has nothing of the host above the root" {
	mkbundle a '.mounts += [{destination: "/inner", type: "bind", source: "rootfs", options: ["bind"]}]'
	mkdir "$BUNDLE/rootfs/inner"
	runs a
	mkbundle b '.linux.namespaces = [{type: "pid"}, {type: "mount", path: $p}]
		| .mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | del(.hostname)' \
		--arg p "/proc/$(ctr_pid a)/ns/mnt"
	create b
	# The bundle's directory is not there in a's namespace.
	((status != 0)) || fail "accepted"
	grep -q "cannot open the root filesystem" b.err || fail "INVALID: $(<b.err)"

	unshare --mount --propagation private sleep 1000 3>&- &
	holder=$!
	wait_for other_mounts $holder
	edit "$BUNDLE" '(.linux.namespaces[] | select(.type == "mount")).path = $p' --arg p "/proc/$holder/ns/mnt"
	runs b
	[ "$(readlink "/proc/$PID/ns/mnt")" = "$(readlink /proc/$holder/ns/mnt)" ]
	# The mount that its root is on is one of that namespace.
	mount_id=$(stat_mount_id "/proc/$PID/root")
	grep -q "^$mount_id " /proc/$holder/mountinfo || fail "the root is on a mount of the host's"
	kill $holder
}
other_mounts() { [[ $(readlink "/proc/$1/ns/mnt") != "$(readlink /proc/self/ns/mnt)" ]]; }
stat_mount_id() {
	exec 9<"$1"
	sed -n 's/^mnt_id:[[:space:]]*//p' /proc/self/fdinfo/9 2>/dev/null || sed -n 's/^mnt_id:[[:space:]]*//p' /proc/$BASHPID/fdinfo/9
}
