#!/usr/bin/env bats
# The runtime's file is replaced under the containers of podman, docker and containerd, and their daemons
# are stopped and started again: all containers go on, and answer to the engine.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

# As in tests/tools/upgrade.bats.
EARLIER=27d18e6

setup_file() {
	EARLIER_OCI=$("$REPO/tests/lib/previous" "$EARLIER" 2>"$BATS_FILE_TMPDIR/why") || {
		grep -q 'does not reach' "$BATS_FILE_TMPDIR/why" || fail "$(tail -3 "$BATS_FILE_TMPDIR/why")" || return
		skip "$(<"$BATS_FILE_TMPDIR/why")"
	}
	engine_begin podman conmon dockerd /usr/bin/docker containerd containerd-shim-runc-v2 ctr iptables
	export RUNTIME=$ENGINE/bin/oci EARLIER_OCI
	mkdir "$ENGINE/bin"
	put earlier
	podman_begin
	# Its service keeps the record of an exec for five minutes otherwise, and conmon with it.
	printf '[engine]\nexit_command_delay = 1\n' >/etc/containers/containers.conf.d/delay.conf
	docker_begin --live-restore
	# podman reads it, too.
	echo "{}" >"$ENGINE/cli/config.json"
	containerd_begin
}
setup() {
	no_storage
	engine_setup
}
teardown() {
	# What an earlier version would leave is not looked for here.
	[[ ! ${ENGINE-} ]] || put this
	podman_clean
	containerd_clean
	docker_clean
	# Conmon has podman clean up once more, which mounts it again.
	wait_for -t 60 no_processes || true
	no_storage
	engine_teardown
}
# podman's own mounts, of which a service that is killed leaves one.
no_storage() { while umount "${ENGINE-}/containers/overlay" 2>/dev/null; do :; done; }
teardown_file() { engine_end; }

program_of() { case $1 in earlier) realpath "$EARLIER_OCI" ;; this) realpath "$OCI" ;; esac; }
# put earlier|this: as packages do it, aside and then renamed.
put() { cp "$(program_of "$1")" "$RUNTIME.new" && mv "$RUNTIME.new" "$RUNTIME"; }
# write_over earlier|this: as cp does it, into the file that is there.
write_over() { cp "$(program_of "$1")" "$RUNTIME"; }

# The same words for each of the engines: ENGINE_run NAME, ENGINE_exec NAME COMMAND...
podman_run() { start_box "$1" -- sleep 1000; }
podman_exec() { podman exec "$@"; }
podman_stop() { podman stop -t 0 "$1"; }
podman_again() { podman start "$1"; }
podman_pause() { podman pause "$1" && podman unpause "$1"; }
podman_status() { podman inspect -f '{{.State.Status}}' "$1"; }
podman_remove() { podman rm -f -t 0 "$1"; }

docker_run() { docker run -d --name "$1" --network none --cgroup-parent "$CGROUP" "$IMAGE" sleep 1000 >/dev/null; }
docker_exec() { docker exec "$@"; }
docker_stop() { docker stop -t 0 "$1"; }
docker_again() { docker start "$1"; }
docker_pause() { docker pause "$1" && docker unpause "$1"; }
docker_status() { docker inspect -f '{{.State.Status}}' "$1"; }
docker_remove() { docker rm -f "$1"; }

# ctr may wait for ever where its input ends before the start.
open_input() {
	[[ -p input ]] || mkfifo input
	exec 7<>input
}
ctr_run() {
	open_input
	ctr run -d --runtime io.containerd.runc.v2 --runc-binary "$RUNTIME" --runc-root /run/oci-ctr \
		--cgroup "$CGROUP/$1" "$IMAGE" "$1" sleep 1000 <&7 >/dev/null
}
ctr_exec() { ctr task exec --exec-id "e$RANDOM" "$@"; }
ctr_stop() { ctr task kill -s KILL "$1" && wait_for -t 60 ctr_is "$1" STOPPED && ctr task rm "$1" >/dev/null 2>&1 || true; }
ctr_again() {
	open_input
	ctr task start -d "$1" <&7
}
ctr_pause() { ctr task pause "$1" && ctr task resume "$1"; }
ctr_is() { ctr task ls | grep -qE "^$1 +[0-9]+ +$2\$"; }
ctr_status() { ctr_is "$1" RUNNING && echo running || echo exited; }
ctr_remove() { ctr task rm -f "$1" && ctr container rm "$1"; }

