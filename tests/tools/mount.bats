#!/usr/bin/env bats
# oci-mount: mounts[], devices, default devices and links.
# shellcheck disable=SC2154

load ../lib/common

# staged NAME [FILTER [LOOP]]: a container up to the stage before ours. SRC holds sources for bind
# mounts; the filter knows it as $src, and a loop device as $loop.
staged() {
	SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$SRC/dir/sub" "$SRC/other"
	echo content >"$SRC/file"
	echo inner >"$SRC/dir/inner"
	mkbundle "$1"
	[[ ! ${2-} ]] || edit "$BUNDLE" "$2" --arg src "$SRC" --arg loop "${3-}"
	[[ ! ${prepare-} ]] || "$prepare"
	oci-validate "$1" "$BUNDLE" && oci-cgroup "$1" && oci-nsenter-setup "$1" &&
		oci-prepare-root "$1"
	PID=$(ctr_pid "$1")
}

# mounted NAME FILTER: and with the stage done.
mounted() {
	staged "$@"
	oci-mount "$1"
}

# refused CODE WORDS...: the stage fails with that code and all these words in its one line.
refused() {
	local code=$1 word
	shift
	run -"$code" --separate-stderr oci-mount box
	for word; do
		[[ $stderr = *"$word"* ]] || fail "not in the message: $word" "$stderr"
	done
	# Engines take these for a failed exec.
	[[ ${stderr,,} != *"no such file"* && ${stderr,,} != *"permission denied"* ]] || show
}

# The topmost line of the mount table for a path in the container.
table() { awk -v p="$BUNDLE/rootfs$1" '$5 == p {line = $0} END {print line}' "/proc/$PID/mountinfo"; }
options() { table "$1" | cut -d' ' -f6; }
fstype() { table "$1" | sed 's/.* - //' | cut -d' ' -f1; }
super() { table "$1" | sed 's/.* - //' | cut -d' ' -f3; }
propagation() { table "$1" | cut -d' ' -f7-8 | grep -oE '(shared|master|unbindable):?' | sort | paste -sd' '; }
inside() { nsenter -t "$PID" -m -- "$@"; }
at() { echo "$BUNDLE/rootfs$1"; }

userns='.linux.namespaces += [{"type": "user"}]
	| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
	| .linux.gidMappings = .linux.uidMappings'
give_away() { chown -R 100000:100000 "$BUNDLE/rootfs"; }
no_dev='.mounts |= map(select(.destination | startswith("/dev") | not))'

# ---- The contract of a stage -----------------------------------------------------------------

@test "the stock configuration" {
	mounted box
	[[ $(fstype /proc) = proc && $(fstype /sys) = sysfs && $(fstype /dev/pts) = devpts ]]
	[[ $(options /dev/shm) = rw,nosuid,nodev,noexec,relatime ]]
	[[ $(options /dev) = rw,nosuid ]] # strictatime
	[[ $(super /dev) = *mode=755* && $(super /dev) = *size=65536k* ]]
	[[ $(jq -r '.oci.stages[-1].name' "$ROOT/box/state.json") = mount ]]
}

@test "proc and sysfs are of the container's namespaces" {
	mounted box
	[[ $(inside ls "$(at /proc)" | grep -c '^[0-9]') = 1 ]]
	[[ $(inside ls "$(at /sys/class/net)") = lo ]]
}

@test "done before, it says so and does nothing" {
	local before
	mounted box
	before=$(<"/proc/$PID/mountinfo")
	run -0 --separate-stderr oci-mount box
	[[ $stderr = "oci-mount: has been done before, nothing to do" ]] || show
	[[ $(<"/proc/$PID/mountinfo") = "$before" ]]
}

@test "out of order, it names the stage that is missing" {
	mkbundle box
	oci-validate box "$BUNDLE"
	refused 104 'the stage "prepare-root" has not been done'
}

@test "the host's mount table stays as it is" {
	local before
	staged box '.mounts += [{"destination": "/x", "source": $src, "options": ["rbind", "rshared"]}]'
	before=$(test_mounts)
	oci-mount box
	[[ $(test_mounts) = "$before" ]]
}

@test "without a mount namespace of the container's own nothing is touched" {
	staged box '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| del(.linux.maskedPaths, .linux.readonlyPaths, .linux.devices)'
	run -0 oci-mount box
	[[ ! $(ls "$BUNDLE/rootfs/dev") ]]
}

# ---- Order and destinations ------------------------------------------------------------------

@test "mounts are made in the listed order" {
	mounted box '.mounts += [
		{"destination": "/a", "type": "tmpfs", "source": "first"},
		{"destination": "/a/b", "type": "tmpfs", "source": "second"},
		{"destination": "/a", "type": "tmpfs", "source": "third"}]'
	[[ $(table /a) = *third* ]]
	[[ ! -e /proc/$PID/root/$(at /a/b) ]]
}

