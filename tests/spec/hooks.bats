#!/usr/bin/env bats
# Hooks: config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle".
load ../lib/common

# startContainer is init's and looks for its program inside: tests of that kind name it themselves.
OUTER=(prestart createRuntime createContainer poststart poststop)

# add_hook KIND COMMAND [FILTER]: a hook that runs COMMAND in sh, with {} replaced by KIND; FILTER edits it.
add_hook() {
	edit "$BUNDLE" '.hooks[$kind] += [{path: "/bin/sh", args: ["sh", "-c", $command]} | '"${3:-.}"']' \
		--arg kind "$1" --arg command "${2//\{\}/$1}"
}

# Into a file, since the container's process would hold a pipe open.
create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null; }

lifecycle() {
	create "$1" || { cat create.out >&2 && return 1; }
	oci start "$1"
	oci delete --force "$1"
}

@test "MUST: hooks are called in the listed order, and the kinds in the order of the lifecycle" {
	local kind
	mkbundle box
	for kind in "${OUTER[@]}"; do
		add_hook "$kind" "echo {}-1 >>$PWD/order"
		add_hook "$kind" "echo {}-2 >>$PWD/order"
	done
	add_hook startContainer "echo startContainer >/order"
	lifecycle box
	[ "$(paste -sd" " order)" = "prestart-1 prestart-2 createRuntime-1 createRuntime-2 createContainer-1 createContainer-2 poststart-1 poststart-2 poststop-1 poststop-2" ]
	[ "$(<box/rootfs/order)" = startContainer ]
}

@test "MUST: the state is passed to hooks over stdin (T-HOOKSTATE)" {
	local kind
	mkbundle box '.annotations = {"com.example.key": "value/1"}'
	for kind in "${OUTER[@]}"; do add_hook "$kind" "/bin/cat >$PWD/state.{}"; done
	create box
	oci start box
	pid=$(ctr_pid box)
	oci delete --force box
	for kind in "${OUTER[@]}"; do
		jq -e --arg bundle "$PWD/box" '.ociVersion == "1.3.0" and .id == "box" and .bundle == $bundle
			and .annotations == {"com.example.key": "value/1"}
			and (keys - ["ociVersion", "id", "status", "pid", "bundle", "annotations"] == [])' "state.$kind"
		# Hooks read it with sed and grep: one line.
		[ "$(wc -l <"state.$kind")" = 1 ]
	done
	[ "$(jq -c '[.status, .pid]' state.prestart)" = "[\"creating\",$pid]" ]
	[ "$(jq -c '[.status, .pid]' state.createRuntime)" = "[\"creating\",$pid]" ]
	[ "$(jq -c '[.status, .pid]' state.poststart)" = "[\"running\",$pid]" ]
	[ "$(jq -c '[.status, .pid]' state.poststop)" = '["stopped",null]' ]
}

@test "MUST: in the container's namespace, the state's pid is the one seen there" {
	mkbundle box
	add_hook createContainer "/bin/cat >$PWD/state"
	lifecycle box
	[ "$(jq -c '[.status, .pid]' state)" = '["creating",1]' ]
	# Without a pid namespace of its own it is the runtime's.
	mkbundle flat '.linux.namespaces |= map(select(.type != "pid"))'
	add_hook createContainer "/bin/cat >$PWD/state"
	create flat
	[ "$(jq .pid state)" = "$(ctr_pid flat)" ]
}

@test "a hook need not read its state, and more than one can" {
	mkbundle box '.annotations.long = ("x" * 300000)'
	add_hook prestart "exec <&-"
	add_hook prestart ":"
	add_hook prestart "wc -c >$PWD/size" '.env = ["PATH=/usr/bin:/bin"]'
	lifecycle box
	[ "$(<size)" -gt 300000 ]
}

