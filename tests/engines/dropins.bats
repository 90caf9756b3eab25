#!/usr/bin/env bats
# The files of share/ are what their engines read. (podman.bats and docker.bats run with theirs.)

load ../lib/common
load engines

snippet() {
	mkdir -p share
	cp "$REPO"/share/containerd/* share
	sed -i "s|@BINDIR@|/opt/bin|; s|@SHARE@|$PWD/share|" share/*
	containerd_snippet "$PWD/share" "$1"
}

@test "containerd reads its snippet, and has the handler beside runc, whatever its config.toml says" {
	local config
	require command:containerd
	printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "mine:1"\n' >short
	sed 's|sandbox_image = .*|sandbox_image = "mine:1"|' <(containerd config default) >long
	for config in short long; do
		snippet "$config"
		containerd -c "$config" config dump >dump 2>err || fail "$config: $(<err)"
		grep -q 'BinaryName = "/opt/bin/oci"' dump
		[ "$(grep -c 'containerd\.runtimes\.\(oci\|runc\)\]' dump)" = 2 ] || fail "$config: $(grep 'runtimes\.' dump)"
		grep -q 'sandbox_image = "mine:1"' dump
	done
}

@test "docker's is JSON, and names the runtime that it makes the default" {
	jq -e '.runtimes[.["default-runtime"]].path == "@BINDIR@/oci"' "$REPO/share/docker/daemon.json"
}

# as_json FILE: of TOML or YAML.
as_json() {
	case $1 in
	*.yaml) /usr/bin/python3 -c 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))' ;;
	*) /usr/bin/python3 -c 'import json, sys, tomllib; print(json.dumps(tomllib.loads(sys.stdin.read())))' ;;
	esac <"$1"
}

@test "CRI-O's is TOML, with keys that crio.conf(5) documents, and changes no default" {
	require command:/usr/bin/python3
	as_json "$REPO/share/crio.conf.d/oci.conf" >crio.json
	[ "$(jq -c '[paths | map(tostring) | join(".")] - ["crio", "crio.runtime", "crio.runtime.runtimes",
		"crio.runtime.runtimes.oci"] | map(ltrimstr("crio.runtime.runtimes.oci.")) | sort' crio.json)" = \
		'["monitor_path","runtime_path","runtime_root","runtime_type"]' ]
	jq -e '.crio.runtime.runtimes.oci | .runtime_type == "oci" and .runtime_path == "@BINDIR@/oci"' crio.json
}

@test "podman's is TOML, and changes no default" {
	require command:/usr/bin/python3
	as_json "$REPO/share/containers.conf.d/oci.conf" >podman.json
	jq -e '.engine | .runtimes == {oci: ["@BINDIR@/oci"]} and (has("runtime") | not)
		and ([.runtime_supports_json, .runtime_supports_nocgroups] | all(index("oci")))' podman.json
}

@test "Kubernetes' RuntimeClass is named by the pod, and names the handler of containerd and CRI-O" {
	local class handler
	/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "requires python3-yaml"
	as_json "$REPO/share/kubernetes/runtimeclass.yaml" >class.json
	as_json "$REPO/share/kubernetes/pod.yaml" >pod.json
	[ "$(jq -r '"\(.apiVersion) \(.kind)"' class.json)" = "node.k8s.io/v1 RuntimeClass" ]
	[ "$(jq -r '"\(.apiVersion) \(.kind) \(.spec.runtimeClassName)"' pod.json)" = "v1 Pod $(jq -r .metadata.name class.json)" ]
	handler=$(jq -r .handler class.json)
	as_json "$REPO/share/crio.conf.d/oci.conf" | jq -e --arg handler "$handler" '.crio.runtime.runtimes | has($handler)'
	as_json "$REPO/share/containerd/oci.toml" | jq -e --arg handler "$handler" \
		'.plugins["io.containerd.grpc.v1.cri"].containerd.runtimes | has($handler)'
}

@test "the paths that they name exist when they are installed" {
	local path n=0
	local ENGINE=$PWD
	require command:make
	engine_install
	for path in $(grep -rhoE "$PWD/prefix[A-Za-z0-9_./-]*" etc prefix/share/oci-tools | sort -u); do
		[ -e "$path" ] || fail "$path"
		n=$((n + 1))
	done
	((n >= 2))
}
