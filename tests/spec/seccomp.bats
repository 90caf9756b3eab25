#!/usr/bin/env bats
# config-linux.md, "Seccomp": what the running process meets. What a filter decides for each action and
# operator is in tests/unit/test_seccomp.c.
load ../lib/common
load process

DENY_MKDIR='{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38}'

# The container says on its stdout what happened.
says() {
	local name=$1 filter=$2
	mkbundle "$name" "$filter"
	seen_again "$name"
}

@test "a filter is in force, with no_new_privs and without" {
	local nnp
	for nnp in true false; do
		says "box-$nnp" ".process.noNewPrivileges = $nnp | .process.args = [\"sh\", \"-c\",
				\"mkdir /x 2>&1; grep Seccomp: /proc/self/status; mknod /y p && echo made\"]
			| .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [$DENY_MKDIR]}"
		grep -q 'Function not implemented' "$SEEN" || fail "$(<"$SEEN")"
		grep -q 'Seccomp:.2' "$SEEN"
		grep -q made "$SEEN"
	done
}

@test "without no_new_privs the filter is there before the rights go, and only the program's rights are left" {
	local pid
	mkbundle box ".process.noNewPrivileges = false | .process.user = {uid: 1000, gid: 1000}
		| .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [$DENY_MKDIR]}"
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	pid=$(ctr_pid box)
	grep -q '^Seccomp:.2$' "/proc/$pid/status"
	grep -q '^CapPrm:.0000000020000420$' "/proc/$pid/status"
	grep -q '^NoNewPrivs:.0$' "/proc/$pid/status"
}

@test "with no_new_privs the filter comes last: it need not allow what init does until then" {
	local list
	# What busybox's true needs, and the exec itself.
	list='["execve", "arch_prctl", "brk", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "mprotect",
		"readlink", "readlinkat", "getrandom", "getuid", "getgid", "geteuid", "getegid", "setuid", "setgid", "exit_group", "newfstatat",
		"prctl", "uname", "write", "fstat", "mmap", "munmap", "exit", "getpid"]'
	says box ".process.args = [\"echo\", \"alive\"]
		| .linux.seccomp = {defaultAction: \"SCMP_ACT_KILL_PROCESS\", syscalls: [{names: $list, action: \"SCMP_ACT_ALLOW\"}]}"
	grep -q alive "$SEEN"
}

@test "without no_new_privs, what the filter forbids init is create's error" {
	local call
	for call in poll accept4 recvmsg close; do
		refused '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["'$call'"], action: "SCMP_ACT_ERRNO"}]}' /linux/seccomp "forbids $call"
	done
	for call in sendmsg execve; do
		mkbundle box '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["'$call'"], action: "SCMP_ACT_KILL_PROCESS"}]}'
		try oci create box "$BUNDLE"
		((status == 0)) || break
	done
	# A killed execve is start's, a silent init create's.
	[[ $call = sendmsg && $stderr = */linux/seccomp*"must allow capset, sendmsg"* ]] || fail "$call: $stderr"
}

@test "an exec that the filter forbids is start's error" {
	mkbundle box '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_ERRNO"}]}'
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start box
	((status != 0))
	[[ $stderr = *'exec: "true": operation not permitted'* ]] || fail "$stderr"
}

@test "an exec that the filter kills is start's error, and says so" {
	local action nnp
	for action in KILL_PROCESS KILL_THREAD TRAP; do
		for nnp in true false; do
			mkbundle box '.process.args = ["true"] | .process.noNewPrivileges = $nnp | .linux.seccomp = {
				defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["execve"], action: $action}]}' \
				--arg action "SCMP_ACT_$action" --argjson nnp $nnp
			oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
			try oci start box
			((status != 0)) || fail "$action, noNewPrivileges $nnp: start says nothing"
			[[ $stderr = *'/linux/seccomp: exec: "true": killed by SIGSYS at its exec: the seccomp filter does not allow execve' ]] ||
				fail "$action: $stderr"
			wait_for is_status box stopped
			oci delete box
		done
	done
	# A list of what is allowed that forgot it.
	mkbundle box '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_KILL_PROCESS",
		syscalls: [{names: ["write", "exit_group"], action: "SCMP_ACT_ALLOW"}]}'
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start box
	[[ $stderr = *"killed by SIGSYS at its exec"* ]] || fail "$stderr"
}

