#!/usr/bin/env bats
# config.md, "Root", "Mounts", "Linux mount options"; config-linux.md, "Default Filesystems",
# "Rootfs Mount Propagation", "Masked Paths", "Readonly Paths", "Devices", "Default Devices".
# shellcheck disable=SC2154

load ../lib/common


setup() {
	common_setup
	SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$SRC/sub"
	echo content >"$SRC/file"
}

teardown() {
	delete_all
	! mountpoint -q "$SRC/sub" || umount -l "$SRC/sub"
	common_teardown
}

# up NAME [FILTER]: a container that runs; $src in the filter is a directory of the host.
up() {
	mkbundle "$1"
	[[ ! ${2-} ]] || edit "$BUNDLE" "$2" --arg src "$SRC"
	oci create "$1" "$BUNDLE" >"$BUNDLE/out" 2>"$BUNDLE/err" </dev/null || fail "$(<"$BUNDLE/err")"
	oci start "$1"
	PID=$(ctr_pid "$1")
	verify_clean "$1"
}

# fails NAME FILTER WORDS...: it cannot be created, and the message has the words.
fails() {
	local name=$1 filter=$2 word
	shift 2
	mkbundle "$name"
	edit "$BUNDLE" "$filter" --arg src "$SRC"
	run -1 --separate-stderr oci create "$name" "$BUNDLE"
	for word; do [[ $stderr = *"$word"* ]] || show; done
	[[ ! -e $ROOT/$name ]]
}

in_it() { nsenter -t "$PID" -m -r -- "$@"; }
table() { awk -v p="$1" '$5 == p {line = $0} END {print line}' "/proc/$PID/mountinfo"; }
options() { table "$1" | cut -d' ' -f6; }
fstype() { table "$1" | sed 's/.* - //' | cut -d' ' -f1; }
super() { table "$1" | sed 's/.* - //' | cut -d' ' -f3; }
has() { [[ ,$1, = *,$2,* ]] || fail "no $2 in $1"; }
has_not() { [[ ,$1, != *,$2,* ]] || fail "$2 in $1"; }
at() { echo "/proc/$PID/root$1"; }

# ---- Root ------------------------------------------------------------------------------------

@test "MUST: a directory exists at root.path" {
	fails box '.root.path = "missing"' /root/path missing
	fails box '.root.path = "config.json"' /root/path
}

@test "root.path: absolute, or relative to the bundle" {
	mkbundle other
	up box ".root.path = \"$BATS_TEST_TMPDIR/other/rootfs\""
	[[ $(stat -Lc %i "$(at /)") = $(stat -c %i "$BATS_TEST_TMPDIR/other/rootfs") ]]
	mkbundle third '.root.path = "deep/../rootfs"'
	mkdir "$BUNDLE/deep"
	oci create third "$BUNDLE" </dev/null >/dev/null 2>&1
	[[ $(stat -Lc %i "/proc/$(ctr_pid third)/root") = $(stat -c %i "$BUNDLE/rootfs") ]]
}

@test "MUST: a readonly root is read-only inside the container" {
	up box '.root.readonly = true'
	has "$(options /)" ro
	run ! in_it touch /x
	# The mounts in it are not.
	in_it touch /dev/shm/x
	[[ -w $BUNDLE/rootfs ]]
}

@test "root.readonly defaults to false" {
	up box 'del(.root.readonly)'
	in_it touch /x
}

# ---- Mounts ----------------------------------------------------------------------------------

@test "MUST: mounts are made in the listed order" {
	up box '.mounts += [
		{"destination": "/a", "type": "tmpfs", "source": "one"},
		{"destination": "/a/b", "type": "tmpfs", "source": "two"},
		{"destination": "/c", "source": "\($src)/sub", "type": "bind", "options": ["rbind"]},
		{"destination": "/c", "type": "tmpfs", "source": "three"}]'
	[[ $(fstype /a/b) = tmpfs && $(table /c) = *three* ]]
	[[ $(grep -c ' /c ' "/proc/$PID/mountinfo") = 2 ]]
}

@test "MUST: a relative destination is relative to /" {
	up box '.process.cwd = "/home" | .mounts += [{"destination": "a/b", "type": "tmpfs"}]'
	[[ $(fstype /a/b) = tmpfs ]]
}

@test "a bind mount's source: absolute, or relative to the bundle" {
	mkbundle box '.mounts += [{"destination": "/a", "source": "own", "options": ["bind"]},
		{"destination": "/b", "source": $src, "options": ["bind"]}]' --arg src "$SRC"
	mkdir "$BUNDLE/own"
	echo mine >"$BUNDLE/own/x"
	oci create box "$BUNDLE" </dev/null >/dev/null 2>&1
	PID=$(ctr_pid box)
	[[ $(<"$(at /a/x)") = mine && $(<"$(at /b/file)") = content ]]
}

