#!/usr/bin/env bats
# T-EXE1, T-EXE2: the runtime's own executable, as a container finds it in /proc/PID/exe.
# CVE-2019-5736 (runc, lxc).

load ../lib/common
load security

all_capabilities='.process.capabilities |= with_entries(.value = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE",
	"CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL"]) | .process.noNewPrivileges = false
	| .mounts += [{destination: "/log", type: "bind", source: $out, options: ["bind", "rw"]}]'

mkattacker() {
	local name=$1
	shift
	mkbundle "$name" "$all_capabilities | $1" --arg out "$OUT"
	cp "$TOOLS/exe" "$BUNDLE/rootfs/bin/exe"
}

# The attacks are made on a copy: where one succeeds, it destroys the runtime.
setup() {
	common_setup
	require root
	OUT=$BATS_TEST_TMPDIR/outside
	mkdir "$OUT" bin
	cp "$(realpath "$OCI")" bin/oci
	OCI=$BATS_TEST_TMPDIR/bin/oci
}

oci() { "$OCI" --root "$ROOT" "$@"; }
digest() { sha256sum "$OCI"; }

# The attack must be able to work: against an executable that nothing protects.
@test "control: the attacker finds and changes an unprotected executable" {
	mkattacker box '.process.args = ["sh", "-c",
		"while :; do /bin/victim sleep 0.05; done & exe hold 0 5 >/log/log; exec sleep 1000"]'
	cp "$(command -v busybox)" "$BUNDLE/rootfs/bin/victim-program"
	printf '#!/bin/sh\nexec /bin/victim-program "$@"\n' >"$BUNDLE/rootfs/bin/victim"
	chmod 755 "$BUNDLE/rootfs/bin/victim"
	runs box
	wait_for grep -qx WRITABLE "$OUT/log"
}

# T-EXE1
@test "init's executable is not the installed file, and is sealed" {
	local seals
	mkbundle box
	create box
	((status == 0))
	PID=$(ctr_pid box)
	[[ $(stat -Lc %d:%i "/proc/$PID/exe") != $(stat -Lc %d:%i "$(realpath "$OCI")") ]]
	seals=$("$TOOLS/exe" seals "/proc/$PID/exe")
	# F_SEAL_SEAL, SHRINK, GROW, WRITE
	(((seals & 15) == 15)) || fail "seals: $seals"
}

@test "an executed process of the runtime is not the installed file either" {
	[[ ! ${SECURITY_RUNTIME-} ]] || skip "of our own"
	local before
	before=$(digest)
	mkattacker box '.process.args = ["sh", "-c", "exe hold 0 8 >/log/log; sleep 1000"]'
	runs box
	wait_for grep -q looking "$OUT/log"
	local end=$((SECONDS + 6))
	while ((SECONDS < end)); do oci exec box exe >/dev/null 2>&1 </dev/null || true; done
	wait_for -t 20 grep -Eq 'held|WRITABLE' "$OUT/log"
	grep -q '^held' "$OUT/log" || fail "$(<"$OUT/log")"
	[[ $(digest) = "$before" ]]
}

# T-EXE2
@test "an entry point that is the runtime itself changes nothing" {
	local before how
	before=$(digest)
	for how in '#!/proc/self/exe' '#!/proc/self/exe --version' '#!/proc/1/exe'; do
		rm -rf "${BATS_TEST_TMPDIR:?}/attack"
		mkattacker attack '.process.args = ["/evil"]'
		printf '%s\n' "$how" >"$BUNDLE/rootfs/evil"
		chmod 755 "$BUNDLE/rootfs/evil"
		create attack
		((status)) || start attack
		[[ $(digest) = "$before" ]] || fail "the runtime was changed"
		oci delete --force attack >/dev/null 2>&1 || true
	done
}

@test "a process that sees the runtime's processes cannot write to their executable" {
	local before
	before=$(digest)
	# What it opens is the runtime's: the mate's program is its own.
	# The attacker shares the pid namespace of the containers that are made meanwhile: a pod's mate.
	mkattacker attacker '.process.args = ["sh", "-c", "exe hold 0 6 >/log/log; sleep 1000"]'
	runs attacker
	wait_for grep -q looking "$OUT/log"
	mkbundle mate '.linux.namespaces |= map(if .type == "pid" then .path = $path else . end)
		| .process.args = ["exe"] | .root.path = $root' \
		--arg path "/proc/$PID/ns/pid" --arg root "$BATS_TEST_TMPDIR/attacker/rootfs"
	for _ in {1..12}; do
		create mate >/dev/null
		((status == 0)) || fail "INVALID: $(<mate.err)"
		start mate >/dev/null
		oci delete --force mate >/dev/null 2>&1
	done
	wait_for -t 20 grep -Eq 'held|WRITABLE' "$OUT/log"
	cat "$OUT/log"
	grep -q '^held' "$OUT/log" || fail "$(<"$OUT/log")"
	[[ $(digest) = "$before" ]]
}
