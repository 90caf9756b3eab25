#!/usr/bin/env bats
# start, run, kill, delete killed at each of their system calls: what is left can be seen and deleted.
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

# ---- oci-exec: the container is the same all the time ---------------------------------------------

# What a program sees of itself: what must not be weaker, or another, because a call has failed.
cat_identity='for ns in mnt pid net ipc uts; do readlink /proc/self/ns/$ns; done; pwd
	grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask)" /proc/self/status'

run_box() {
	edit box '.process.args = ["sleep", "1000"] | .process.user = {uid: 1000, gid: 1000, additionalGids: [7]}
		| .process.capabilities = (["CAP_CHOWN", "CAP_KILL"] | {bounding: ., effective: ., permitted: ., inheritable: ., ambient: ["CAP_KILL"]})
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}'
	make_box
	oci start box
	oci exec box sh -c "$cat_identity" </dev/null >identity
	[[ $(grep -c . identity) -ge 15 ]]
}

alone() { [[ $(oci ps --format json box | jq length) = 1 ]]; }

# exec_under STRACE-OPTION...: oci exec of that program, in code, out and err.
exec_under() {
	code=0
	timeout 120 strace -qq -D -o /dev/null "$@" "$OCI" --root "$ROOT" exec box sh -c "$cat_identity" \
		</dev/null >out 2>err || code=$?
}

# assert_exec POINT: it has done what it should, or said what was wrong; nothing of it is left.
assert_exec() {
	case $code in
	0) diff identity out || fail "$1: success, but another process" ;;
	# 111: before it is known which command this is.
	255 | 111) [[ -s err ]] || fail "$1: failed without a word" ;;
	*) fail "$1: exit status $code: $(<err)" ;;
	esac
	wait_for -t 30 alone || fail "$1: $(leftovers)"
}

@test "oci-exec killed at each system call leaves no process that is half made" {
	local name count n points=0
	run_box
	calls exec box true </dev/null >list
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			trace -o /dev/null -e trace="$name" -e inject="$name":signal=KILL:when="$n" \
				"$OCI" --root "$ROOT" exec box true </dev/null >/dev/null 2>&1 || true
			wait_for -t 30 alone || fail "$name $n: $(leftovers)"
			points=$((points + 1))
		done
	done <list
	((points > 100))
	oci exec box true </dev/null
}

@test "oci-exec: success means that the program ran as it should, whichever system call fails" {
	local name count n
	run_box
	# A close that fails has closed all the same, which strace cannot do.
	calls exec box true </dev/null | grep -v '^close ' >list
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			exec_under -e trace="$name" -e inject="$name":error=EIO:when="$n"
			assert_exec "$name $n"
		done
	done <list
}

# The calls of the process itself, by which it becomes what it should.
own_calls='setns 1,clone3 1,setsid 1,keyctl 1,umask 1,openat2 1,fchdir 1,getcwd 1,setgroups 1,setresgid 1,setresuid 1,
	capset 1,capset 2,prctl 1,prctl 2,prctl 4,prctl 9,prctl 48,prctl 50,seccomp 1,close_range 1,close_range 2,
	close_range 3,recvmsg 1,sendmsg 1,sendmsg 2,poll 1,execve 1,mmap 1,write 1'

@test "oci-exec's process: success means that the program ran as it should, whichever call fails" {
	local name n
	run_box
	while read -r name n; do
		exec_under -f -e trace="$name" -e inject="$name":error=EPERM:when="$n"
		assert_exec "$name $n"
	done < <(tr ',' '\n' <<<"$own_calls" | grep .)
}

@test "oci-exec's process: a call that lies is noticed" {
	local name n
	run_box
	while read -r name n; do
		exec_under -f -e trace="$name" -e inject="$name":retval=0:when="$n"
		assert_exec "$name $n"
	done < <(tr ',' '\n' <<<'setns 1,setsid 1,setgroups 1,setresgid 1,setresuid 1,capset 1,capset 2,fchdir 1,prctl 9,close_range 3')
}

@test "oci-exec's process killed at each of its steps: an error, and nothing left" {
	local name n
	run_box
	while read -r name n; do
		exec_under -f -e trace="$name" -e inject="$name":signal=KILL:when="$n"
		[[ $code = 137 ]] || assert_exec "$name $n"
		wait_for -t 30 alone || fail "$name $n: $(leftovers)"
	done < <(tr ',' '\n' <<<"$own_calls" | grep .)
}

# What oci-run does besides creating, starting and deleting, which have tests of their own.
@test "oci-run: each system call of its own that fails, or at which it is killed, leaves nothing that delete cannot clear" {
	local how name count n code
	mkbundle box '.process.args = ["sh", "-c", "echo ran >/ran"] | .process.terminal = true'
	calls run --bundle box box </dev/null | grep -E '^(signalfd4|poll|waitid|socketpair|epoll_create1|epoll_ctl|recvmsg|ioctl|pidfd_open|pidfd_send_signal|prctl|rt_sigprocmask) ' >list
	grep -q '^signalfd4 ' list
	while read -r name count; do
		for ((n = 1; n <= count; n++)); do
			for how in signal=KILL error=EIO; do
				code=0
				rm -f box/rootfs/ran
				timeout 60 strace -qq -o /dev/null -e signal=none -e trace="$name" -e inject="$name:$how:when=$n" \
					"$OCI" --root "$ROOT" run --bundle box box </dev/null >out 2>err || code=$?
				((code != 124)) || fail "$name $n, $how: hangs"
				((code != 0)) || [ -e box/rootfs/ran ] || fail "$name $n, $how: success, but the program has not run"
				assert_clearable "run, $name $n, $how"
			done
		done
	done <list
}