@test "a bind mount's type is a dummy" {
	up box '.mounts += [
		{"destination": "/a", "source": $src, "type": "none", "options": ["bind"]},
		{"destination": "/b", "source": $src, "type": "ext99", "options": ["rbind"]}]'
	[[ -e $(at /a/file) && -e $(at /b/file) ]]
}

@test "SHOULD: the default filesystems" {
	up box
	[[ $(fstype /proc) = proc && $(fstype /sys) = sysfs && $(fstype /dev/pts) = devpts ]]
	[[ $(fstype /dev/shm) = tmpfs ]]
}

# ---- Options ---------------------------------------------------------------------------------

@test "MUST: ro, rw" {
	up box '.mounts += [
		{"destination": "/a", "source": $src, "options": ["bind", "ro"]},
		{"destination": "/b", "source": $src, "options": ["bind", "ro", "rw"]},
		{"destination": "/t", "type": "tmpfs", "options": ["ro"]}]'
	has "$(options /a)" ro
	has "$(options /b)" rw
	has "$(options /t)" ro
}

@test "MUST: nosuid, suid, nodev, dev, noexec, exec" {
	local o
	up box '.mounts += [
		{"destination": "/a", "type": "tmpfs", "options": ["nosuid", "nodev", "noexec"]},
		{"destination": "/b", "type": "tmpfs",
			"options": ["nosuid", "nodev", "noexec", "suid", "dev", "exec"]}]'
	for o in nosuid nodev noexec; do
		has "$(options /a)" "$o"
		has_not "$(options /b)" "$o"
	done
}

@test "MUST: atime, noatime, relatime, norelatime, strictatime, nostrictatime, diratime, nodiratime" {
	up box '[
		["atime"], ["noatime"], ["relatime"], ["norelatime"], ["strictatime"],
		["strictatime", "nostrictatime"], ["noatime", "atime"], ["nodiratime"], ["nodiratime", "diratime"]
		] as $o | .mounts += [range($o | length) |
			{"destination": "/t\(.)", "type": "tmpfs", "options": $o[.]}]'
	[[ $(options /t0) = rw,relatime && $(options /t1) = rw,noatime && $(options /t2) = rw,relatime ]]
	[[ $(options /t3) = rw,relatime && $(options /t4) = rw && $(options /t5) = rw,relatime ]]
	[[ $(options /t6) = rw,relatime && $(options /t7) = rw,nodiratime,relatime && $(options /t8) = rw,relatime ]]
}

@test "MUST: sync, async, dirsync, lazytime, nolazytime" {
	up box '.mounts += [
		{"destination": "/a", "type": "tmpfs", "options": ["sync", "dirsync", "lazytime"]},
		{"destination": "/b", "type": "tmpfs", "options": ["sync", "async", "lazytime", "nolazytime"]}]'
	has "$(super /a)" sync
	has "$(super /a)" dirsync
	has "$(super /a)" lazytime
	has_not "$(super /b)" sync
	has_not "$(super /b)" lazytime
}

@test "MUST: defaults, silent, loud, iversion, noiversion; MAY: mand, nomand" {
	up box '.mounts += [{"destination": "/a", "type": "tmpfs", "options":
		["defaults", "silent", "loud", "iversion", "noiversion", "mand", "nomand"]}]'
	[[ $(options /a) = rw,relatime ]]
}

@test "MUST: bind, rbind" {
	mount -t tmpfs sub "$SRC/sub"
	up box '.mounts += [
		{"destination": "/a", "source": $src, "options": ["bind"]},
		{"destination": "/b", "source": $src, "options": ["rbind"]}]'
	[[ ! $(table /a/sub) && $(fstype /b/sub) = tmpfs ]]
}

@test "MUST: private, rprivate, shared, rshared, slave, rslave, unbindable, runbindable" {
	local i
	mount -t tmpfs sub "$SRC/sub"
	mount --make-shared "$SRC/sub"
	up box '.linux.rootfsPropagation = "shared" | [
		"private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"
		] as $o | .mounts += [range($o | length) | {"destination": "/m\(.)",
			"source": "\($src)/sub", "options": ["rbind", $o[.]]}]'
	for i in 0 1; do [[ $(table "/m$i") != *shared:* && $(table "/m$i") != *master:* ]]; done
	for i in 2 3; do [[ $(table "/m$i") != *shared:* && $(table "/m$i") = *master:* ]]; done
	for i in 4 5; do [[ $(table "/m$i") = *shared:* ]]; done
	for i in 6 7; do [[ $(table "/m$i") = *unbindable* ]]; done
}

