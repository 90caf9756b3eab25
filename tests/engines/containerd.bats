#!/usr/bin/env bats
# containerd with this runtime, chosen by its path as ctr's --runc-binary.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin containerd containerd-shim-runc-v2 ctr
	containerd_begin
}
setup() { engine_setup; }
teardown() {
	containerd_clean
	engine_teardown
}
teardown_file() { engine_end; }

# box [-d|--rm] OPTION... -- ID COMMAND...
box() {
	local options=(--runtime io.containerd.runc.v2 --runc-binary "$OCI" --runc-root /run/oci-ctr)
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	ctr run --cgroup "$CGROUP/$1" "${options[@]}" "$IMAGE" "$@"
}
# Standard input stays open: ctr may wait for ever where it ends before the start.
open_input() {
	[[ -p input ]] || mkfifo input
	exec 7<>input
}
start_box() {
	open_input
	box -d "$@" >/dev/null <&7
}
is_task() { ctr task ls | grep -qE "^$1 +[0-9]+ +$2\$"; }
task_pid() { ctr task ls | awk -v id="$1" '$1 == id { print $2 }'; }
execute() { ctr task exec --exec-id "e$RANDOM" "$@"; }

@test "output, exit code; the runtime's own record" {
	run -0 box --rm -- c echo hello
	[ "$output" = hello ] || show
	run -7 box --rm -- c sh -c 'exit 7'
	start_box -- c sleep 1000
	[ "$(oci --root /run/oci-ctr/test state c | jq -r .status)" = running ]
}

@test "what cannot be executed is an error in the words for it" {
	run box --rm -- c /nosuch
	[[ $status != 0 && $output = *"no such file or directory"* ]] || show
	run box --rm -- c /etc/plain
	[[ $status != 0 && $output = *"permission denied"* ]] || show
	run box --rm --mount "type=bind,src=/nosuch,dst=/x,options=rbind" -- c true
	[[ $status != 0 && $output = *ENOENT* && $output != *"no such file or directory"* ]] || show
}

@test "exec: output, exit code, directory, user; what cannot be executed" {
	start_box -- c sleep 1000
	run -0 execute c echo x
	[ "$output" = x ] || show
	run -9 execute c sh -c 'exit 9'
	# shellcheck disable=SC2016
	run -0 execute --cwd /tmp --user 1000 c sh -c 'echo $(id -u) $(pwd)'
	[ "$output" = "1000 /tmp" ] || show
	run execute c /nosuch
	[[ $status != 0 && $output = *"no such file or directory"* ]] || show
}

@test "pause, resume, processes, metrics" {
	start_box -- c sleep 1000
	ctr task pause c
	is_task c PAUSED
	ctr task resume c
	is_task c RUNNING
	ctr task ps c | grep -qw "$(task_pid c)"
	ctr task metrics c | grep -qi memory
}

@test "signals, stop, start again, kill" {
	start_box -- c sh -c 'trap "exit 3" TERM; trap ">/tmp/usr1" USR1; while :; do sleep 0.1; done'
	ctr task kill -s USR1 c
	wait_for -t 60 execute c test -e /tmp/usr1
	ctr task kill -s TERM c
	wait_for -t 60 is_task c STOPPED
	run ctr task rm c
	ctr task start -d c <&7
	is_task c RUNNING
	ctr task kill -a -s KILL c
	wait_for -t 60 is_task c STOPPED
}

@test "limits, read-only root, mounts, user namespace" {
	echo data >file
	start_box --memory-limit 67108864 --read-only --mount "type=bind,src=$PWD/file,dst=/data,options=rbind:ro" -- c sleep 1000
	run -1 execute c touch /x
	run -0 execute c cat /data
	[ "$output" = data ] || show
	grep -qx 67108864 /sys/fs/cgroup/{memory"$CGROUP"/c/memory.limit_in_bytes,"$CGROUP"/c/memory.max} 2>/dev/null
	ctr task rm -f c
	run -0 box --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 -- d cat /proc/self/uid_map
	[[ $output =~ ^\ +0\ +100000\ +65536$ ]] || show
}

@test "containerd killed and started again: its containers run on, and answer" {
	start_box -- c sleep 1000
	pid=$(task_pid c)
	stop_daemon "$(<"$ENGINE/containerd.pid")" KILL
	kill -0 "$pid"
	containerd_start
	wait_for -t 60 is_task c RUNNING
	[ "$(task_pid c)" = "$pid" ]
	run -0 execute c echo still
	[ "$output" = still ] || show
}

@test "a shim that is killed: the container can be removed" {
	start_box -- c sleep 1000
	pkill -KILL -f "containerd-shim-runc-v2 -namespace test -id c " || pkill -KILL -f 'shim-runc-v2.*-id c'
	wait_for -t 60 eval '! is_task c RUNNING'
	ctr task rm -f c || true
	wait_for -t 60 eval '! oci --root /run/oci-ctr/test state c 2>/dev/null'
	ctr container rm c
}

@test "10 at once" {
	for i in {1..10}; do box --rm -- "p$i" echo "$i" >"out$i" 2>&1 & done
	wait
	for i in {1..10}; do [ "$(<"out$i")" = "$i" ] || fail "$i: $(<"out$i")"; done
	[ ! "$(ctr task ls -q)" ]
}