@test "a destination is made if it is missing" {
	mounted box '.mounts += [
		{"destination": "/deep/er/dir", "source": "\($src)/dir", "options": ["bind"]},
		{"destination": "/deep/er/file/", "source": "\($src)/file", "options": ["bind"]}]'
	[[ $(inside cat "$(at /deep/er/dir/inner)") = inner ]]
	[[ $(inside cat "$(at /deep/er/file)") = content ]]
	[[ $(stat -c %a "$BUNDLE/rootfs/deep/er") = 755 ]]
}

@test "a relative destination counts from the root" {
	mounted box '.mounts += [{"destination": "rel/a", "type": "tmpfs"}]'
	[[ $(fstype /rel/a) = tmpfs ]]
}

@test "a relative source counts from the bundle" {
	prepare() { mkdir "$BUNDLE/data"; echo here >"$BUNDLE/data/x"; }
	prepare=prepare mounted box '.mounts += [
		{"destination": "/d", "source": "data", "options": ["bind"]}]'
	[[ $(inside cat "$(at /d/x)") = here ]]
}

@test "links in a destination are followed inside the root" {
	prepare() {
		ln -s /real "$BUNDLE/rootfs/abs"
		ln -s ../../../../../../../../../real2 "$BUNDLE/rootfs/etc/rel"
		ln -s "$BATS_TEST_TMPDIR/outside" "$BUNDLE/rootfs/out"
	}
	mkdir "$BATS_TEST_TMPDIR/outside"
	prepare=prepare mounted box '.mounts += [
		{"destination": "/abs/x", "type": "tmpfs"},
		{"destination": "/etc/rel/x", "type": "tmpfs"},
		{"destination": "/out/x", "source": "\($src)/file", "options": ["bind"]}]'
	[[ $(fstype /real/x) = tmpfs && $(fstype /real2/x) = tmpfs ]]
	[[ ! $(ls "$BATS_TEST_TMPDIR/outside") ]]
}

@test "proc and sysfs want an ordinary directory" {
	prepare() { rmdir "$BUNDLE/rootfs/proc"; ln -s /bad "$BUNDLE/rootfs/proc"; }
	prepare=prepare staged box
	refused 102 '/mounts/0' 'cannot mount proc on "/proc"' 'ordinary directory'
}

@test "sysfs wants an ordinary directory, and on the way to it too" {
	prepare() { mkdir "$BUNDLE/rootfs/bad"; ln -s /bad "$BUNDLE/rootfs/x"; }
	prepare=prepare staged box '(.mounts[] | select(.type == "sysfs").destination) = "/x/sys"'
	refused 102 'cannot mount sysfs on "/x/sys"' 'ordinary directory'
}

@test "a file where proc should be is no ordinary directory" {
	prepare() { rmdir "$BUNDLE/rootfs/proc"; touch "$BUNDLE/rootfs/proc"; }
	prepare=prepare staged box
	refused 102 'ordinary directory'
}

@test "nothing but a procfs is mounted over /proc" {
	staged box '.mounts += [{"destination": "/proc", "type": "tmpfs"}]'
	refused 102 '/mounts/' 'only a procfs may be mounted on "/proc"'
}

@test "no directory of the host's goes over /proc" {
	staged box '.mounts += [{"destination": "/./proc/", "source": $src, "options": ["bind"]}]'
	refused 102 'only a procfs may be mounted on "/proc"'
}

@test "no part of a procfs goes over /proc" {
	staged box '.mounts[0] = {"destination": "/proc", "source": "/proc/sys", "options": ["bind"]}'
	refused 102 'only a procfs may be mounted on "/proc"'
}

@test "a bind mount of a procfs may go over /proc" {
	mounted box '.mounts[0] = {"destination": "/proc", "source": "/proc", "options": ["rbind"]}'
	[[ $(fstype /proc) = proc ]]
}

@test "in /proc only what lxcfs emulates is mounted over" {
	mounted box '.mounts += [{"destination": "/proc/meminfo", "source": "\($src)/file",
		"options": ["bind"]}]'
	[[ $(inside cat "$(at /proc/meminfo)") = content ]]
}

@test "in /proc nothing else is mounted over" {
	staged box '.mounts += [{"destination": "/proc/sys/kernel", "type": "tmpfs"}]'
	refused 102 '"/proc/sys/kernel" is inside /proc'
}

@test "links do not lead a mount into /proc" {
	prepare() { ln -s /proc/1/attr "$BUNDLE/rootfs/link"; }
	prepare=prepare staged box '.mounts += [{"destination": "/link", "type": "tmpfs"}]'
	refused 102 'leads into a procfs'
}

@test "nothing is mounted over the root itself" {
	staged box '.mounts += [{"destination": "/etc/..", "type": "tmpfs"}]'
	refused 102 'over the root itself'
}

@test "links do not lead a mount over the root" {
	prepare() { ln -s / "$BUNDLE/rootfs/link"; }
	prepare=prepare staged box '.mounts += [{"destination": "/link", "type": "tmpfs"}]'
	refused 102 'leads to the root itself'
}

