#!/usr/bin/env bats
# oci-prepare-root: the root filesystem as a mount of its own; propagation.
# shellcheck disable=SC2154

load ../lib/common

# staged NAME [FILTER]: a container up to the stage before ours.
staged() {
	mkbundle "$@"
	oci-validate "$1" "$BUNDLE" && oci-cgroup "$1" && oci-nsenter-setup "$1"
	PID=$(ctr_pid "$1")
}

# The lines of the container's mount table for a path beneath its root file system ("" is the root).
table() { awk -v p="$BUNDLE/rootfs$1" '$5 == p' "/proc/$PID/mountinfo"; }

# The device number of the file there, as the container has it. (mountpoint(1) would ask the table,
# which also has the mounts that are hidden beneath the root's own.)
device() { nsenter -t "$PID" -m stat -c %d "$BUNDLE/rootfs$1"; }

# A bundle on a shared mount, as systemd's root is. SHARED is unmounted by teardown.
shared_bundle() {
	SHARED=$BATS_TEST_TMPDIR/shared
	mkdir "$SHARED"
	mount -t tmpfs shared "$SHARED"
	mount --make-shared "$SHARED"
	mkbundle "$@"
	mv "$BUNDLE" "$SHARED/$1"
	BUNDLE=$SHARED/$1
	mkdir -p "$BUNDLE/rootfs/later"
	oci-validate "$1" "$BUNDLE" && oci-cgroup "$1" && oci-nsenter-setup "$1"
	PID=$(ctr_pid "$1")
}

teardown() {
	delete_all
	[[ ! ${SHARED-} ]] || umount -l "$SHARED"
	common_teardown
}

@test "the root filesystem becomes a mount of its own" {
	staged box
	[[ ! $(table "") ]]
	run -0 --separate-stderr oci-prepare-root box
	[[ ! $output ]] || show
	[[ $(table "" | wc -l) = 1 ]]
	[[ $(jq -r '.oci.stages[-1].name' "$ROOT/box/state.json") = prepare-root ]]
}

@test "mounts beneath the root filesystem come along" {
	mkbundle box
	mkdir "$BUNDLE/rootfs/sub"
	mount -t tmpfs sub "$BUNDLE/rootfs/sub"
	oci-validate box "$BUNDLE" && oci-cgroup box && oci-nsenter-setup box
	PID=$(ctr_pid box)
	oci-prepare-root box
	# Twice: the namespace's copy, and the root's own.
	[[ $(table /sub | wc -l) = 2 ]]
	umount "$BUNDLE/rootfs/sub"
}

@test "done before, it says so and does nothing" {
	staged box
	oci-prepare-root box
	run -0 --separate-stderr oci-prepare-root box
	[[ $stderr = "oci-prepare-root: has been done before, nothing to do" ]] || show
	[[ $(table "" | wc -l) = 1 ]]
}

@test "out of order, it names the stage that is missing" {
	mkbundle box
	oci-validate box "$BUNDLE"
	run -104 oci-prepare-root box
	[[ $output = *'the stage "nsenter-setup" has not been done'* ]] || show
}

@test "without a mount namespace of the container's own it does nothing" {
	local before
	staged box '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| del(.linux.maskedPaths, .linux.readonlyPaths)'
	before=$(test_mounts)
	run -0 oci-prepare-root box
	[[ $(test_mounts) = "$before" ]]
}

@test "the host's mount table stays as it is" {
	local before
	shared_bundle box
	before=$(test_mounts)
	oci-prepare-root box
	nsenter -t "$PID" -m mount -t tmpfs new "$BUNDLE/rootfs/later"
	[[ $(test_mounts) = "$before" ]]
}

@test "a directory in the place of the validated one is refused" {
	staged box
	mv "$BUNDLE/rootfs" "$BUNDLE/old"
	mkdir "$BUNDLE/rootfs"
	run -104 oci-prepare-root box
	[[ $output = *"/root/path"*"is not the directory that was validated"* ]] || show
	rmdir "$BUNDLE/rootfs"
	ln -s old "$BUNDLE/rootfs"
	run -111 oci-prepare-root box
	[[ $output = *"cannot open the root filesystem"*ELOOP* ]] || show
	[[ ! $(table "") ]]
}

@test "propagation: by default the host's later mounts arrive, and none goes back" {
	shared_bundle box
	oci-prepare-root box
	[[ $(table "") = *' master:'* && $(table "") != *' shared:'* ]] || show "$(table "")"
	mount -t tmpfs later "$BUNDLE/rootfs/later"
	[[ $(device /later) != "$(device "")" ]]
}

@test "propagation: slave is the default" {
	shared_bundle box '.linux.rootfsPropagation = "rslave"'
	oci-prepare-root box
	[[ $(table "") = *' master:'* && $(table "") != *' shared:'* ]]
}

@test "propagation: private receives nothing" {
	shared_bundle box '.linux.rootfsPropagation = "private"'
	oci-prepare-root box
	[[ $(table "") != *' master:'* && $(table "") != *' shared:'* ]]
	mount -t tmpfs later "$BUNDLE/rootfs/later"
	[[ $(device /later) = "$(device "")" ]]
}

@test "propagation: shared is not shared with the host" {
	local before
	shared_bundle box '.linux.rootfsPropagation = "shared"'
	before=$(test_mounts)
	oci-prepare-root box
	nsenter -t "$PID" -m mount -t tmpfs new "$BUNDLE/rootfs/later"
	[[ $(test_mounts) = "$before" ]]
	[[ $(table "") != *' master:'* ]]
}

@test "in a user namespace the path need not be reachable for its root" {
	mkbundle box '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 700 "$BUNDLE"
	oci-validate box "$BUNDLE" && oci-cgroup box && oci-nsenter-setup box
	PID=$(ctr_pid box)
	oci-prepare-root box
	[[ $(table "" | wc -l) = 1 ]]
}

@test "the machine's own root is refused" {
	staged box '.root.path = "/"'
	run -103 oci-prepare-root box
	[[ $output = *'/root/path'*'the root filesystem cannot be "/" itself'* ]] || show
}