@test "MUST: remount" {
	up box '.mounts += [
		{"destination": "/a", "source": $src, "options": ["bind"]},
		{"destination": "/a", "options": ["bind", "remount", "ro", "nodev"]},
		{"destination": "/t", "type": "tmpfs", "options": ["size=4k"]},
		{"destination": "/t", "type": "tmpfs", "options": ["remount", "size=8k"]}]'
	has "$(options /a)" ro
	has "$(options /a)" nodev
	has "$(super /t)" size=8k
}

@test "SHOULD: recursive options" {
	local o
	mount -t tmpfs sub "$SRC/sub"
	up box '.mounts += [
		{"destination": "/a", "source": $src, "options": ["rbind", "rro", "rnosuid", "rnodev", "rnoexec",
			"rnoatime", "rnodiratime", "rnosymfollow"]},
		{"destination": "/b", "source": $src, "options": ["rbind", "rro", "rrw", "rnosuid", "rsuid", "rnodev",
			"rdev", "rnoexec", "rexec", "rnoatime", "rrelatime", "rnodiratime", "rdiratime",
			"rnosymfollow", "rsymfollow"]},
		{"destination": "/c", "source": $src, "options": ["rbind", "rstrictatime"]},
		{"destination": "/d", "source": $src, "options": ["rbind", "rnoatime", "ratime", "rstrictatime",
			"rnostrictatime", "rnorelatime"]}]'
	for o in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
		has "$(options /a)" "$o"
		has "$(options /a/sub)" "$o"
	done
	[[ $(options /b) = rw,relatime && $(options /b/sub) = rw,relatime ]]
	[[ $(options /c) = rw && $(options /c/sub) = rw ]]
	[[ $(options /d) = rw,relatime && $(options /d/sub) = rw,relatime ]]
}

@test "SHOULD: nosymfollow, symfollow" {
	up box '.mounts += [{"destination": "/a", "type": "tmpfs", "options": ["nosymfollow"]},
		{"destination": "/b", "type": "tmpfs", "options": ["nosymfollow", "symfollow"]}]'
	has "$(options /a)" nosymfollow
	has_not "$(options /b)" nosymfollow
}

@test "MAY: tmpcopyup" {
	up box '.mounts += [{"destination": "/etc", "type": "tmpfs", "options": ["tmpcopyup"]}]'
	[[ $(fstype /etc) = tmpfs && $(<"$(at /etc/passwd)") = $(<"$BUNDLE/rootfs/etc/passwd") ]]
}

@test "SHOULD: unknown options are the filesystem's" {
	up box '.mounts += [{"destination": "/a", "type": "tmpfs", "options": ["size=64k", "nr_inodes=7"]}]'
	has "$(super /a)" size=64k
	has "$(super /a)" nr_inodes=7
}

@test "SHOULD: idmap with the mount's mappings, ridmap for the tree" {
	mount -t tmpfs sub "$SRC/sub"
	up box '([{"containerID": 0, "hostID": 3000, "size": 10}]) as $m | .mounts += [
		{"destination": "/a", "source": $src, "options": ["rbind", "idmap"], "uidMappings": $m, "gidMappings": $m},
		{"destination": "/b", "source": $src, "options": ["rbind", "ridmap"], "uidMappings": $m, "gidMappings": $m}]'
	[[ $(stat -c %u:%g "$(at /a)" "$(at /a/sub)" "$(at /b)" "$(at /b/sub)" | paste -sd' ') = \
		"3000:3000 0:0 3000:3000 3000:3000" ]]
	# Without mappings of the mount's it is the container's: what is 0 outside is 0 inside.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR" 2>/dev/null || true
	up own '.linux.namespaces += [{"type": "user"}] | .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = [{"containerID": 0, "hostID": 200000, "size": 65536}] | .mounts += [
		{"destination": "/mnt", "source": $src, "options": ["rbind", "idmap"]},
		{"destination": "/home", "source": $src, "options": ["rbind", "ridmap"]},
		{"destination": "/var", "source": $src, "options": ["rbind"]}]'
	[[ $(stat -c %u:%g "$(at /mnt)" "$(at /mnt/sub)" "$(at /home)" "$(at /home/sub)" "$(at /var)" | paste -sd' ') = \
		"100000:200000 0:0 100000:200000 100000:200000 0:0" ]] ||
		fail "$(stat -c %u:%g "$(at /mnt)" "$(at /mnt/sub)" "$(at /home)" "$(at /home/sub)" "$(at /var)" | paste -sd' ')"
}