@test "a file and a directory do not fit" {
	staged box '.mounts += [{"destination": "/etc", "source": "\($src)/file", "options": ["bind"]}]'
	refused 102 '/mounts/' 'cannot bind' 'EISDIR' 'the destination is a directory'
}

# ---- Bind mounts -----------------------------------------------------------------------------

@test "bind leaves submounts out, rbind takes them along" {
	staged box '.mounts += [
		{"destination": "/one", "source": $src, "options": ["bind"]},
		{"destination": "/tree", "source": $src, "options": ["rbind"]},
		{"destination": "/typed", "source": $src, "type": "bind"}]'
	mount -t tmpfs sub "$SRC/dir/sub"
	oci-mount box
	umount "$SRC/dir/sub"
	[[ $(table /one) && ! $(table /one/dir/sub) && $(fstype /tree/dir/sub) = tmpfs ]]
	[[ $(table /typed) && ! $(table /typed/dir/sub) ]]
}

@test "ro is for the one mount, rro for the tree" {
	staged box '.mounts += [
		{"destination": "/top", "source": $src, "options": ["rbind", "ro"]},
		{"destination": "/all", "source": $src, "options": ["rbind", "rro", "rnosuid"]},
		{"destination": "/but", "source": $src, "options": ["rbind", "rro", "rw"]}]'
	mount -t tmpfs sub "$SRC/dir/sub"
	oci-mount box
	umount "$SRC/dir/sub"
	[[ $(options /top) = ro,* && $(options /top/dir/sub) = rw,* ]]
	[[ $(options /all) = ro,nosuid,* && $(options /all/dir/sub) = ro,nosuid,* ]]
	[[ $(options /but) = rw,* && $(options /but/dir/sub) = ro,* ]]
}

@test "every attribute of a bind mount" {
	local option
	staged box '.mounts += [
		{"destination": "/a", "source": $src,
			"options": ["bind", "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"]},
		{"destination": "/b", "source": "\($src)/sub", "options": ["bind", "rw", "suid", "dev", "exec", "strictatime", "diratime"]}]'
	mkdir "$SRC/sub"
	mount -t tmpfs -o nosuid,nodev,noexec,noatime,nodiratime sub "$SRC/sub"
	oci-mount box
	umount "$SRC/sub"
	for option in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
		[[ ,$(options /a), = *,$option,* ]] || fail "$option: $(options /a)"
	done
	[[ $(options /b) = rw ]] || fail "$(options /b)"
}

@test "what the options do not name stays as the source has it" {
	staged box '.mounts += [{"destination": "/a", "source": "\($src)/sub", "options": ["bind", "ro"]}]'
	mkdir "$SRC/sub"
	mount -t tmpfs -o nosuid,nodev,noexec sub "$SRC/sub"
	oci-mount box
	umount "$SRC/sub"
	[[ $(options /a) = ro,nosuid,nodev,noexec,relatime ]]
}

@test "a source that is missing is named, with the component" {
	staged box '.mounts += [{"destination": "/a", "source": "\($src)/no/thing", "options": ["bind"]}]'
	refused 111 '/mounts/' "cannot bind \"$SRC/no/thing\" to \"/a\": ENOENT: \"$SRC/no\""
}

@test "a source behind a file is named" {
	staged box '.mounts += [{"destination": "/a", "source": "\($src)/file/x", "options": ["bind"]}]'
	refused 111 'ENOTDIR' "\"$SRC/file\" is no directory"
}

@test "propagation: bind mounts are slaves of a shared source, whatever else they are" {
	local before
	staged box '.mounts += [
		{"destination": "/plain", "source": "\($src)/s", "options": ["rbind"]},
		{"destination": "/private", "source": "\($src)/s", "options": ["rbind", "rprivate"]},
		{"destination": "/slave", "source": "\($src)/s", "options": ["rbind", "rslave"]},
		{"destination": "/shared", "source": "\($src)/s", "options": ["rbind", "rshared"]},
		{"destination": "/alone", "source": "\($src)/s", "options": ["bind", "unbindable"]}]'
	mkdir "$SRC/s"
	mount -t tmpfs s "$SRC/s"
	mount --make-shared "$SRC/s"
	mkdir "$SRC/s/x"
	oci-mount box
	[[ $(propagation /plain) = master: && $(propagation /private) = "" ]]
	[[ $(propagation /slave) = master: && $(propagation /shared) = "master: shared:" ]]
	[[ $(propagation /alone) = unbindable ]]
	before=$(test_mounts)
	inside mount -t tmpfs y "$(at /shared/x)"
	[[ $(test_mounts) = "$before" ]]
	umount -l "$SRC/s"
}

@test "propagation: shared with the host if the root is shared" {
	staged box '.linux.rootfsPropagation = "shared" | .mounts += [
		{"destination": "/shared", "source": "\($src)/s", "options": ["rbind", "rshared"]}]'
	mkdir "$SRC/s"
	mount -t tmpfs s "$SRC/s"
	mount --make-shared "$SRC/s"
	mkdir "$SRC/s/x"
	oci-mount box
	inside mount -t tmpfs y "$(at /shared/x)"
	mountpoint "$SRC/s/x"
	umount -l "$SRC/s"
}

