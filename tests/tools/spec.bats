#!/usr/bin/env bats
# oci-spec: a config.json to start from.
load ../lib/common

# What differs by nature: the version that each writes for, and the program's own name.
without_names() { jq -S 'del(.ociVersion, .hostname)' "$1"; }

find_runc() {
	local runc
	for runc in "${OCI_PEERS:-/opt/peers}/runc" "$(command -v runc)"; do
		[[ ! -x $runc ]] || { echo "$runc" && return; }
	done
	return 1
}

@test "oci-spec writes a config.json that oci-validate accepts without a warning" {
	mkdir rootfs
	run -0 --separate-stderr oci-spec
	[ "$output$stderr" = "" ] || show
	run -0 oci-validate .
	[ "$(stat -c %a config.json)" = 644 ]
	[[ $output != *warning* ]] || show
}

@test "oci-spec means what runc spec means" {
	local runc
	runc=$(find_runc) || skip "requires runc"
	# Before 1.2, runc wrote other lists.
	[[ $("$runc" --version) = runc\ version\ 1.[3-9]* ]] || skip "requires runc 1.3"
	mkdir ours theirs
	oci-spec --bundle ours
	"$runc" spec --bundle theirs
	diff <(without_names ours/config.json) <(without_names theirs/config.json)
	diff <(jq 'keys_unsorted, (.linux | keys_unsorted)' ours/config.json) \
		<(jq 'keys_unsorted, (.linux | keys_unsorted)' theirs/config.json)
}

@test "oci-spec --rootless means what runc spec --rootless means" {
	local runc
	runc=$(find_runc) || skip "requires runc"
	[[ $("$runc" --version) = runc\ version\ 1.[3-9]* ]] || skip "requires runc 1.3"
	mkdir ours theirs
	oci-spec --rootless --bundle ours
	"$runc" spec --rootless --bundle theirs
	diff <(without_names ours/config.json) <(without_names theirs/config.json)
}

@test "oci-spec --rootless has a user namespace, mappings, and no network namespace" {
	oci-spec --rootless
	run -0 jq -c '[.linux.namespaces[].type]' config.json
	[ "$output" = '["pid","ipc","uts","mount","user"]' ] || show
	run -0 jq -c '.linux.uidMappings' config.json
	[ "$output" = "[{\"containerID\":0,\"hostID\":$EUID,\"size\":1}]" ] || show
	run ! jq -e '.mounts[] | select(.options[]? | startswith("gid="))' config.json
}

@test "oci-spec leaves an existing config.json alone" {
	echo mine >config.json
	run -104 oci-spec
	[ "$output" = 'oci-spec: "config.json" exists already' ] || show
	[ "$(<config.json)" = mine ]
	run -1 oci spec
	[ "$(<config.json)" = mine ]
}

@test "oci-spec does not write through a symbolic link" {
	ln -s elsewhere config.json
	run -104 oci-spec
	[ ! -e elsewhere ]
}

@test "oci-spec --bundle names the missing directory" {
	run -102 oci-spec --bundle none/web
	[[ $output = *"none\" does not exist (ENOENT)" ]] || show
}

@test "oci-spec takes no operands" {
	run -100 oci-spec web
	[[ $output = "oci-spec: too many arguments: usage: oci-spec [OPTIONS]"* ]] || show
}
