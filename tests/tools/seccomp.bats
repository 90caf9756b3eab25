#!/usr/bin/env bats
# oci-seccomp: the filter of system calls, compiled once. What filters do: tests/spec/seccomp.bats.
load ../lib/common

FILTER='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
	syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 38}]}'

# The number of the file, to tell one from another.
inode() { stat -c %i "$1"; }

@test "the filter is in the state directory, and goes with it" {
	mkbundle box "$FILTER"
	oci-validate box "$BUNDLE"
	run -0 --separate-stderr oci-seccomp box
	[[ ! $output && ! $stderr ]] || show
	[ "$(stat -c %a "$ROOT/box/seccomp")" = 600 ]
	[ "$(jq -r '.oci.stages[-1].name' "$ROOT/box/state.json")" = seccomp ]
	run -0 --separate-stderr oci-seccomp box
	[[ $stderr = "oci-seccomp: has been done before, nothing to do" ]] || show
	oci-delete --force box
	[ "$(ls "$ROOT")" = "" ]
}

@test "a second container with the same filter gets the same file, in any order of creation" {
	local c
	mkbundle box "$FILTER"
	for c in a b; do oci-validate "$c" "$BUNDLE" && oci-seccomp "$c"; done
	[ "$(inode "$ROOT/a/seccomp")" = "$(inode "$ROOT/b/seccomp")" ]
	oci-delete --force a
	oci-create c "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	[ "$(inode "$ROOT/b/seccomp")" = "$(inode "$ROOT/c/seccomp")" ]
	[ "$(ls "$ROOT/.seccomp" | wc -l)" = 1 ]
	edit "$BUNDLE" '.linux.seccomp.defaultAction = "SCMP_ACT_LOG"'
	oci-validate d "$BUNDLE" && oci-seccomp d
	[ "$(inode "$ROOT/b/seccomp")" != "$(inode "$ROOT/d/seccomp")" ]
	[ "$(ls "$ROOT/.seccomp" | wc -l)" = 2 ]
}

@test "a damaged cache, and one that is gone, are made again" {
	local file
	mkbundle box "$FILTER | .process.args = [\"sh\", \"-c\", \"mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status\"]"
	oci-validate a "$BUNDLE" && oci-seccomp a
	file=$(echo "$ROOT"/.seccomp/*)
	# The last instruction becomes another one.
	printf '\377' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 1)) conv=notrunc status=none
	oci create b "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	[ "$(inode "$ROOT/a/seccomp")" != "$(inode "$ROOT/b/seccomp")" ]
	[ "$(inode "$ROOT/b/seccomp")" = "$(inode "$file")" ]
	oci start b
	wait_for -t 60 is_status b stopped
	grep -q 'Function not implemented' out || fail "$(<out)"
	rm -r "$ROOT/.seccomp"
	oci create c "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	oci start c
	wait_for -t 60 is_status c stopped
	grep -q 'Seccomp:.2' out || fail "$(<out)"
	[ "$(ls "$ROOT/.seccomp" | wc -l)" = 1 ]
}

@test "a file of the container's that is damaged after the stage is compiled again" {
	mkbundle box "$FILTER | .process.args = [\"mkdir\", \"/tmp/x\"]"
	oci-create --until mount box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	: >"$ROOT/box/seccomp"
	oci-create --resume box >>out 2>&1 </dev/null || fail "$(<out)"
	oci start box
	wait_for -t 60 is_status box stopped
	grep -q 'Function not implemented' out || fail "$(<out)"
}

@test "without a filter the stage does nothing, and need not be run" {
	mkbundle box
	oci-create --steps box "$BUNDLE" >out 2>err </dev/null || fail "$(<err)"
	! grep seccomp err || fail "$(<err)"
	oci-delete box
	oci-validate box "$BUNDLE" && oci-cgroup box && oci-nsenter-setup box </dev/null >out 2>&1 &&
		oci-prepare-root box && oci-mount box && oci-pivot box
	[ "$(ctr_status box)" = created ]
	[[ ! -e $ROOT/.seccomp && ! -e $ROOT/box/seccomp ]]
}

@test "with a filter it must have been run before oci-pivot" {
	mkbundle box "$FILTER"
	oci-validate hand "$BUNDLE" && oci-cgroup hand && oci-nsenter-setup hand </dev/null >out 2>&1 &&
		oci-prepare-root hand && oci-mount hand
	run -104 oci-pivot hand
	[[ $output = *'the stage "seccomp" has not been done'* ]] || show
	oci-seccomp hand
	oci-pivot hand
	[ "$(ctr_status hand)" = created ]
}

@test "--steps says how long the filter is" {
	mkbundle box "$FILTER"
	oci-create --steps box "$BUNDLE" >out 2>err </dev/null || fail "$(<err)"
	grep -qE '^seccomp +[0-9.]+ ms  a filter of [0-9]+ instructions$' err || fail "$(<err)"
	oci-delete box
	oci-create --dry-run "$BUNDLE" >script
	grep -q '^# ---- seccomp: the filter' script
}

@test "an error of the filter is this stage's, and nothing has been made by then" {
	mkbundle box '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(6000)
		| {names: ["read"], action: "SCMP_ACT_LOG", args: [{index: 0, value: ., op: "SCMP_CMP_EQ"}]}]}'
	oci-create box "$BUNDLE" >out 2>&1 </dev/null && fail "it was created"
	output=$(<out)
	[[ $output = 'oci-seccomp: /linux/seccomp (config.json:'*'): the seccomp filter has more than 4096 instructions' ]] || show
	[ ! -e "$ROOT/box" ]
	[ "$(test_cgroups)" = "" ]
}

@test "creations at once share the cache" {
	local i
	for i in {1..8}; do
		mkbundle "c$i" "$FILTER"
		oci create "c$i" "$BUNDLE" >"out$i" 2>&1 </dev/null 3>&- &
	done
	wait
	for i in {1..8}; do [ "$(ctr_status "c$i")" = created ] || fail "$(<"out$i")"; done
	[ "$(ls "$ROOT/.seccomp" | wc -l)" = 1 ]
}
