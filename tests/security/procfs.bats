#!/usr/bin/env bats
# T-PROCLINK, T-PROCVOL, T-115521, T-P1, T-MASKLINK: what an image can do to /proc and /sys.
# CVE-2019-16884, CVE-2019-19921, CVE-2023-27561, CVE-2023-28642 (runc), CVE-2025-54867 (youki),
# CVE-2026-115521 (crun).

load ../lib/common
load security

fs_type() { stat -fc %T "$1" 2>/dev/null; }

@test "control: procfs and sysfs are at their places" {
	mkbundle box
	runs box
	[[ $(fs_type "/proc/$PID/root/proc") = proc && $(fs_type "/proc/$PID/root/sys") = sysfs ]]
}

# T-PROCLINK
@test "a /proc or /sys that is a link is refused" {
	local name target
	for name in proc sys; do
		for target in "bad-$name" "/bad-$name" tmp "$OUT"; do
			rm -rf "${BATS_TEST_TMPDIR:?}/attack"
			mkbundle attack
			rmdir "$BUNDLE/rootfs/$name"
			mkdir "$BUNDLE/rootfs/bad-$name"
			ln -s "$target" "$BUNDLE/rootfs/$name"
			create attack
			refused attack "$name.*(ordinary directory|symbolic link|symlink|ELOOP)|not a directory|path $target|must be mounted" ||
				fail "with $name -> $target"
			[[ ! -e $BUNDLE/rootfs/bad-$name/self && ! -e $BUNDLE/rootfs/bad-$name/kernel ]]
			oci delete --force attack >/dev/null 2>&1 || true
		done
	done
}

# T-PROCVOL: a volume that takes procfs' place would receive the writes that are meant for it.
@test "a bind mount that is no procfs is refused on /proc" {
	mkdir -p "$OUT/self/attr"
	touch "$OUT/self/attr/exec"
	local before
	before=$(outside)
	mkbundle attack '.mounts |= map(select(.destination != "/proc"))
		| .mounts += [{destination: "/proc", type: "bind", source: $out, options: ["bind", "rw"]}]' \
		--arg out "$OUT"
	create attack
	refused attack '/proc'
	[[ $(outside) = "$before" ]]
}

@test "nothing is mounted beneath /proc/self, or over a process's files" {
	local at
	for at in /proc/self/attr/exec /proc/self /proc/1/fd /proc/thread-self/attr; do
		rm -rf "${BATS_TEST_TMPDIR:?}/attack"
		mkbundle attack '.mounts += [{destination: $at, type: "bind", source: $file, options: ["bind"]}]' \
			--arg at "$at" --arg file "$OUT/canary"
		create attack
		refused attack 'proc'
		oci delete --force attack >/dev/null 2>&1 || true
	done
}

# T-115521: a runtime that looks itself up in /proc/self/fd remounts what the image says.
@test "an image that supplies /proc/self/fd does not redirect the read-only remount" {
	local n
	mkbundle control '.mounts |= map(select(.destination != "/proc")) | .root.readonly = true
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	mkbundle attack '.mounts |= map(select(.destination != "/proc")) | .root.readonly = true
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .mounts += [{destination: "/vol", type: "bind", source: $out, options: ["bind", "rw"]}]' \
		--arg out "$OUT"
	mkdir -p "$BUNDLE/rootfs/proc/self/fd" "$BUNDLE/rootfs/vol"
	for n in {0..60}; do ln -s /vol "$BUNDLE/rootfs/proc/self/fd/$n"; done
	create control
	((status == 0)) || [[ ${SECURITY_RUNTIME-} ]] || fail "INVALID: the control does not run"
	create attack
	if ((status)); then
		refused attack '/proc'
		return
	fi
	PID=$(ctr_pid attack)
	mount_line "$PID" / | cut -d' ' -f6 | grep -E '(^|,)ro(,|$)'
	mount_line "$PID" /vol | cut -d' ' -f6 | grep -E '(^|,)rw(,|$)'
}

two_processes() { [[ $(cd "/proc/$PID/root/proc" && echo [0-9]*) =~ ^1\ [0-9]+$ ]]; }

# T-P1: a stage that joins too little mounts the host's.
@test "procfs and sysfs show the container, not the host" {
	mkbundle box '.process.args = ["sh", "-c", "sleep 1000 & exec sleep 1000"]'
	runs box
	wait_for two_processes
	[[ $(ls "/proc/$PID/root/sys/class/net") = lo ]]
}

@test "a private /dev/mqueue shows the container's queues" {
	mkbundle box '.mounts |= map(select(.destination != "/dev/mqueue"))
		| .mounts += [{destination: "/dev/mqueue", type: "mqueue", source: "mqueue"}]'
	runs box
	[[ $(stat -Lc %d "/proc/$PID/root/dev/mqueue") != $(stat -Lc %d /dev/mqueue 2>/dev/null) ]]
	[[ $(stat -Lc %i "/proc/$PID/ns/ipc") != $(stat -Lc %i /proc/self/ns/ipc) ]]
}

@test "a masked path that is a link in the image masks nothing outside" {
	local before
	mkbundle attack '.linux.maskedPaths = ["/secret", "/dir/x"] | .linux.readonlyPaths = ["/ro"]'
	ln -s "$OUT/canary" "$BUNDLE/rootfs/secret"
	ln -s "$OUT" "$BUNDLE/rootfs/dir"
	ln -s "$OUT" "$BUNDLE/rootfs/ro"
	before=$(outside)
	create attack
	[[ $(outside) = "$before" ]]
	((status == 0)) || refused attack 'secret|/dir|/ro'
}
