#!/usr/bin/env bats
# start, kill and delete killed at each of their system calls: what is left can be seen and deleted.
load ../lib/common

setup() {
	common_setup
	require command:strace
	[[ $(readlink -f "$OCI") != *address* ]] || skip "too slow with sanitizers"
	mkbundle box
}

trace() { strace -E ASAN_OPTIONS=detect_leaks=0 -qq "$@"; }

make_box() { oci create box box >create.out 2>&1 </dev/null || { cat create.out && false; }; }

# "NAME COUNT" of the system calls of a command, from the first that is ours.
calls() {
	trace -o calls "$OCI" --root "$ROOT" "$@" || true
	sed -n '/close_range/,$p' calls | grep -oE '^[a-z_0-9]+\(' | tr -d '(' | grep -v exit | sort -u |
		while read -r name; do echo "$name $(grep -c "^$name(" calls)"; done
}

nothing_left() { [ ! -e "$ROOT/box" ] && [ ! "$(test_cgroups)" ] && no_processes; }

# Whatever the point was: state says something, delete --force clears it.
assert_clearable() {
	local state
	if [[ -e $ROOT/box/state.json ]]; then
		state=$(oci state box | jq -r .status)
		[[ $state =~ ^(created|running|stopped)$ ]] || fail "$1: status $state"
	fi
	oci delete --force box || fail "$1: delete failed"
	wait_for nothing_left || fail "$1: $(leftovers)"
}

@test "oci-start killed at each system call" {
	local name count n points=0
	make_box
	calls start box >list
	oci delete --force box
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			make_box
			trace -o /dev/null -e trace="$name" -e inject="$name":signal=KILL:when="$n" \
				"$OCI" --root "$ROOT" start box </dev/null >/dev/null 2>&1 || true
			assert_clearable "start, $name $n"
			points=$((points + 1))
		done
	done <list
	((points > 40))
}

@test "oci-delete --force killed at each system call" {
	local name count n points=0
	make_box
	oci start box
	calls delete --force box >list
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			make_box
			oci start box
			trace -o /dev/null -e trace="$name" -e inject="$name":signal=KILL:when="$n" \
				"$OCI" --root "$ROOT" delete --force box </dev/null >/dev/null 2>&1 || true
			assert_clearable "delete, $name $n"
			points=$((points + 1))
		done
	done <list
	((points > 60))
}

@test "oci-delete: each system call that fails is an error, or does not matter" {
	local name count n code
	make_box
	oci start box
	calls delete --force box >list
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			make_box
			oci start box
			code=0
			timeout 20 strace -qq -o /dev/null -e trace="$name" -e inject="$name":error=EIO:when="$n" \
				"$OCI" --root "$ROOT" delete --force box </dev/null >err 2>&1 || code=$?
			case $code in
			0) nothing_left || fail "$name $n: success, but $(leftovers)" ;;
			1 | 1[01]?) [[ -s err ]] || fail "$name $n: failed without a word" ;;
			*) fail "$name $n: exit status $code: $(<err)" ;;
			esac
			assert_clearable "delete, $name $n"
		done
	done <list
}

@test "oci-start: success means that the program runs, whichever system call fails" {
	local name count n code
	make_box
	calls start box >list
	oci delete --force box
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			make_box
			code=0
			timeout 20 strace -qq -o /dev/null -e trace="$name" -e inject="$name":error=EIO:when="$n" \
				"$OCI" --root "$ROOT" start box </dev/null >err 2>&1 || code=$?
			case $code in
			0) is_status box running || fail "$name $n: success, but $(ctr_status box)" ;;
			1 | 1[01]?) [[ -s err ]] || fail "$name $n: failed without a word" ;;
			*) fail "$name $n: exit status $code: $(<err)" ;;
			esac
			assert_clearable "start, $name $n"
		done
	done <list
}
