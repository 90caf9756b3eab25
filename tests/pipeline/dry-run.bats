#!/usr/bin/env bats
# oci-create --dry-run: a creation as a shell script.
load ../lib/common

# Runs the script in a mount namespace of its own, as if it had been typed.
play() { unshare --mount --propagation private sh script </dev/null; }

dry_run() { oci-create --dry-run "$@" >script; }

@test "the script makes a container" {
	require root command:pivot_root
	mkbundle box '.process.args = ["sh", "-c", "echo $$; hostname; echo $COLOUR; ls -d /proc/[0-9]* | wc -l; ls /sys/class/net; ulimit -n; pwd"]
		| .hostname = "dry" | .process.env += ["COLOUR=dark red"] | .process.cwd = "/tmp"
		| .mounts += [{destination: "/new/file", type: "bind", source: $file, options: ["rbind", "ro"]}]' \
		--arg file "$PWD/source"
	echo hello >source
	dry_run c box
	grep -q "^mount --rbind .*/source \"\$ROOTFS/new/file\"$" script
	run -0 play
	[ "${lines[0]}" = 1 ] || show
	[ "${lines[1]}" = dry ] || show
	[ "${lines[2]}" = "dark red" ] || show
	[ "${lines[4]}" = lo ] || show
	[ "${lines[5]}" = 1024 ] || show
	[ "${lines[6]}" = /tmp ] || show
	[ "$(test_cgroups)" = "" ]
}

@test "writing the script touches nothing" {
	mkbundle box
	find box -printf '%p %y %m %T@ %l\n' | sort >before
	before=$(host_mounts)
	dry_run c box
	find box -printf '%p %y %m %T@ %l\n' | sort | diff before -
	[ ! -e "$ROOT" ]
	[ "$before" = "$(host_mounts)" ]
	[ "$(test_cgroups)" = "" ]
}

@test "a bundle alone is enough; its name is the container's" {
	mkbundle box
	run -0 oci-create --dry-run box
	[[ $output = *"container box of $BUNDLE;"* ]] || show
	run -0 oci-create --dry-run --bundle box c
	[[ $output = *"container c of $BUNDLE;"* ]] || show
	run -0 oci create --dry-run --bundle box c
}

@test "each property is named with its line" {
	local pointer line
	mkbundle box '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.resources.pids = {limit: 99}'
	dry_run c box
	grep -E '^# /[^ ]+ \(config.json:[0-9]+\)' script >pointers
	[ "$(wc -l <pointers)" -gt 15 ]
	grep -q '^# /mounts/6 ' pointers
	grep -q '^sysctl -qw net.ipv4.ip_forward=1$' script
	grep -A1 '^# /linux/resources/pids/limit' script | grep -q '^echo 99 >/sys/fs/cgroup/.*/pids.max$'
	run sed -n "$(sed -nE 's|^# /linux/namespaces \(config.json:([0-9]+)\)|\1|p' pointers)p" box/config.json
	[[ $output = *'"namespaces": ['* ]] || show
	line=$(sed -nE 's|^# /hostname \(config.json:([0-9]+)\)|\1|p' pointers)
	[[ $(sed -n "${line}p" box/config.json) = *'"hostname":'* ]]
}

@test "words of the config stay words, whatever is in them" {
	require root command:pivot_root
	mkbundle box '.process.args = ["sh", "-c", "printf \"%s|\" \"$@\"", "sh", "a  b", "$(touch /pwned)", "it'"'"'s",
		"two\nINSIDE\nlines", "`id`", "", "*"]
		| .mounts += [{destination: "/we $(touch pwned) ird", type: "tmpfs", source: "a b"}]
		| .annotations = {"x": "y"}'
	dry_run c box
	sh -n script
	run -0 play
	[ "$output" = "a  b|\$(touch /pwned)|it's|two
INSIDE
lines|\`id\`||*|" ] || show
	run -0 find . -name '*pwned'
	[ "$output" = "" ] || show
}

@test "comments cannot be left" {
	mkbundle box '.process.user.uid = 0 | .hooks.prestart = [{path: "/bin/true", args: ["x\ny"], env: ["A=b\ntouch pwned"]}]'
	dry_run c box
	run -1 grep -n '^touch' script
	grep -qF '#   env -i '"'A=b\x0atouch pwned'"' /bin/true' script
}

@test "a broken config has its errors, and no script" {
	mkbundle box '.hostname = 7'
	run -102 --separate-stderr oci-create --dry-run box
	[ "$output" = "" ] || show
	[[ $stderr = *"/hostname"* ]] || show
	run -102 oci-create --dry-run none
	run -100 oci-create --dry-run "bad id" box
}

@test "each shape of namespaces, devices, hooks and options has its line" {
	mkbundle box '.linux.namespaces = [{type: "mount"}, {type: "uts"}, {type: "network", path: "/proc/1/ns/net"}, {type: "time"}]
		| .linux.timeOffsets = {boottime: {secs: 5}}
		| .linux.devices = [{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 432, uid: 1, gid: 2}]
		| .hooks.createContainer = [{path: "/bin/true", timeout: 3, env: ["A=b"]}]
		| .mounts += [{destination: "/s", type: "tmpfs", source: "s", options: ["tmpcopyup", "rslave", "size=1m"]}]
		| .domainname = "example.org"'
	dry_run c box
	grep -q "^nsenter --net=/proc/1/ns/net unshare --uts --mount --time --boottime 5 --propagation unchanged sh " script ||
		fail "$(grep unshare script)"
	grep -q '^mknod -m 660 "$ROOTFS/dev/fuse" c 10 229$' script
	grep -q '^chown 1:2 "$ROOTFS/dev/fuse"$' script
	grep -q '^#   timeout -s KILL 3 env -i A=b /bin/true$' script
	grep -q '^mount -t tmpfs -o size=1m s "$ROOTFS/s"$' script
	grep -q '^mount --make-rslave "$ROOTFS/s"$' script
	grep -q '^domainname example.org$' script
	edit "$BUNDLE" '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 1, size: 9}]
		| .linux.gidMappings = .linux.uidMappings'
	dry_run c box
	grep -q '^touch "$ROOTFS/dev/fuse" && mount --bind /dev/fuse "$ROOTFS/dev/fuse"$' script
}
