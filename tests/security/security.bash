# shellcheck shell=bash
#
# What the security tests share. After `load ../lib/common`: load security
#
# A test has two bundles: a benign control, which must run, and the same with the malicious part. The
# attack is judged from the host's side: by what is seen of the process in /proc, and by the canary
# directory $OUT, which stands for the host. A refusal counts only if its message gives the reason;
# an attack that failed for any other reason proves nothing and fails the test as INVALID.
#
# SECURITY_RUNTIME=/usr/sbin/runc puts another runtime in the place of ours: a test that has never
# fired is no test (tests/security/against, and the table in README.md).

if [[ ${SECURITY_RUNTIME-} ]]; then
	oci() { "$SECURITY_RUNTIME" --root "$ROOT" "$@"; }
	OCI=$SECURITY_RUNTIME
fi

# What another runtime leaves behind is not what is tested.
security_teardown() {
	if [[ ${SECURITY_RUNTIME-} ]]; then
		delete_all
		clear_leftovers
	else
		common_teardown
	fi
}
teardown() { security_teardown; }

setup() {
	common_setup
	require root
	OUT=$BATS_TEST_TMPDIR/outside
	mkdir -m 755 "$OUT"
	echo untouched >"$OUT/canary"
}

# The canary directory as text: names, types, modes, owners, links, sizes, times and contents.
outside() {
	(cd "$OUT" && find . -printf '%P %y %m %U:%G %l %s %T@ %n\n' | sort && find . -type f -exec sha256sum {} + | sort)
}

# create NAME [OPTION...]: sets status; what the container's process says is in NAME.out, NAME.err.
create() {
	local name=$1
	shift
	status=0
	timeout 60 "$OCI" --root "$ROOT" create --bundle "$BATS_TEST_TMPDIR/$name" "$@" "$name" \
		>"$name.out" 2>"$name.err" </dev/null || status=$?
	echo "create $name: status $status: $(<"$name.err")"
	((status != 124)) || fail "INVALID: create $name hangs"
}

start() {
	status=0
	timeout 60 "$OCI" --root "$ROOT" start "$1" >>"$1.start" 2>&1 </dev/null || status=$?
	echo "start $1: status $status: $(<"$1.start")"
	((status != 124)) || fail "INVALID: start $1 hangs"
}

# runs NAME: the control. Creates, starts, sees the process run its program.
runs() {
	create "$1"
	((status == 0)) || fail "INVALID: the control does not run: $(<"$1.err")" || return
	start "$1"
	((status == 0)) || fail "INVALID: the control does not start: $(<"$1.start")" || return
	PID=$(ctr_pid "$1")
	[[ $PID -gt 0 && -e /proc/$PID/status ]] || fail "INVALID: the control has no process"
}

# refused NAME PATTERN: create failed, and said what was wrong (an extended regular expression).
refused() {
	((status != 0)) || fail "not refused" || return
	grep -Eqi -- "$2" "$1.err" "$1.start" 2>/dev/null ||
		fail "INVALID: refused for another reason: $(cat "$1.err" "$1.start" 2>/dev/null)"
}

# The container's mount points, as seen from the host.
mountpoints() { cut -d' ' -f5 "/proc/$1/mountinfo"; }
# mount_line PID MOUNTPOINT: the last mount there: root, options, "-", type, source.
mount_line() { awk -v at="$2" '$5 == at { line = $0 } END { print line }' "/proc/$1/mountinfo"; }

# A field of /proc/PID/status.
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
