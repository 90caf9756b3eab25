# state.json against its schema and its page.

load ../lib/common

SCHEMA=$REPO/lib/oci/state.schema.json

# One line for each thing that is wrong with a state.json.
mismatches() { jq -r --slurpfile schema "$SCHEMA" -f "$REPO/tests/lib/schema.jq" "$1"; }

matches() {
	local wrong
	wrong=$(mismatches "$ROOT/$1/state.json") || return
	[[ ! $wrong ]] || fail "$2:" "$wrong" "$(<"$ROOT/$1/state.json")"
}

@test "state.json matches its schema after every stage" {
	require root
	mkbundle box '.annotations = {"a": "b"}'
	oci-validate --no-new-keyring --pid-file "$PWD/pid" box "$BUNDLE"
	matches box validate
	local stage
	for stage in seccomp cgroup nsenter-setup prepare-root mount \
		'hook prestart createRuntime createContainer' pivot; do
		# shellcheck disable=SC2086 # the kinds of hooks
		set -- $stage
		"oci-$1" box "${@:2}" </dev/null >out 2>&1 || fail "$(<out)"
		matches box "$stage"
	done
	oci start box
	matches box start
}

@test "state.json matches its schema while a creation is under way, and afterwards" {
	require root
	mkbundle box
	cat >step <<-'END'
		#!/bin/sh
		cp "$OCI_STATE_DIR/state.json" "$1"
	END
	chmod +x step
	sed "s|^mount|&\nexec $PWD/step $PWD/under-way.json|" "$REPO/pipeline/default.pipeline" >pipeline
	oci-create --pipeline pipeline box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	[ "$(jq .oci.creator.pid under-way.json)" -gt 0 ]
	[ -z "$(mismatches under-way.json)" ] || fail "$(mismatches under-way.json)"
	matches box created
	[ "$(jq .oci.creator "$ROOT/box/state.json")" = null ]
}

@test "the schema refuses what is wrong" {
	require root
	mkbundle box
	oci-validate box "$BUNDLE"
	local filter
	for filter in '.pid = -1' '.pid = "1"' 'del(.id)' '.id = "../x"' '.status = "stopped"' '.more = 1' \
		'.oci.version = 2' '.oci.more = 1' '.oci.stages[0].ms = "1"' '.oci.owner = 4294967295' \
		'.oci.rootfs = "rootfs"' '.annotations = {"a": 1}' '.oci.init = {"pid": 1}' \
		'.oci.options.noPivot = false'; do
		jq "$filter" "$ROOT/box/state.json" >bad.json
		[ -n "$(mismatches bad.json)" ] || fail "accepted: $filter"
	done
}

@test "oci-state.json(5) describes every property of the schema" {
	local name bad=''
	for name in $(jq -r '[.. | objects | .properties? | objects | keys[]] | unique[]' "$SCHEMA"); do
		grep -qE "^\.(Va|It Va) (.* )?$name( |\$)" "$REPO/man/oci-state.json.5" || bad+=" $name"
	done
	[[ ! $bad ]] || fail "not described:$bad"
}
