#!/usr/bin/env bats
# Root file systems as people have them: what docker export writes, and a Debian.

load ../lib/common
load debian

setup() {
	common_setup
	require root
}

# says BUNDLE: puts in output what its process says until it ends.
says() {
	oci create --bundle "$1" "$1" </dev/null >"$1.out" 2>"$1.err" || fail "$(<"$1.err")" || return
	oci start "$1" || return
	wait_for is_status "$1" stopped
	output=$(<"$1.out") stderr=$(<"$1.err")
}

# As docker export leaves it: the files that docker binds over are there, and empty.
export_tar() {
	local image=$BATS_TEST_TMPDIR/image
	cp -a "$(template_rootfs)" "$image"
	mkdir -p "$image"/dev/{pts,shm} "$image"/{proc,sys}
	touch "$image/.dockerenv" "$image/dev/console" "$image"/etc/{hostname,hosts,resolv.conf}
	chmod 755 "$image/.dockerenv" "$image"/etc/{hostname,hosts,resolv.conf}
	ln -s /proc/mounts "$image/etc/mtab"
	echo 'app:x:101:102:App:/srv:/bin/sh' >>"$image/etc/passwd"
	mkdir "$image/srv"
	echo data >"$image/srv/file"
	chown -R 101:102 "$image/srv"
	chmod 4755 "$image/bin/busybox"
	tar -C "$image" --sort=name --numeric-owner -cf "$BATS_TEST_TMPDIR/app.tar" .dockerenv bin dev etc home mnt \
		proc root run sbin srv sys tmp usr var
}

@test "a root file system from docker export runs with the bundle that oci-spec writes" {
	export_tar
	mkdir -p app/rootfs
	tar -C app/rootfs -xpf app.tar
	oci spec --bundle app
	edit app '.process.terminal = false | .process.args = ["sh", "-c",
		"id -u; cat /srv/file; cat /etc/mtab | head -1 | cut -d\" \" -f2; ls -d /.dockerenv; test -c /dev/null && echo null"]'
	says app
	[[ $output = $'0\ndata\n/\n/.dockerenv\nnull' ]] || show
}

@test "a root file system from docker export runs as its own user" {
	export_tar
	mkdir -p app/rootfs
	tar -C app/rootfs -xpf app.tar
	oci spec --bundle app
	edit app '.process.terminal = false | .process.user = {uid: 101, gid: 102} | .process.cwd = "/srv"
		| .process.args = ["sh", "-c", "id -un; pwd; echo more >>file && cat file"] | .root.readonly = false'
	says app
	[[ $output = $'app\n/srv\ndata\nmore' ]] || show
}

@test "a terminal works although /dev/console is an empty file in the image" {
	export_tar
	mkdir -p app/rootfs
	tar -C app/rootfs -xpf app.tar
	oci spec --bundle app
	# Docker's own /dev is in the image; without a mount there the runtime works in it.
	edit app '.mounts |= map(select(.destination != "/dev")) | .process.args = ["sh", "-c", "tty; test -c /dev/console && echo console"]
		| .root.readonly = false'
	"$TOOLS/recvtty" "$PWD/socket" out </dev/null >/dev/null 2>&1 3>&- &
	wait_for test -S socket
	oci create --console-socket "$PWD/socket" --bundle app app </dev/null >log 2>&1 || fail "$(<log)"
	oci start app
	wait_for grep -q console out
	grep -q '^/dev/pts/0' out
}

debian() {
	debian_root debian/rootfs
	oci spec --bundle debian
	edit debian '.process.terminal = false | .root.readonly = false'
}

@test "a Debian boots a shell that knows its users" {
	debian
	edit debian '.process.args = ["/bin/bash", "-c", "id -un; getent passwd www-data | cut -d: -f3; hostname; dpkg -s bash | head -1"]
		| .hostname = "woody"'
	says debian
	[[ $output = $'root\n33\nwoody\nPackage: bash' ]] || show
}

@test "a Debian's own user, groups and a login shell" {
	debian
	edit debian '.process.user = {uid: 33, gid: 33, additionalGids: [4]} | .process.cwd = "/var"
		| .process.args = ["/bin/bash", "-lc", "id -un; id -Gn; pwd; touch /etc/x 2>/dev/null || echo no"]'
	says debian
	[[ $output = $'www-data\nwww-data adm\n/var\nno' ]] || show
}

@test "a Debian's shell at a terminal" {
	debian
	edit debian '.process.terminal = true | .process.args = ["/bin/bash", "--norc", "-i"]'
	mkfifo keys
	"$TOOLS/recvtty" "$PWD/socket" out <keys >/dev/null 2>&1 3>&- &
	exec 7>keys
	wait_for test -S socket
	oci create --console-socket "$PWD/socket" --bundle debian debian </dev/null >log 2>&1 || fail "$(<log)"
	oci start debian
	echo 'echo $((6 * 7)) $(tty); exit 5' >&7
	wait_for grep -q "42 /dev/pts/0" out || fail "$(cat -v out)"
	exec 7>&-
	wait_for is_status debian stopped
}
