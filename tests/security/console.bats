#!/usr/bin/env bats
# T-88264, T-52565: an image whose /dev/console, or /dev/pts, is a trap for the terminal's setup.
# CVE-2026-88264 (crun), CVE-2025-52565 (runc).

load ../lib/common
load security

no_dev='.mounts |= map(select(.destination | startswith("/dev") | not)) | .process.terminal = true'

# create_tty NAME: create with a console socket; recvtty's output is NAME.tty.
create_tty() {
	rm -f socket
	"$TOOLS/recvtty" "$PWD/socket" "$1.tty" </dev/null >/dev/null 2>&1 3>&- &
	receiver=$!
	wait_for test -S socket
	create "$1" --console-socket "$PWD/socket"
}

teardown() {
	[[ ! ${receiver-} ]] || kill "$receiver" 2>/dev/null || true
	security_teardown
}

@test "control: a terminal is set up in an image's own /dev" {
	mkbundle box "$no_dev | .process.args = [\"sh\", \"-c\", \"echo said; exec sleep 1000\"]
		| .mounts += [{destination: \"/dev/pts\", type: \"devpts\", source: \"devpts\",
			options: [\"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]}]"
	create_tty box
	((status == 0)) || fail "INVALID: the control does not run"
	start box
	((status == 0))
	wait_for grep -q said box.tty
	PID=$(ctr_pid box)
	# crun makes no /dev/console here.
	[[ ! -e /proc/$PID/root/dev/console || $(stat -Lc %t "/proc/$PID/root/dev/console") = 88 ]]
}

# T-88264
@test "no file is created where /dev/console points to" {
	local before ro
	for ro in false true; do
		mkbundle "attack-$ro" "$no_dev | .root.readonly = $ro
			| .mounts += [{destination: \"/dev/pts\", type: \"devpts\", source: \"devpts\",
				options: [\"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]}]"
		ln -s "$OUT/console" "$BUNDLE/rootfs/dev/console"
		before=$(outside)
		create_tty "attack-$ro"
		((status)) || start "attack-$ro"
		[[ $(outside) = "$before" ]] || fail "$(outside)"
		((status == 0)) || refused "attack-$ro" 'console'
		oci delete --force "attack-$ro" || true
		kill "$receiver" 2>/dev/null || true
	done
}

@test "no file is mounted over, or changed, where /dev/console points to" {
	local before
	mkbundle attack "$no_dev | .mounts += [{destination: \"/dev/pts\", type: \"devpts\", source: \"devpts\",
			options: [\"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]},
		{destination: \"/vol\", type: \"bind\", source: \$out, options: [\"bind\"]}]" --arg out "$OUT"
	ln -s /vol/canary "$BUNDLE/rootfs/dev/console"
	before=$(outside)
	create_tty attack
	((status)) || start attack
	[[ $(outside) = "$before" ]] || fail "$(outside)"
	((status)) || [[ ! $(mount_line "$(ctr_pid attack)" /vol/canary) ]]
	((status == 0)) || refused attack 'console'
}

# T-52565: the image's own "terminals" in /dev/pts are links to procfs.
@test "a terminal is from the container's devpts, not from links in the image" {
	local n
	mkbundle attack "$no_dev | .mounts += [{destination: \"/dev/pts/pts\", type: \"devpts\", source: \"devpts\",
			options: [\"newinstance\", \"ptmxmode=0666\", \"mode=0620\"]}]"
	mkdir -p "$BUNDLE/rootfs/dev/pts/pts"
	mknod -m 666 "$BUNDLE/rootfs/dev/ptmx" c 5 2
	for n in {0..40}; do ln -s /proc/version "$BUNDLE/rootfs/dev/pts/$n"; done
	create_tty attack
	((status)) || start attack
	if ((status)); then
		refused attack 'pts|pty|tty|terminal|console|ptmx|ENOTTY|inappropriate ioctl'
	else
		PID=$(ctr_pid attack)
		[[ $(stat -Lc %F:%t "/proc/$PID/root/dev/console") = "character special file:88" ]]
		[[ $(readlink "/proc/$PID/fd/0") != */version ]]
	fi
}