@test "MUST: prestart, createRuntime, poststart and poststop run in the runtime namespace" {
	local kind ns
	mkbundle box
	for kind in prestart createRuntime poststart poststop; do
		for ns in mnt pid net uts ipc cgroup user; do
			add_hook "$kind" "[ /proc/self/ns/$ns -ef /proc/$$/ns/$ns ] || echo $ns >>$PWD/other.{}"
		done
		add_hook "$kind" "echo done >$PWD/done.{}"
	done
	lifecycle box
	for kind in prestart createRuntime poststart poststop; do [ -e "done.$kind" ] && [ ! -e "other.$kind" ]; done
}

@test "MUST: createContainer runs in the container namespace, all of them" {
	local ns
	mkbundle box '.linux.namespaces += [{"type": "cgroup"}]'
	# Before the pivot, /proc is the host's: "self" is right there.
	for ns in mnt pid net uts ipc cgroup; do
		add_hook createContainer "readlink /proc/self/ns/$ns >>$PWD/inside" '.env = ["PATH=/usr/bin:/bin"]'
	done
	create box
	for ns in mnt pid net uts ipc cgroup; do readlink "/proc/$(ctr_pid box)/ns/$ns" >>expected; done
	diff expected inside
}

@test "createContainer runs as root of the container's user namespace" {
	require userns
	chmod 711 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"
	mkbundle box '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.type != "sysfs" and .type != "cgroup"))'
	mkdir -m 777 out
	chown -R 100000:100000 box/rootfs
	add_hook createContainer "{ id -u; id -G; cat /proc/self/uid_map; } >$PWD/out/ids" '.env = ["PATH=/usr/bin:/bin"]'
	create box || { cat create.out && false; }
	[ "$(xargs <out/ids)" = "0 0 0 100000 65536" ]
	[ "$(stat -c %u out/ids)" = 100000 ]
}

@test "MUST: createContainer's path resolves in the runtime namespace, and runs before the pivot" {
	mkbundle box
	printf '#!/bin/sh\n/bin/ls / >%s/listing\necho "$0" >>%s/listing\n' "$PWD" "$PWD" >hook
	chmod +x hook
	edit box '.hooks.createContainer = [{path: $path}]' --arg path "$PWD/hook"
	lifecycle box
	diff <(ls /; echo "$PWD/hook") listing
}

@test "createContainer hooks see the container's mounts, and what they mount is there" {
	mkbundle box '.mounts += [{"destination": "/vol", "type": "tmpfs"}]
		| .process.args = ["sh", "-c", "cat /mnt/file >/vol/seen; exec sleep 1000"]'
	mkdir given && echo hello >given/file
	add_hook createContainer "mountpoint -q $PWD/box/rootfs/vol && mount --bind $PWD/given $PWD/box/rootfs/mnt" \
		'.env = ["PATH=/usr/bin:/bin"]'
	before=$(host_mounts)
	create box || { cat create.out && false; }
	[ "$before" = "$(host_mounts)" ]
	oci start box
	wait_for grep -qs hello "/proc/$(ctr_pid box)/root/vol/seen"
}

@test "a hook gets its own environment, /, descriptors 0 to 2, and no terminal (T-HOOKENV)" {
	local kind
	mkbundle box '.process.env += ["LD_PRELOAD=/evil.so"]'
	for kind in "${OUTER[@]}"; do
		edit box '.hooks[$kind] = [{path: "/bin/cp", args: ["cp", "/proc/self/environ", $file]},
			{path: "/bin/cp", args: ["cp", "/proc/self/environ", $file + ".set"], env: ["A=1", "B=x y"]},
			{path: "/bin/cp", args: ["cp", "-P", "/proc/self/cwd", $file + ".cwd"]},
			{path: "/bin/sh", args: ["sh", "-c", "echo /proc/self/fd/* >\($file).fds"]},
			{path: "/bin/cp", args: ["cp", "/proc/self/stat", "\($file).stat"]}]' \
			--arg kind "$kind" --arg file "$PWD/$kind"
	done
	exec 40</ 41<"$PWD"
	SECRET=1 lifecycle box
	exec 40<&- 41<&-
	for kind in "${OUTER[@]}"; do
		[ ! -s "$kind" ]
		[ "$(tr '\0' , <"$kind.set")" = "A=1,B=x y," ]
		[ "$(readlink "$kind.cwd")" = / ]
		# 3 is the directory that the shell is reading.
		[ "$(<"$kind.fds")" = "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" ] || cat "$kind.fds"
		# pid = process group = session, and no terminal.
		read -r pid _ _ _ group session terminal _ <"$kind.stat"
		[ "$pid $session $terminal" = "$group $group 0" ]
	done
}