@test "a program that the filter kills once it runs has been started" {
	mkbundle box '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_KILL_PROCESS",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_ALLOW"}]}'
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start box
	((status == 0)) || fail "$stderr"
	# Compared by its arguments, of which some are never those of our exec.
	mkbundle two '.process.args = ["true"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_KILL_PROCESS", args: [{index: 0, value: 4096, op: "SCMP_CMP_LT"}]}]}'
	oci create two "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start two
	((status == 0)) || fail "$stderr"
}

@test "arguments of a system call are compared" {
	# kill(pid, 0) is allowed, kill(pid, 18) is not.
	says box '.process.args = ["sh", "-c", "kill -0 1 && echo zero; kill -CONT 1 2>&1"]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"],
			action: "SCMP_ACT_ERRNO", errnoRet: 38, args: [{index: 1, value: 18, op: "SCMP_CMP_EQ"}]}]}'
	grep -q zero "$SEEN"
	grep -q 'Function not implemented' "$SEEN"
}

@test "names that are unknown here are ignored, other unknown words are errors" {
	says box '.process.args = ["echo", "runs"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["no_such_call", "mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	grep -q runs "$SEEN"
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_NO"}' SCMP_ACT_NO /linux/seccomp/defaultAction
}

@test "MUST: an errno for an action that has none is an error" {
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"],
		action: "SCMP_ACT_KILL", errnoRet: 1}]}' errnoRet /linux/seccomp/syscalls/0
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1}' defaultErrnoRet
}

@test "flags are passed on" {
	says box '.process.args = ["echo", "runs"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
		syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	grep -q runs "$SEEN"
}

# ---- SCMP_ACT_NOTIFY -----------------------------------------------------------------------------

start_agent() {
	rm -f "$PWD/agent.sock" "$PWD/state"
	timeout 60 "$TOOLS/agent" "$PWD/agent.sock" "$PWD/state" >/dev/null 2>&1 </dev/null 3>&- &
	agent=$!
	wait_for test -S agent.sock
}

# notifying NAMES FILTER: a bundle whose filter asks the agent about these calls.
notifying() {
	mkbundle box "$2"' | .annotations = {key: "value"} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		listenerPath: $socket, listenerMetadata: "some: metadata",
		syscalls: [{names: '"$1"', action: "SCMP_ACT_NOTIFY"}]}' --arg socket "$PWD/agent.sock"
}

@test "MUST: the agent gets the listener and one container process state, and decides" {
	local nnp status pid
	for nnp in true false; do
		start_agent
		notifying '["mkdir", "mkdirat"]' ".process.noNewPrivileges = $nnp
			| .process.args = [\"sh\", \"-c\", \"mkdir /x 2>&1; echo said\"]"
		oci create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
		pid=$(ctr_pid box)
		oci start box
		wait_for is_status box stopped
		grep -q 'No medium found' box.out || fail "$(<box.out)"
		grep -q said box.out
		wait "$agent"
		# With no_new_privs the filter is the last thing before the exec.
		[[ $nnp = true ]] && status=created || status=creating
		jq -e --arg bundle "$BUNDLE" --argjson pid "$pid" --arg status "$status" '. == {ociVersion: .ociVersion,
			fds: ["seccompFd"], pid: $pid, metadata: "some: metadata", state: {ociVersion: .ociVersion,
			id: "box", status: $status, pid: $pid, bundle: $bundle, annotations: {key: "value"}}}' state
		oci delete box
	done
}