# lives ENGINE NAME: all that the engine can do with it, to its end and to a new life.
lives() {
	local engine=$1 name=$2
	run -0 "${engine}_exec" "$name" echo hello
	[ "$output" = hello ] || show
	run -9 "${engine}_exec" "$name" sh -c 'exit 9'
	"${engine}_pause" "$name"
	[ "$("${engine}_status" "$name")" = running ]
	"${engine}_stop" "$name"
	[ "$("${engine}_status" "$name")" = exited ]
	"${engine}_again" "$name"
	run -0 "${engine}_exec" "$name" echo again
	[ "$output" = again ] || show
	"${engine}_remove" "$name"
}

@test "podman: containers of an earlier version go on with this one: running, and created" {
	put earlier
	podman_run box
	podman create --name later --network none --cgroup-parent "$CGROUP" "$IMAGE" sleep 1000
	podman init later
	put this
	podman start later
	[[ $(podman top box) = *'sleep 1000'* ]]
	lives podman box
	lives podman later
}

@test "docker: containers of an earlier version go on with this one" {
	put earlier
	docker_run box
	docker_run limited
	put this
	docker update --memory 64m --memory-swap 64m limited
	[[ $(docker top box) = *'sleep 1000'* ]]
	lives docker box
	lives docker limited
}

@test "containerd: containers of an earlier version go on with this one" {
	put earlier
	ctr_run box
	put this
	ctr task metrics box | grep -qi memory
	lives ctr box
}

@test "the way back: containers of this version go on with an earlier one" {
	put this
	podman_run box
	docker_run box
	ctr_run box
	put earlier
	lives podman box
	lives docker box
	lives ctr box
}

@test "the file is written over while containers run: none of them keeps it busy" {
	put earlier
	podman_run box
	podman create --name later --network none --cgroup-parent "$CGROUP" "$IMAGE" sleep 1000
	podman init later
	docker_run box
	ctr_run box
	write_over this
	podman start later
	lives podman later
	lives podman box
	lives docker box
	lives ctr box
}

@test "daemons that are stopped, with the runtime replaced meanwhile, find their containers again" {
	local docker_pid
	put earlier
	docker_run box
	ctr_run box
	docker_pid=$(docker inspect -f '{{.State.Pid}}' box)
	stop_daemon "$(<"$ENGINE/dockerd.pid")"
	stop_daemon "$(<"$ENGINE/containerd.pid")"
	put this
	kill -0 "$docker_pid"
	docker_start --live-restore
	containerd_start
	[ "$(docker inspect -f '{{.State.Pid}}' box)" = "$docker_pid" ]
	lives docker box
	lives ctr box
}

start_service() {
	start_daemon "$ENGINE/service.log" podman --root "$ENGINE/containers" --storage-driver overlay \
		--network-config-dir "$ENGINE/net" system service -t 0 unix:///run/podman.sock
	wait_for -t 60 answers
}
remote() { in_net timeout --foreground -k 5 120 podman --url unix:///run/podman.sock "$@" 3>&-; }
answers() { remote version >/dev/null 2>&1; }

@test "podman's service is killed, and started again with the runtime replaced" {
	local pid
	put earlier
	start_service
	remote run -d --name box --network none --cgroup-parent "$CGROUP" "$IMAGE" sleep 1000
	pid=$(remote inspect -f '{{.State.Pid}}' box)
	stop_daemon "$DAEMON" KILL
	put this
	kill -0 "$pid"
	start_service
	[ "$(remote inspect -f '{{.State.Pid}} {{.State.Status}}' box)" = "$pid running" ]
	run -0 remote exec box echo hello
	[ "$output" = hello ] || show
	remote stop -t 0 box
	[ "$(remote inspect -f '{{.State.Status}}' box)" = exited ]
	remote rm box
	stop_daemon "$DAEMON"
}