@test "a hook's umask and signals are as at boot" {
	mkbundle box
	edit box '.hooks.prestart = [{path: "/bin/cp", args: ["cp", "/proc/self/status", $file]}]' --arg file "$PWD/status"
	(
		umask 0
		trap '' PIPE HUP
		lifecycle box
	)
	grep -Ex 'Umask:.0022' status
	grep -Ex 'SigIgn:.0+' status
	grep -Ex 'SigBlk:.0+' status
}

# expect_failure KIND: its first hook says something and exits with 3.
failing() {
	add_hook "$1" ":"
	add_hook "$1" "echo first line >&2; echo no eth0 >&2; exit 3"
	add_hook "$1" "touch $PWD/after"
	[ "$1" = poststop ] || add_hook poststop "echo poststop >>$PWD/undone"
}

failing_create() {
	mkbundle box
	failing "$1"
	run -1 --separate-stderr create box
	[ "$(tail -n 1 create.out)" = "oci-hook: /hooks/$1/1 (config.json:$(line_of "$1")): error running $1 hook #1: \"/bin/sh\" failed: exit status 3, its stderr: first line|no eth0" ] || { cat create.out && false; }
	[ ! -e "$ROOT/box" ]
	[ ! -e after ]
	[ "$(<undone)" = poststop ]
}

# The line of the failing hook in the snapshot.
line_of() { awk -v kind="\"$1\":" '$1 == kind {n = 1} n && /^ *\{/ {if (n++ == 2) {print NR; exit}}' box/config.json; }

@test "MUST: if a prestart hook fails: an error, the container is destroyed, poststop hooks run" { failing_create prestart; }
@test "MUST: if a createRuntime hook fails: an error, the container is destroyed, poststop hooks run" { failing_create createRuntime; }
@test "MUST: if a createContainer hook fails: an error, the container is destroyed, poststop hooks run" { failing_create createContainer; }

@test "MUST: if a startContainer hook fails: an error, the container is destroyed, poststop hooks run" {
	mkbundle box
	failing startContainer
	create box
	run -1 --separate-stderr oci start box
	[[ $stderr = *"/hooks/startContainer/1"*"exit status 3"* ]] || show
	[ ! -e "$ROOT/box" ]
	[ ! -e box/rootfs/after ]
	[ "$(<undone)" = poststop ]
}

@test "MUST: if a poststart hook fails: an error, the container is destroyed, poststop hooks run" {
	mkbundle box
	failing poststart
	create box
	pid=$(ctr_pid box)
	run -1 --separate-stderr oci start box
	[[ $stderr = "oci-start: /hooks/poststart/1 (config.json:"*"): error running poststart hook #1: \"/bin/sh\" failed: exit status 3, its stderr: first line|no eth0" ]] || show
	[ ! -e "$ROOT/box" ]
	# Gone, or a zombie that its new parent has not waited for yet.
	run ! grep -qs '^State:.[^ZX]' "/proc/$pid/status"
	[ ! -e after ]
	[ "$(<undone)" = poststop ]
}

@test "MUST: if a poststop hook fails: a warning, and the others run" {
	mkbundle box
	failing poststop
	create box
	run -0 --separate-stderr oci delete box
	[ "$stderr" = 'oci-delete: warning: error running poststop hook #1: "/bin/sh" failed: exit status 3, its stderr: first line|no eth0' ] || show
	[ -e after ]
	[ ! -e "$ROOT/box" ]
}

