# shellcheck shell=bash
#
# What every bats file begins with: load ../lib/common
#
#	load ../lib/common
#
#	@test "the hostname is the container's" {
#		mkbundle box '.hostname = "gamma"'
#		oci create box "$BATS_TEST_TMPDIR/box"
#		...
#	}
#
# Gives a state directory of its own to each test ($ROOT), the commands with --root filled in
# (oci, oci-create, ...), bundles, and a teardown that ends the test's containers and then fails the
# test if it has left a mount, a cgroup, a process or a state directory behind. A file with a setup()
# or teardown() of its own calls common_setup and common_teardown in them.

bats_require_minimum_version 1.5.0

REPO=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
# The build under test; another one is named by OCI_BUILD.
OCI_BUILD=${OCI_BUILD:-$REPO/build/current}
OCI=$OCI_BUILD/oci
PATH=$OCI_BUILD:$PATH:/usr/sbin:/sbin
# What the tests need that is built with them: probe, recvtty, swapper.
TOOLS=$REPO/build/tests
export PATH

oci() { "$OCI" --root "$ROOT" "$@"; }

for command in "$OCI_BUILD"/oci-*; do
	command=${command##*/}
	eval "$command() { \"\$OCI_BUILD/$command\" --root \"\$ROOT\" \"\$@\"; }"
done
unset command

# Until common_setup there is nothing that could be ended or removed by these names.
CGROUP=/no-test-yet OCI_TEST=no-test-yet ROOT=/nonexistent/no-test-yet

setup() { common_setup; }
teardown() { common_teardown; }

common_setup() {
	[[ -x $OCI ]] || fail "no $OCI: run make first"
	# In the environment of whatever the test starts, so that teardown can tell what is left of it.
	# Ends in a word, so that no test's name begins with another's.
	export OCI_TEST=test-$$-$BATS_TEST_NUMBER-$RANDOM-end
	export ROOT=$BATS_TEST_TMPDIR/root
	CGROUP=/$OCI_TEST
	MOUNTS_BEFORE=$(test_mounts)
	cd "$BATS_TEST_TMPDIR" || return
}

common_teardown() {
	local left
	# Without a name of its own this test would find, and end, what is others'.
	[[ ${OCI_TEST-} = test-*-end && ${CGROUP-} = "/$OCI_TEST" ]] || return 0
	delete_all
	left=$(leftovers)
	clear_leftovers
	[[ ! $left ]] || fail "left behind:" "$left"
}

# Says why on stderr, and fails the test.
fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# What `run` last saw, for the log of a test that fails: run ...; [ ... ] || show
show() {
	printf 'status: %s\nstdout: %s\nstderr: %s\n' "${status-}" "${output-}" "${stderr-}" >&2
	return 1
}

delete_all() {
	local dir
	for dir in "$ROOT"/*/; do
		[[ ! -d $dir ]] || oci delete --force "$(basename "$dir")" || true
	done
}

# ---- What is left ----------------------------------------------------------------------------

# The mounts that this test can be blamed for: all, if the runner gave the file a mount namespace of
# its own, otherwise those beneath the test's directory.
test_mounts() {
	if [[ ${OCI_TEST_PRIVATE-} ]]; then
		cut -d' ' -f4- /proc/self/mountinfo
	else
		grep -F "$BATS_TEST_TMPDIR" /proc/self/mountinfo | cut -d' ' -f4-
	fi | sort
}

test_cgroups() { find /sys/fs/cgroup -depth -type d -path "*$CGROUP/*" 2>/dev/null; }

# Processes that this test started (by an environment variable), or that are in its cgroups.
test_processes() (
	export -n OCI_TEST
	{
		grep -lszxF "OCI_TEST=$OCI_TEST" /proc/[0-9]*/environ | cut -d/ -f3
		find /sys/fs/cgroup -path "*$CGROUP*" -name cgroup.procs -exec cat {} + 2>/dev/null
	} | sort -un | while read -r pid; do
		! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || echo "$pid"
	done
)

leftovers() {
	local pid
	[[ ! -d $ROOT ]] || find "$ROOT" -mindepth 1 -maxdepth 1 ! -name .seccomp -printf 'state directory %p\n'
	# An exit takes a moment to be seen everywhere.
	wait_for -t 2 no_processes || for pid in $(test_processes); do
		echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline") $(grep -h ^State "/proc/$pid/status")"
	done
	test_cgroups | sed 's/^/cgroup /'
	diff <(echo "$MOUNTS_BEFORE") <(test_mounts) | grep '^[<>] .' |
		sed 's/^</mount is gone:/; s/^>/mount/'
}

no_processes() { [[ ! $(test_processes) ]]; }

clear_leftovers() {
	local pid dir
	for pid in $(test_processes); do kill -KILL "$pid" 2>/dev/null; done
	grep -F " $BATS_TEST_TMPDIR" /proc/self/mountinfo | cut -d' ' -f5 | sort -r |
		while read -r dir; do umount -l "$dir" 2>/dev/null; done
	find /sys/fs/cgroup -depth -type d -path "*$CGROUP*" -exec rmdir {} + 2>/dev/null || true
	return 0
}

# All mounts of the host, to compare with: before=$(host_mounts); ...; [ "$before" = "$(host_mounts)" ]
host_mounts() { cut -d' ' -f3- /proc/1/mountinfo | sort; cut -d' ' -f3- /proc/self/mountinfo | sort; }

