#!/usr/bin/env bats
# T-CAPINH, T-FAKEPROC, T-CGPATH, T-TIOCSTI, T-21626 for oci-exec: a further process among hostile ones.
# CVE-2022-29162 (runc), CVE-2015-1334 (lxc), CVE-2017-5226, CVE-2024-21626 (runc).

load ../lib/common
load security

# executed OPTION... ID: a process that sleeps; its pid is put in PID.
executed() {
	rm -f pid
	oci exec --detach --pid-file "$PWD/pid" "$@" sleep 1000 </dev/null >exec.out 2>&1 ||
		fail "INVALID: $(<exec.out)" || return
	PID=$(<pid)
}

# refuses PATTERN ARGUMENT...: exec fails, and says what was wrong.
refuses() {
	local pattern=$1
	shift
	status=0
	oci exec "$@" </dev/null >exec.out 2>&1 || status=$?
	((status == 255)) || fail "not refused: $*" || return
	grep -Eqi -- "$pattern" exec.out || fail "INVALID: refused for another reason: $(<exec.out)"
}

caps_of() { status_of "$1" "Cap$2"; }

# T-CAPINH
@test "nothing is inheritable or ambient that config.json does not say, also from the caller" {
	require command:setpriv
	mkbundle box '.process.capabilities = (["CAP_CHOWN", "CAP_KILL"] | {bounding: ., effective: ., permitted: .})'
	runs box
	jq -n '{cwd: "/", args: ["sleep", "1000"], env: ["PATH=/bin"], user: {uid: 0, gid: 0}}' >plain.json
	jq '.capabilities = (["CAP_KILL"] | {bounding: ., effective: ., permitted: .})' plain.json >caps.json
	local how bounding
	while read -r bounding how; do
		rm -f pid
		# shellcheck disable=SC2086
		setpriv --inh-caps +chown,+net_raw,+sys_admin --ambient-caps +chown,+net_raw,+sys_admin \
			"$OCI" --root "$ROOT" exec --detach --pid-file "$PWD/pid" $how </dev/null >exec.out 2>&1 ||
			fail "INVALID: $how: $(<exec.out)"
		PID=$(<pid)
		[[ $(caps_of "$PID" Inh) = 0000000000000000 && $(caps_of "$PID" Amb) = 0000000000000000 ]] || fail "$how"
		[[ $(caps_of "$PID" Bnd) = "$bounding" ]] || fail "$how: $(caps_of "$PID" Bnd)"
	done <<-'END'
		0000000000000021 box sleep 1000
		0000000000002021 --cap CAP_NET_RAW box sleep 1000
		0000000000000021 --process plain.json box
		0000000000000020 --process caps.json box
		0000000000000021 --user 1000:1000 box sleep 1000
	END
	# The last one: a user other than root has none.
	[[ $(caps_of "$PID" Prm) = 0000000000000000 && $(caps_of "$PID" Eff) = 0000000000000000 ]]
}