@test "MUST: idmap without any mapping is an error" {
	fails box '.mounts += [{"destination": "/a", "source": $src, "options": ["bind", "idmap"]}]' id-mapped
	fails box '.mounts += [{"destination": "/a", "source": $src, "options": ["rbind", "ridmap"]}]' id-mapped
}

@test "MUST: uidMappings come with gidMappings" {
	fails box '.mounts += [{"destination": "/a", "source": $src, "options": ["bind", "idmap"],
		"uidMappings": [{"containerID": 0, "hostID": 3000, "size": 10}]}]' gidMappings
}

# ---- Propagation of the root -----------------------------------------------------------------

@test "rootfsPropagation: shared, slave, private, unbindable" {
	local p
	for p in shared slave private unbindable; do
		up "$p" ".linux.rootfsPropagation = \"$p\""
		case $p in
		shared) [[ $(table /) = *shared:* ]] ;;
		unbindable) [[ $(table /) = *unbindable* ]] ;;
		*) [[ $(table /) != *shared:* ]] ;;
		esac
	done
}

@test "rootfsPropagation: shared does not mean shared with the host" {
	local before
	up box '.linux.rootfsPropagation = "shared"'
	before=$(test_mounts)
	in_it mkdir -p /new
	in_it busybox mount -t tmpfs x /new
	[[ $(test_mounts) = "$before" ]]
}

# ---- Masked and read-only paths --------------------------------------------------------------

@test "maskedPaths cannot be read" {
	up box '.linux.maskedPaths = ["/proc/uptime", "/proc/sys", "/etc/passwd", "/etc/passwd/x", "/none/at/all", "/proc/bus"]'
	[[ $(wc -c <"$(at /proc/uptime)") = 0 && $(wc -c <"$(at /etc/passwd)") = 0 ]]
	[[ ! $(ls "$(at /proc/sys)") && ! $(ls "$(at /proc/bus)") ]]
	has "$(options /proc/uptime)" ro
	has "$(options /proc/sys)" ro
	[[ ! -e $(at /none) ]]
	# One empty filesystem for all.
	[[ $(table /proc/sys | cut -d' ' -f3) = $(table /proc/bus | cut -d' ' -f3) ]]
	[[ -s $BUNDLE/rootfs/etc/passwd ]]
}

@test "readonlyPaths cannot be written" {
	up box '.linux.readonlyPaths = ["/proc/sys", "/etc", "/none"] | .linux.maskedPaths = []'
	has "$(options /proc/sys)" ro
	has "$(options /etc)" ro
	run ! in_it touch /etc/x
	[[ $(<"$(at /etc/passwd)") = $(<"$BUNDLE/rootfs/etc/passwd") ]]
	in_it touch /home/x
}

@test "readonlyPaths with the mounts beneath them" {
	up box '.linux.readonlyPaths = ["/mnt"] | .mounts += [
		{"destination": "/mnt/in", "type": "tmpfs", "options": ["nosuid"]}]'
	has "$(options /mnt/in)" ro
	has "$(options /mnt/in)" nosuid
}

# ---- Devices ---------------------------------------------------------------------------------

@test "MUST: the default devices" {
	local d
	up box
	for d in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
		[[ $(stat -c %F:%t:%T "$(at "/dev/${d%%:*}")") = "character special file:${d#*:}" ]]
	done
	[[ $(readlink "$(at /dev/ptmx)") = pts/ptmx && -c $(at /dev/pts/ptmx) ]]
}

@test "MUST: linux.devices are available in the container" {
	up box '.linux.devices = [
		{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438, "uid": 1, "gid": 2},
		{"path": "/dev/sda", "type": "b", "major": 8, "minor": 0, "fileMode": 432},
		{"path": "/opt/unbuffered", "type": "u", "major": 1, "minor": 3},
		{"path": "/run/pipe", "type": "p"}]'
	[[ $(stat -c '%F %t:%T %a %u:%g' "$(at /dev/fuse)") = "character special file a:e5 666 1:2" ]]
	[[ $(stat -c '%F %t:%T %a' "$(at /dev/sda)") = "block special file 8:0 660" ]]
	[[ -c $(at /opt/unbuffered) && -p $(at /run/pipe) ]]
}

@test "MUST: a file that does not match a requested device is an error" {
	mkbundle box '.linux.devices = [{"path": "/opt/x", "type": "c", "major": 1, "minor": 3}]'
	mkdir "$BUNDLE/rootfs/opt"
	echo data >"$BUNDLE/rootfs/opt/x"
	run -1 --separate-stderr oci create box "$BUNDLE"
	[[ $stderr = *'"/opt/x" exists and is a regular file, not the device 1:3'* ]] || show
	[[ $(<"$BUNDLE/rootfs/opt/x") = data ]]
}
