#!/usr/bin/env bats
# buildah, whose RUN steps are containers of this runtime.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin podman buildah conmon
	podman_begin
}
setup() { engine_setup; }
teardown() {
	[[ ! ${ENGINE-} ]] || buildah rm --all >/dev/null 2>&1
	podman_clean
	engine_teardown
}
teardown_file() { engine_end; }

buildah() {
	in_net timeout --foreground -k 5 "${ENGINE_TIMEOUT:-120}" buildah --root "$ENGINE/containers" \
		--storage-driver overlay "$@" 3>&-
}
step() { buildah run --isolation oci --runtime "$OCI" --network none "$@"; }
from() { buildah from --pull-never --isolation oci "$IMAGE"; }

@test "a step runs, its changes stay, its exit code is told" {
	box=$(from)
	# buildah asks for ambient capabilities that are not inheritable: a warning of each step.
	run -0 --separate-stderr step "$box" -- sh -c 'echo hello >/made; cat /made'
	[ "$output" = hello ] || show
	run -0 --separate-stderr step "$box" -- cat /made
	[ "$output" = hello ] || show
	run -3 step "$box" -- sh -c 'exit 3'
	run step "$box" -- /nosuch
	[[ $status != 0 && $output = *"no such file or directory"* ]] || show
}

@test "users, mounts, limits of a step" {
	box=$(from)
	echo data >file
	# shellcheck disable=SC2016
	run -0 --separate-stderr step --user 1000 --volume "$PWD/file:/data:ro" "$box" -- sh -c 'echo $(id -u) $(cat /data); ! echo x 2>/dev/null >/data'
	[ "$output" = "1000 data" ] || show
	run -0 --separate-stderr step --cap-drop all "$box" -- grep CapEff /proc/self/status
	[[ $output =~ 0000000000000000$ ]] || show
}

@test "an image is built of a file, and run" {
	printf 'FROM %s\nRUN echo built >/made && test -d /proc/1\nCMD ["cat", "/made"]\n' "$IMAGE" >Containerfile
	buildah build --isolation oci --runtime "$OCI" --network none --pull-never -t localhost/built:1 . >out 2>&1 || fail "$(<out)"
	run -0 podman run --rm --network none --cgroup-parent "$CGROUP" localhost/built:1
	[ "$output" = built ] || show
}
