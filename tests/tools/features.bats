#!/usr/bin/env bats
# oci-features: the document of features.md, and what the kernel can do.
load ../lib/common

SPEC_DIR=${SPEC_DIR:-$REPO/../shared/spec}

require_spec() { [[ -e $SPEC_DIR/schema/features-schema.json ]] || skip "no specification in $SPEC_DIR: set SPEC_DIR"; }

# One schema of the specification's files, with its references inside.
schema() {
	jq -n '[inputs | {(input_filename | sub(".*/"; "")): .}] | add
		| .["features-schema.json"]
			+ {definitions: (.["defs.json"].definitions + .["defs-linux.json"].definitions
				+ {linux: .["features-linux.json"].linux})}
		| (.. | objects | select(has("$ref"))["$ref"]) |=
			(sub("^features-linux.json#/linux$"; "#/definitions/linux")
			| sub("^[a-z-]*\\.json#"; "#"))
		| .definitions |= with_entries(select(.key | IN("annotations", "ArrayOfStrings", "ociVersion",
			"linux", "NamespaceType", "SeccompAction", "SeccompOperators", "SeccompArch",
			"SeccompFlag")))' \
		"$SPEC_DIR"/schema/{features-schema,features-linux,defs,defs-linux}.json
}

@test "standard output is one JSON document, and standard error is empty" {
	run -0 --separate-stderr oci features
	[ -z "$stderr" ] || show
	[ "$(jq -s length <<<"$output")" = 1 ]
	[ "$output" = "$(oci-features --format json)" ]
}

@test "the document matches the specification's schema" {
	require_spec
	schema >schema.json
	oci-features >features.json
	run -0 jq -r --slurpfile schema schema.json -f "$REPO/tests/lib/schema.jq" features.json
	[ -z "$output" ] || show
	# The schema is taken seriously.
	jq '.linux.seccomp.actions += ["SCMP_ACT_NOTHING"] | .hooks = "prestart"' features.json >bad.json
	run -0 jq -r --slurpfile schema schema.json -f "$REPO/tests/lib/schema.jq" bad.json
	[ "${#lines[@]}" = 2 ] || show
}

@test "the document has every property of features.md, and no other" {
	require_spec
	sed -nE 's/^ *\*? *\*\*`([A-Za-z0-9]+)`\*\* *\(.*/\1/p' \
		"$SPEC_DIR"/features.md "$SPEC_DIR"/features-linux.md | sort -u >named
	echo linux | sort -u - named >expected
	oci-features | jq -r 'del(.annotations[]) | paths | map(select(type == "string")) | last // empty' |
		sort -u >found
	diff expected found
}

@test "what the example of features.md lists is there" {
	require_spec
	sed -n '/^# Example/,$p' "$SPEC_DIR/features.md" | sed -n '/^```json/,/^```/p' | sed '/^```/d' >example.json
	oci-features >features.json
	run -0 jq -rn --slurpfile a example.json --slurpfile b features.json '
		# Made for filesystems, which judge them.
		["acl", "noacl"] as $data
		| $a[0] | paths(type == "array") as $p
		| (getpath($p) - ($b[0] | getpath($p)) - $data)[] | "\($p | join(".")): \(.)"'
	[ -z "$output" ] || show
}

@test "the lists are those that validation and the stages go by" {
	mkbundle box
	local word
	for word in $(oci-features | jq -r '.linux.namespaces[]'); do
		[[ $word != user ]] || continue
		edit "$BUNDLE" '.linux.namespaces = [{type: $t}, {type: "uts"}, {type: "mount"}, {type: "network"}]
			| .linux.namespaces |= unique_by(.type)' --arg t "$word"
		run -0 oci-validate --json "$BUNDLE"
	done
	edit "$BUNDLE" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: $f[0].linux.seccomp.archs,
		flags: $f[0].linux.seccomp.knownFlags, listenerPath: "/agent",
		syscalls: [$f[0].linux.seccomp.operators[] | {names: ["mkdir"], action: "SCMP_ACT_NOTIFY",
			args: [{index: 0, value: 1, op: .}]}]}' --slurpfile f <(oci-features)
	run -0 oci-validate --json "$BUNDLE"
	[ "$(jq .errors <<<"$output")" = 0 ] || show
}

