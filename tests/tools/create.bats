#!/usr/bin/env bats
# oci create as engines call it, and what it says of a wrong id, bundle or config.
load ../lib/common

create() { oci-create "$@" >out 2>err </dev/null; }

@test "an engine's command line, with a terminal" {
	[[ -x $TOOLS/recvtty ]] || skip "requires build/tests/recvtty"
	mkbundle box '.process.terminal = true | .process.args = ["sh", "-c", "tty; stty size"] | .process.consoleSize = {height: 33, width: 77}'
	"$TOOLS/recvtty" socket >terminal 3>&- &
	wait_for test -S socket
	"$OCI" --root "$ROOT" --log "$PWD/log.json" --log-format json create --bundle "$BUNDLE" \
		--pid-file "$PWD/pid" --console-socket "$PWD/socket" c >out 2>err </dev/null || fail "$(<err)"
	"$OCI" --root "$ROOT" --log "$PWD/log.json" --log-format json start c
	wait_for is_status c stopped
	wait_for grep -q "33 77" terminal
	grep -q "/dev/console\|/dev/pts/0" terminal
	[ ! -s log.json ]
}

@test "ids: what may be one, and what is said of what may not" {
	local id long
	mkbundle box
	long=$(printf 'a%.0s' {1..255})
	for id in a A0 _x +x a.b-c_d+e 0 "$long"; do
		create --until validate "$id" box || fail "$id: $(<err)"
		oci-delete "$id"
	done
	for id in '' . .. .x a/b 'a b' $'a\nb' 'ä' "${long}a" ../x '*'; do
		run -100 create -- "$id" box
		[[ $(<err) = *"container id"* ]] || fail "$id: $(<err)"
		[ "$(wc -l <err)" = 1 ]
	done
	run -100 create -- -x box
	[ "$(ls -A "$ROOT")" = "" ]
}

@test "a bundle that cannot be used: the component that fails is named" {
	mkbundle box
	run -102 create c none/of/this
	[[ $(<err) = *"\"$PWD/none\" does not exist"* ]] || fail "$(<err)"
	run -102 create c box/config.json
	[[ $(<err) = *"box/config.json\": it is no directory"* ]] || fail "$(<err)"
	ln -s nowhere link
	run -102 create c link
	[[ $(<err) = *'"'*link* ]] || fail "$(<err)"
	mkdir empty
	run -102 create c empty
	[[ $(<err) = *config.json* ]] || fail "$(<err)"
	[ "$(ls -A "$ROOT" 2>/dev/null)" = "" ]
}

@test "all errors of a config at once, with places, and nothing is made" {
	mkbundle box '.mounts[2].options += ["strictatme"] | .process.user.uid = "0" | .process.cwd = "tmp"'
	run -102 create c box
	[[ $(<err) = *"/mounts/2/options/"* && $(<err) = *"/process/user/uid"* && $(<err) = *"/process/cwd"* ]] || fail "$(<err)"
	[ "$(grep -cE '^[^ ]*config.json:[0-9]+:[0-9]+: error: ' err)" = 3 ] || fail "$(<err)"
	run -102 create --log log --log-format json c box
	[ "$(wc -l <log)" = 1 ]
	[[ $(jq -r .msg log) = "oci-validate: /"*"(and 2 more errors)" ]] || fail "$(<log)"
	[ "$(ls -A "$ROOT" 2>/dev/null)" = "" ]
}

@test "config.json is snapshotted: what it says later changes nothing" {
	mkbundle box '.process.args = ["sh", "-c", "echo first >/said; exec sleep 1000"] | .hostname = "first"'
	create c box
	edit box '.process.args = ["sh", "-c", "echo second >/said"] | .hostname = "second"'
	oci-start c
	wait_for test -s box/rootfs/said
	[ "$(<box/rootfs/said)" = first ]
	rm box/config.json
	[ "$(oci-nsenter c hostname)" = first ]
}

@test "the executable that is not there is create's error, in the words of engines" {
	mkbundle box '.process.args = ["no-such-program"]'
	run ! create c box
	[[ $(<err) = *'executable file not found'* ]] || fail "$(<err)"
	edit box '.process.args = ["/etc/passwd"]'
	run ! create c box
	[[ $(<err) = *'permission denied'* ]] || fail "$(<err)"
	[ "$(ls -A "$ROOT")" = "" ]
}

@test "a config.json as Debian's runc writes it" {
	require command:runc
	mkbundle box
	rm box/config.json
	(cd box && runc spec)
	edit box '.process.terminal = false | .linux.cgroupsPath = $p' --arg p "$CGROUP/box"
	create c box || fail "$(<err)"
	oci-start c
	wait_for is_status c stopped
}

@test "--config: another file in place of the bundle's config.json, whose root it has" {
	local how
	mkbundle box '.process.args = ["sh", "-c", "echo theirs >/said"]'
	mkdir configs
	jq '.process.args[2] = "echo ours >/said; exec sleep 1000"' box/config.json >configs/mine.json
	rm box/config.json
	for how in "" --exec; do
		# shellcheck disable=SC2086
		(cd configs && create $how --config mine.json --bundle ../box c) || fail "$(<configs/err)"
		oci-start c
		wait_for test -s box/rootfs/said
		[ "$(<box/rootfs/said)" = ours ]
		[ "$(oci-state c | jq -r .bundle)" = "$PWD/box" ]
		oci-delete --force c
		rm box/rootfs/said
	done
	run -0 oci-validate --config configs/mine.json ./box
	run -0 oci-create --dry-run --config configs/mine.json ./box
	[[ $output = *"exec sleep 1000"* ]] || show
	run ! create --config none.json c box
	[[ $(<err) = *"cannot read \"$PWD/none.json\": "*'does not exist (ENOENT)'* ]] || fail "$(<err)"
	echo '{"ociVersion": 1}' >configs/bad.json
	run ! create --config configs/bad.json c box
	[[ $(<err) = *"$PWD/configs/bad.json:1:"*/ociVersion* ]] || fail "$(<err)"
	[ "$(ls -A "$ROOT")" = "" ]
}