@test "id-mapped mounts, with mappings of their own" {
	mounted box '.mounts += [{"destination": "/i", "source": "\($src)/dir", "options": ["bind", "idmap"],
		"uidMappings": [{"containerID": 0, "hostID": 5000, "size": 10}],
		"gidMappings": [{"containerID": 0, "hostID": 6000, "size": 10}]}]'
	[[ $(inside stat -c %u:%g "$(at /i/inner)") = 5000:6000 ]]
}

@test "id-mapped mounts: idmap maps one mount, ridmap the tree" {
	staged box '([{"containerID": 0, "hostID": 5000, "size": 10}]) as $m | .mounts += [
		{"destination": "/one", "source": $src, "options": ["rbind", "idmap"],
			"uidMappings": $m, "gidMappings": $m},
		{"destination": "/all", "source": $src, "options": ["rbind", "ridmap"],
			"uidMappings": $m, "gidMappings": $m}]'
	mount -t tmpfs sub "$SRC/dir/sub"
	oci-mount box
	umount "$SRC/dir/sub"
	[[ $(inside stat -c %u "$(at /one)" "$(at /one/dir/sub)" | paste -sd' ') = "5000 0" ]]
	[[ $(inside stat -c %u "$(at /all)" "$(at /all/dir/sub)" | paste -sd' ') = "5000 5000" ]]
}

@test "id-mapped mounts: the container's own mapping" {
	prepare=give_away mounted box "$userns"' | .mounts += [
		{"destination": "/i", "source": "\($src)/dir", "options": ["bind", "idmap"]}]'
	[[ $(inside stat -c %u "$(at /i/inner)") = 100000 ]]
}

@test "id-mapped mounts: no mapping to be had is an error" {
	mkbundle box '.mounts += [{"destination": "/i", "source": "/", "options": ["bind", "idmap"]}]'
	run -102 oci-validate "$BUNDLE"
	[[ $output = *"an id-mapped mount needs"*"user namespace"* ]]
}

@test "a bind mount is changed by remount" {
	mounted box '.mounts += [
		{"destination": "/a", "source": $src, "options": ["bind"]},
		{"destination": "/a", "options": ["bind", "remount", "ro", "nosuid"]}]'
	[[ $(options /a) = ro,nosuid,relatime && $(grep -c " $(at /a) " "/proc/$PID/mountinfo") = 1 ]]
}

@test "a remount gives no id mapping" {
	staged box '([{"containerID": 0, "hostID": 5000, "size": 10}]) as $m | .mounts += [
		{"destination": "/dev/shm", "options": ["bind", "remount", "idmap"], "uidMappings": $m, "gidMappings": $m}]'
	refused 102 'only a new mount can be given an id mapping'
}

@test "what is no mount cannot be remounted" {
	staged box '.mounts += [{"destination": "/etc", "options": ["bind", "remount", "ro"]}]'
	refused 102 'cannot change the mount on "/etc"' 'not a mount'
}

# ---- Filesystems -----------------------------------------------------------------------------

@test "tmpfs takes the mode of the directory that it covers, unless told" {
	prepare() { mkdir -m 1751 "$BUNDLE/rootfs/a" "$BUNDLE/rootfs/b"; }
	prepare=prepare mounted box '.mounts += [
		{"destination": "/a", "type": "tmpfs"},
		{"destination": "/b", "type": "tmpfs", "options": ["mode=0700"]}]'
	[[ $(inside stat -c %a "$(at /a)") = 1751 && $(inside stat -c %a "$(at /b)") = 700 ]]
}

@test "a read-only tmpfs can be mounted into" {
	mounted box '.mounts += [
		{"destination": "/t", "type": "tmpfs", "options": ["ro"]},
		{"destination": "/t/file", "source": "\($src)/file", "options": ["bind"]}]'
	[[ $(options /t) = ro,relatime && $(inside cat "$(at /t/file)") = content ]]
	run ! inside touch "$(at /t/x)"
}

@test "a read-only /dev gets its devices all the same" {
	mounted box '(.mounts[] | select(.destination == "/dev").options) += ["ro"]'
	[[ $(options /dev) = ro,nosuid ]]
	[[ $(inside stat -c %t:%T "$(at /dev/null)") = 1:3 ]]
}

@test "options of a filesystem that it refuses are named, with its reason" {
	staged box '.mounts += [{"destination": "/t", "type": "tmpfs", "options": ["nosuid", "size=12q"]}]'
	refused 111 '/options/1' 'cannot mount tmpfs on "/t": EINVAL: option "size=12q": tmpfs: Bad value'
}

@test "options that init's filesystems refuse are named" {
	staged box '.mounts[0].options = ["hidepid=9"]'
	refused 111 '/mounts/0' 'cannot mount proc on "/proc"' 'hidepid=9'
}

