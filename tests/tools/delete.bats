#!/usr/bin/env bats
# oci-delete: undoes every prefix of a creation.
load ../lib/common

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

is_gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }
nothing_left() { [ ! -e "$ROOT/box" ] && [ ! "$(test_cgroups)" ] && [ ! "$(test_processes)" ]; }

@test "oci-delete undoes a creation that was stopped after any stage" {
	for stage in validate seccomp cgroup nsenter-setup prepare-root mount pivot; do
		mkbundle box
		oci-create --until "$stage" box box >/dev/null 2>&1 </dev/null
		run -0 oci-delete box
		[ "$output" = "" ] || show
		nothing_left
	done
}

@test "oci-delete clears a state directory of every prefix" {
	(umask 077; mkdir -p "$ROOT/box")
	run -0 oci delete box
	[ ! -e "$ROOT/box" ]
	# A writer that was killed: an aside file, and no or the old state.
	mkdir -m 700 "$ROOT/box"
	echo '{"ociVersion": "1.3.0", "id"' >"$ROOT/box/state.json.4711"
	echo '{}' >"$ROOT/box/config.json"
	oci delete box
	[ ! -e "$ROOT/box" ]
	mkbundle box
	create box
	echo '{"ociVersion"' >"$ROOT/box/state.json.4711"
	rm "$ROOT/box/config.json"
	oci delete box
	nothing_left
	create box
	rm "$ROOT/box/init.sock"
	oci delete --force box
	nothing_left
}

@test "a cgroup that was planned but not made, and one that is gone, are no error" {
	mkbundle box
	oci-create --until cgroup box box >/dev/null 2>&1 </dev/null
	test_cgroups | xargs rmdir
	run -0 oci delete box
	[ "$output" = "" ] || show
}

@test "oci-delete --force ends a running container, a paused one, and one that ignores signals" {
	mkbundle box '.process.args = ["sh", "-c", "trap \"\" TERM INT HUP; sleep 1000 & wait; sleep 1000"]'
	create box
	oci start box
	pid=$(ctr_pid box)
	run -0 oci delete --force box
	[ "$output" = "" ]
	is_gone "$pid"
	nothing_left
	create box
	oci start box
	oci pause box
	run -0 oci delete --force box
	[ "$output" = "" ]
	nothing_left
	create box
	oci pause box
	run -0 oci delete --force box
	nothing_left
}

@test "oci-delete --force ends all processes of a shared pid namespace" {
	mkbundle box '.process.args = ["sh", "-c", "setsid sleep 1000 & setsid sleep 1000 & exec sleep 1000"] | .linux.namespaces |= map(select(.type != "pid"))'
	create box
	oci start box
	wait_for three
	oci delete --force box
	nothing_left
}
three() { [ "$(oci ps --format json box | jq length)" = 3 ]; }

@test "oci-delete takes what outlived init in a shared pid namespace" {
	mkbundle box '.process.args = ["sh", "-c", "sleep 1000 & echo"] | .linux.namespaces |= map(select(.type != "pid"))'
	create box
	oci start box
	wait_for is_status box stopped
	oci delete box
	nothing_left
}

@test "of many deletes at once all succeed or say that there is none" {
	mkbundle box
	create box
	oci start box
	for i in {1..20}; do
		{ oci delete --force box || echo "$i"; } >>failed 2>&1 &
	done
	wait
	[ ! -s failed ] || { cat failed && false; }
	nothing_left
	create box
	for i in {1..20}; do
		{ oci delete box || true; } >>plain 2>&1 &
	done
	wait
	[ "$(sort -u plain)" = 'oci-delete: container "box" does not exist' ]
	[ "$(wc -l <plain)" = 19 ]
}

@test "a container that another command is changing: delete waits" {
	mkbundle box
	create box
	flock "$ROOT/box" sleep 0.3 &
	wait_for is_locked
	oci delete box
	wait
	nothing_left
}
is_locked() { ! flock -n "$ROOT/box" true; }

