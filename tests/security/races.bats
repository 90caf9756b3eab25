#!/usr/bin/env bats
# T-45310: a process that shares a volume exchanges a directory and a link while a mount destination
# in that volume is made. CVE-2021-30465 and CVE-2024-45310 (runc). RACES=300 for a longer run.
# alone: the rate at which it fires depends on what else runs

load ../lib/common
load security

RACES=${RACES:-100}

teardown() {
	[[ ! ${racer-} ]] || kill "$racer" 2>/dev/null || true
	security_teardown
}

# race MOUNT: creates the container again and again with that mount in the contested volume.
race() {
	local i before started=0 vol=$BATS_TEST_TMPDIR/vol
	mkdir -p "$vol/a"
	ln -s "$OUT" "$vol/b"
	mkbundle attack ".mounts += [{destination: \"/vol\", type: \"bind\", source: \$vol, options: [\"bind\", \"rw\"]},
		$1]" --arg vol "$vol" --arg file /etc/hostname
	runs attack # The control: nobody exchanges anything yet.
	oci delete --force attack
	rm -rf "$vol/a"
	mkdir "$vol/a"
	before=$(outside)
	"$TOOLS/swapper" 300 "$vol/a" "$vol/b" </dev/null >/dev/null 2>&1 3>&- &
	racer=$!
	for ((i = 0; i < RACES; i++)); do
		create attack >/dev/null
		((status)) || started=$((started + 1))
		[[ $(outside) = "$before" ]] || fail "in round $i: $(outside)" || return
		oci delete --force attack >/dev/null 2>&1 || true
	done
	kill "$racer" || fail "INVALID: the racer is gone"
	echo "$started of $RACES started"
}

@test "nothing is made outside when a volume's directory is exchanged for a link" {
	race '{destination: "/vol/a/d1/d2/d3", type: "tmpfs", source: "t"}'
}

@test "no file is made outside when a volume's directory is exchanged for a link" {
	race '{destination: "/vol/a/d1/file", type: "bind", source: $file, options: ["bind"]}'
}

# As another container that has the same directory as its root would do it, for a moment.
@test "a mount point that is renamed when its files are masked does not leave them open" {
	local path
	for path in proc sys; do
		mkbundle attack '.linux.maskedPaths = ["/proc/keys", "/sys/firmware"]'
		oci-create --until mount attack "$BUNDLE" >attack.out 2>&1 </dev/null || fail "$(<attack.out)"
		mv "$BUNDLE/rootfs/$path" "$BUNDLE/rootfs/moved"
		mkdir -p "$BUNDLE/rootfs/$path/firmware"
		touch "$BUNDLE/rootfs/$path/keys"
		status=0
		oci-create --resume attack >attack.out 2>attack.err </dev/null || status=$?
		: >attack.start
		refused attack "\"/$path\" is not the mount any more" || fail "$(<attack.err)"
		oci-delete --force attack 2>/dev/null || true
		rm -rf "$BUNDLE"
	done
	# One mount in the place of the other.
	mkbundle attack '.linux.maskedPaths = ["/proc/keys"]'
	oci-create --until mount attack "$BUNDLE" >attack.out 2>&1 </dev/null || fail "$(<attack.out)"
	mv "$BUNDLE/rootfs/proc" "$BUNDLE/rootfs/moved"
	mv "$BUNDLE/rootfs/sys" "$BUNDLE/rootfs/proc"
	status=0
	oci-create --resume attack >attack.out 2>attack.err </dev/null || status=$?
	refused attack '"/proc" is not the mount any more' || fail "$(<attack.err)"
}
