#!/usr/bin/env bats
# A container must not be made with more rights than config.json gives it because a system call did
# nothing: each of those that take rights away is made to "succeed" without being executed.
# shellcheck disable=SC2154

load ../lib/common
load security

setup() {
	common_setup
	require command:strace command:setpriv
}

# create_lying CALL: creates "attack" while CALL lies.
create_lying() {
	status=0
	setpriv --groups 11,12 strace -D -f -qq -o lies -e trace="$1" -e inject="$1":retval=0 \
		"$OCI" --root "$ROOT" create attack "$BUNDLE" >out 2>err </dev/null || status=$?
	grep -q INJECTED lies || fail "INVALID: $1 was not called"
}

@test "control: the container is made" {
	mkbundle attack '.process.user = {uid: 1000, gid: 1000}'
	setpriv --groups 11,12 strace -D -f -qq -o lies -e trace=setgroups \
		"$OCI" --root "$ROOT" create attack "$BUNDLE" >out 2>err </dev/null
	is_status attack created
}

@test "a setgroups, setresuid, capset, prctl, setsid, keyctl or pivot_root that does nothing is found" {
	local call
	mkbundle attack '.process.user = {uid: 1000, gid: 1000}'
	for call in setgroups setresuid setresgid capset prctl setsid keyctl pivot_root setns; do
		create_lying "$call"
		((status != 0)) || fail "$call: the container was made: $(grep -E '^(Uid|Gid|Groups|Cap|NoNew)' "/proc/$(ctr_pid attack)/status")"
		oci delete --force attack
	done
}

@test "a filter that is not there is found, where it must be there at create" {
	mkbundle attack '.process.noNewPrivileges = false | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	create_lying seccomp
	((status != 0))
	grep -q Seccomp err
}