# ---- Bundles ---------------------------------------------------------------------------------

# mkbundle NAME [FILTER [JQ-OPTION...]]: a bundle with a busybox root file system, at
# $BATS_TEST_TMPDIR/NAME, which is put in BUNDLE. Its config.json is what oci-spec writes, without a
# terminal, with a sleeping process and an own cgroup, and edited by the jq filter.
mkbundle() {
	local name=$1
	shift
	BUNDLE=$BATS_TEST_TMPDIR/$name
	mkdir -p "$BUNDLE"
	cp -a --reflink=auto "$(template_rootfs)" "$BUNDLE/rootfs"
	jq --arg cgroup "$CGROUP/$name" '
		.process.terminal = false
		| .process.args = ["sh", "-c", "exec sleep 1000"]
		| .root.readonly = false
		| .linux.cgroupsPath = $cgroup' "$(template_config)" >"$BUNDLE/config.json"
	(($# == 0)) || edit "$BUNDLE" "$@"
}

# edit BUNDLE FILTER [JQ-OPTION...]: changes its config.json.
edit() {
	local bundle=$1 filter=$2 text
	shift 2
	text=$(jq "$@" "$filter" "$bundle/config.json") || return
	printf '%s\n' "$text" >"$bundle/config.json"
}

template_rootfs() {
	local dir=$BATS_RUN_TMPDIR/rootfs new applet
	[[ -d $dir ]] || {
		new=$(mktemp -d "$BATS_RUN_TMPDIR/new.XXXXXX")
		chmod 755 "$new"
		mkdir -p "$new"/{bin,dev,etc,home,mnt,proc,root,run,sbin,sys,tmp,usr/bin,var}
		chmod 1777 "$new/tmp"
		cp "$(command -v busybox)" "$new/bin/busybox"
		for applet in $(busybox --list); do
			[[ $applet = busybox ]] || ln -s busybox "$new/bin/$applet"
		done
		printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n' >"$new/etc/passwd"
		printf 'root:x:0:\nuser:x:1000:\n' >"$new/etc/group"
		[[ ! -x $TOOLS/probe ]] || cp "$TOOLS/probe" "$new/bin/probe"
		# Another file's process may have been faster.
		mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
	}
	echo "$dir"
}

template_config() {
	local file=$BATS_RUN_TMPDIR/config.json new
	[[ -s $file ]] || {
		new=$(mktemp -d "$BATS_RUN_TMPDIR/new.XXXXXX")
		[[ ${SECURITY_RUNTIME-} ]] || "$OCI" spec --bundle "$new" >/dev/null 2>&1 || true
		[[ -s $new/config.json ]] || cp "$REPO/tests/lib/config.json" "$new/config.json"
		mv "$new/config.json" "$file"
		rmdir "$new"
	}
	echo "$file"
}

# ---- Containers ------------------------------------------------------------------------------

ctr_status() { oci state "$1" | jq -r .status; }
ctr_pid() { oci state "$1" | jq -r .pid; }
is_status() { [[ $(ctr_status "$1") = "$2" ]]; }

# start_ctr NAME [FILTER...]: makes a bundle of that name, creates the container and starts it.
start_ctr() {
	mkbundle "$@" || return
	# Not into a pipe: the container's process keeps these descriptors.
	oci create "$1" "$BUNDLE" >"$BUNDLE/out" 2>"$BUNDLE/err" </dev/null ||
		fail "cannot create $1:" "$(<"$BUNDLE/err")" || return
	oci start "$1"
}

# verify_clean NAME: oci-verify finds no difference between the container and its config.json.
verify_clean() {
	local said
	said=$(oci verify --verbose "$1" 2>&1) || fail "$said"
}

# wait_for [-t SECONDS] COMMAND...: polls until COMMAND succeeds; fails after 10 s.
wait_for() {
	local seconds=10 end
	[[ $1 != -t ]] || { seconds=$2 && shift 2; }
	end=$((${EPOCHREALTIME/./} + seconds * 1000000))
	until "$@"; do
		((${EPOCHREALTIME/./} < end)) || { echo "not within $seconds s: $*" >&2 && return 1; }
		sleep 0.02
	done
}

# ---- What a test needs -----------------------------------------------------------------------

# require WHAT...: skips the test, with the reason, where there is no root, userns, cgroup_v1,
# cgroup_v2 (the only hierarchy), hybrid, systemd, or the command command:NAME.
require() {
	local what
	for what; do
		"require_${what%%:*}" "${what#*:}" || skip "requires $what"
	done
}
require_root() { ((EUID == 0)); }
require_rootless() { ((EUID != 0)); }
require_userns() { unshare --user true 2>/dev/null; }
require_cgroup_v1() { grep -q ' - cgroup ' /proc/self/mountinfo; }
require_cgroup_v2() { [[ -e /sys/fs/cgroup/cgroup.controllers ]]; }
require_hybrid() { require_cgroup_v1 && [[ -e /sys/fs/cgroup/unified/cgroup.procs ]]; }
require_systemd() { [[ -d /run/systemd/system ]]; }
require_apparmor() { [[ -d /sys/kernel/security/apparmor ]]; }
require_command() { command -v "$1" >/dev/null; }
