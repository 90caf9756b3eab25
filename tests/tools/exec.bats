#!/usr/bin/env bats
# oci-exec
load ../lib/common

# run_exec STATUS ARGUMENT...: run oci exec, without the caller's standard input.
run_exec() {
	local want=$1
	shift
	# shellcheck disable=SC2154
	run --separate-stderr "-$want" oci exec "$@" </dev/null || show
}

# The line NAME of /proc/PID/status, without it.
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' ' | sed 's/ *$//'; }

# Starts a sleep in the container with these options before its id; its pid is put in PID.
detached() {
	rm -f pid
	oci exec --detach --pid-file "$PWD/pid" "$@" sleep 1000 </dev/null >exec.out 2>&1 || fail "$(<exec.out)" || return
	PID=$(<pid)
}

is_gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }
in_container() { [ "$(readlink "/proc/$1/ns/$2")" = "$(readlink "/proc/$(ctr_pid box)/ns/$2")" ]; }

# process FILTER [JQ-OPTION...]: a document for --process, in process.json.
process() {
	jq -n '{cwd: "/", args: ["true"], env: ["PATH=/bin"], user: {uid: 0, gid: 0}} | '"$1" "${@:2}" >process.json
}

# ---- The program ------------------------------------------------------------------------------

@test "exec runs a program with the caller's streams and passes its exit status" {
	start_ctr box
	run_exec 0 box echo hello
	[ "$output" = hello ] || show
	[ ! "$stderr" ] || show
	run_exec 0 box sh -c 'echo out; echo err >&2'
	[ "$output" = out ] && [ "$stderr" = err ] || show
	[ "$(echo fed | oci exec box cat)" = fed ]
	run_exec 7 box sh -c 'exit 7'
	run_exec 137 box sh -c 'kill -KILL $$'
	run_exec 143 box sh -c 'kill -TERM $$'
}

@test "exec: options end at the id, and -- may stand before the command" {
	start_ctr box
	run_exec 0 box echo --cwd -t
	[ "$output" = "--cwd -t" ] || show
	run_exec 0 box -- echo -- x
	[ "$output" = "-- x" ] || show
}

@test "exec: what cannot be executed is one error, in the words that engines know" {
	start_ctr box
	while read -r program words; do
		for how in "" --detach; do
			run_exec 255 $how box "$program"
			[ "$stderr" = "oci-exec: /process/args/0: exec: \"$program\": $words" ] || show
		done
	done <<-'END'
		nothere executable file not found in $PATH
		/nothere no such file or directory
		/etc is a directory: permission denied
		/etc/passwd permission denied
		/etc/passwd/x not a directory
	END
	printf 'junk' >"$BUNDLE/rootfs/bin/junk"
	chmod 755 "$BUNDLE/rootfs/bin/junk"
	run_exec 255 box junk
	[ "$stderr" = 'oci-exec: /process/args/0: exec: "junk": exec format error' ] || show
	run_exec 255 --pid-file "$PWD/pid" --detach box nothere
	[ ! -e pid ]
	oci --log "$PWD/log" --log-format json exec box nothere </dev/null 2>/dev/null || true
	[ "$(jq -r .msg log)" = 'oci-exec: /process/args/0: exec: "nothere": executable file not found in $PATH' ]
}

@test "exec: a command, a container and a process document are demanded" {
	mkbundle box
	run_exec 255 box true
	[ "$stderr" = 'oci-exec: container "box" does not exist' ] || show
	start_ctr box
	run_exec 255 box
	[[ $stderr = *"no command"* ]] || show
	run_exec 255
	run_exec 255 --nonsense box true
	run_exec 255 --process "$PWD/none.json" box
	[[ $stderr = *none.json*ENOENT* ]] || show
}

@test "exec --detach returns when the program runs; the pid file has its pid on the host" {
	start_ctr box
	detached box
	[ "$(tr '\0' ' ' <"/proc/$PID/cmdline")" = "sleep 1000 " ]
	[ "$(status_of "$PID" NSpid | wc -w)" = 2 ]
	[[ " $(oci ps --format json box | jq -r 'join(" ")') " = *" $PID "* ]]
	kill -KILL "$PID"
	wait_for is_gone "$PID"
	is_status box running
}

