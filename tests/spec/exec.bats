#!/usr/bin/env bats
# A further process has all properties of "process" (config.md), as the container's own has them.
load ../lib/common

# What the probe says of itself, but for what no two processes have in common. The shell adds PWD and SHLVL.
same() {
	jq -S 'del(.pid, .ppid, .pgid, .sid, .session_keyring) | .descriptors |= keys
		| .env |= (map(select(test("^(PWD|SHLVL)=") | not)) | sort)' "$1"
}

# own_and_further FILTER: the probe as the container's process, then executed in it; they see the same.
own_and_further() {
	mkbundle box '.process.args = ["sh", "-c", "probe >/tmp/own; exec sleep 1000"] | '"$1"
	oci create box "$BUNDLE" </dev/null >create.out 2>&1 || fail "$(<create.out)" || return
	oci start box
	wait_for -t 30 jq -e . "$BUNDLE/rootfs/tmp/own" >/dev/null 2>&1
	oci exec box probe </dev/null >further || return
	diff <(same "$BUNDLE/rootfs/tmp/own") <(same further) || fail "with $1"
	oci delete --force box
	rm -rf "$BUNDLE"
}

@test "the executed process is as the container's own" {
	own_and_further '.'
	own_and_further '.process.user = {uid: 1000, gid: 1001, umask: 63, additionalGids: [5, 6]}'
	own_and_further '.process.noNewPrivileges = false'
	own_and_further '.process.capabilities = (["CAP_CHOWN", "CAP_KILL"] | {bounding: ., effective: ., permitted: ., inheritable: ., ambient: .})
		| .process.user.uid = 7'
	own_and_further '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}, {type: "RLIMIT_CORE", soft: 0, hard: 1}]'
	own_and_further '.process.oomScoreAdj = 500 | .process.cwd = "/tmp"'
	own_and_further '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}'
	own_and_further '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	own_and_further '.linux.personality = {domain: "LINUX32"}'
	own_and_further '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}'
	own_and_further '.process.noNewPrivileges = false
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapon"], action: "SCMP_ACT_ERRNO"}]}'
}

@test "labels without their security module are refused for an executed process too" {
	[[ ! -e /sys/kernel/security/apparmor && ! -e /sys/fs/selinux/enforce ]] || skip "requires a kernel without them"
	mkbundle box
	oci create box "$BUNDLE" </dev/null >create.out 2>&1
	local option
	for option in "--apparmor x /process/apparmorProfile" "--process-label y /process/selinuxLabel"; do
		# shellcheck disable=SC2086
		run -255 oci exec ${option% *} box true </dev/null
		[[ $output = *"${option##* }"* ]] || show
	done
}

# The agent of one process, of which it writes the state to the file $1.
start_agent() {
	rm -f agent.sock
	timeout 120 "$TOOLS/agent" "$PWD/agent.sock" "$1" >/dev/null 2>&1 </dev/null 3>&- &
	wait_for -t 30 test -S agent.sock
}

@test "SCMP_ACT_NOTIFY: the agent gets the executed process's listener and state" {
	mkbundle box '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path, listenerMetadata: "x",
		syscalls: [{names: ["mkdirat", "mkdir"], action: "SCMP_ACT_NOTIFY"}]}' --arg path "$PWD/agent.sock"
	start_agent "$PWD/first"
	oci create box "$BUNDLE" </dev/null >create.out 2>&1
	oci start box
	start_agent "$PWD/second"
	run -1 oci exec box mkdir /tmp/x </dev/null
	[[ $output = *"No medium found"* ]] || show
	wait_for -t 30 jq -e . second >/dev/null
	jq -e --argjson init "$(ctr_pid box)" '.metadata == "x" and .pid != $init and .state.pid == $init
		and .state.status == "running" and .fds == ["seccompFd"]' second || fail "$(<second)"
	# Without an agent there is no process.
	rm -f agent.sock
	run -255 oci exec box true </dev/null
	[[ $output = *"/linux/seccomp/listenerPath"* ]] || show
}