@test "a filesystem that the kernel does not know" {
	staged box '.mounts += [{"destination": "/t", "type": "nofs"}]'
	refused 103 '/type' 'cannot mount nofs on "/t": ENODEV: this kernel has no filesystem "nofs"'
}

@test "superblock options" {
	mounted box '.mounts += [
		{"destination": "/t", "type": "tmpfs", "options": ["sync", "dirsync", "lazytime", "iversion", "silent"]}]'
	[[ ,$(super /t), = *,sync,dirsync,* && ,$(super /t), = *,lazytime,* ]]
}

@test "a filesystem on a disk: source, options, read-only, remount" {
	require command:mke2fs
	local loop
	truncate -s 1M "$BATS_TEST_TMPDIR/disk"
	mke2fs -q "$BATS_TEST_TMPDIR/disk"
	loop=$(losetup -f --show "$BATS_TEST_TMPDIR/disk") || skip "requires loop devices"
	staged box '.mounts += [
		{"destination": "/t", "type": "ext4", "source": $loop, "options": ["ro", "errors=continue"]}]' "$loop"
	run -0 oci-mount box
	[[ $(fstype /t) = ext4 && $(options /t) = ro,* && $(super /t) = ro* ]]
	delete_all
	rm -r "$BUNDLE"
	staged box '.mounts += [
		{"destination": "/t", "type": "ext4", "source": $loop, "options": ["ro"]},
		{"destination": "/t", "type": "ext4", "options": ["remount", "rw"]}]' "$loop"
	run -0 oci-mount box
	[[ $(options /t) = rw,* && $(super /t) = rw* ]]
	delete_all
	losetup -d "$loop"
}

@test "overlay" {
	mounted box '.mounts += [{"destination": "/o", "type": "overlay", "source": "o",
		"options": ["lowerdir=\($src)/dir:\($src)/other"]}]'
	[[ $(fstype /o) = overlay ]]
}

@test "tmpfs: remount changes the superblock" {
	mounted box '.mounts += [
		{"destination": "/t", "type": "tmpfs", "options": ["size=64k"]},
		{"destination": "/t", "type": "tmpfs", "options": ["remount", "size=128k", "ro"]}]'
	[[ $(super /t) = *size=128k* && $(options /t) = ro,* ]]
}

@test "tmpcopyup copies owners, modes, links, devices and attributes" {
	prepare() {
		local d=$BUNDLE/rootfs/data
		mkdir -p "$d/sub"
		echo text >"$d/sub/file"
		chown 12:34 "$d/sub/file"
		chmod 4751 "$d/sub/file"
		touch -d @1000000000 "$d/sub/file"
		ln -s /etc/passwd "$d/link"
		mknod "$d/node" c 1 3
		mkfifo -m 640 "$d/fifo"
		setfattr -n security.note -v x "$d/sub/file" 2>/dev/null || true
		chmod 1770 "$d"
		chown 56:78 "$d"
	}
	prepare=prepare mounted box '.mounts += [{"destination": "/data", "type": "tmpfs",
		"options": ["tmpcopyup", "nodev", "ro"]}]'
	local d
	d=$(at /data)
	[[ $(fstype /data) = tmpfs && $(options /data) = ro,nodev,relatime ]]
	[[ $(inside stat -c '%u:%g %a' "$d") = "56:78 1770" ]]
	[[ $(inside stat -c '%u:%g %a %Y' "$d/sub/file") = "12:34 4751 1000000000" ]]
	[[ $(inside cat "$d/sub/file") = text && $(inside readlink "$d/link") = /etc/passwd ]]
	[[ $(inside stat -c '%F %t:%T' "$d/node") = "character special file 1:3" ]]
	[[ $(inside stat -c '%F %a' "$d/fifo") = "fifo 640" ]]
}

@test "cgroup: every hierarchy, and only the container's part of it" {
	require cgroup_v1
	mounted box '.linux.namespaces += [{"type": "cgroup"}] | .mounts += [{"destination": "/sys/fs/cgroup",
		"type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}]'
	[[ $(fstype /sys/fs/cgroup) = tmpfs && $(options /sys/fs/cgroup) = ro,* ]]
	[[ $(fstype /sys/fs/cgroup/pids) = cgroup && $(options /sys/fs/cgroup/pids) = ro,nosuid,nodev,noexec,relatime ]]
	[[ $(inside cat "$(at /sys/fs/cgroup/pids/cgroup.procs)") = "$PID" ]]
}

@test "cgroup: the machine's options are not the container's" {
	staged box '.mounts += [{"destination": "/sys/fs/cgroup", "type": "cgroup", "options": ["xattr"]}]'
	refused 102 '/options/0' 'xattr'
}

@test "user namespace: filesystems belong to it" {
	prepare=give_away mounted box "$userns"
	[[ $(inside stat -c %u:%g "$(at /dev)") = 100000:100000 ]]
	[[ $(fstype /proc) = proc && $(fstype /sys) = sysfs && $(fstype /dev/null) = tmpfs ]]
	[[ $(inside stat -c '%F %t:%T' "$(at /dev/tty)") = "character special file 5:0" ]]
}

