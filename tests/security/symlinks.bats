#!/usr/bin/env bats
# T-SYM, T-OLDROOT, T-CWDLINK, T-0711: links in the image that point out of it.
# CVE-2015-1335 (lxc), CVE-2019-18837 (crun), CVE-2026-87766 (bubblewrap), GHSA-q6r4-3wmg-fwcq (podman).

load ../lib/common
load security

@test "control: mounts at plain directories and files run" {
	mkbundle plain '.mounts += [{destination: "/a/x", type: "tmpfs", source: "t"},
		{destination: "/etc/resolv.conf", source: $file, options: ["bind"]}]' \
		--arg file "$OUT/canary"
	runs plain
	mountpoints "$PID" | grep -x /a/x
	mountpoints "$PID" | grep -x /etc/resolv.conf
}

# link_stays_inside AT LINK TARGET DESTINATION: mounts at DESTINATION in a root file system where LINK
# points to TARGET. Afterwards the outside is as before and the mount, if there is one, is at AT in the
# container ("anywhere": mountinfo lists only what can be reached from the container's root).
link_stays_inside() {
	local at=$1 link=$2 target=$3 destination=$4 before
	mkbundle attack '.mounts += [{destination: $d, type: "tmpfs", source: "t"}]' --arg d "$destination"
	mkdir -p "$(dirname "$BUNDLE/rootfs/$link")"
	ln -s "$target" "$BUNDLE/rootfs/$link"
	before=$(outside)
	create attack
	((status)) || start attack
	[[ $(outside) = "$before" ]] || fail "the outside was changed: $(outside)" || return
	if ((status == 0)); then
		PID=$(ctr_pid attack)
		grep -q ' - tmpfs t ' "/proc/$PID/mountinfo" || fail "not mounted in the root" || return
		[[ $at = anywhere ]] || mountpoints "$PID" | grep -qxF "$at" ||
			fail "not mounted at $at: $(mountpoints "$PID")"
	else
		refused attack "$(printf '%s' "$destination" | cut -d/ -f2)"
	fi
}

@test "an absolute link as a destination's parent stays in the root" {
	link_stays_inside "$OUT/x" abs "$OUT" /abs/x
}

@test "a relative link as a destination's parent stays in the root" {
	link_stays_inside "$OUT/x" rel "../../../../../../../../..$OUT" /rel/x
}

@test "an absolute link as the destination stays in the root" {
	link_stays_inside "$OUT" abs "$OUT" /abs
}

@test "a dangling link as the destination stays in the root" {
	link_stays_inside "$OUT/new" dangle "$OUT/new" /dangle
}

@test "a link through procfs as a destination's parent stays in the root" {
	link_stays_inside anywhere magic "/proc/1/root$OUT" /magic/x
}

@test "a link to the old root as a destination's parent stays in the root" {
	local prefix
	for prefix in /oldroot /.oldproc/1/root /proc/self/cwd /.put_old; do
		link_stays_inside anywhere old "$prefix$OUT" /old/x
		oci delete --force attack || true
		rm -rf "$BATS_TEST_TMPDIR/attack"
	done
}

@test "a loop of links is refused" {
	mkbundle attack '.mounts += [{destination: "/loop/x", type: "tmpfs", source: "t"}]'
	ln -s loop "$BUNDLE/rootfs/loop"
	create attack
	refused attack 'ELOOP|too many levels|symlink|symbolic'
}

# CVE-2019-18837: the last component.
@test "a file is not bound, or created, through a link as its destination" {
	mkbundle attack '.mounts += [{destination: "/etc/resolv.conf", source: $file, options: ["bind"]}]' \
		--arg file /etc/hostname
	local target before
	for target in "$OUT/resolv.conf" "$OUT/canary" "../../../../../../../../..$OUT/resolv.conf"; do
		ln -sfn "$target" "$BUNDLE/rootfs/etc/resolv.conf"
		before=$(outside)
		create attack
		[[ $(outside) = "$before" ]]
		((status)) || [[ $(mount_line "$(ctr_pid attack)" "${target##*..}") ]]
		((status == 0)) || refused attack resolv.conf
		oci delete --force attack || true
	done
}

@test "the working directory is not created outside through a link" {
	mkbundle control '.process.cwd = "/w/x"'
	mkdir -p "$BUNDLE/rootfs/w"
	create control # A runtime may create the directory or refuse.
	mkbundle attack '.process.cwd = "/w/x"'
	ln -s "$OUT" "$BUNDLE/rootfs/w"
	local before
	before=$(outside)
	create attack
	((status)) || start attack
	[[ $(outside) = "$before" ]]
	((status == 0)) || refused attack 'cwd|working directory|/w'
}

@test "a bundle and a root file system of mode 0711 work" {
	mkbundle box '.mounts += [{destination: "/a/x", type: "tmpfs", source: "t"}]'
	chmod 711 "$BUNDLE" "$BUNDLE/rootfs"
	runs box
}
