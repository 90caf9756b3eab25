#!/usr/bin/env bats
# oci-kill
load ../lib/common

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

is_gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }

@test "oci-kill's signals: names, numbers, TERM if there is none" {
	mkbundle box
	edit box '.process.args = ["sh", "-c", $script]' --arg script '
		for s in TERM USR1 USR2 40; do trap "echo $s >>/got" $s; done; echo up >/got; while :; do sleep 0.02; done'
	create box
	oci start box
	wait_for test -s box/rootfs/got
	for signal in "" USR1 sigusr2 RTMIN+6; do
		n=$(wc -l <box/rootfs/got)
		oci-kill box $signal
		wait_for one_more
	done
	[ "$(paste -sd" " box/rootfs/got)" = "up TERM USR1 USR2 40" ]
}
one_more() { [ "$(wc -l <box/rootfs/got)" = $((n + 1)) ]; }

@test "an unknown signal is a usage error" {
	run -100 oci-kill box SIGNONE
	[ "$output" = 'oci-kill: unknown signal "SIGNONE"' ] || show
	run -100 oci-kill box 65
	run -100 oci-kill box -- -1
	run -100 oci-kill box 9x
}

@test "oci-kill --all reaches every process" {
	mkbundle box '.process.args = ["sh", "-c", "setsid sleep 1000 & exec sleep 1000"] | .linux.namespaces |= map(select(.type != "pid"))'
	create box
	oci start box
	wait_for has_processes 2
	oci kill --all box KILL
	wait_for is_status box stopped
	wait_for has_no_processes
}
has_processes() { [ "$(oci ps --format json box | jq length)" = "$1" ]; }
end_init() {
	local pid
	pid=$(ctr_pid box)
	((pid > 1)) && kill -KILL "$pid" && wait_for is_status box stopped
}
has_no_processes() { [ ! "$(find /sys/fs/cgroup -path "*$CGROUP*" -name cgroup.procs -exec cat {} +)" ]; }

@test "oci-kill --all reaches what a dead init left in a shared pid namespace" {
	mkbundle box '.process.args = ["sh", "-c", "sleep 1000 & exec sleep 1000"] | .linux.namespaces |= map(select(.type != "pid"))'
	create box
	oci start box
	wait_for has_processes 2
	end_init
	[ "$(find /sys/fs/cgroup -path "*$CGROUP*" -name cgroup.procs -exec cat {} + | sort -u | wc -l)" = 1 ]
	run -1 oci kill box TERM
	[[ $output = *"container not running"* ]] || show
	oci kill --all box KILL
	wait_for has_no_processes
	# There is nothing left to do, which is what was asked for.
	run -0 oci kill --all box KILL
	[ ! "$output" ] || show
}

@test "oci-kill: KILL ends all processes of a shared pid namespace, with init or without" {
	local filter='.process.args = ["sh", "-c", "sleep 1000 & exec sleep 1000"] | .linux.namespaces |= map(select(.type != "pid"))'
	mkbundle box "$filter"
	create box
	oci start box
	wait_for has_processes 2
	oci kill box KILL
	wait_for has_no_processes
	run -1 oci kill box KILL
	[[ $output = *"container not running"* ]] || show
	oci delete box
	create box
	oci start box
	wait_for has_processes 2
	end_init
	oci kill box KILL
	wait_for has_no_processes
}

@test "a zombie is not running" {
	mkbundle box
	# Its parent does not wait for it.
	bash -c '"$0" --root "$1" create box box >/dev/null 2>&1 </dev/null; exec sleep 1000' "$OCI" "$ROOT" &
	parent=$!
	wait_for is_status box created
	oci kill box KILL
	wait_for is_status box stopped
	run -1 oci kill box KILL
	[[ $output = *"container not running"* ]] || show
	kill "$parent"
}

@test "a process that has the pid by now is not signalled (T-PIDREUSE)" {
	mkbundle box
	create box
	cp "$ROOT/box/state.json" good
	# A start time is a count of ticks of 10 ms.
	sleep 0.05
	sleep 1000 &
	victim=$!
	# All that reuse can do: the same number, another start time.
	jq --argjson pid "$victim" '.pid = $pid | .oci.init.pid = $pid | .status = "running"' good >"$ROOT/box/state.json"
	[ "$(ctr_status box)" = stopped ]
	run -1 oci kill box KILL
	[[ $output = *"container not running"* ]] || show
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=pidfd_send_signal,kill -o trace "$OCI" --root "$ROOT" delete --force box
	[ ! -s trace ] || grep -v pidfd_send_signal trace
	kill -0 "$victim"
	kill "$victim"
}