@test "user namespace: an id that it does not map is explained" {
	prepare=give_away staged box "$userns"' | .linux.gidMappings[0].size = 5
		| (.mounts[] | select(.type == "devpts").options) += ["gid=5"]'
	refused 111 '/options/' 'cannot mount devpts on "/dev/pts": EINVAL: option "gid=5"'
}

@test "user namespace: sysfs without a network namespace is explained" {
	prepare=give_away staged box "$userns"' | .linux.namespaces |= map(select(.type != "network"))'
	refused 111 '/mounts/' 'cannot mount sysfs on "/sys"' EPERM
}

@test "user namespace: a source that its root cannot reach is bound all the same" {
	prepare() { give_away; chmod 700 "$SRC"; }
	prepare=prepare mounted box "$userns"' | .mounts += [
		{"destination": "/d", "source": "\($src)/dir", "options": ["bind"]}]'
	[[ $(inside cat "$(at /d/inner)") = inner ]]
}

@test "many mounts: more than descriptors are usual" {
	staged box '.mounts += [range(1500) | {"destination": "/m/\(.)", "source": $src, "options": ["bind"]}]'
	(ulimit -Sn 1024; oci-mount box)
	[[ $(table /m/1499) ]]
}

# ---- Devices ---------------------------------------------------------------------------------

@test "default devices and links" {
	local name
	mounted box
	for name in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
		[[ $(inside stat -c '%F %t:%T %a %u:%g' "$(at "/dev/${name%%:*}")") = "character special file ${name#*:} 666 0:0" ]]
	done
	[[ $(inside readlink "$(at /dev/fd)") = /proc/self/fd ]]
	[[ $(inside readlink "$(at /dev/stdin)") = /proc/self/fd/0 ]]
	[[ $(inside readlink "$(at /dev/stdout)") = /proc/self/fd/1 ]]
	[[ $(inside readlink "$(at /dev/stderr)") = /proc/self/fd/2 ]]
	[[ $(inside readlink "$(at /dev/ptmx)") = pts/ptmx ]]
}

@test "linux.devices: every type, mode and owner" {
	mounted box '.linux.devices = [
		{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 432, "uid": 7, "gid": 8},
		{"type": "b", "path": "/dev/disk/one", "major": 8, "minor": 1, "fileMode": 24960},
		{"type": "u", "path": "/opt/raw", "major": 1, "minor": 5},
		{"type": "p", "path": "/dev/pipe", "fileMode": 384, "uid": 9}]'
	[[ $(inside stat -c '%F %t:%T %a %u:%g' "$(at /dev/fuse)") = "character special file a:e5 660 7:8" ]]
	[[ $(inside stat -c '%F %t:%T %a' "$(at /dev/disk/one)") = "block special file 8:1 600" ]]
	[[ $(inside stat -c '%F %t:%T %a' "$(at /opt/raw)") = "character special file 1:5 666" ]]
	[[ $(inside stat -c '%F %a %u' "$(at /dev/pipe)") = "fifo 600 9" ]]
}

@test "linux.devices: the same device may be there already" {
	prepare() { mknod -m 600 "$BUNDLE/rootfs/dev/null" c 1 3; mknod "$BUNDLE/rootfs/dev/x" c 1 5; }
	prepare=prepare mounted box "$no_dev"' | .linux.devices = [
		{"type": "c", "path": "/dev/x", "major": 1, "minor": 5}]'
	[[ $(stat -c %a "$BUNDLE/rootfs/dev/null") = 600 ]]
}

@test "linux.devices: another file in its place is an error" {
	prepare() { mknod "$BUNDLE/rootfs/dev/x" c 1 7; }
	prepare=prepare staged box "$no_dev"' | .linux.devices = [
		{"type": "c", "path": "/dev/x", "major": 1, "minor": 5}]'
	refused 102 '/linux/devices/0' '"/dev/x" exists and is the device 1:7, not 1:5'
}

@test "a link in the place of a device is an error, and not followed" {
	prepare() { ln -s "$SRC/file" "$BUNDLE/rootfs/dev/null"; }
	prepare=prepare staged box "$no_dev"
	refused 102 '"/dev/null" exists and is a symbolic link, not the device 1:3'
	[[ $(<"$SRC/file") = content ]]
}

@test "an empty file in the place of a default device is covered by the host's" {
	prepare() { touch "$BUNDLE/rootfs/dev/null"; }
	prepare=prepare mounted box "$no_dev"
	[[ $(inside stat -c '%F %t:%T' "$(at /dev/null)") = "character special file 1:3" ]]
	[[ -f $BUNDLE/rootfs/dev/null && ! -s $BUNDLE/rootfs/dev/null ]]
}

@test "a /dev that is a link is refused" {
	prepare() { rmdir "$BUNDLE/rootfs/dev"; ln -s "$SRC" "$BUNDLE/rootfs/dev"; }
	prepare=prepare staged box "$no_dev"' | .linux.devices = [
		{"type": "c", "path": "/dev/x", "major": 1, "minor": 5}]'
	refused 102 '"/dev" of the root filesystem is not an ordinary directory'
	[[ $(ls "$SRC") = $'dir\nfile\nother' ]]
}

