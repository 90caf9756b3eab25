#!/usr/bin/env bats
# The files of share/ are what their engines read. (podman.bats and docker.bats run with theirs.)

load ../lib/common

@test "containerd reads its snippet, and knows the handler" {
	require command:containerd
	sed 's|@BINDIR@|/opt/bin|; s|@SHARE@|/opt/share|' "$REPO/share/containerd/oci.toml" >config.toml
	containerd -c config.toml config dump >dump 2>err || fail "$(<err)"
	grep -q 'containerd.runtimes.oci.options\]' dump
	grep -q 'BinaryName = "/opt/bin/oci"' dump
}

@test "docker's is JSON, and names the runtime that it makes the default" {
	jq -e '.runtimes[.["default-runtime"]].path == "@BINDIR@/oci"' "$REPO/share/docker/daemon.json"
}
