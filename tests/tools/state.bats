#!/usr/bin/env bats
# oci-state, oci-list.
load ../lib/common

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

@test "oci-state prints what engines read, and nothing of ours" {
	mkbundle box
	create box
	run -0 --separate-stderr oci-state box
	[ "$stderr" = "" ]
	echo "$output" >state
	[ "$(jq -c keys_unsorted state)" = '["ociVersion","id","pid","status","bundle","rootfs","created","owner"]' ] || cat state
	jq -e --arg rootfs "$PWD/box/rootfs" '.rootfs == $rootfs and .owner == "root"
		and (.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$"))' state
	[ "$(date -d "$(jq -r .created state)" +%s)" -le "$(date +%s)" ]
}

@test "oci-state --internal prints the record" {
	mkbundle box
	create box
	run -0 oci-state --internal box
	jq -e '.oci.version == 1 and .oci.init.pid == .pid and (.oci.stages | length) > 5' <<<"$output"
}

@test "every status" {
	mkbundle box
	oci-create --until nsenter-setup box box >/dev/null 2>&1 </dev/null
	[ "$(ctr_status box)" = creating ]
	oci delete box
	create box
	[ "$(ctr_status box)" = created ]
	oci pause box
	[ "$(ctr_status box)" = paused ]
	oci resume box
	[ "$(ctr_status box)" = created ]
	oci start box
	[ "$(ctr_status box)" = running ]
	oci pause box
	[ "$(ctr_status box)" = paused ]
	run -1 oci pause box
	[ "$output" = 'oci-pause: cannot pause container "box": it is paused' ] || show
	oci resume box
	run -1 oci resume box
	[ "$output" = 'oci-resume: cannot resume container "box": it is running' ] || show
	oci kill box KILL
	wait_for is_status box stopped
	run -1 oci pause box
}

@test "whether the program runs is known of a start that was killed before it could say so" {
	command -v strace >/dev/null || skip "needs strace"
	mkbundle box
	create() { oci create box box >out 2>&1 </dev/null; }
	# killed_at CALL: the start ends when it enters that system call.
	killed_at() {
		run strace -E ASAN_OPTIONS=detect_leaks=0 -qq -o /dev/null -e trace="$1" -e inject="$1":signal=KILL "$OCI" --root "$ROOT" start box </dev/null
		((status == 137)) || fail "$1: $status: $output"
	}

	# Before init was asked: it waits, and can be started.
	create
	killed_at sendmsg
	[ "$(oci state box | jq -r .status)" = created ]
	[ "$(oci list -f json | jq -r '.[0].status')" = created ]
	oci start box
	[ "$(oci state box | jq -r .status)" = running ]
	oci delete --force box

	# The program runs, and the record still says "created".
	create
	killed_at renameat2
	[ "$(jq -r .status "$ROOT/box/state.json")" = created ]
	[ "$(oci state box | jq -r .status)" = running ]
	[ "$(oci list -f json | jq -r '.[0].status')" = running ]
	run -1 oci start box
	[[ $output == *'it is running, not created'* ]]
	oci delete --force box
}

@test "a look at containers that were not started wakes none of them" {
	command -v strace >/dev/null || skip "needs strace"
	for id in a b c; do mkbundle "$id" && oci create "$id" "$id" >out 2>&1 </dev/null; done
	strace -qq -e trace=connect,socket -o calls "$OCI" --root "$ROOT" list >table
	[ "$(grep -c ' created ' table)" = 3 ]
	[ ! -s calls ]
}

@test "a paused process stands still" {
	mkbundle box '.process.args = ["sh", "-c", "while :; do echo >>/beats; sleep 0.01; done"]'
	create box
	oci start box
	wait_for test -s box/rootfs/beats
	oci pause box
	n=$(wc -l <box/rootfs/beats)
	sleep 0.2
	[ "$(wc -l <box/rootfs/beats)" = "$n" ]
	oci resume box
	wait_for more_beats
}
more_beats() { [ "$(wc -l <box/rootfs/beats)" -gt "$n" ]; }

@test "a record from before a reboot is stopped, and nothing is signalled for it" {
	mkbundle box
	create box
	pid=$(ctr_pid box)
	sed -i 's/"bootId":"[^"]*"/"bootId":"00000000-0000-0000-0000-000000000000"/; s/"bootId": "[^"]*"/"bootId": "00000000-0000-0000-0000-000000000000"/' "$ROOT/box/state.json"
	[ "$(ctr_status box)" = stopped ]
	run -1 oci kill box KILL
	[[ $output = *"container not running"* ]] || show
	run -1 oci start box
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=pidfd_send_signal,kill,tgkill -o trace "$OCI" --root "$ROOT" delete box
	[ ! -s trace ] || { cat trace && false; }
	[ ! -e "$ROOT/box" ]
	kill -0 "$pid"
	kill -KILL "$pid"
	wait_for assert_gone "$pid"
	clear_leftovers
}
assert_gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }

@test "oci-state and oci-kill do not wait for the lock" {
	mkbundle box
	create box
	exec 9<"$ROOT/box"
	flock 9
	timeout 5 "$OCI_BUILD/oci-state" --root "$ROOT" box 9<&- >/dev/null
	timeout 5 "$OCI_BUILD/oci-kill" --root "$ROOT" box 0 9<&-
	timeout 5 "$OCI_BUILD/oci-list" --root "$ROOT" 9<&- >/dev/null
	exec 9<&-
}

@test "a state root that others may write is refused" {
	mkbundle box
	create box
	chmod 777 "$ROOT"
	run -104 oci-state box
	[[ $output = *"is refused: owner 0, mode 0777"* ]] || show
	chmod 700 "$ROOT"
}

@test "a state.json that is none: an error from every command, and no signal" {
	mkbundle box
	create box
	cp "$ROOT/box/state.json" good
	pid=$(ctr_pid box)
	for edit in 'del(.id)' '.id = "other"' 'del(.oci)' '.oci.version = 99' '.status = "strange"' '.oci.stages = 1' '[]'; do
		jq "$edit" good >"$ROOT/box/state.json"
		for command in state start "kill box KILL" delete ps pause; do
			[[ $command = *" "* ]] || command="$command box"
			# shellcheck disable=SC2086
			run strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=pidfd_send_signal,kill -o trace "$OCI" --root "$ROOT" $command
			[ "$status" = 1 ] || show
			[ ! -s trace ]
		done
	done
	head -c 100 good >"$ROOT/box/state.json"
	run -1 oci state box
	run -1 oci delete box
	[ -e "$ROOT/box" ]
	cp good "$ROOT/box/state.json"
	kill -0 "$pid"
}

@test "oci-list: a table, JSON, ids" {
	[ "$(oci list -q)" = "" ]
	[ "$(oci list --format json)" = "[]" ]
	mkbundle b
	create b
	mkbundle a
	create a
	oci start a
	[ "$(oci list -q | paste -sd" ")" = "a b" ]
	oci list --format json >list
	jq -e 'length == 2 and .[0].id == "a" and .[0].status == "running" and .[1].status == "created" and .[1].pid > 1' list
	[ "$(jq -c '.[0]' list)" = "$(oci state a | jq -c .)" ]
	run -0 oci list
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} =~ ^"ID "\ *"PID "\ *"STATUS "\ *"BUNDLE "\ *"CREATED "\ *OWNER$ ]] || show
	[[ ${lines[1]} =~ ^"a "\ *[0-9]+\ *running\ *$PWD/a\ *2[-0-9T:.]*Z\ *root$ ]] || show
	run -100 oci-list --format yaml
}

@test "oci-list shows what a killed creation left, and nothing else that lies about" {
	(umask 077; mkdir -p "$ROOT/half")
	touch "$ROOT/file"
	[ "$(oci list -f json | jq -c .)" = '[{"id":"half","pid":0,"status":"stopped"}]' ]
	run -104 oci-state half
	[ "$output" = 'oci-state: container "half" does not exist yet: its creation has only begun, or was killed' ] || show
	oci delete half
	rm "$ROOT/file"
}

@test "oci-ps: pids as JSON, and a table" {
	mkbundle box '.process.args = ["sh", "-c", "sleep 1000 & exec sleep 1001"]'
	create box
	oci start box
	wait_for two_processes
	oci ps --format json box | jq -e --argjson pid "$(ctr_pid box)" 'index($pid) != null and all(.[]; type == "number")'
	run -0 oci ps box
	[[ ${lines[0]} =~ ^UID\ +PID\ +PPID\ +C\ +STIME\ +TTY\ +TIME\ +CMD$ ]] || show
	[[ ${#lines[@]} = 3 && $output = *"sleep 1000"* && $output = *"sleep 1001"* ]] || show
	# What follows is for ps.
	run -0 oci ps box -e -x
	[[ ${lines[0]} =~ \ +PID\ +TTY\ +STAT\ +TIME\ +COMMAND ]] || show
	[ "${#lines[@]}" = 3 ] || show
	run -0 oci ps --format table box -o pid,args -e
	[[ ${lines[0]} = *PID*COMMAND && ${#lines[@]} = 3 ]] || show
	run -1 oci ps box -eo args
	[[ $output = *"ps prints no column PID" ]] || show
	run -1 oci ps box --no-such-option
	[[ $output = *'"/usr/bin/ps" failed: exit status 1'* ]] || show
	# Without it there is a table of our own.
	run -0 unshare -m sh -c ': >ps; chmod 644 ps
		for f in /usr/bin/ps /bin/ps; do mount --bind ps $f 2>/dev/null; done; exec "$@"' - "$OCI" --root "$ROOT" ps box
	[[ ${lines[0]} = "PID "*COMMAND && ${#lines[@]} = 3 ]] || show
	oci kill --all box KILL
	wait_for is_status box stopped
	# It has none, which is no error.
	run -0 oci ps --format json box
	[ "$output" = "[]" ] || show
}
two_processes() { [ "$(oci ps --format json box | jq length)" = 2 ]; }
