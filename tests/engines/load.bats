#!/usr/bin/env bats
# Many containers by many clients at once, daemons that are killed in the middle of it, and runtimes that
# are: everything comes up in the end, and nothing is left of it.
# alone: engines are many processes; other files would only make each other slow
#
# LOAD=200 LOAD_ROUNDS=20 TEST_TIMEOUT=7200 tests/lib/run tests/engines/load.bats: a soak of hours.

load ../lib/common
load engines

setup_file() {
	export COUNT=${LOAD:-24} ROUNDS=${LOAD_ROUNDS:-1} CLIENTS=8
	engine_begin dockerd /usr/bin/docker containerd containerd-shim-runc-v2 ctr iptables
	containerd_begin || return
	docker_begin --live-restore --add-runtime "killed=$(killed_runtime)"
}
setup() {
	engine_setup
	mkfifo input
	# ctr may wait for ever where its input ends before the start.
	exec 7<>input
}
teardown() {
	containerd_clean
	[[ ! ${ENGINE-} ]] || leave_nothing || LEFT=1
	docker_clean
	[[ ! ${ENGINE-} ]] || leave_nothing || LEFT=1
	engine_teardown && [[ ! ${LEFT-} ]]
}
teardown_file() { engine_end; }

# What runs the runtime, and kills it in the middle of a creation, after 1, 2, 4 ... 256 ms: some on a fast
# machine, others on a slow one. The container's ID tells which, so that the same one dies at the same place.
killed_runtime() {
	cat >"$ENGINE/killed" <<-SCRIPT
		#!/bin/bash
		id=\${!#}
		case " \$* " in
		*' create '*)
			ms=\$((1 << 16#\$(md5sum <<<"\$id" | cut -c1-2) % 9))
			exec timeout --foreground -s KILL "\$(printf '0.%03d' "\$ms")" "$OCI" "\$@" ;;
		esac
		exec "$OCI" "\$@"
	SCRIPT
	chmod +x "$ENGINE/killed"
	echo "$ENGINE/killed"
}

# all FUNCTION [FROM TO]: FUNCTION 1, FUNCTION 2, ... up to COUNT, by clients that run at once. It says which
# have failed.
all() {
	local client i clients=()
	: >failed
	for ((client = 0; client < CLIENTS; client++)); do
		for ((i = ${2-1} + client; i <= ${3-COUNT}; i += CLIENTS)); do
			"$1" "$i" >"log.$i" 2>&1 || echo "$1 $i: $(tail -3 "log.$i")" >>failed
		done &
		clients+=($!)
	done
	# Not for daemons, which are the shell's children too.
	wait "${clients[@]}"
	[[ ! -s failed ]] || fail "$(<failed)"
}
# Again and again, as those do who are told of an error by an engine that is down.
until_done() {
	local attempt
	for attempt in {1..40}; do
		! "$@" || return 0
		sleep 0.3
	done
	return 1
}
descriptors() { local all=("/proc/$1/fd"/*); echo "${#all[@]}"; }
no_more_than() { (($(descriptors "$1") <= $2)); }
shims() {
	local pid
	for pid in $(engine_processes); do
		! tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q "^[^ ]*containerd-shim-runc-v2 .*-id" || echo "$pid"
	done
}
none_of() { [[ ! $("$@") ]]; }
records() { find "$1" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null; }
# After the engine has removed all it knows of.
leave_nothing() {
	wait_for -t 20 none_of shims || fail "shims:" "$(shims | xargs ps -fp)"
	[[ ! $(records "$ROOT") ]] || fail "records:" "$(records "$ROOT")"
}

# ---- containerd --------------------------------------------------------------------------------

box() {
	local runtime=$1 id=$2
	shift 2
	ctr run --runtime io.containerd.runc.v2 --runc-binary "$runtime" --runc-root /run/oci-ctr \
		--cgroup "$CGROUP/$id" "$@" <&7
}
remove_box() {
	local left
	ctr task rm -f "$1" >/dev/null 2>&1 || true
	ctr container rm "$1" 2>/dev/null || true
	ctr snapshot rm "$1" 2>/dev/null || true
	left=$(ctr container ls -q) || return
	[[ $'\n'$left$'\n' != *$'\n'$1$'\n'* ]]
}
# By another ID at each attempt: one that a killed containerd was at may be taken for ever.
start_box() {
	local id=c$1.${2-0}
	box "$OCI" "$id" -d "$IMAGE" "$id" sleep 1000 || {
		until_done remove_box "$id"
		return 1
	}
	echo "$id" >"id.$1"
}
start_surely() {
	local attempt
	for attempt in {1..40}; do
		! start_box "$1" "$attempt" || return 0
		sleep 0.3
	done
	return 1
}
use_box() {
	local id status=0 code=$((1 + $1 % 100))
	id=$(<"id.$1")
	# Not by its output: ctr may lose it under load.
	ctr task exec --exec-id "e$1" "$id" sh -c "exit $code" || status=$?
	[ "$status" = "$code" ] && ctr task metrics "$id" >"metrics.$1" && grep -qi pids "metrics.$1"
}
remove_surely() { until_done remove_box "$(<"id.$1")"; }
# lost_shims: a containerd that is killed while a shim of its starts or creates may not know of
# it afterwards, nor end it. An admin does: the shim by its pid, the container by the runtime.
lost_shims() {
	local pid id bundle ROOT=/run/oci-ctr/test
	for pid in $(shims); do
		id=$(tr '\0' '\n' <"/proc/$pid/cmdline" | grep -xA1 -e -id | tail -1)
		until_done remove_box "$id"
		wait_for -t 10 ended "$pid" 2>/dev/null && continue
		kill -KILL "$pid"
		[[ -e $ROOT/$id ]] || continue
		bundle=$(oci state "$id" | jq -r .bundle)
		oci delete --force "$id"
		! mountpoint -q "$bundle/rootfs" || umount "$bundle/rootfs"
	done
}
many_running() { (($(records /run/oci-ctr/test | wc -l) >= $1)); }

@test "containerd, killed while its clients create containers: all come up, answer, and go" {
	local round pid before
	for ((round = 1; round <= ROUNDS; round++)); do
		all start_surely & pid=$!
		wait_for -t 300 many_running $((COUNT / 2))
		stop_daemon "$(<"$ENGINE/containerd.pid")" KILL
		containerd_start
		wait "$pid"
		[ "$(ctr task ls | grep -c RUNNING)" = "$COUNT" ]
		all use_box
		all remove_surely
		lost_shims
		wait_for -t 60 none_of ctr task ls -q
	done
	# What it holds does not grow with the containers that it has had.
	pid=$(<"$ENGINE/containerd.pid")
	before=$(descriptors "$pid")
	all start_box 1 "$CLIENTS"
	all remove_surely 1 "$CLIENTS"
	wait_for -t 30 no_more_than "$pid" "$before"
}

killed_box() { box "$ENGINE/killed" "k$1" --rm "$IMAGE" "k$1" echo "I am k$1"; }

@test "containerd, whose runtime is killed in the middle of creations, cleans up" {
	local i killed=0
	all killed_box 2>/dev/null || true
	for ((i = 1; i <= COUNT; i++)); do
		grep -qx "I am k$i" "log.$i" || killed=$((killed + 1))
		ctr container rm "k$i" 2>/dev/null || true
	done
	((killed > 0)) || fail "none was killed"
	[[ ! $(ctr task ls -q) && ! $(ctr container ls -q) ]]
	run box "$OCI" c --rm "$IMAGE" c echo next
	[[ $status = 0 && $output = next ]] || show
}

# ---- docker ------------------------------------------------------------------------------------

docker_box() {
	local runtime=$1 name=$2
	shift 2
	docker run --runtime "$runtime" --name "$name" --network none --cgroup-parent "$CGROUP" "$@"
}
start_docker() { docker_box oci "d$1" -d "$IMAGE" sleep 1000; }
use_docker() { [[ $(docker exec "d$1" echo "I am d$1") = "I am d$1" ]]; }
use_docker_surely() { until_done use_docker "$1"; }
remove_docker() { docker rm -f "d$1"; }

# Creations that it is at when it is killed, docker itself may have lost sight of later.
@test "docker, killed while its clients execute programs in containers: they live on, and answer" {
	local round pid before containerd
	for ((round = 1; round <= ROUNDS; round++)); do
		all start_docker 1 $((COUNT / 2))
		all use_docker_surely 1 $((COUNT / 2)) & pid=$!
		docker_kill
		docker_start --live-restore --add-runtime "killed=$ENGINE/killed"
		wait "$pid"
		all start_docker $((COUNT / 2 + 1)) "$COUNT"
		[ "$(docker ps -q | wc -l)" = "$COUNT" ]
		all use_docker
		[ "$(docker stats --no-stream --format '{{.Name}} {{.PIDs}}' | grep -c '^d[0-9]* 1$')" = "$COUNT" ]
		all remove_docker
		[[ ! $(docker ps -aq) ]]
	done
	pid=$(<"$ENGINE/dockerd.pid")
	containerd=$(</run/docker/containerd/containerd.pid)
	before=$(descriptors "$pid")+$(descriptors "$containerd")
	all start_docker 1 "$CLIENTS"
	all remove_docker 1 "$CLIENTS"
	wait_for -t 30 no_more_than "$pid" "${before%+*}"
	wait_for -t 30 no_more_than "$containerd" "${before#*+}"
}

# Without a network namespace of its own, which docker's hook, living longer than the runtime that started it,
# might pin after docker has let go of it.
killed_docker() {
	docker run --rm --runtime killed --name "k$1" --network host --cgroup-parent "$CGROUP" "$IMAGE" echo "I am k$1"
}

@test "docker, whose runtime is killed in the middle of creations, cleans up" {
	local i killed=0
	# The mount of the host's own network namespace, which docker keeps from its first use.
	docker run --rm --network host "$IMAGE" true
	MOUNTS_BEFORE=$(test_mounts)
	all killed_docker 2>/dev/null || true
	for ((i = 1; i <= COUNT; i++)); do
		grep -qx "I am k$i" "log.$i" || killed=$((killed + 1))
		docker rm -f "k$i" >/dev/null 2>&1 || true
	done
	((killed > 0)) || fail "none was killed"
	[[ ! $(docker ps -aq) ]]
	run docker_box oci next --rm "$IMAGE" echo next
	[[ $status = 0 && $output = next ]] || show
}
