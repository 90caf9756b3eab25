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
