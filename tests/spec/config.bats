#!/usr/bin/env bats
# config.md: what is demanded of every property, of hooks' moments, annotations, namespaces; and the list
# of the specification's MUSTs.
load ../lib/common

# refuses KIND: each config of wrong.jq has an error at its pointer.
refuses() {
	local pointer config n=0
	mkbundle box
	oci-validate --properties --json >table.json
	jq -f "$BATS_TEST_DIRNAME/full.jq" "$BUNDLE/config.json" >full.json
	while IFS=$'\t' read -r pointer config; do
		printf '%s\n' "${config//\"@BIG@\"/99999999999999999999}" >"$BUNDLE/config.json"
		"$OCI_BUILD/oci-validate" "$BUNDLE" >out && fail "accepted: $pointer: $config" || [ "$?" = 102 ]
		# A number that is beyond 64 bits is no number, and has no pointer.
		[[ $config = *@BIG@* ]] || grep -qF ": error: ${pointer:-/}" out ||
			fail "no error at $pointer:" "$(<out)"
		((++n))
	done < <(jq -r --slurpfile table table.json --arg kind "$1" -f "$BATS_TEST_DIRNAME/wrong.jq" full.json ||
		echo "/failed	{}")
	((n > $2)) || fail "only $n"
}

@test "a config.json with every property is valid" {
	mkbundle box
	jq -f "$BATS_TEST_DIRNAME/full.jq" "$BUNDLE/config.json" >full.json
	cp full.json "$BUNDLE/config.json"
	run -0 oci-validate --json "$BUNDLE"
	[ "$(jq .errors <<<"$output")" = 0 ] || show
}

@test "MUST: a required property that is missing is an error, with its place" { refuses missing 50; }

@test "a value of the wrong type is an error, with its place" { refuses type 250; }

@test "MUST: a value of the wrong form or range is an error, with its place" { refuses value 130; }

@test "MUST: unknown properties are ignored, with a warning" {
	require root
	mkbundle box '.unknown = {"a": 1} | .process.unknown = 1 | .linux.unknown = [] | .mounts[0].unknown = "x"'
	run -0 oci-validate "$BUNDLE"
	for pointer in /unknown /process/unknown /linux/unknown /mounts/0/unknown; do
		[[ $output = *"warning: $pointer: no such property"* ]] || show
	done
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
}

@test "MUST: annotations are a map of strings with keys that are not empty" {
	mkbundle box
	local filter
	for filter in '["a"]' '"a"' '{"a": 1}' '{"a": {"b": "c"}}' '{"": "a"}' '{"a": ["b"]}'; do
		edit "$BUNDLE" ".annotations = $filter"
		run -102 oci-validate "$BUNDLE"
		[[ $output = *': error: /annotations'* ]] || show
	done
	edit "$BUNDLE" '.annotations = {"a": ""}'
	run -0 oci-validate "$BUNDLE"
}

@test "MUST: annotations of any key are accepted, and are in the state" {
	require root
	local annotations='{"com.example.x": "1", "org.opencontainers.image.os": "linux", "nodots": "", "ü/~": "\n"}'
	mkbundle box ".annotations = $annotations"
	oci create box "$BUNDLE" </dev/null >out 2>err || fail "$(<err)"
	[ ! -s err ] || fail "$(<err)"
	diff <(jq -S . <<<"$annotations") <(oci state box | jq -S .annotations)
}

@test "MUST: a namespace without a path is new, one that is not listed is the runtime's" {
	require root
	local pid name ours
	mkbundle box '.linux.namespaces = [{type: "mount"}, {type: "uts"}, {type: "ipc"}]
		| .mounts |= map(select(.type | IN("sysfs", "proc") | not))
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	pid=$(ctr_pid box)
	for name in mnt uts ipc net pid user cgroup time; do
		ours=$(readlink /proc/self/ns/$name)
		case $name in
		mnt | uts | ipc) [ "$(readlink "/proc/$pid/ns/$name")" != "$ours" ] || fail "$name is not new" ;;
		*) [ "$(readlink "/proc/$pid/ns/$name")" = "$ours" ] || fail "$name is new" ;;
		esac
	done
}

elsewhere() { [[ $(readlink "/proc/$1/ns/$2") != "$(readlink "/proc/self/ns/$2")" ]]; }