@test "every hook and mount option of the document is accepted in a config.json" {
	# Of a whole filesystem: a bind mount would be warned about.
	local whole='["dirsync", "iversion", "lazytime", "mand", "sync"]'
	mkbundle box
	edit "$BUNDLE" '.hooks = ([$f[0].hooks[] | {(.): [{path: "/bin/true"}]}] | add)
		| .mounts += [$f[0].mountOptions[] | {destination: "/x"}
			+ if IN("tmpcopyup", $whole[]) then {source: "tmpfs", type: "tmpfs", options: [.]}
			else {source: "/", type: "none", options: ["bind", .]} end]
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]
		| .linux.gidMappings = .linux.uidMappings' --slurpfile f <(oci-features) --argjson whole "$whole"
	run -0 oci-validate --json "$BUNDLE"
	[ "$(jq '.errors + .warnings' <<<"$output")" = 0 ] || show
}

@test "both versions of the specification are accepted in a config.json" {
	mkbundle box
	local version
	for version in $(oci-features | jq -r '.ociVersionMin, .ociVersionMax'); do
		edit "$BUNDLE" '.ociVersion = $v' --arg v "$version"
		run -0 oci-validate --json "$BUNDLE"
		[ "$(jq '.errors + .warnings' <<<"$output")" = 0 ] || show
	done
}

@test "what is refused is not among the features" {
	local pointer
	oci-features >features.json
	oci-validate --properties --json >table.json
	for pointer in netDevices intelRdt seccomp; do
		diff <(jq --arg p "/linux/$pointer" 'any(.[]; .pointer == $p and has("stage"))' table.json) \
			<(jq ".linux.$pointer.enabled" features.json)
	done
}

@test "--host says for each feature what was probed" {
	oci-features --host >host.json
	diff <(jq -S 'del(.host)' host.json) <(oci-features | jq -S .)
	# Every string of every list, and every boolean.
	run -0 jq -r '[.host[].pointer] as $host
		| .host |= empty | del(.annotations, .potentiallyUnsafeConfigAnnotations, .ociVersionMin,
			.ociVersionMax, .linux.seccomp.supportedFlags, .linux.seccomp.enabled)
		| paths(scalars) as $p
		| ($p | map(select(type == "string")) | join("/")) as $at
		| "/" + (if getpath($p) | type == "boolean" then $at else "\($at)/\(getpath($p))" end)
		| select(IN($host[]) | not) | select(sub("/[a-z0-9A-Z]*$"; "") | IN($host[]) | not)' host.json
	[ -z "$output" ] || show
	jq -e '.host | length > 100 and all(.[]; .pointer and .requirement and .probe and .result
		and (.status | IN("ok", "degraded", "fail")))' host.json
}

@test "--host tells what the kernel knows" {
	oci-features --host >host.json
	status_of() { jq -r --arg p "$1" '.host[] | select(.pointer == $p).status' host.json; }
	[ "$(status_of /linux/seccomp/actions/SCMP_ACT_ERRNO)" = ok ]
	[ "$(status_of /linux/apparmor)" = "$(require_apparmor && echo ok || echo degraded)" ]
	[ "$(status_of /linux/cgroup/systemd)" = "$(require_systemd && echo ok || echo degraded)" ]
	[ "$(status_of /linux/capabilities/CAP_CHOWN)" = "$( ((EUID)) && echo degraded || echo ok)" ]
}

@test "--host sees what a process may not do" {
	require root command:setpriv
	# Without CAP_SYS_ADMIN no namespace can be made but a user namespace.
	setpriv --bounding-set -sys_admin --inh-caps -sys_admin "$OCI_BUILD/oci-features" --host >host.json
	jq -e '[.host[] | select(.pointer | test("^/linux/namespaces/")) | select(.status == "fail").pointer]
		| contains(["/linux/namespaces/mount", "/linux/namespaces/uts"])' host.json
	jq -e '.host[] | select(.pointer == "/linux/namespaces/uts").result == "EPERM"' host.json
	jq -e '.host[] | select(.pointer == "/linux/capabilities/CAP_SYS_ADMIN").status == "degraded"' host.json
}

@test "--host --format text has a line for each, and a sum" {
	run -0 oci-features --host --format text
	[[ ${lines[-1]} =~ ^[0-9]+\ ok,\ [0-9]+\ degraded,\ [0-9]+\ fail$ ]] || show
	[ "$((${#lines[@]} - 1))" = "$(oci-features --host | jq '.host | length')" ]
	[[ $output != *$'\033'* ]] || show
}

@test "another format is refused" {
	run -100 oci-features --format yaml
	run -100 oci-features --format text
	[[ $output = *'text only with --host'* ]] || show
}
