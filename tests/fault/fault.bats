#!/usr/bin/env bats
# A sample of what tests/fault/campaign does at every system call: FAULT_EVERY=1 for all of them.
# alone: it looks at its own process numbers, and fails where a command takes seconds

load ../lib/common

setup() {
	common_setup
	require root command:strace
}

campaign() {
	"$REPO/tests/fault/campaign" "$@" >log 2>&1 || fail "$(<log)"
	tail -1 log
}

@test "a creation that is killed at any system call leaves nothing that delete --force does not undo" {
	campaign kill "${FAULT_EVERY:-29}" create
}

@test "a start, kill or delete that is killed leaves nothing that delete --force does not undo" {
	campaign kill "${FAULT_EVERY:-11}" start kill delete
}

@test "a stage that is killed leaves nothing that delete --force does not undo" {
	campaign kill "${FAULT_EVERY:-61}" validate seccomp cgroup nsenter-setup prepare-root mount pivot
}

@test "a creation in which a system call fails undoes itself, or makes the same container" {
	campaign fail "${FAULT_EVERY:-131}" create
}

@test "a start or delete in which a system call fails leaves nothing and changes no right" {
	campaign fail "${FAULT_EVERY:-47}" start delete
}

@test "an exec or update that is killed leaves the container running, and nothing beside it" {
	campaign kill "${FAULT_EVERY:-13}" exec update
}

@test "an exec or update in which a system call fails gives no other rights, and changes all or nothing" {
	campaign fail "${FAULT_EVERY:-89}" exec update
}
