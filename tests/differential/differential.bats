#!/usr/bin/env bats
# Bundles under this runtime and under the newest runc: what their processes see, and what is seen of
# them, is the same, but for what "explained" gives a reason for.

load ../lib/common

setup() {
	common_setup
	require root userns cgroup_v1 command:jq command:unshare
	# Kept between runs.
	PEERS=$REPO/build/peers
	[[ -x $PEERS/runc ]] || timeout 300 "$REPO/tests/peers/get-peers" "$PEERS" >peers.log 2>&1 ||
		skip "runc cannot be fetched: $(tail -1 peers.log)"
	VERSION=$("$PEERS/runc" --version | sed -n 's/^runc version \([0-9.]*\).*/\1/p')
	[[ $VERSION ]] || skip "runc does not run here"
	# To runc's users of a user namespace the way to the root filesystem must be open.
	RUN=$(mktemp -d /var/tmp/oci-differential.XXXXXX)
	chmod 755 "$RUN"
}

teardown() {
	local dir
	for dir in "${RUN:-/nonexistent}"/root-runc/*/; do
		[[ ! -d $dir ]] || "$PEERS/runc" --root "$RUN/root-runc" delete --force "$(basename "$dir")" || true
	done
	for dir in "${RUN:-/nonexistent}"/root-ours/*/; do
		[[ ! -d $dir ]] || "$OCI" --root "$RUN/root-ours" delete --force "$(basename "$dir")" || true
	done
	[[ ! ${RUN-} ]] || rm -rf "$RUN"
	common_teardown
}

@test "bundles of single properties, of pairs of them, and wrong ones: as under runc" {
	local status=0
	"$REPO/tests/differential/compare" "$OCI" "$PEERS/runc" "$TOOLS/probe" "$RUN" "$CGROUP" >report 2>log || status=$?
	# That something was compared.
	[[ $(tail -1 report) =~ ^([0-9]+)\ bundles && ${BASH_REMATCH[1]} -gt 150 ]] ||
		fail "$(head -60 report)" "$(tail -20 log)"
	if ((status)); then
		# Another version has other habits: the reasons are to be looked through first.
		grep -q "^# For runc $VERSION\$" "$REPO/tests/differential/explained" ||
			skip "the reasons are for another runc than $VERSION: $(grep -c ': ours ' report) differences"
		fail "$(head -60 report)" "$(tail -20 log)"
	fi
}