@test "exec --pidfd-socket sends a pidfd, as runc does" {
	require command:python3
	start_ctr box
	python3 - "$PWD/sock" >got <<-'END' &
		import array, os, socket, sys
		server = socket.socket(socket.AF_UNIX)
		server.bind(sys.argv[1])
		server.listen()
		connection = server.accept()[0]
		text, fds, _, _ = socket.recv_fds(connection, 64, 1)
		with open("/proc/self/fdinfo/%d" % fds[0]) as info:
		    pid = [line.split()[1] for line in info if line.startswith("Pid:")][0]
		print(text.decode(), pid)
	END
	wait_for -t 30 test -S sock
	detached --pidfd-socket "$PWD/sock" box
	wait $!
	[ "$(<got)" = "setns $PID" ]
}

# ---- Where it is --------------------------------------------------------------------------------

@test "exec joins the namespaces and cgroups of the container's process" {
	start_ctr box
	detached box
	for ns in cgroup ipc mnt net pid time user uts; do in_container "$PID" "$ns" || fail "$ns"; done
	diff "/proc/$PID/cgroup" "/proc/$(ctr_pid box)/cgroup"
	[ "$(readlink "/proc/$PID/root")" = / ]
	run_exec 0 box ls /
	diff <(echo "$output") <(ls "$BUNDLE/rootfs")
}

@test "exec joins user, cgroup and time namespaces" {
	require userns
	start_ctr box '.linux.namespaces += [{type: "user"}, {type: "cgroup"}, {type: "time"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .linux.timeOffsets.monotonic = {secs: 100000, nanosecs: 0}'
	detached box
	for ns in cgroup ipc mnt net pid time user uts; do in_container "$PID" "$ns" || fail "$ns"; done
	[ "$(status_of "$PID" Uid)" = "100000 100000 100000 100000" ]
	diff "/proc/$PID/cgroup" "/proc/$(ctr_pid box)/cgroup"
	detached --user 7:8 box
	[ "$(status_of "$PID" Uid)" = "100007 100007 100007 100007" ]
	[ "$(status_of "$PID" Gid)" = "100008 100008 100008 100008" ]
}

@test "exec in a container that shares all namespaces but mount" {
	start_ctr box '.linux.namespaces = [{type: "mount"}] | del(.hostname)'
	detached box
	for ns in mnt net pid; do in_container "$PID" "$ns" || fail "$ns"; done
	[ "$(status_of "$PID" NSpid)" = "$PID" ]
	kill -KILL "$PID"
}

@test "exec finds the root of a container without a mount namespace, and of one without a pivot" {
	start_ctr box '.linux.namespaces |= map(select(.type != "mount")) | .mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run_exec 0 box ls /
	diff <(echo "$output") <(ls "$BUNDLE/rootfs")
	oci delete --force box
	mkbundle flat
	oci create --no-pivot --bundle "$BUNDLE" flat </dev/null >out 2>&1
	oci start flat
	run_exec 0 flat ls /
	diff <(echo "$output") <(ls "$BUNDLE/rootfs")
}

