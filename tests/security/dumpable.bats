#!/usr/bin/env bats
# T-DUMP: a container's processes trace the runtime's own, or reach what they have open, in the
# moment in which those are among them. CVE-2016-9962 (runc), CVE-2016-8649 (lxc).

load ../lib/common
load security

# What the attacker may do to a process of its own user, in the pid namespace of the host ...
shared='.linux.namespaces |= map(select(.type != "pid"))'
# ... and as root of its own user namespace, with all rights there.
own='.linux.namespaces += [{type: "user"}]
	| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
	| .process.capabilities |= with_entries(.value = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE",
		"CAP_DAC_READ_SEARCH", "CAP_KILL"]) | .process.noNewPrivileges = false'

# attacker NAME FILTER COMMAND: a container in which the attacker looks for victims; it reports in $OUT/log.
attacker() {
	mkbundle "$1" "$2"' | .process.args = ["sh", "-c", $command + "exec dump watch >>/log/log"]
		| .mounts += [{destination: "/log", type: "bind", source: $out, options: ["bind", "rw"]}]' \
		--arg command "$3" --arg out "$OUT"
	# For a root that is another outside.
	mkdir -m 777 "$BUNDLE/rootfs/log"
	chmod 777 "$OUT"
	: >"$OUT/log"
	chmod 666 "$OUT/log"
	cp "$TOOLS/dump" "$BUNDLE/rootfs/bin/dump"
	cp "$TOOLS/dump" "$BUNDLE/rootfs/bin/oci-victim"
	runs "$1"
}

safe() { ! grep HIT "$OUT/log" || fail "$(sort "$OUT/log" | uniq -c)"; }

# A process of oci-exec's that is ready, and held there: nobody takes its pidfd.
hold() {
	rm -f deaf
	"$TOOLS/dump" deaf "$PWD/deaf" >deaf.out 3>&- &
	DEAF=$!
	wait_for -t 30 grep -qs deaf deaf.out
	oci exec --detach --pidfd-socket "$PWD/deaf" "$1" true </dev/null >exec.out 2>&1 3>&- &
	HELD=$!
}
release() {
	kill -KILL "$DEAF"
	wait "$HELD" || true
}

@test "control: the attacker reaches a process that nothing protects" {
	local what
	attacker box "$shared" "oci-victim sleep & "
	wait_for -t 60 grep -q tried "$OUT/log"
	for what in mem exe root cwd fd/0; do
		wait_for -t 60 grep -q "HIT [0-9]* $what\$" "$OUT/log" || fail "INVALID: $what: $(sort -u "$OUT/log")"
	done
	oci delete --force box
	attacker inside "$own" "oci-victim sleep & "
	for what in mem exe root ptrace pidfd_getfd; do
		wait_for -t 60 grep -q "HIT [0-9]* $what\$" "$OUT/log" || fail "INVALID: $what: $(sort -u "$OUT/log")"
	done
}

# The process that is held, once it has given up its rights.
find_held() {
	local pid
	while read -r pid; do
		[[ $(<"/proc/$pid/comm") = oci-init && $(status_of "$pid" CapEff) = "$(status_of "$PID" CapEff)" ]] || continue
		VICTIM=$(status_of "$pid" NSpid | awk '{ print $NF }')
		return 0
	done < <(oci ps --format json box | jq '.[]')
	return 1
}

@test "an executed process is out of reach while it waits for its start" {
	require command:oci-exec
	local filter
	for filter in "$shared" "$own"; do
		attacker box "$filter" ''
		hold box
		wait_for -t 60 find_held
		: >"$OUT/log"
		wait_for -t 60 tried_twice
		release
		safe
		oci delete --force box
		rm -rf "$BUNDLE"
	done
}
# The first time may have begun before.
tried_twice() { (($(grep -c "^tried $VICTIM\$" "$OUT/log") > 1)); }

@test "200 executed processes are out of reach all the time" {
	require command:oci-exec
	local filter i
	for filter in "$shared" "$own"; do
		attacker box "$filter" ''
		for ((i = 0; i < 200; i++)); do oci exec box true </dev/null >exec.out 2>&1 || fail "$(<exec.out)"; done
		safe
		oci delete --force box
		rm -rf "$BUNDLE"
	done
}

@test "the commands that make a container are out of reach" {
	attacker box "$shared" ''
	local i
	for i in {1..20}; do
		mkbundle "other$i"
		create "other$i"
		((status == 0)) || fail "INVALID"
		oci delete --force "other$i"
	done
	wait_for -t 60 grep -q tried "$OUT/log"
	safe
}

# What CAP_SYS_PTRACE opens in spite of all that: a process that is born among the container's must not
# have the host's root directory, not for a moment.
@test "no process of the runtime is in the container with the host's root directory" {
	require command:oci-exec
	mkbundle box '.process.capabilities |= with_entries(.value = ["CAP_SYS_PTRACE"])
		| .process.args = ["sh", "-c", "rootrace 12 >/log; sleep 1000"]'
	cp "$TOOLS/rootrace" "$BUNDLE/rootfs/bin/rootrace"
	runs box
	wait_for grep -q looking box/rootfs/log
	while ! grep -q finished box/rootfs/log; do
		oci exec box true </dev/null >exec.out 2>&1 || fail "$(<exec.out)"
		[[ ${SECURITY_RUNTIME-} ]] || oci-nsenter box -- true </dev/null >exec.out 2>&1 || fail "$(<exec.out)"
	done
	cut -d' ' -f1 box/rootfs/log | sort | uniq -c
	grep -q seen box/rootfs/log || fail "INVALID: it has seen nobody"
	! grep -q HIT box/rootfs/log
}