@test "MUST: a namespace of each type is joined by its path" {
	require root
	local row type name keeper
	for row in network:net uts:uts ipc:ipc cgroup:cgroup time:time pid:pid mount:mnt user:user; do
		type=${row%:*} name=${row#*:}
		case $type in
		# The namespaces that children get.
		time) unshare --time --fork sleep 1000 >/dev/null 2>&1 3>&- & ;;
		pid) unshare --pid --fork sleep 1000 >/dev/null 2>&1 3>&- & ;;
		user) unshare --user --map-root-user sleep 1000 >/dev/null 2>&1 3>&- & ;;
		*) unshare "--${name/mnt/mount}" sleep 1000 >/dev/null 2>&1 3>&- & ;;
		esac
		keeper=$!
		[[ $type != @(time|pid) ]] || {
			child() { keeper=$(pgrep -P "$1") && [[ $keeper ]]; }
			wait_for child "$keeper"
		}
		wait_for elsewhere "$keeper" "$name"
		mkbundle box '(.linux.namespaces |= map(select(.type != $type)) + [{type: $type, path: $path}])
			| if $type == "uts" then del(.hostname) else . end
			| if $type == "mount" then del(.hostname, .mounts, .linux.maskedPaths, .linux.readonlyPaths)
				| .process.args = ["/bin/sleep", "1000"] else . end
			| if $type == "user" then .mounts |= map(if .type == "devpts" then .options -= ["gid=5"] else . end) else . end' \
			--arg type "$type" --arg path "/proc/$keeper/ns/$name"
		oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$type: $(<out)"
		[ "$(readlink "/proc/$(ctr_pid box)/ns/$name")" = "$(readlink "/proc/$keeper/ns/$name")" ] || fail "$type"
		oci delete --force box
		kill -KILL "$keeper"
	done
}

@test "MUST: a namespace type that is there twice is an error" {
	mkbundle box
	local type
	for type in mount pid network uts ipc user cgroup time; do
		edit "$BUNDLE" '.linux.namespaces |= map(select(.type != $t)) + [{type: $t}, {type: $t}]' --arg t "$type"
		run -102 oci-validate "$BUNDLE"
		[[ $output = *"/linux/namespaces/"*"\"$type\" is there twice"* ]] || show
	done
}

@test "MUST: a device's weight, and an rdma limit, have at least one value" {
	mkbundle box '.linux.resources.blockIO.weightDevice = [{major: 8, minor: 0}]
		| .linux.resources.rdma = {mlx5_0: {}}'
	run -102 oci-validate "$BUNDLE"
	[[ $output = *'/linux/resources/blockIO/weightDevice/0: needs weight or leafWeight'* ]] || show
	[[ $output = *'/linux/resources/rdma/mlx5_0: needs hcaHandles or hcaObjects'* ]] || show
}

@test "MUST: listenerMetadata needs a listenerPath" {
	mkbundle box '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}'
	run -102 oci-validate "$BUNDLE"
	[[ $output = *'/linux/seccomp/listenerMetadata: set without listenerPath'* ]] || show
}

@test "MUST NOT: without intelRdt resctrl is not touched" {
	require root command:strace
	mkbundle box
	# Not its children: strace would stay with them.
	timeout 60 strace -o trace -e trace=%file "$OCI" --root "$ROOT" create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	grep -q '/sys/fs/cgroup' trace
	run ! grep -q resctrl trace
}

# ---- The table -----------------------------------------------------------------------------

@test "each row says since when, and who applies it" {
	# Those of the README that are refused, and no others.
	local TABLE=$PWD/table.json
	oci-validate --properties --json >"$TABLE"
	run -0 jq -r '.[] | select((.since | test("^1\\.[0-3]\\.[0-9]$") | not)
		or (.ignored and has("stage"))) | .pointer' "$TABLE"
	[[ ! $output ]] || fail "$output"
	diff <(jq -r '.[] | select(.ignored or has("stage") | not) | .pointer / "/" | .[1:3] | join(".")' "$TABLE" |
		sort -u) <(sed -n 's/^| refused | //p' "$REPO/README.md" | grep -oE '`[a-z]+\.[A-Za-z.]+`' | tr -d '`' | sort -u)
}

@test "who applies a property is a command" {
	local stage bad='' TABLE=$PWD/table.json
	oci-validate --properties --json >"$TABLE"
	for stage in $(jq -r '.[].stage // empty' "$TABLE" | sort -u); do
		[[ -x $OCI_BUILD/oci-$stage || $stage = exec ]] || bad+=" $stage"
	done
	[[ ! $bad ]] || fail "no such command:$bad"
}