@test "an unreadable state.json: refused; with --force the record goes, and the error says so" {
	mkbundle box
	create box
	cp "$ROOT/box/state.json" good
	head -c 50 good >"$ROOT/box/state.json"
	run -104 oci-delete box
	[ "$output" = 'oci-delete: cannot delete container "box": its state.json is no state' ] || show
	cp good "$ROOT/box/state.json"
	oci delete box
	mkdir -m 700 "$ROOT/box"
	head -c 50 good >"$ROOT/box/state.json"
	run -104 oci-delete --force box
	[[ $output = *"the record is removed, but its processes and cgroup, if it has any, are not" ]] || show
	[ ! -e "$ROOT/box" ]
}

@test "it removes nothing outside of its directory" {
	mkbundle box
	create box
	mkdir outside
	touch outside/file
	ln -s "$PWD/outside" "$ROOT/box/link"
	ln -s "$PWD/outside/file" "$ROOT/box/file"
	oci delete box
	[ -e outside/file ]
	ln -s "$PWD/outside" "$ROOT/out"
	run -1 oci delete --force out
	[ -e outside/file ]
	rm "$ROOT/out"
	run -1 oci delete --force ../outside
	[ -e outside/file ]
}

@test "the normal case: few system calls" {
	[[ $(readlink -f "$OCI") != *address* ]] || skip "sanitizers make their own"
	mkbundle box
	create box
	oci start box
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -o trace "$OCI" --root "$ROOT" delete --force box
	n=$(wc -l <trace)
	# A guard against growth, not a goal. The cgroup's share grows with the number of hierarchies.
	((n < 60 + 20 * $(ls /sys/fs/cgroup | wc -l))) || fail "$n system calls"
	# The first line is strace's own execve; paths may have any of these words in them.
	run ! grep -E '(^|[ ])(fsync|fdatasync|clone3?|v?fork|execve)\(|/mountinfo"' <(tail -n +2 trace)
}

# freeze_in DIR: as a container can that may write to its cgroup: moves its process to a cgroup below
# its own, and freezes that.
freeze_in() {
	mkdir -p "$1/.hidden/deep"
	ctr_pid box >"$1/.hidden/deep/cgroup.procs"
	if [[ -e $1/freezer.state ]]; then
		echo FROZEN >"$1/.hidden/deep/freezer.state"
		wait_for -t 30 grep -q FROZEN "$1/.hidden/deep/freezer.state"
	else
		echo 1 >"$1/.hidden/deep/cgroup.freeze"
		wait_for -t 30 grep -q 'frozen 1' "$1/.hidden/deep/cgroup.events"
	fi
}

freezers() {
	local dir
	for dir in /sys/fs/cgroup{,/unified,/freezer}; do
		[[ ! -e $dir$CGROUP/box/cgroup.freeze && ! -e $dir$CGROUP/box/freezer.state ]] || echo "$dir$CGROUP/box"
	done
}

@test "a container that has frozen itself, in a hidden cgroup, is ended and removed" {
	local dir n=0
	mkbundle box
	create box
	for dir in $(freezers); do
		oci start box
		freeze_in "$dir"
		run -0 oci delete --force box
		[ "$output" = "" ] || show
		nothing_left
		create box
		freeze_in "$dir"
		oci kill box KILL
		wait_for -t 30 is_status box stopped
		run -0 oci delete box
		[ "$output" = "" ] || show
		nothing_left
		create box
		n=$((n + 1))
	done
	((n > 0)) || skip "requires a cgroup with a freezer"
}

@test "oci-delete --force waits for another delete, and does not end it" {
	require command:strace
	mkbundle box
	create box
	strace -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:delay_enter=3000000:when=1 \
		"$OCI_BUILD/oci-delete" --root "$ROOT" --force box >first 2>&1 3>&- &
	in_hand() { ! flock --nonblock "$ROOT/box" true; }
	wait_for -t 30 in_hand
	run -0 oci delete --force box
	[ "$output" = "" ] || show
	wait $! && status=0 || status=$?
	[ "$status" = 0 ] || fail "$(<first)"
	nothing_left
}