@test "each capability alone is exactly that one" {
	mkbundle box '.process.capabilities = {}'
	runs box
	local cap held n seen=0
	held=$((16#$(caps_of self Bnd)))
	for cap in $(sed -n '/^WORDS(capabilities/,/)/p' "$REPO/lib/oci/spec.def" | grep -oE 'CAP_[A-Z_]+'); do
		executed --cap "$cap" box
		[[ $(caps_of "$PID" Bnd) = "$(caps_of "$PID" Prm)" && $(caps_of "$PID" Bnd) = "$(caps_of "$PID" Eff)" ]]
		# One bit, and another for each; none if the caller has it not itself.
		n=$((16#$(caps_of "$PID" Bnd)))
		(((n & (n - 1)) == 0 && (n & seen) == 0 && (n & ~held) == 0)) || fail "$cap: $n"
		((seen |= n))
		kill -KILL "$PID"
	done
	((seen == held)) || fail "$seen, not $held"
}

# T-FAKEPROC
@test "a container's own /proc is not used to make a process of it" {
	require command:strace
	mkbundle box '.process.capabilities |= with_entries(.value = ["CAP_SYS_ADMIN", "CAP_KILL"]) | .process.args = ["sh", "-c", $script]
		| .mounts += [{destination: "/vol", type: "bind", source: $out, options: ["bind", "rw"]}]' \
		--arg out "$OUT" --arg script '
		mount -t tmpfs none /proc && mkdir -p /proc/self/attr/apparmor /proc/self/fd /proc/thread-self/attr /proc/1
		for f in self/attr/exec self/attr/apparmor/exec self/oom_score_adj self/setgroups self/uid_map thread-self/attr/exec 1/cgroup; do
			ln -s /vol/canary /proc/$f; done
		for n in 0 1 2 3 4 5 6 7 8 9; do ln -s /vol/canary /proc/self/fd/$n; done
		echo >/tmp/ready; exec sleep 1000'
	runs box
	wait_for -t 30 test -e "$BUNDLE/rootfs/tmp/ready"
	local before own=$PID
	before=$(outside)
	executed --user 1000:1001 -g 5 --cap CAP_CHOWN box
	[[ $(status_of "$PID" Uid) = $'1000\t1000\t1000\t1000' && $(status_of "$PID" Gid) = $'1001\t1001\t1001\t1001' ]]
	[[ $(status_of "$PID" Groups | tr -d ' ') = 5 && $(caps_of "$PID" Bnd) = 0000000000200021 ]]
	[[ $(readlink "/proc/$PID/ns/mnt") = "$(readlink "/proc/$own/ns/mnt")" ]]
	strace -f -o trace "$OCI" --root "$ROOT" exec box sleep 0 </dev/null
	# The process that joins: from its setns on.
	local joiner
	joiner=$(sed -nE 's/^([0-9]+) +setns\(.*CLONE_NEW(NS|UTS).*/\1/p' trace | head -1)
	[[ $joiner ]] || fail "INVALID: nothing joins"
	! sed -n "/^$joiner .*setns/,/^$joiner .*execve(/p" trace | grep "^$joiner " | grep -E '"/?proc' || fail "opens beneath /proc"
	[[ $(outside) = "$before" ]] || fail "$(outside)"
}

# T-CGPATH
@test "exec --cgroup does not leave the container's cgroup" {
	mkbundle box
	mkbundle boxx
	runs boxx
	runs box
	local path
	for path in ../boxx /../boxx x/../../boxx .. ../ ./.. ../../; do refuses 'it would leave' --cgroup "$path" box true; done
	refuses newline --cgroup $'a\nb' box true
	refuses 'cgroup' --cgroup "$(printf 'a%.0s' {1..4096})" box true
	refuses 'cgroup' --cgroup "$(printf 'a/%.0s' {1..3000})" box true
	# A sibling whose name begins in the same way, and absolute paths, are looked for beneath.
	refuses 'cgroup.*box/boxx' --cgroup boxx box true
	refuses 'cgroup.*box/' --cgroup "$CGROUP/boxx" box true
	for path in / . ./ //; do
		executed --cgroup "$path" box
		diff "/proc/$PID/cgroup" "/proc/$(ctr_pid box)/cgroup"
	done
}

# T-TIOCSTI
@test "an executed process cannot type into the caller's terminal" {
	local errno
	mkbundle box '.process.capabilities = {}'
	cp "$TOOLS/dump" "$BUNDLE/rootfs/bin/dump"
	runs box
	# The control: with the terminal as its controlling one a process can, where the kernel allows it at all.
	errno=$(script -qec "$TOOLS/dump type" /dev/null </dev/null | tr -d '\r' | grep -oE 'errno [0-9]+' | cut -d' ' -f2)
	[[ $errno = 0 ]] || skip "requires dev.tty.legacy_tiocsti"
	errno=$(script -qec "$OCI --root $ROOT exec box dump type" /dev/null </dev/null | tr -d '\r' | grep -oE 'errno [0-9]+' | cut -d' ' -f2)
	# EPERM, or ENOTTY.
	[[ $errno = 1 || $errno = 25 ]] || fail "errno $errno"
	# The container's own process, in the foreground of run and beside create and start.
	edit "$BUNDLE" '.process.args = ["dump", "type"] | .linux.cgroupsPath += "2"'
	errno=$(script -qec "$OCI --root $ROOT run --bundle $BUNDLE own" /dev/null </dev/null | tr -d '\r' | grep -oE 'errno [0-9]+' | cut -d' ' -f2)
	[[ $errno = 1 || $errno = 25 ]] || fail "run: errno $errno"
	edit "$BUNDLE" '.process.args = ["sh", "-c", "dump type >/typed"]'
	script -qec "$OCI --root $ROOT create --bundle $BUNDLE later && $OCI --root $ROOT start later && until [ -s $BUNDLE/rootfs/typed ]; do sleep 0.1; done" \
		/dev/null </dev/null >later.out
	[[ $(<"$BUNDLE/rootfs/typed") = 'errno '@(1|25) ]] || fail "create: $(<"$BUNDLE/rootfs/typed")"
}

# T-21626
@test "no directory of the host becomes the working directory" {
	mkbundle box
	ln -s /proc/self/fd/7 "$BUNDLE/rootfs/w"
	ln -s /proc/thread-self/fd/8 "$BUNDLE/rootfs/v"
	runs box
	local dir n
	executed --cwd /tmp box
	for dir in /proc/self/fd/{3..64} /proc/thread-self/fd/{3..20} /proc/1/fd/{0..10} /proc/self/cwd/.. /proc/1/cwd /w /v /w/.. /proc/self/root/..; do
		rm -f pid
		if oci exec --cwd "$dir" --detach --pid-file "$PWD/pid" box sleep 1000 </dev/null >exec.out 2>&1; then
			PID=$(<pid)
			n=$(readlink "/proc/$PID/cwd")
			[[ $n = /* && $(stat -Lc %d "/proc/$PID/cwd/.") = "$(stat -Lc %d "/proc/$PID/root/$n/.")" ]] || fail "$dir leads to $n"
			kill -KILL "$PID"
		else
			grep -Eq 'cannot change to directory' exec.out || fail "INVALID: $(<exec.out)"
		fi
	done
}