@test "the agent may be asked about everything that init itself still does" {
	local nnp
	for nnp in true false; do
		start_agent
		notifying '["execve", "write", "sendmsg", "close", "read", "recvmsg", "accept4", "poll", "ppoll", "capset", "mmap", "futex"]' \
			".process.noNewPrivileges = $nnp | .process.args = [\"echo\", \"alive\"]"
		timeout 20 "$OCI" --root "$ROOT" create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
		timeout 20 "$OCI" --root "$ROOT" start box
		wait_for is_status box stopped
		grep -q alive box.out
		wait "$agent"
		oci delete box
	done
}

@test "SCMP_ACT_NOTIFY can be the default action" {
	local nnp
	for nnp in true false; do
		start_agent
		mkbundle box ".process.noNewPrivileges = $nnp"' | .process.args = ["echo", "alive"] | .linux.seccomp =
			{defaultAction: "SCMP_ACT_NOTIFY", listenerPath: $socket}' --arg socket "$PWD/agent.sock"
		timeout 20 "$OCI" --root "$ROOT" create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
		timeout 20 "$OCI" --root "$ROOT" start box
		wait_for is_status box stopped
		grep -q alive box.out
		wait "$agent"
		oci delete box
	done
}

@test "MUST: a listener that cannot be sent is an error" {
	local path=$PWD/agent.sock
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}' \
		/linux/seccomp/listenerPath
	refused ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", listenerPath: \"$path\", syscalls: [{names: [\"mkdir\"], action: \"SCMP_ACT_NOTIFY\"}]}" \
		/linux/seccomp/listenerPath ENOENT
	# The agent goes away between create and start.
	start_agent
	notifying '["mkdir", "write", "execve"]' '.process.noNewPrivileges = true'
	oci create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
	kill "$agent"
	wait "$agent" || true
	try timeout 20 "$OCI" --root "$ROOT" start box
	((status != 0 && status != 124)) || fail "status $status"
	[[ $stderr = */linux/seccomp/listenerPath*EPIPE* ]] || fail "$stderr"
	wait_for is_status box stopped
}

@test "listenerPath is ignored without SCMP_ACT_NOTIFY" {
	says box '.process.args = ["echo", "runs"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/nowhere"}'
	grep -q runs "$SEEN"
}

@test "flags reach the kernel as they are" {
	local flags
	require command:strace
	flags='["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'
	mkbundle box ".process.noNewPrivileges = false | .linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", flags: $flags,
		syscalls: [{names: [\"mkdir\"], action: \"SCMP_ACT_ERRNO\"}]}"
	# It stays as long as what it traces: until the container is deleted.
	strace -f -qq -o trace -e trace=seccomp "$OCI_BUILD/oci-create" --root "$ROOT" box "$BUNDLE" >out 2>&1 </dev/null 3>&- &
	wait_for -t 60 is_created || fail "$(<out)"
	# TSYNC, LOG, SPEC_ALLOW.
	grep -Eq 'SECCOMP_SET_MODE_FILTER, (0x7|SECCOMP_FILTER_FLAG_TSYNC\|SECCOMP_FILTER_FLAG_LOG\|SECCOMP_FILTER_FLAG_SPEC_ALLOW),.* = 0' trace ||
		fail "$(<trace)"
	oci delete --force box
	wait
}
is_created() { [[ $(oci state box 2>/dev/null | jq -r .status) = created ]]; }

@test "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: with a listener it is passed on, without one it is an error" {
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}' \
		/linux/seccomp/flags/0 'is for filters with SCMP_ACT_NOTIFY'
	start_agent
	notifying '["mkdir"]' '.process.noNewPrivileges = true | .process.args = ["sh", "-c", "mkdir /tmp/x 2>&1"]'
	edit "$BUNDLE" '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"]'
	oci create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
	oci start box || {
		# Linux before 5.19.
		kill "$agent"
		skip "requires Linux 5.19"
	}
	wait_for -t 60 is_status box stopped
	grep -q 'No medium found' box.out || fail "$(<box.out)"
	wait "$agent"
}

@test "an agent that is not there when the container is created, and metadata without it, are errors" {
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}' /linux/seccomp/listenerMetadata
	refused '.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "relative.sock"}' /linux/seccomp/listenerPath
}