@test "a creation that fails in a hook warns of the poststop hooks that fail too" {
	mkbundle box
	add_hook createRuntime "exit 2"
	add_hook poststop "exit 1"
	run -1 oci --log log --log-format json create box box </dev/null
	[ "${lines[-2]}" = 'oci-create: warning: error running poststop hook #0: "/bin/sh" failed: exit status 1' ] || show
	[[ ${lines[-1]} = *'error running createRuntime hook #0: "/bin/sh" failed: exit status 2' ]] || show
	# The log is for the one error.
	[ "$(jq -r .level log)" = error ]
	[[ $(jq -r .msg log) = *'error running createRuntime hook #0: "/bin/sh" failed: exit status 2' ]]
}

@test "poststop hooks do not run for a creation that never came to its hooks" {
	mkbundle box '.mounts += [{"destination": "/x", "type": "bind", "source": "/no/such", "options": ["bind"]}]'
	add_hook poststop "touch $PWD/undone"
	run -1 create box
	[ ! -e undone ]
}

@test "MUST: a hook that exceeds its timeout is aborted, with its whole process group" {
	mkbundle box
	add_hook createRuntime "trap '' TERM; sleep 100 & sleep 100 >/dev/null 2>&1 </dev/null & echo waiting >&2; wait" \
		'.timeout = 1 | .env = ["PATH=/usr/bin:/bin", "MARK=" + $ENV.OCI_TEST]'
	before=${EPOCHREALTIME/./}
	run -1 create box
	took=$((${EPOCHREALTIME/./} - before))
	[[ $(<create.out) = *'error running createRuntime hook #0: "/bin/sh" failed: killed after its timeout of 1 s, its stderr: waiting' ]] || { cat create.out && false; }
	((took >= 1000000 && took < 5000000))
	run ! grep -lszF "MARK=$OCI_TEST" /proc/[0-9]*/environ
}

@test "createContainer hooks have a timeout too" {
	mkbundle box
	add_hook createContainer "sleep 100" '.timeout = 1 | .env = ["PATH=/usr/bin:/bin", "MARK=" + $ENV.OCI_TEST]'
	run -1 create box
	[[ $(<create.out) = *'error running createContainer hook #0: "/bin/sh" failed: killed after its timeout of 1 s' ]] || { cat create.out && false; }
	run ! grep -lszF "MARK=$OCI_TEST" /proc/[0-9]*/environ
}

@test "a hook that is killed, and one that is not there, are named" {
	mkbundle box
	add_hook prestart 'kill -SEGV $$'
	run -1 create box
	[[ $(<create.out) = *'error running prestart hook #0: "/bin/sh" failed: killed by SIGSEGV' ]] || { cat create.out && false; }
	for kind in prestart createContainer poststart; do
		edit box '.hooks = {} | .hooks[$kind] = [{path: "/usr/no/such"}]' --arg kind "$kind"
		create box && run -1 oci start box >>create.out
		[[ "$(<create.out)${output-}" = *"error running $kind hook #0: \"/usr/no/such\" did not run: cannot "*": ENOENT: \"/usr/no\" does not exist"* ]] ||
			{ cat create.out && show; }
	done
}

@test "a hook that cannot be executed: the error says why" {
	mkbundle box
	printf '#!/no/interpreter\n' >script
	printf 'no program\n' >text
	edit box '.hooks.createRuntime = [{path: $path}]' --arg path "$PWD/script"
	refused 'EACCES: it is not executable'
	chmod +x script text
	refused 'ENOENT: the interpreter in its #! line, or its loader, does not exist'
	edit box '.hooks.createRuntime[0].path = $path' --arg path "$PWD/text"
	refused 'ENOEXEC: it is no program, nor has it a #! line'
	edit box '.hooks = {createContainer: .hooks.createRuntime}'
	refused 'ENOEXEC: it is no program, nor has it a #! line'
	edit box '.hooks.createContainer[0].path = $path' --arg path "$PWD/script"
	refused 'ENOENT: the interpreter in its #! line, or its loader, does not exist'
}
refused() {
	run -1 create box
	[[ $(<create.out) = *" did not run: cannot execute it: $1" ]] || { cat create.out && false; }
}