@test "a bind mount on /dev is taken as it is" {
	mounted box "$no_dev"' | .mounts += [{"destination": "/dev/", "source": "\($src)/dir", "options": ["bind"]}]'
	[[ $(ls "$SRC/dir") = $'inner\nsub' ]]
}

@test "a ptmx of the image's gives way to the link" {
	prepare() { mknod "$BUNDLE/rootfs/dev/ptmx" c 5 2; }
	prepare=prepare mounted box "$no_dev"
	[[ $(readlink "$BUNDLE/rootfs/dev/ptmx") = pts/ptmx ]]
}

@test "a terminal's console is an empty file" {
	mounted box '.process.terminal = true'
	[[ $(inside stat -c '%F' "$(at /dev/console)") = "regular empty file" ]]
}

@test "a console that is a link is refused by name" {
	prepare() { ln -s "$SRC/new" "$BUNDLE/rootfs/dev/console"; }
	prepare=prepare staged box "$no_dev | .process.terminal = true"
	refused 102 '/process/terminal' '"/dev/console"' 'symbolic link'
	[[ ! -e $SRC/new ]]
}

@test "modes do not depend on the umask" {
	staged box '.linux.devices = [{"type": "c", "path": "/dev/x", "major": 1, "minor": 5, "fileMode": 438}]'
	(umask 077; oci-mount box)
	[[ $(inside stat -c %a "$(at /dev/null)") = 666 && $(inside stat -c %a "$(at /dev/x)") = 666 ]]
	[[ $(inside stat -c %a "$(at /dev/pts)") = 755 ]]
}

# ---- Options of other runtimes ---------------------------------------------------------------

@test "idmap=: an id-mapped mount with the mapping in the option" {
	prepare() { chown 3:7 "$SRC/file"; }
	prepare=prepare mounted box '.mounts += [
		{"destination": "/m", "source": $src, "options": ["rbind", "idmap=uids=0-0-3#3-44-1;gids=0-100-10"]},
		{"destination": "/r", "source": $src, "options": ["rbind", "ridmap=uids=0-5-10;gids=0-5-10"]}]'
	[[ $(inside stat -c %u:%g "$(at /m/file)") = 44:107 && $(inside stat -c %u:%g "$(at /r/file)") = 8:12 ]]
}

@test "idmap=@: relative to the container's user namespace" {
	prepare() { chown 3:7 "$SRC/file"; give_away; }
	prepare=prepare mounted box "$userns"' | .mounts += [
		{"destination": "/m", "source": $src, "options": ["bind", "idmap=uids=@0-20-10;gids=@0-30-10"]}]'
	[[ $(inside stat -c %u:%g "$(at /m/file)") = 100023:100037 ]]
}

@test "idmap=: what is no mapping is an error" {
	local option
	mkbundle box
	cp "$BUNDLE/config.json" config.good
	for option in x uids=0-1 'uids=0-1-10' 'uids=0-1-0;gids=0-1-1' 'uids=0-1-10;uids=0-1-10' 'uids=0-1-10;gids=0-1-10;x' \
		'uids=a-1-10;gids=0-1-10' 'uids=@0-1-10;gids=0-1-10' 'uids=;gids='; do
		cp config.good "$BUNDLE/config.json"
		edit "$BUNDLE" '.mounts += [{"destination": "/m", "source": "/tmp", "options": ["bind", "idmap=" + $option]}]' --arg option "$option"
		run -102 oci-validate "$BUNDLE"
		[[ $output = *"/mounts/7/options: mount option \"idmap=$option\""* ]] || show
	done
}

@test "copy-symlink: a source that is a link becomes the same link" {
	prepare() { ln -s /target/of/link "$SRC/link"; }
	prepare=prepare mounted box '.mounts += [
		{"destination": "/new/link", "source": "\($src)/link", "options": ["bind", "copy-symlink"]},
		{"destination": "/file", "source": "\($src)/file", "options": ["bind", "copy-symlink"]}]'
	[[ $(readlink "$BUNDLE/rootfs/new/link") = /target/of/link ]]
	[[ $(inside cat "$(at /file)") = content ]]
}

@test "copy-symlink: another file in its place is an error, the same link is not" {
	prepare() {
		ln -s /target "$SRC/link"
		ln -s /target "$BUNDLE/rootfs/same"
		touch "$BUNDLE/rootfs/other"
	}
	prepare=prepare staged box '.mounts += [
		{"destination": "/same", "source": "\($src)/link", "options": ["bind", "copy-symlink"]},
		{"destination": "/other", "source": "\($src)/link", "options": ["bind", "copy-symlink"]}]'
	refused 111 /mounts/8 'EEXIST: cannot make the link'
}

