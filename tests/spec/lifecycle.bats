#!/usr/bin/env bats
# runtime.md: "State", "Lifecycle", "Operations".
load ../lib/common

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

# What an operation that fails must not change.
snapshot() { oci state "$1" | jq -cS .; cat "$ROOT/$1/state.json"; ls "$ROOT"; }

# Gone, or a zombie that its new parent has not waited for yet.
assert_dead() { run ! grep -s '^State:.[^ZX]' "/proc/$1/status"; }

@test "MUST: state, start, kill, delete generate an error without the container's id" {
	for command in state start kill delete; do
		run -1 --separate-stderr oci "$command"
		[ "$stderr" ] && [ ! "$output" ]
		run -100 oci-"$command"
	done
}

@test "MUST: state of a container that does not exist is an error" {
	run -1 --separate-stderr oci state box
	[ "$stderr" = 'oci-state: container "box" does not exist' ] || show
	[ "$output" = "" ]
	run -104 oci-state box
	[ ! -e "$ROOT" ]
}

@test "MUST: the state's properties, at each status" {
	mkbundle box '.annotations = {"a": "b"} | .process.args = ["sh", "-c", "read line </fifo"]'
	mkfifo box/rootfs/fifo
	create box
	oci state box >state
	pid=$(jq .pid state)
	jq -e --arg bundle "$PWD/box" '.ociVersion == "1.3.0" and .id == "box" and .status == "created"
		and .pid > 1 and .bundle == $bundle and .annotations == {"a": "b"}' state
	oci start box
	oci state box | jq -e --argjson pid "$pid" '.status == "running" and .pid == $pid'
	echo >box/rootfs/fifo
	wait_for is_status box stopped
	oci state box | jq -e '.status == "stopped" and .pid == 0'
}

# As far as the schema goes: required properties, types, the enumeration, the minimum.
adheres() {
	jq -e --slurpfile schema "$1" '. as $state | $schema[0] as $s
		| ($s.required - ($state | keys) == [])
		and all($s.properties | to_entries[]; .key as $k | .value as $p | $state[$k] as $v
			| $v == null
			or (($p.enum == null or ($p.enum | index($v)) != null)
				and ($p.minimum == null or $v >= $p.minimum)
				and ($p.type == null or ($v | type) == ($p.type | if . == "integer" then "number" else . end))))
		and (.annotations | . == null or all(.[]; type == "string"))'
}

@test "MUST: the state adheres to the JSON Schema" {
	schema=${SPEC_DIR:-$REPO/../shared/spec}/schema/state-schema.json
	[ -e "$schema" ] || skip "requires SPEC_DIR: the specification's schema"
	mkbundle box '.annotations = {"a": "b"}'
	edit box '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "exec cat >\($file)"], env: ["PATH=/bin:/usr/bin"]}]' \
		--arg file "$PWD/hook-state"
	create box
	adheres "$schema" <hook-state
	oci state box | adheres "$schema"
	oci start box
	oci state box | adheres "$schema"
	oci kill box KILL
	wait_for is_status box stopped
	oci state box | adheres "$schema"
	run ! adheres "$schema" <<<'{"ociVersion": "1.3.0", "id": "box", "status": "strange", "bundle": "/"}'
}

@test "MUST: the user's program is not run by create" {
	mkbundle box '.process.args = ["touch", "/ran"]'
	create box
	sleep 0.2
	[ ! -e box/rootfs/ran ]
	oci start box
	wait_for test -e box/rootfs/ran
}

@test "MUST: start runs the user's program, and changes to the bundle's config.json mean nothing" {
	mkbundle box '.process.args = ["sh", "-c", "echo $WHO >/who; exec sleep 1000"] | .process.env += ["WHO=first"]'
	create box
	edit box '.process.args = ["touch", "/other"] | .process.env += ["WHO=second"] | .hooks.poststart = [{path: "/bin/false"}]'
	oci start box
	wait_for test -s box/rootfs/who
	[ "$(<box/rootfs/who)" = first ]
	[ ! -e box/rootfs/other ]
}

@test "MUST: start of a container that is not created has no effect and is an error" {
	mkbundle box
	create box
	oci start box
	before=$(snapshot box)
	run -1 --separate-stderr oci start box
	[ "$stderr" = 'oci-start: cannot start container "box": it is running, not created' ] || show
	[ "$before" = "$(snapshot box)" ]
	oci kill box KILL
	wait_for is_status box stopped
	before=$(snapshot box)
	run -1 --separate-stderr oci start box
	[ "$stderr" = 'oci-start: cannot start a container that has stopped: "box"' ] || show
	[ "$before" = "$(snapshot box)" ]
	run -1 oci start none
	[ "$output" = 'oci-start: container "none" does not exist' ] || show
}