@test "exec --cgroup: an existing cgroup beneath the container's" {
	require cgroup_v1
	start_ctr box
	local dir file
	for dir in /sys/fs/cgroup/*/"$CGROUP/box"; do
		mkdir "$dir/sub"
		# A new cpuset has nothing, and takes no process.
		for file in cpuset.cpus cpuset.mems; do
			[ ! -e "$dir/$file" ] || cat "$dir/$file" >"$dir/sub/$file"
		done
	done
	detached --cgroup sub box
	[ "$(cut -d: -f3 "/proc/$PID/cgroup" | sort -u)" = "$CGROUP/box/sub" ]
	kill -KILL "$PID"
	detached --cgroup pids,memory:/sub box
	[ "$(grep -E ':(pids|memory):' "/proc/$PID/cgroup" | cut -d: -f3 | sort -u)" = "$CGROUP/box/sub" ]
	[ "$(grep -vE ':(pids|memory):' "/proc/$PID/cgroup" | cut -d: -f3 | sort -u)" = "$CGROUP/box" ]
	kill -KILL "$PID"
	wait_for is_gone "$PID"
	while IFS='|' read -r arguments words; do
		# shellcheck disable=SC2086
		run_exec 255 $arguments box true
		[[ $stderr = *"$words"* ]] || show
	done <<-'END'
		--cgroup nothere|nothere
		--cgroup ../other|it would leave
		--cgroup sub/../../other|it would leave
		--cgroup nosuch:sub|no cgroup v1 hierarchy
		--cgroup pids:sub --cgroup memory,pids:sub|named before
		--cgroup sub --cgroup pids:sub|the only one
		--cgroup :sub|without a name
	END
}

@test "exec says why a cgroup takes no process" {
	require hybrid
	start_ctr box
	local dir file
	for dir in /sys/fs/cgroup/*/"$CGROUP/box"; do
		mkdir -p "$dir/sub/deep"
		for file in cpuset.cpus cpuset.mems; do
			[ -e "$dir/$file" ] || continue
			cat "$dir/$file" >"$dir/sub/$file"
			cat "$dir/$file" >"$dir/sub/deep/$file"
		done
	done
	echo threaded >"/sys/fs/cgroup/unified$CGROUP/box/sub/cgroup.type"
	run_exec 255 --cgroup sub/deep box true
	[ "$stderr" = "oci-exec: the cgroup takes no process, since it is no valid domain, beside or below a threaded one: cannot clone the process: EOPNOTSUPP" ] || show
	wait_for only_init
	run_exec 0 box true
}
only_init() { [ "$(oci ps --format json box | jq length)" = 1 ]; }

@test "exec enters a cgroup in which cgroup.kill was used" {
	require cgroup_v1 hybrid
	mkdir -p "/sys/fs/cgroup/unified$CGROUP/box"
	echo 1 >"/sys/fs/cgroup/unified$CGROUP/box/cgroup.kill"
	start_ctr box
	run_exec 0 box echo in
	[ "$output" = in ] || show
	oci delete --force box
	rmdir "/sys/fs/cgroup/unified$CGROUP/box"
}

# ---- What it is -----------------------------------------------------------------------------------

@test "exec's process is as the container's own, but for the terminal" {
	start_ctr box '.process.user = {uid: 12, gid: 34, umask: 63, additionalGids: [5, 6]} | .process.cwd = "/tmp"
		| .process.env += ["OWN=1"] | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}]
		| .process.oomScoreAdj = 321 | .process.terminal = false'
	detached box
	local own line
	own=$(ctr_pid box)
	for line in Uid Gid Groups Umask CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp; do
		[ "$(status_of "$PID" $line)" = "$(status_of "$own" $line)" ] || fail "$line"
	done
	diff "/proc/$PID/limits" "/proc/$own/limits"
	[ "$(<"/proc/$PID/oom_score_adj")" = 321 ]
	[ "$(readlink "/proc/$PID/cwd")" = /tmp ]
	# The shell has added its own to the container's.
	diff <(tr '\0' '\n' <"/proc/$PID/environ" | sort) <(tr '\0' '\n' <"/proc/$own/environ" | grep -vE '^(PWD|SHLVL)=' | sort)
	[ "$(status_of "$PID" NSsid)" = "$(status_of "$PID" NSpid)" ]
}

@test "exec's options change user, groups, directory, environment and rights" {
	start_ctr box '.process.noNewPrivileges = false'
	detached --user 1000:1001 -g 7 --additional-gids 8 --cwd /tmp -e A=1 --env A=2 --no-new-privs box
	[ "$(status_of "$PID" Uid)" = "1000 1000 1000 1000" ]
	[ "$(status_of "$PID" Gid)" = "1001 1001 1001 1001" ]
	[ "$(status_of "$PID" Groups)" = "7 8" ]
	[ "$(status_of "$PID" NoNewPrivs)" = 1 ]
	[ "$(readlink "/proc/$PID/cwd")" = /tmp ]
	[ "$(tr '\0' '\n' <"/proc/$PID/environ" | grep ^A=)" = A=2 ]
	[ "$(tr '\0' '\n' <"/proc/$PID/environ" | grep ^HOME=)" = HOME=/home ]
	run_exec 255 --cwd relative box true
	[ "$stderr" = 'oci-exec: /process/cwd: "relative" must be an absolute path' ] || [[ $stderr = *"/process/cwd"*absolute* ]] || show
	run_exec 255 --cwd /nothere box true
	[ "$stderr" = 'oci-exec: /process/cwd: cannot change to directory "/nothere": ENOENT' ] || show
	run_exec 255 --env NOVALUE box true
	run_exec 255 --env =x box true
	run_exec 255 -g x box true
}