@test "src-nofollow and dest-nofollow: the links themselves" {
	prepare() {
		ln -s /file "$SRC/link"
		ln -s "$SRC/dir/inner" "$BUNDLE/rootfs/over"
		touch "$BUNDLE/rootfs/here"
	}
	prepare=prepare mounted box '.mounts += [
		{"destination": "/here", "source": "\($src)/link", "options": ["bind", "src-nofollow"]},
		{"destination": "/over", "source": "\($src)/file", "options": ["bind", "dest-nofollow"]}]'
	[[ $(inside readlink "$(at /here)") = /file ]]
	[[ $(inside stat -c %F "$(at /over)") = "regular file" && $(inside cat "$(at /over)") = content ]]
	[[ $(<"$SRC/dir/inner") = inner ]]
}

@test "options that say nothing about such a mount are errors" {
	mkbundle box '.mounts += [{"destination": "/a", "source": "/tmp", "options": ["bind", "tmpcopyup"]},
		{"destination": "/b", "type": "tmpfs", "options": ["copy-symlink"]},
		{"destination": "/c", "type": "tmpfs", "options": ["src-nofollow"]}]'
	run -102 oci-validate "$BUNDLE"
	[[ $output = *"/mounts/7/options: tmpcopyup is for a tmpfs"* ]] || show
	[[ $output = *"/mounts/8/options: copy-symlink and src-nofollow are for bind mounts"* && $output = *"3 errors"* ]] || show
}

# ---- Without root ----------------------------------------------------------------------------

# As rootless engines call a runtime: root of a user namespace, in the host's mount namespace.
rootless() {
	setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user "$@"
}

# A bundle that this user can reach, at $PLACE/box.
rootless_bundle() {
	require root userns command:setpriv
	PLACE=$(mktemp -d /tmp/test-mount.XXXXXX)
	mkbundle box "$1 | (.mounts[].options | arrays) -= [\"gid=5\"] | .linux.namespaces += [{\"type\": \"user\"}] | del(.linux.cgroupsPath)
		| .linux.uidMappings = [{\"containerID\": 0, \"hostID\": 0, \"size\": 1}]
		| .linux.gidMappings = .linux.uidMappings" --arg place "$PLACE"
	mv "$BUNDLE" "$PLACE/box"
	mkdir "$PLACE/src" "$PLACE/root"
	echo content >"$PLACE/src/file"
	chown -R 65534:65534 "$PLACE"
	rootless test -x "$OCI" || skip "requires $OCI to be reachable for every user"
}

teardown() {
	common_teardown
	[[ ! ${PLACE-} ]] || rm -rf "$PLACE"
}

@test "rootless: mounts, devices, masks" {
	rootless_bundle '.mounts += [{"destination": "/s", "source": "\($place)/src", "options": ["rbind", "ro"]}]
		| .process.args = ["sh", "-c", "cat /s/file; stat -c %t:%T /dev/null; wc -c </proc/keys; mount"]
		| .linux.maskedPaths = ["/proc/keys", "/proc/bus"]'
	rootless "$OCI" --root "$PLACE/root" create box "$PLACE/box" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null ||
		fail "$(<"$BATS_TEST_TMPDIR/out")"
	rootless "$OCI" --root "$PLACE/root" start box
	wait_for grep -q ' /proc/sys ' "$BATS_TEST_TMPDIR/out"
	rootless "$OCI" --root "$PLACE/root" delete --force box
	[[ $(head -3 "$BATS_TEST_TMPDIR/out") = $'content\n1:3\n0' ]] || fail "$(<"$BATS_TEST_TMPDIR/out")"
	grep -q ' on /s .*(ro,' "$BATS_TEST_TMPDIR/out"
}

@test "rootless: a source that cannot be reached is explained" {
	rootless_bundle '.mounts += [{"destination": "/s", "source": "\($place)/closed/x", "options": ["bind"]}]'
	mkdir -p "$PLACE/closed/x"
	chmod 700 "$PLACE/closed"
	run -111 --separate-stderr rootless "$OCI_BUILD/oci-create" --root "$PLACE/root" box "$PLACE/box"
	[[ $stderr = *"cannot bind \"$PLACE/closed/x\" to \"/s\": EACCES: \"$PLACE/closed\" is not searchable by uid 0 of this user namespace (mode 0700, owner"* ]] || show
	[[ ! $(ls "$PLACE/root") ]]
}

@test "the kernel lists new mounts in config.json's order, whoever makes them" {
	mkbundle box '.mounts = ([.mounts[] | select(.type != "cgroup")] + [
		{destination: "/b", type: "tmpfs", source: "tmpfs"},
		{destination: "/d", type: "proc", source: "proc"},
		{destination: "/e", type: "tmpfs", source: "tmpfs"}])
		| .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .process.args = ["sleep", "1000"]'
	oci create box "$BUNDLE" >create.out 2>&1 </dev/null || fail "$(<create.out)"
	diff <(jq -r '.mounts[].destination' box/config.json) \
		<(awk '$5 != "/" && $5 !~ "^/dev/(null|zero|full|random|urandom|tty|console)$" {print $5}' "/proc/$(ctr_pid box)/mountinfo")
}
