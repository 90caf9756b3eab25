#!/usr/bin/env bats
# What surrounds a command: names of programs that are looked up, environments, and what ends in a log.
load ../lib/common
load security

@test "T-PATH: no program is found by a search, and no library by the environment" {
	local program before
	mkbundle box '.process.args = ["sleep", "1000"] | .hooks.prestart = [{path: "/bin/true"}] | .hooks.poststop = [{path: "/bin/true"}]
		| .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 box/rootfs
	mkdir "$OUT/bin"
	for program in oci oci-init oci-mount oci-pivot oci-cgroup oci-nsenter-setup oci-validate oci-prepare-root oci-hook oci-seccomp \
		newuidmap newgidmap true sh ps sleep mount umount ip criu systemd-run modprobe getent; do
		printf '#!%s\necho "$0 $*" >>"%s"\n' "$(command -v bash)" "$OUT/executed" >"$OUT/bin/$program"
		chmod 755 "$OUT/bin/$program"
	done
	printf 'int x;' | gcc -shared -o "$OUT/evil.so" -x c - 2>/dev/null || : >"$OUT/evil.so"
	# The control: a search would find them.
	PATH=$OUT/bin:$PATH bash -c 'true; oci-mount'
	grep -q oci-mount "$OUT/executed"
	rm "$OUT/executed"
	before=$(outside)
	life() (
		export PATH=$OUT/bin LD_PRELOAD=$OUT/evil.so LD_LIBRARY_PATH=$OUT LOCPATH=$OUT GCONV_PATH=$OUT
		"$OCI_BUILD/oci-create" --root "$ROOT" $1 box box </dev/null >out 2>err || return
		"$OCI" --root "$ROOT" start box >>out 2>>err || return
		"$OCI" --root "$ROOT" exec box /bin/true </dev/null >>out 2>>err || return
		"$OCI" --root "$ROOT" ps box >>out 2>>err || return
		"$OCI" --root "$ROOT" kill box KILL >>out 2>>err || return
		"$OCI" --root "$ROOT" delete --force box >>out 2>>err || return
	)
	life '' || fail "$(<err)"
	life --exec || fail "$(<err)"
	[ ! -e "$OUT/executed" ] || fail "$(<"$OUT/executed")"
	[ "$before" = "$(outside)" ]
}

@test "T-HOOKENV: hooks get their own environment and nothing of the image's, the config's or ours" {
	local kind
	mkbundle box '.process.env += ["LD_PRELOAD=/evil.so", "SECRET=1"]'
	mkdir "$OUT/seen"
	for kind in prestart createRuntime createContainer poststart poststop; do
		edit box '.hooks[$kind] = [{path: "/bin/cp", args: ["cp", "/proc/self/environ", $file]},
			{path: "/bin/cp", args: ["cp", "/proc/self/environ", $file + ".set"], env: ["A=1"]},
			{path: "/bin/cp", args: ["cp", "-P", "/proc/self/cwd", $file + ".cwd"]},
			{path: "/bin/sh", args: ["sh", "-c", "exec >\($file).fd; echo /proc/self/fd/*"]}]' \
			--arg kind "$kind" --arg file "$OUT/seen/$kind"
	done
	exec 40<"$OUT/canary"
	SECRET=2 LD_BIND_NOW=1 create box
	exec 40<&-
	((status == 0)) || fail "INVALID: $(<box.err)"
	start box
	oci delete --force box
	for kind in prestart createRuntime createContainer poststart poststop; do
		[ -e "$OUT/seen/$kind" ] || fail "INVALID: the $kind hook did not run"
		[ ! -s "$OUT/seen/$kind" ] || fail "$kind: $(tr '\0' ' ' <"$OUT/seen/$kind")"
		[ "$(tr '\0' , <"$OUT/seen/$kind.set")" = "A=1," ]
		[ "$(readlink "$OUT/seen/$kind.cwd")" = / ]
		# 3 is the directory that the shell reads.
		[ "$(<"$OUT/seen/$kind.fd")" = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" ] || fail "$(<"$OUT/seen/$kind.fd")"
	done
}