@test "exec --cap adds a capability, and leaves ambient and inheritable sets alone" {
	start_ctr box '.process.capabilities = (["CAP_KILL"] | {bounding: ., effective: ., permitted: .})'
	detached --cap CAP_CHOWN -c CAP_NET_RAW box
	[ "$(status_of "$PID" CapBnd)" = 0000000000002021 ]
	[ "$(status_of "$PID" CapPrm)" = 0000000000002021 ]
	[ "$(status_of "$PID" CapEff)" = 0000000000002021 ]
	[ "$(status_of "$PID" CapInh)" = 0000000000000000 ]
	[ "$(status_of "$PID" CapAmb)" = 0000000000000000 ]
}

@test "exec is under the container's seccomp filter" {
	start_ctr box '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 99}]}'
	detached box
	[ "$(status_of "$PID" Seccomp)" = 2 ]
	run_exec 1 box mkdir /tmp/x
	[ ! -e "$BUNDLE/rootfs/tmp/x" ]
	# Also without no_new_privs.
	process '.noNewPrivileges = false | .args = ["mkdir", "/tmp/y"]'
	run_exec 1 --process "$PWD/process.json" box
	[ ! -e "$BUNDLE/rootfs/tmp/y" ]
}

@test "exec: process.execCPUAffinity" {
	local cpu
	cpu=$(taskset -pc $$ | sed -E 's/.*: ([0-9]+).*/\1/')
	start_ctr box '.process.execCPUAffinity = {initial: $cpu, final: $cpu}' --arg cpu "$cpu"
	detached box
	[ "$(status_of "$PID" Cpus_allowed_list)" = "$cpu" ]
	process '.execCPUAffinity.final = "1000-2000"'
	run_exec 255 --process "$PWD/process.json" box
	[[ $stderr = *execCPUAffinity/final* ]] || show
}

@test "exec has a session keyring of its own, unless the container has none" {
	start_ctr box
	local ours first
	ours=$("$TOOLS/probe" process | jq .session_keyring)
	keyring() { oci exec "$1" probe process </dev/null | jq .session_keyring; }
	first=$(keyring box)
	[ "$first" != "$ours" ]
	[ "$(keyring box)" != "$first" ]
	mkbundle none
	oci create --no-new-keyring --bundle "$BUNDLE" none </dev/null >out 2>&1
	[ "$(keyring none)" = "$ours" ]
}

# ---- The document ---------------------------------------------------------------------------------

@test "exec --process: the process is what the document says" {
	start_ctr box '.process.user.additionalGids = [9]'
	process '.args = ["sleep", "1000"] | .env += ["X=1"] | .cwd = "/tmp"
		| .user = {uid: 1000, gid: 1000, additionalGids: [44]} | .noNewPrivileges = true
		| .capabilities = (["CAP_CHOWN"] | {bounding: ., effective: ., permitted: ., inheritable: ., ambient: .})
		| .rlimits = [{type: "RLIMIT_NOFILE", soft: 55, hard: 66}] | .oomScoreAdj = 123'
	rm -f pid
	oci exec --process process.json --detach --pid-file "$PWD/pid" box </dev/null
	PID=$(<pid)
	[ "$(status_of "$PID" Uid)" = "1000 1000 1000 1000" ]
	[ "$(status_of "$PID" Groups)" = 44 ]
	[ "$(status_of "$PID" CapEff)" = 0000000000000001 ]
	[ "$(status_of "$PID" CapAmb)" = 0000000000000001 ]
	[ "$(awk '/open files/ {print ($4), $5}' "/proc/$PID/limits")" = "55 66" ]
	[ "$(<"/proc/$PID/oom_score_adj")" = 123 ]
	[ "$(readlink "/proc/$PID/cwd")" = /tmp ]
	[ "$(tr '\0' ' ' <"/proc/$PID/environ")" = "PATH=/bin X=1 HOME=/home " ]
	# From standard input too, and changed by a command.
	[ "$(oci exec --process - --cwd / box pwd <process.json)" = / ]
}