@test "MUST: start is an error if process was not set" {
	mkbundle box 'del(.process)'
	create box
	run -1 --separate-stderr oci start box
	[[ $stderr = *process* ]] || show
	[ "$(ctr_status box)" != running ]
}

@test "MUST: kill sends the specified signal to the container process" {
	mkbundle box
	edit box '.process.args = ["sh", "-c", $script]' --arg script '
		trap "echo usr1 >>/got" USR1; trap "echo 34 >>/got" 34; echo up >/got; while :; do sleep 0.05; done'
	create box
	oci start box
	wait_for test -s box/rootfs/got
	oci kill box USR1
	wait_for grep -q usr1 box/rootfs/got
	oci kill box SIGRTMIN
	wait_for grep -q 34 box/rootfs/got
	oci kill box 10
	wait_for twice
	oci kill box 9
	wait_for is_status box stopped
}
twice() { [ "$(grep -c usr1 box/rootfs/got)" = 2 ]; }

@test "MUST: kill of a container that is neither created nor running has no effect and is an error" {
	mkbundle box
	create box
	oci kill box KILL
	wait_for is_status box stopped
	before=$(snapshot box)
	run -1 --separate-stderr oci kill box KILL
	# These words tell engines that the container has ended.
	[[ $stderr = *"container not running"* ]] || show
	[ "$before" = "$(snapshot box)" ]
	run -1 oci kill none KILL
	[[ $output = *"does not exist"* ]] || show
	oci-create --until mount half "$BUNDLE" >/dev/null 2>&1 </dev/null
	before=$(snapshot half)
	run -1 oci kill half KILL
	[ "$output" = 'oci-kill: cannot signal container "half": it is still being created' ] || show
	[ "$before" = "$(snapshot half)" ]
}

@test "a created container ends by SIGTERM, and by any signal that ends a program" {
	for signal in TERM INT HUP KILL; do
		mkbundle "$signal"
		create "$signal"
		oci kill "$signal" "$signal"
		wait_for is_status "$signal" stopped
		oci delete "$signal"
	done
}

@test "MUST: delete of a running container has no effect and is an error" {
	mkbundle box
	create box
	oci start box
	before=$(snapshot box)
	run -1 --separate-stderr oci delete box
	[ "$stderr" = 'oci-delete: cannot delete container "box" that is not stopped: it is running' ] || show
	[ "$before" = "$(snapshot box)" ]
	oci pause box
	run -1 oci delete box
	[[ $output = *"that is not stopped: it is paused" ]] || show
	run -1 oci delete none
	[[ $output = *"does not exist"* ]] || show
}

@test "delete of a created container ends it and succeeds, as engines expect" {
	mkbundle box
	create box
	pid=$(ctr_pid box)
	run -0 oci delete box
	[ "$output" = "" ]
	assert_dead "$pid"
}

@test "MUST: delete deletes what create made, and the id may be used again" {
	mkbundle box
	for turn in 1 2 3; do
		create box
		oci start box
		[ "$(test_cgroups)" ]
		oci kill box KILL
		wait_for is_status box stopped
		oci delete box
		[ ! -e "$ROOT/box" ]
		[ ! "$(test_cgroups)" ]
	done
}

@test "MUST: delete leaves what the container uses but did not make" {
	local dir net=$BATS_TEST_TMPDIR/net
	mkbundle box
	edit box '.linux.namespaces |= map(if .type == "network" then .path = $net else . end)' --arg net "$net"
	touch "$net"
	unshare --net="$net" true
	dir=/sys/fs/cgroup$([[ ! -d /sys/fs/cgroup/pids ]] || echo /pids)$CGROUP/box
	mkdir -p "$dir"
	create box || { umount "$net" && rmdir "$dir" && false; }
	oci delete box
	nsenter --net="$net" true
	umount "$net"
	rmdir "$dir" "${dir%/box}"
}

@test "delete --force of a container that does not exist succeeds; delete says that there is none" {
	run -0 oci delete --force none
	[ "$output" = "" ]
	run -0 oci-delete -f none
	run -104 oci-delete none
}