@test "T-HOOKENV: the same of startContainer hooks, which are in the container; no hook has a terminal" {
	local kind hook
	require command:script
	# The tty_nr of /proc/PID/stat.
	hook='{path: "/bin/sh", args: ["sh", "-c", "cut -d\" \" -f7 /proc/self/stat >\($at)"], env: ["PATH=/bin:/usr/bin"]}'
	mkbundle box '.process.env += ["LD_PRELOAD=/evil.so", "SECRET=1"] | .process.args = ["true"]'
	mkdir "$OUT/tty" box/rootfs/seen
	for kind in prestart createRuntime createContainer poststart poststop; do
		edit box ".hooks[\$kind] = [$hook]" --arg kind "$kind" --arg at "$OUT/tty/$kind"
	done
	edit box ".hooks.startContainer = [$hook,
		{path: \"/bin/cp\", args: [\"cp\", \"/proc/self/environ\", \"/seen/none\"]},
		{path: \"/bin/cp\", args: [\"cp\", \"/proc/self/environ\", \"/seen/set\"], env: [\"A=1\"]},
		{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"pwd >/seen/cwd; exec >/seen/fd; echo /proc/self/fd/*\"]}]" --arg at /seen/tty
	# The control: who calls us has one.
	script -qec "cut -d' ' -f7 /proc/self/stat >control; SECRET=2 $OCI --root $ROOT run --bundle box box" /dev/null </dev/null >out 2>&1
	(($(<control) != 0))
	for kind in prestart createRuntime createContainer poststart poststop; do
		[ "$(<"$OUT/tty/$kind")" = 0 ] || fail "$kind: $(<out)"
	done
	[ "$(<box/rootfs/seen/tty)" = 0 ]
	[ ! -s box/rootfs/seen/none ] || fail "$(tr '\0' ' ' <box/rootfs/seen/none)"
	[ "$(tr '\0' , <box/rootfs/seen/set)" = "A=1," ]
	[ "$(<box/rootfs/seen/cwd)" = / ]
	# 3 is the directory that the shell reads.
	[ "$(<box/rootfs/seen/fd)" = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" ] || fail "$(<box/rootfs/seen/fd)"
}

# logged WORDS: the failed command left one line in the log, which is JSON and has the words.
logged() {
	[ "$(wc -l <log)" = 1 ] || fail "INVALID or more than one line:" "$(cat -v log)"
	jq -es 'length == 1 and .[0].level == "error"' log >/dev/null || fail "no JSON: $(cat -v log)"
	grep -q "$1" log || fail "INVALID: $(cat -v log)"
	# Control characters, also those of one byte from 0x80 on and in UTF-8, reach neither log nor terminal.
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' log || fail "$(cat -v log)"
	! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' err || fail "$(cat -v err)"
	# What is long is cut, and no value of the environment is told.
	(($(wc -c <log) < 2500)) || fail "$(wc -c <log) bytes"
	! grep -q hush log err
}

# fails FILTER [WORDS]: of a bundle with that in config.json.
fails() {
	rm -f log
	mkbundle box "$1" --arg evil $'\n{"level":"x"}\e[2J\r\x9b31m\u009b31m\x7f'
	# shellcheck disable=SC2086
	run ! "$OCI" --root "$ROOT" --log log --log-format json ${3-create} --bundle box box
	printf '%s\n' "$output" >err
	logged "$2"
	rm -rf box
	oci delete --force box
}

@test "T-LOG: what an image or a config says cannot forge a line of the log" {
	fails '.process.args = [$evil]' 'executable file not found'
	fails '.process.args = ["x" * 100000] | .process.env += ["SECRET=hush"]' 'executable file not found\|ENAMETOOLONG\|too long'
	fails '.process.args = ["sleep", "1"] | .process.env += ["SECRET=hush", "LONG=hush" + "x" * 200000]' 'E2BIG\|too long\|argument list'
	fails '.process.args = ["/bin/" + $evil]' 'no such file or directory'
	fails '.process.cwd = "/proc/version/" + $evil' 'cwd\|working directory'
	fails '.mounts += [{destination: ("/proc/" + $evil), type: "tmpfs", source: "tmpfs"}]' /mounts/
	fails '.mounts += [{destination: "/x", type: "bind", source: ("/nowhere" + $evil), options: ["bind"]}]' /mounts/
	fails '.mounts += [{destination: "/x", type: $evil, source: "x"}]' /mounts/
	fails '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "printf \"%s\" \"$1\" >&2; exit 1", "sh", $evil]}]' 'prestart hook'
	fails '.linux.sysctl = {("net." + $evil): "1"}' sysctl
	fails '.process.user = {uid: 0, gid: 0} | .linux.namespaces += [{type: $evil}]' namespaces
	fails '.process.args = ["/bin/sh"] | .hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", "echo \"$1\" >&2; exit 1", "sh", $evil]}]' 'poststart hook' run
}
