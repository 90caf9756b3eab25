# shellcheck shell=bash
#
# For tests of a user who is not root. Started by root, they make one up; started by a user, they are of
# that one. After `load ../lib/common`: load rootless, and user_setup and user_teardown in setup and
# teardown. The user's place is $PLACE, with the bundle "box" and the state root $ROOT.

user_setup() {
	require userns command:setpriv
	common_setup
	USER_ID=$EUID GROUP_ID=$(id -g)
	((EUID)) || USER_ID=4711 GROUP_ID=4711
	# The test's own directory is for its user alone.
	PLACE=$(mktemp -d "${TMPDIR:-/tmp}/rootless.XXXXXX")
	chmod 711 "$PLACE"
	cp -a "$OCI" "$OCI_BUILD/libexec" "$PLACE"
	ROOT=$PLACE/state
}

user_teardown() {
	local file
	[[ ${PLACE-} ]] || return 0
	for file in /etc/subuid /etc/subgid /etc/passwd; do
		! grep -q " $file " /proc/self/mountinfo || ((EUID)) || umount "$file"
	done
	[[ ! -d $PLACE/box ]] || user_oci delete --force box || true
	# What ids of a range own is theirs to remove.
	as_user unshare --map-root-user --map-auto rm -rf "$PLACE/box" "$PLACE/state" 2>/dev/null || true
	rm -rf "$PLACE"
	common_teardown
}

# as_user COMMAND...: with an environment of PATH alone (and what $USER_ENV has), in the bundle.
as_user() (
	cd "$PLACE/box" 2>/dev/null || cd "$PLACE" || exit
	if ((EUID)); then
		env -i OCI_TEST="$OCI_TEST" PATH="$PATH" "${USER_ENV[@]}" "$@"
	else
		setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups env -i OCI_TEST="$OCI_TEST" \
			PATH="$PATH" "${USER_ENV[@]}" "$@"
	fi
)
USER_ENV=()

user_oci() { as_user "$PLACE/oci" --root "$ROOT" "$@"; }

# bundle FILTER [JQ-OPTION...]: what oci-spec --rootless writes, owned by the user, edited.
bundle() {
	mkdir -p "$PLACE/box" "$ROOT"
	cp -a --reflink=auto "$(template_rootfs)" "$PLACE/box/rootfs"
	((EUID)) || chown -R "$USER_ID:$GROUP_ID" "$PLACE/box" "$ROOT"
	chmod 700 "$ROOT"
	as_user "$PLACE/oci" spec --rootless
	edit "$PLACE/box" ".process.terminal = false | .root.readonly = false
		| .process.args = [\"sh\", \"-c\", \"exec sleep 1000\"] | .linux.cgroupsPath = \"${CGROUP#/}/box\""
	edit "$PLACE/box" "$@"
}

create() { user_oci create box "$PLACE/box" >"$PLACE/out" 2>&1 </dev/null; }

# running FILTER...: a bundle, created and started.
running() {
	bundle "$@"
	create || fail "$(<"$PLACE/out")" || return
	user_oci start box
}

pid() { jq .pid "$ROOT/box/state.json"; }
status_of() { awk -v "key=$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/${2:-$(pid)}/status"; }
user_status() { user_oci state box | jq -r .status; }
user_is() { [[ $(user_status) = "$1" ]]; }

# ranges: the user has ids of others, 65536 from $FIRST_ID on. Root makes it so for the test; of a user it is
# asked. They are put in $MAP, the JSON of linux.uidMappings.
ranges() {
	local name file
	require command:newuidmap
	if ((EUID)); then
		FIRST_ID=$(sed -n "s/^$(id -un):\([0-9]*\):65536$/\1/p" /etc/subuid)
		[[ $FIRST_ID ]] && grep -qx "$(id -un):$FIRST_ID:65536" /etc/subgid ||
			skip "requires 65536 ids in /etc/subuid"
	else
		[[ ${OCI_TEST_PRIVATE-} ]] || skip "requires a mount namespace of the test's own (make test gives one)"
		FIRST_ID=200000
		echo "somebody:x:$USER_ID:$GROUP_ID::/:/bin/sh" | cat /etc/passwd - >"$PLACE/passwd"
		echo "somebody:$FIRST_ID:65536" >"$PLACE/subuid"
		cp "$PLACE/subuid" "$PLACE/subgid"
		for file in passwd subuid subgid; do
			chmod 644 "$PLACE/$file"
			mount --bind "$PLACE/$file" "/etc/$file"
		done
	fi
	name="[{containerID: 0, hostID: %d, size: 1}, {containerID: 1, hostID: $FIRST_ID, size: 65536}]"
	# shellcheck disable=SC2059
	MAP=".linux.uidMappings = $(printf "$name" "$USER_ID") | .linux.gidMappings = $(printf "$name" "$GROUP_ID")"
}
