#!/usr/bin/env bats
# A driver that is killed: nothing is left but what oci-delete --force, or the next create, clears.
load ../lib/common

# A pipeline whose driver is killed after step N of the stock one, by a step of its own.
killing_pipeline() {
	local after=$1 n=0 line
	cat >killer <<-'END'
		#!/bin/sh
		kill -KILL "$(jq .oci.creator.pid "$OCI_STATE_DIR/state.json")"
		sleep 10
	END
	chmod +x killer
	grep -v '^#' "$REPO/pipeline/default.pipeline" | while read -r line; do
		echo "$line"
		((++n != after)) || echo "exec $PWD/killer"
	done >p
}

steps=$(grep -cv '^#' "$REPO/pipeline/default.pipeline")

killed_create() {
	local status=0
	# In a subshell of its own, which keeps "Killed" to itself.
	(oci-create "$@" --pipeline p c box >out 2>err </dev/null) 2>/dev/null || status=$?
	[ $status = 137 ] || fail "not killed but $status: $(<err)"
	wait_for no_live_processes
	[ "$(test_mounts)" = "$MOUNTS_BEFORE" ]
}

# The killer's own shell ends with its watcher.
no_live_processes() { no_processes; }

@test "killed after any stage: processes and mounts are gone, oci-delete --force clears the rest" {
	local nth mode
	for mode in --timing --exec; do
		for ((nth = 1; nth <= steps; nth++)); do
			mkbundle box
			killing_pipeline "$nth"
			killed_create $mode
			run -0 oci-delete --force c
			[ "$output" = "" ] || show
			[ ! -e "$ROOT/c" ] || fail "$mode $nth: state directory"
			[ "$(test_cgroups)" = "" ] || fail "$mode $nth: $(test_cgroups)"
			rm -r box
		done
	done
}

@test "killed after any stage: the next create of the id succeeds" {
	local nth
	for ((nth = 1; nth <= steps; nth++)); do
		mkbundle box
		killing_pipeline "$nth"
		killed_create
		oci-create c box >out 2>err </dev/null || fail "$nth: $(<err)"
		oci-start c
		[ "$(ctr_status c)" = running ]
		oci-delete --force c
		rm -r box
	done
}

@test "killed after any stage: oci-state and oci-kill say what is so" {
	local nth
	for ((nth = 2; nth <= steps; nth += 3)); do
		mkbundle box
		killing_pipeline "$nth"
		killed_create
		run oci-state c
		((status != 0)) || [[ $(jq -r .status <<<"$output") =~ ^(creating|stopped)$ ]] || show
		run ! oci-kill c KILL
		run ! oci-start c
		oci-delete --force c
		rm -r box
	done
}

@test "killed at a random moment: nothing is left after oci-delete --force" {
	local nth pid
	mkbundle box
	for nth in {1..40}; do
		"$OCI_BUILD/oci-create" --root "$ROOT" c box >out 2>err </dev/null &
		pid=$!
		sleep "0.00$((RANDOM % 60 / 10))$((RANDOM % 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		oci-delete --force c || fail "$nth: $(ls -la "$ROOT/c")"
		[ ! -e "$ROOT/c" ]
		[ "$(test_cgroups)" = "" ] || fail "$nth: $(test_cgroups)"
		wait_for no_processes
	done
}

@test "a killed --until, --keep or by-hand container stays: it has no driver" {
	mkbundle box
	oci-create --until mount c box 2>err </dev/null
	run -104 oci-create c box
	[[ $output = *'container "c" exists already'* ]] || show
	kill -0 "$(jq .pid "$ROOT/c/state.json")"
}

@test "killed while a hook hangs: the hook, its children and the stage's tool end too" {
	local mode kind pid
	printf '#!/bin/sh\nsleep 1000 &\ntouch %s/began\nwait\n' "$PWD" >hook
	chmod +x hook
	for mode in --timing --exec; do
		for kind in createRuntime createContainer; do
			rm -rf box began
			mkbundle box '.hooks[$kind] = [{path: $path}]' --arg kind "$kind" --arg path "$PWD/hook"
			"$OCI_BUILD/oci-create" --root "$ROOT" $mode c box >out 2>err </dev/null &
			pid=$!
			wait_for test -e began
			kill -KILL $pid
			wait $pid || true
			wait_for no_processes || fail "$mode $kind: $(for pid in $(test_processes); do tr '\0' ' ' <"/proc/$pid/cmdline"; done)"
			oci-delete --force c
		done
	done
}