@test "any 1.x is accepted as ociVersion, a newer one with a warning" {
	local version counts
	mkbundle box
	while read -r version counts; do
		edit "$BUNDLE" '.ociVersion = $v' --arg v "$version"
		run oci-validate --json "$BUNDLE"
		[ "$(jq -r '"\(.errors) \(.warnings)"' <<<"$output")" = "$counts" ] || fail "$version: $output"
	done <<-'END'
		1.0.0 0 0
		1.0.0-rc5 0 0
		1.0.2-dev 0 0
		1.1.0+dev 0 0
		1.2.1 0 0
		1.3.0 0 0
		1.3.7-dev 0 0
		1.4.0 0 1
		1.10.0-dev 0 1
		2.0.0 1 0
		0.9.0 1 0
		1.3 1 0
		1.3.0.0 1 0
	END
}

# ---- The moments of hooks --------------------------------------------------------------------

@test "MUST: prestart and createRuntime hooks come after the environment and before the pivot" {
	require root
	local kind
	mkbundle box
	# The state has the pid. The host's files are still beneath its root, the namespaces are new.
	cat >hook <<-'END'
		#!/bin/sh
		pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/')
		[ -e "/proc/$pid/root$2/config.json" ] || exit 1
		[ "$(readlink "/proc/$pid/ns/uts")" != "$(readlink /proc/self/ns/uts)" ] || exit 2
		[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || exit 3
		: >"$2/ran.$1"
	END
	chmod +x hook
	edit "$BUNDLE" '.hooks = {
		prestart: [{path: $h, args: ["hook", "prestart", $b], env: ["PATH=/usr/bin:/bin"]}],
		createRuntime: [{path: $h, args: ["hook", "createRuntime", $b], env: ["PATH=/usr/bin:/bin"]}]}' \
		--arg h "$PWD/hook" --arg b "$BUNDLE"
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	for kind in prestart createRuntime; do [ -e "$BUNDLE/ran.$kind" ] || fail "$kind"; done
	[ ! -e "/proc/$(ctr_pid box)/root$BUNDLE/config.json" ]
}

@test "MUST: poststart hooks come after the program, before start returns; poststop after the container, before delete returns" {
	require root
	mkbundle box '.process.args = ["sh", "-c", "echo program >>/log; exec sleep 1000"]
		| .hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", $start]}]
		| .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $stop]}]' \
		--arg start "cat /proc/\$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')/comm >$PWD/name" \
		--arg stop "cat >$PWD/state; find /sys/fs/cgroup -path '*$CGROUP/box' >$PWD/left"
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	[ ! -e name ]
	oci start box
	# It was executed already: init has another name.
	[ -s name ]
	[[ $(<name) = sh || $(<name) = sleep ]] || fail "$(<name)"
	[ ! -e state ]
	oci kill box KILL
	wait_for -t 60 is_status box stopped
	oci delete box
	[ -s state ]
	[ -e left ]
	[ ! -s left ] || fail "$(<left)"
	[ "$(jq -r .status state)" = stopped ]
}

# ---- Operations ------------------------------------------------------------------------------

@test "MUST: who creates a container can use every operation on it" {
	require root
	mkbundle box
	oci create box "$BUNDLE" </dev/null >out 2>&1 || fail "$(<out)"
	oci state box | jq -e '.status == "created"'
	oci start box
	oci state box | jq -e '.status == "running"'
	oci kill box KILL
	wait_for -t 60 is_status box stopped
	oci delete box
	run ! oci state box
}

# ---- The list --------------------------------------------------------------------------------

@test "every MUST of the specification has a test, or a reason why not" {
	local spec=${SPEC_DIR:-$REPO/../shared/spec}
	[[ -e $spec/config.md ]] || skip "no specification in $spec: set SPEC_DIR"
	SPEC_DIR=$spec run -0 "$BATS_TEST_DIRNAME/musts"
	[ -z "$output" ] || show
}

@test "what stands for a MUST is a test that exists" {
	# Without the specification: each line of the list is one.
	local id by
	while read -r id by; do
		[[ $id = [a-z]*-????????* && $by ]] || fail "$id $by"
		[[ $by != '= '* ]] || continue
		grep -qF -e "@test \"${by#*: }\"" -e "static void ${by#*: }(" "$REPO/tests/${by%%: *}" || fail "no such test: $by"
	done < <(grep -vE '^(#|$)' "$BATS_TEST_DIRNAME/musts.map")
}