@test "args default to the path" {
	mkbundle box
	cat >hook <<-EOF
		#!/bin/sh
		echo "\$# \$0" >$PWD/args
	EOF
	chmod +x hook
	edit box '.hooks.prestart = [{path: $path}]' --arg path "$PWD/hook"
	lifecycle box
	[ "$(<args)" = "0 $PWD/hook" ]
}

@test "a hook may look at its container" {
	mkbundle box
	add_hook prestart "$OCI --root $ROOT state box >$PWD/state"
	create box
	[ "$(jq -c '[.status, .pid]' state)" = "[\"creating\",$(ctr_pid box)]" ]
}

@test "a hook may leave a daemon, which is not waited for" {
	mkbundle box
	add_hook prestart 'setsid sh -c "echo \$\$ >'"$PWD"'/daemon; exec sleep 100" >/dev/null 2>&1 </dev/null &' \
		'.timeout = 60 | .env = ["PATH=/usr/bin:/bin"]'
	create box
	wait_for test -s daemon
	kill "$(<daemon)"
}

@test "a creation whose driver is killed while a hook runs leaves nothing of it" {
	for kind in prestart createContainer; do
		mkbundle "$kind"
		add_hook "$kind" "echo \$\$ >$PWD/pid.{}; sleep 100; :" '.env = ["PATH=/usr/bin:/bin", "MARK=" + $ENV.OCI_TEST]'
		"$OCI" --root "$ROOT" create "$kind" "$kind" >/dev/null 2>&1 </dev/null &
		driver=$!
		wait_for test -s "pid.$kind"
		kill -KILL "$driver"
		wait "$driver" || true
		wait_for no_process_marked
		[ "$(ctr_status "$kind")" = stopped ]
		oci delete "$kind"
	done
}
no_process_marked() { ! grep -lszF "MARK=$OCI_TEST" /proc/[0-9]*/environ; }

@test "a creation that is told to end while a hook runs undoes itself" {
	mkbundle box
	add_hook prestart "echo \$\$ >$PWD/pid; sleep 100; :" '.env = ["PATH=/usr/bin:/bin", "MARK=" + $ENV.OCI_TEST]'
	"$OCI" --root "$ROOT" create box box >/dev/null 2>&1 </dev/null &
	wait_for test -s pid
	kill -TERM $!
	status=0
	wait $! || status=$?
	[ "$status" != 0 ]
	[ ! -e "$ROOT/box" ]
	no_process_marked
}

@test "delete --force ends a creation, or a start, whose hook hangs" {
	local kind
	for kind in createRuntime poststart; do
		mkbundle "$kind"
		add_hook "$kind" "echo \$\$ >$PWD/pid.{}; sleep 100; :" '.env = ["PATH=/usr/bin:/bin", "MARK=" + $ENV.OCI_TEST]'
		{ create "$kind" && oci start "$kind"; } >/dev/null 2>&1 &
		wait_for test -s "pid.$kind"
		before=${EPOCHREALTIME/./}
		oci delete --force "$kind"
		((${EPOCHREALTIME/./} - before < 5000000))
		[ ! -e "$ROOT/$kind" ]
		no_process_marked
		wait
	done
}

@test "createContainer hooks are in the container's time namespace" {
	mkbundle box '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets = {"boottime": {"secs": 1000000}}'
	add_hook createContainer "cut -d. -f1 /proc/uptime >$PWD/uptime" '.env = ["PATH=/usr/bin:/bin"]'
	create box || { cat create.out && false; }
	(($(<uptime) >= 1000000))
}
