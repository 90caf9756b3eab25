# shellcheck shell=bash disable=SC2154
#
# For tests of what the container's process is: it is the probe, and what it says is $SEEN.

# seen NAME [FILTER [JQ-OPTION...]]: makes the bundle NAME, whose process is the probe, runs it to its
# end, and deletes it. Before it is started oci-verify must find no difference to its config.json.
seen() {
	local name=$1 filter=${2:-.}
	shift $(($# > 2 ? 2 : $#))
	mkbundle "$name" ".process.args = [\"probe\"] | $filter" "$@"
	seen_again "$name"
}

# The same of a bundle that is there.
seen_again() {
	SEEN=$PWD/$1.seen
	oci create "$1" "$BUNDLE" >"$SEEN" 2>"$1.err" </dev/null || fail "create: $(<"$1.err")" || return
	verify_clean "$1" || return
	oci start "$1" || return
	wait_for is_status "$1" stopped
	oci delete "$1"
}

# see FILTER: the filter holds of what the probe saw.
see() { jq -e "$@" "$SEEN" >/dev/null || fail "not so: $*" "$(jq -c 'del(.mounts, .devices)' "$SEEN")"; }

# try COMMAND...: what it says on stderr is $stderr, its status $status. Not run: a container that is made
# against expectation would hold run's pipe open.
try() {
	status=0
	"$@" >try.out 2>try.err </dev/null || status=$?
	stderr=$(<try.err)
}

# refused FILTER WORDS...: create fails, and says all the words.
refused() {
	local filter=$1 word
	shift
	mkbundle refused "$filter"
	try oci create refused "$BUNDLE"
	((status != 0)) || fail "it was created"
	for word; do
		[[ $stderr = *"$word"* ]] || fail "does not say \"$word\": $stderr"
	done
	[[ ! -e $ROOT/refused ]]
}