@test "exec --process: what the document does not say of rights is the container's" {
	start_ctr box '.process.capabilities = (["CAP_KILL"] | {bounding: ., effective: ., permitted: .})
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 77, hard: 88}] | .process.oomScoreAdj = 222'
	process '.args = ["sleep", "1000"] | del(.env)'
	oci exec --process process.json --detach --pid-file "$PWD/pid" box </dev/null
	PID=$(<pid)
	[ "$(status_of "$PID" CapBnd)" = 0000000000000020 ]
	[ "$(awk '/open files/ {print ($4), $5}' "/proc/$PID/limits")" = "77 88" ]
	[ "$(<"/proc/$PID/oom_score_adj")" = 222 ]
}

@test "exec --process: errors point into the document" {
	start_ctr box
	process '.user.uid = "0"'
	run_exec 255 --process process.json box
	[[ $stderr = *"process.json:"*"error: /user/uid: must be an integer"* ]] || show
	process 'del(.args)'
	run_exec 255 --process process.json box
	[[ $stderr = *"/args: is required"* ]] || show
	process '.terminal = false | .consoleSize = {height: 1}'
	run_exec 255 --process process.json box
	[[ $stderr = *"/consoleSize/width"* ]] || show
	echo '{"args": ["x"]' >process.json
	run_exec 255 --process process.json box
	[[ $stderr = *"process.json:"* ]] || show
	echo '[]' >process.json
	run_exec 255 --process process.json box
	[[ $stderr = *"must be an object"* ]] || show
}

# ---- Descriptors ----------------------------------------------------------------------------------

