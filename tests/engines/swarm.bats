#!/usr/bin/env bats
# A swarm of three dockerds, each in a network namespace of its own, whose tasks all are containers of
# this runtime: its admin has made it the default on each.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin dockerd /usr/bin/docker containerd iptables ip
	swarm_begin
}
setup() { engine_setup; }
teardown() {
	local n ids
	if [[ ${ENGINE-} && -e $ENGINE/swarm ]]; then
		node 1 service rm web >/dev/null 2>&1 || true
		for n in 1 2 3; do
			wait_for -t 60 is_empty "$n" || true
			mapfile -t ids < <(node "$n" ps -aq 2>/dev/null)
			((${#ids[@]} == 0)) || node "$n" rm -f "${ids[@]}" >/dev/null || true
		done
	fi
	engine_teardown
}
teardown_file() {
	local n
	engine_end
	for n in 1 2 3; do umount "/run/netns/node$n" 2>/dev/null; done
	true
}

is_empty() { ! node_is_up "$1" || [[ ! $(node "$1" ps -q) ]]; }

# node N COMMAND...: docker's client, of the Nth node.
node() { DOCKER_HOST=unix:///run/docker$1.sock docker "${@:2}"; }
node_is_up() { ENGINE_TIMEOUT=20 node "$1" version >/dev/null 2>&1; }

# Each node has a network namespace, and an interface in a bridge that is in the file's own.
make_network() {
	local n
	in_net ip link add swarm type bridge
	in_net ip link set swarm up
	for n in 1 2 3; do
		touch "/run/netns/node$n"
		unshare --net="/run/netns/node$n" ip link set lo up
		in_net ip link add "port$n" type veth peer name eth0 netns "/run/netns/node$n"
		in_net ip link set "port$n" master swarm up
		nsenter --net="/run/netns/node$n" ip addr add "10.213.0.$n/24" dev eth0
		nsenter --net="/run/netns/node$n" ip link set eth0 up
	done
}

# In a mount namespace of its own: what it mounts for as long as it lives is not a test's to find.
start_node() {
	local n=$1
	mkdir -p "$ENGINE/node$n"
	setsid env -u OCI_TEST nsenter --net="/run/netns/node$n" unshare --mount --propagation private \
		dockerd --config-file "$ENGINE/daemon.json" \
		--data-root "$ENGINE/node$n" --exec-root "/run/docker$n" --pidfile "/run/docker$n.pid" \
		-H "unix:///run/docker$n.sock" --storage-driver overlay2 --userland-proxy=false --log-level warn \
		--exec-opt native.cgroupdriver=cgroupfs >>"$ENGINE/node$n.log" 2>&1 </dev/null 3>&- &
	echo $! >"$ENGINE/node$n.pid"
	disown
	wait_for -t 120 node_is_up "$n" || fail "node $n does not start:" "$(tail -20 "$ENGINE/node$n.log")"
}

swarm_begin() {
	local n token
	mkdir -p "$ENGINE/cli"
	sed "s|@BINDIR@/oci|$OCI|" "$REPO/share/docker/daemon.json" >"$ENGINE/daemon.json"
	export DOCKER_CONFIG=$ENGINE/cli DOCKER_CLI_HINTS=false
	make_network
	for n in 1 2 3; do
		start_node "$n" || return
		node "$n" import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/sbin' "$ENGINE/image.tar" "$IMAGE" >/dev/null
	done
	node 1 swarm init --advertise-addr 10.213.0.1 >/dev/null || return
	token=$(node 1 swarm join-token -q worker)
	for n in 2 3; do
		node "$n" swarm join --token "$token" --advertise-addr "10.213.0.$n" 10.213.0.1:2377 >/dev/null || return
	done
	touch "$ENGINE/swarm"
}

# The containers of the service that run on node N.
tasks_of() { node "$1" ps -q --filter label=com.docker.swarm.service.name=web; }
count() { tasks_of "$1" | grep -c .; }
running() {
	local n sum=0
	for n in "${@:2}"; do sum=$((sum + $(count "$n"))); done
	((sum == $1))
}
start_service() {
	node 1 service create -d --name web --replicas "$1" --network host --no-resolve-image \
		--restart-condition any --restart-delay 1s "$IMAGE" sleep 1000 >/dev/null
}

@test "every task of a replicated service runs on this runtime, on all nodes" {
	local n id roots
	start_service 6
	wait_for -t 120 running 6 1 2 3
	for n in 1 2 3; do
		(($(count "$n") > 0)) || fail "none on node $n"
		for id in $(tasks_of "$n"); do
			[ "$(node "$n" inspect -f '{{.HostConfig.Runtime}}' "$id")" = oci ]
			roots=("/run/docker$n"/runtime-*/moby)
			id=$(node "$n" inspect -f '{{.Id}}' "$id")
			[ "$(oci --root "${roots[0]}" state "$id" | jq -r .status)" = running ]
		done
	done
}

@test "scaled up and down; a task that is killed is replaced" {
	local id
	start_service 3
	wait_for -t 120 running 3 1 2 3
	node 1 service scale -d web=9 >/dev/null
	wait_for -t 120 running 9 1 2 3
	node 1 service scale -d web=2 >/dev/null
	wait_for -t 120 running 2 1 2 3
	for n in 1 2 3; do
		for id in $(tasks_of "$n"); do node "$n" kill "$id" >/dev/null; done
	done
	wait_for -t 120 running 2 1 2 3
}

@test "a node is killed: its tasks come back on the others" {
	start_service 6
	wait_for -t 120 running 6 1 2 3
	stop_daemon "$(<"$ENGINE/node3.pid")" KILL
	wait_for -t 180 running 6 1 2
	# For the end of the file: what it ran is ended with it.
	start_node 3
	wait_for -t 120 running 6 1 2 3 || true
}
