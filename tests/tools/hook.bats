#!/usr/bin/env bats
# oci-hook: the stage that runs hooks.
load ../lib/common

until_mount() { oci-create --until mount "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

@test "oci-hook runs the kinds that it is asked for, and records them" {
	mkbundle box
	edit box '.hooks = {prestart: [$h], createRuntime: [$h], createContainer: [$h]}' \
		--argjson h "{\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"/bin/cat >>$PWD/states\"]}"
	until_mount box
	run -0 oci-hook box prestart createRuntime
	[ "$output" = "" ]
	[ "$(wc -l <states)" = 2 ]
	run -0 jq -c '[.oci.stages[-2:][].name]' "$ROOT/box/state.json"
	[ "$output" = '["hook prestart","hook createRuntime"]' ] || show
	run -0 oci-hook box createContainer
	[ "$(wc -l <states)" = 3 ]
}

@test "run twice, it says so and does nothing" {
	mkbundle box
	edit box '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "echo >>\($f)"]}]' --arg f "$PWD/ran"
	until_mount box
	oci-hook box prestart
	run -0 oci-hook box prestart
	[ "$output" = "oci-hook: prestart hooks have been run before, nothing to do" ] || show
	[ "$(wc -l <ran)" = 1 ]
}

@test "a kind without hooks is done at once" {
	mkbundle box
	until_mount box
	run -0 oci-hook box prestart createRuntime createContainer
	[ "$output" = "" ]
}

@test "out of order, it names the stage that is missing" {
	mkbundle box
	oci-create --until nsenter-setup box "$BUNDLE" >/dev/null 2>&1 </dev/null
	run -104 oci-hook box prestart
	[[ $output = 'oci-hook: the stage "mount" has not been done' ]] || show
}

@test "on a created or running container it joins nothing" {
	mkbundle box
	oci create box box >/dev/null 2>&1 </dev/null
	run -0 strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=setns,execve -o trace "$OCI_BUILD/oci-hook" --root "$ROOT" box createContainer
	[ "$output" = "oci-hook: createContainer hooks have been run before, nothing to do" ] || show
	oci start box
	run -104 strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=setns -o trace2 "$OCI_BUILD/oci-hook" --root "$ROOT" box createContainer
	[ "$output" = 'oci-hook: container "box" is running: a stage of its creation cannot be run any more' ] || show
	run ! grep -h setns trace trace2
}

@test "a failing hook: exit code 105, and one error" {
	mkbundle box
	edit box '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "echo no >&2; exit 7"]}]'
	until_mount box
	run -105 oci-hook box prestart
	[[ $output = 'oci-hook: /hooks/prestart/0 (config.json:'*'): error running prestart hook #0: "/bin/sh" failed: exit status 7, its stderr: no' ]] || show
	# It is not recorded as done, so it can be tried again.
	run -105 oci-hook box prestart
}

@test "bad input: no kind, a kind that there is none of, no container" {
	run -100 oci-hook box
	run -100 oci-hook box prestrt
	[[ $output = *'unknown kind of hooks "prestrt"'* ]] || show
	run -100 oci-hook box poststart
	run -104 oci-hook box prestart
	[ "$output" = 'oci-hook: container "box" does not exist' ] || show
}