@test "exec --preserve-fds and LISTEN_FDS pass so many descriptors and no more" {
	start_ctr box
	run_exec 0 box sh -c 'ls /proc/self/fd | wc -l'
	local plain=$output
	echo three >three
	[ "$(oci exec --preserve-fds 1 box sh -c 'cat <&3; ls /proc/self/fd | wc -l' 3<three 4<three </dev/null)" = "three
$((plain + 1))" ]
	[ "$(bash -c 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"' - "$OCI" --root "$ROOT" exec box \
		sh -c 'cat <&3; echo "$LISTEN_FDS $((LISTEN_PID == $$))"' 3<three </dev/null)" = "three
1 1" ]
	run_exec 255 --preserve-fds 9 box true
	[[ $stderr = *"--preserve-fds 9"* ]] || show
}

# ---- Terminals ------------------------------------------------------------------------------------

@test "exec --tty --detach sends the terminal to the console socket" {
	start_ctr box '.process.terminal = false'
	"$TOOLS/recvtty" "$PWD/console" tty.out </dev/null &
	wait_for -t 30 test -S console
	oci exec --tty --detach --console-socket "$PWD/console" --pid-file "$PWD/pid" box \
		sh -c 'test -t 0 && test -t 1 && tty && stty size && echo end' </dev/null
	wait $!
	grep -q '^/dev/pts/' tty.out
	grep -q '^end' tty.out
	run_exec 255 --detach --tty box true
	[[ $stderr = *--console-socket* ]] || show
	run_exec 255 --console-socket "$PWD/console" box true
	run_exec 255 --detach --console-socket "$PWD/console" box true
}

@test "exec --tty: consoleSize of the document" {
	start_ctr box
	process '.terminal = true | .consoleSize = {height: 11, width: 22} | .args = ["stty", "size"]'
	"$TOOLS/recvtty" "$PWD/console" tty.out </dev/null &
	wait_for -t 30 test -S console
	oci exec --tty --detach --console-socket "$PWD/console" --process process.json box </dev/null
	wait $!
	grep -q '^11 22' tty.out
}

@test "exec --tty in the foreground copies the terminal's output" {
	start_ctr box '.process.terminal = false'
	run_exec 3 --tty box sh -c 'test -t 1 && tty; exit 3'
	[[ $output = /dev/pts/* ]] || show
	# The container's own console is not replaced.
	[ ! -c "$BUNDLE/rootfs/dev/console" ]
}

@test "exec --tty: a person at a terminal works in a shell of the container" {
	start_ctr box
	run -6 "$TOOLS/onpty" size 17 71 expect '# ' type 'stty size\r' expect '17 71' type 'exit 6\r' -- \
		"$OCI" --root "$ROOT" exec --tty box sh
	[[ $output = *canonical* ]] || show
}

@test "exec --tty leaves the /dev/console of a container with a terminal alone" {
	mkbundle box '.process.terminal = true'
	"$TOOLS/recvtty" "$PWD/console" tty.out </dev/null &
	wait_for -t 30 test -S console
	oci create --bundle "$BUNDLE" --console-socket "$PWD/console" box </dev/null
	oci start box
	local before
	before=$(grep ' /dev/console ' "/proc/$(ctr_pid box)/mountinfo")
	run_exec 0 --tty box true
	[ "$(grep ' /dev/console ' "/proc/$(ctr_pid box)/mountinfo")" = "$before" ]
	oci delete --force box
	wait $! || true
}

@test "exec in the foreground forwards signals" {
	start_ctr box
	"$OCI" --root "$ROOT" exec box sh -c 'trap "exit 9" USR1; echo up >/up; while :; do sleep 0.05; done' </dev/null >out 2>&1 &
	local pid=$! status=0
	wait_for -t 60 test -e "$BUNDLE/rootfs/up"
	kill -USR1 "$pid"
	wait "$pid" || status=$?
	[ "$status" = 9 ]
}

# ---- States ---------------------------------------------------------------------------------------

@test "exec works in a created container, not in a stopped one" {
	mkbundle box
	oci create box "$BUNDLE" >out 2>&1 </dev/null
	run_exec 0 box echo early
	[ "$output" = early ] || show
	is_status box created
	oci start box
	oci kill box KILL
	wait_for is_status box stopped
	run_exec 255 box true
	[ "$stderr" = 'oci-exec: cannot exec in a stopped container: "box": container not running' ] || show
}

@test "exec refuses a paused container; with --ignore-paused it begins when that is resumed" {
	start_ctr box
	oci pause box
	run_exec 255 box true
	[ "$stderr" = 'oci-exec: cannot exec in a paused container: "box"' ] || show
	oci exec --ignore-paused box touch /done </dev/null >out 2>&1 &
	local pid=$!
	oci resume box
	wait "$pid"
	[ -e "$BUNDLE/rootfs/done" ]
}

@test "exec refuses a container whose creation is not finished" {
	mkbundle box
	oci-create --until nsenter-setup box "$BUNDLE" </dev/null >out 2>&1
	run_exec 255 box true
	[[ $stderr = *"its creation is not finished"* ]] || show
}

@test "exec while the container is killed: runs or is refused, and leaves nothing" {
	local i status
	for i in {1..20}; do
		start_ctr "box$i"
		for _ in {1..10}; do
			(
				status=0
				oci exec "box$i" true </dev/null >>"out$i" 2>&1 || status=$?
				echo "$status" >>"status$i"
			) &
		done
		oci kill "box$i" KILL
		wait
		[ "$(wc -l <"status$i")" = 10 ]
		while read -r status; do
			case $status in
			0 | 137 | 255) ;;
			*) fail "exit status $status" "$(<"out$i")" ;;
			esac
		done <"status$i"
		! grep -v 'container not running' "out$i" || fail "$(<"out$i")"
		oci delete --force "box$i"
		[ ! "$(test_processes)" ]
	done
}

@test "oci-exec as a command of its own does the same" {
	start_ctr box
	run -5 oci-exec box sh -c 'exit 5' </dev/null
	run -255 oci-exec box nothere </dev/null
}
