#!/usr/bin/env bats
# T-ROOTLINK: the bundle's rootfs is a link, or becomes one. CVE-2026-48749 and its kind (incus), CVE-2026-39860 (nix).
#
# What counts as the root filesystem is decided once, when the bundle is validated: a link that the caller's
# config.json names is followed then, the directory is recorded by device and inode, and nothing that is put in
# its place later is taken for it.

load ../lib/common
load security

@test "control: a rootfs that is a directory runs" {
	mkbundle plain
	runs plain
	[ "$(stat -c %d:%i "/proc/$PID/root/")" = "$(stat -c %d:%i "$BUNDLE/rootfs")" ]
}

@test "a rootfs that is a link to the host's root is refused" {
	local before
	mkbundle attack
	rm -r "$BUNDLE/rootfs"
	ln -s / "$BUNDLE/rootfs"
	before=$(host_mounts)
	create attack
	refused attack 'root'
	[ "$before" = "$(host_mounts)" ]
}

@test "root.path that is the host's root by another name is refused" {
	local path
	for path in / /. /proc/1/root /proc/self/root ../../../../../../../../../..; do
		mkbundle attack '.root.path = $path' --arg path "$path"
		create attack
		refused attack 'root' || fail "$path"
	done
}

@test "a link to another directory is that directory, recorded by device and inode" {
	mkbundle attack
	mv "$BUNDLE/rootfs" real
	ln -s "$PWD/real" "$BUNDLE/rootfs"
	create attack
	if ((status)); then
		refused attack 'root'
		return
	fi
	[ "$(jq -r .oci.rootfs "$ROOT/attack/state.json")" = "$PWD/real" ]
	[ "$(jq -r '.oci.rootIno' "$ROOT/attack/state.json")" = "$(stat -c %i real)" ]
}

@test "a rootfs that is exchanged for a link during the creation is refused" {
	local stage
	for stage in validate nsenter-setup prepare-root mount; do
		mkbundle attack
		oci-create --until "$stage" attack "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
		mv "$BUNDLE/rootfs" "real-$stage"
		ln -s "$OUT" "$BUNDLE/rootfs"
		status=0
		oci-create --resume attack >attack.out 2>attack.err </dev/null || status=$?
		if ((status == 0)); then
			# The mount on the directory was made before: it is what it was.
			[[ $stage = @(prepare-root|mount) ]] || fail "accepted after $stage"
			[ "$(stat -c %i "/proc/$(ctr_pid attack)/root/")" = "$(stat -c %i "real-$stage")" ]
		else
			: >attack.start
			refused attack 'root'
		fi
		[ "$(find "$OUT" -mindepth 1 -printf '%P\n')" = canary ] || fail "the outside was changed: $(outside)"
		oci-delete --force attack 2>/dev/null || true
		rm -rf "$BUNDLE"
	done
}
