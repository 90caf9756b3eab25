#!/usr/bin/env bats
# Another version of the program comes, and containers are there: an earlier one's go on with this one, and
# this one's with an earlier one, which ignores what it does not know.

load ../lib/common

# The last without "update" and "events".
EARLIER=27d18e6

# use_earlier: puts its path in EARLIER_OCI.
use_earlier() {
	local why
	require root command:git command:make
	EARLIER_OCI=$("$REPO/tests/lib/previous" "$EARLIER" 2>why) || {
		why=$(tail -3 why)
		[[ $why != *'does not reach'* ]] || skip "$why"
		fail "cannot build $EARLIER:" "$why"
	}
}
earlier() { "$EARLIER_OCI" --root "$ROOT" "$@"; }
# by OCI COMMAND...: without a pipe that the container's process would keep.
quiet() { "$@" </dev/null >out 2>&1 || fail "$*:" "$(<out)"; }
now_is() { [ "$(oci state box | jq -r .status)" = "$1" ]; }

@test "the records of earlier versions are read: state, list, delete" {
	local file
	require root
	for file in "$REPO"/tests/tools/states/*.json; do
		(umask 077 && mkdir -p "$ROOT/box")
		cp "$file" "$ROOT/box/state.json"
		echo '{"ociVersion": "1.3.0"}' >"$ROOT/box/config.json"
		now_is stopped || fail "$file"
		[ "$(oci state box | jq -r '"\(.bundle) \(.annotations.a)"')" = "/tmp/earlier b" ] || fail "$file"
		[ "$(oci list -q)" = box ]
		oci delete box || fail "$file"
		[ ! -e "$ROOT/box" ]
	done
}

@test "an earlier version's containers: created, running and half made ones go on with this one" {
	use_earlier
	mkbundle box '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
	quiet earlier create box "$BUNDLE"
	now_is created
	oci start box
	now_is running
	run -0 oci exec box echo hello
	[ "$output" = hello ] || show
	# The filter, too, is the container's.
	run -0 oci exec box grep Seccomp: /proc/self/status
	[[ $output = *2 ]] || show
	oci pause box
	now_is paused
	oci resume box
	[[ $(oci ps box) = *'sleep 1000'* && $(oci list -q) = box ]]
	oci events --stats box | jq -e '.data.pids.current >= 1'
	if grep -q memory /proc/cgroups "/sys/fs/cgroup/cgroup.controllers" 2>/dev/null; then
		oci update --memory 67108864 box
	fi
	verify_clean box
	oci kill box KILL
	wait_for now_is stopped
	oci delete box
	quiet earlier create box "$BUNDLE"
	oci delete box
	quiet earlier create --until mount box "$BUNDLE"
	quiet oci create --resume box
	oci start box
	oci delete --force box
}

@test "this version's containers go on with an earlier one, and come back" {
	use_earlier
	mkbundle box
	quiet oci create box "$BUNDLE"
	earlier start box
	[ "$(earlier state box | jq -r .status)" = running ]
	run -0 earlier exec box echo hello
	[ "$output" = hello ] || show
	earlier pause box
	now_is paused
	oci resume box
	earlier kill box KILL
	wait_for now_is stopped
	earlier delete box
	[ ! -e "$ROOT/box" ]
}

# later_state ID: as a later version might have written it. (jq 1.6 would round its numbers.)
later_state() {
	sed -i 's/"id":/"later":{"a":[1]},&/; s/"version":1,/&"laterToo":"b",/; s/"options":{/&"laterOption":true,/; s/,}/}/' \
		"$ROOT/$1/state.json"
	jq -e '.later.a and .oci.laterToo and .oci.options.laterOption' "$ROOT/$1/state.json"
}

@test "what a later version adds to the record is ignored, and kept" {
	require root
	mkbundle box
	quiet oci create box "$BUNDLE"
	later_state box
	now_is created
	[ "$(oci state box | jq .later)" = null ]
	oci start box
	# It has been written again.
	[ "$(jq -r .status "$ROOT/box/state.json")" = running ]
	[ "$(jq -c '[.later.a[0], .oci.laterToo, .oci.options.laterOption]' "$ROOT/box/state.json")" = '[1,"b",true]' ]
	run -0 oci exec box echo hello
	oci pause box
	oci resume box
	oci kill box KILL
	wait_for now_is stopped
	oci delete box
}

@test "an earlier version ignores it, too" {
	use_earlier
	mkbundle box
	quiet oci create box "$BUNDLE"
	later_state box
	earlier start box
	run -0 earlier exec box echo hello
	oci delete --force box
}

@test "a record of another format is refused by its number, and all else goes on" {
	local command
	require root
	mkbundle box
	quiet oci create box "$BUNDLE"
	start_ctr other
	sed -i 's/"version":1,/"version":2,/' "$ROOT/box/state.json"
	for command in state start 'kill box KILL' pause 'exec box true' ps delete 'delete --force'; do
		[[ $command = *box* ]] || command="$command box"
		# shellcheck disable=SC2086
		run oci $command
		[[ $status != 0 && $output = *'state.json has version 2, this program knows 1'* ]] || { echo "$command"; show; }
	done
	run oci list
	[[ $output = *other*running* && $output = *'has version 2, this program knows 1'* ]] || show
	sed -i 's/"version":2,/"version":1,/' "$ROOT/box/state.json"
	now_is created
}

@test "the program's file is replaced under containers: by another, or written over" {
	require root
	mkdir bin
	cp "$(realpath "$OCI")" bin/oci
	mine() { "$PWD/bin/oci" --root "$ROOT" "$@"; }
	mkbundle box
	quiet mine create box "$BUNDLE"
	mkbundle other
	quiet mine create other "$BUNDLE"
	mine start other
	# Neither the one that waits for its start nor the one that runs keeps the file busy.
	cp "$(realpath "$OCI")" bin/oci
	mine start box
	# A command that is running does, until its end.
	mkfifo held
	mine exec box cat <held >held.out &
	exec 8>held
	wait_for has_process cat
	run -1 cp "$(realpath "$OCI")" bin/oci
	[[ $output = *'Text file busy'* ]] || show
	cp "$(realpath "$OCI")" bin/new
	mv bin/new bin/oci
	run -0 mine exec other echo replaced
	[ "$output" = replaced ] || show
	echo through >&8
	exec 8>&-
	wait $!
	[ "$(<held.out)" = through ]
	mine delete --force box
	mine delete --force other
}
has_process() { oci ps box | grep -qw "$1"; }
