#!/usr/bin/env bats
# docker that gives each container a user namespace (dockerd --userns-remap), as the default runtime.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin dockerd /usr/bin/docker containerd iptables
	# An account of the machine's, and the range of IDs that is its own here.
	printf 'daemon:%d:%d\n' 300000 65536 >"$ENGINE/subid"
	# Containers' root has to get to its own files.
	for dir in "$ENGINE" "$BATS_FILE_TMPDIR" "${BATS_FILE_TMPDIR%/*}" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"; do
		[[ ! -d $dir ]] || chmod o+x "$dir"
	done
	docker_begin --userns-remap daemon
}
setup() { engine_setup; }
teardown() {
	docker_clean
	engine_teardown
}
teardown_file() { engine_end; }

run_box() {
	local options=()
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	docker run --rm --network none --cgroup-parent "$CGROUP" "${options[@]}" "$IMAGE" "$@"
}
start_box() {
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	docker run -d --name "$name" --network none --cgroup-parent "$CGROUP" "${options[@]}" "$IMAGE" "$@" >/dev/null
}
pid_of() { docker inspect -f '{{.State.Pid}}' "$1"; }
host_uid() { stat -c %u "/proc/$1"; }

@test "root of a container is nobody's on the host, and root inside" {
	[[ $(docker info -f '{{.SecurityOptions}}') = *name=userns* ]]
	start_box box -- sleep 1000
	[ "$(host_uid "$(pid_of box)")" = 300000 ]
	run -0 docker exec box sh -c 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups'
	[ "$output" = $'0\n 0 300000 65536\nallow' ] || show
	run -0 docker exec -u 1000:1001 box sh -c 'id -u; id -g'
	[ "$output" = $'1000\n1001' ] || show
	docker exec -d -u 1000 box sleep 2000
	runs() { [[ $(pgrep -f '^sleep 2000$' -u 301000) ]]; }
	wait_for -t 60 runs
}

@test "a terminal, and the devices, are root's of the container" {
	run -0 run_box -t -- sh -c 'tty; stat -c %u $(tty); echo x >/dev/null; stat -c %u:%t:%T /dev/null; head -c 3 /dev/zero | wc -c'
	[[ ${output//$'\r'/} = $'/dev/pts/0\n0\n'*$':1:3\n3' ]] || show
	start_box box -t -- sleep 1000
	run -0 docker exec -t box sh -c 'stat -c %u $(tty); echo written >$(tty)'
	[[ ${output//$'\r'/} = $'0\nwritten' ]] || show
	run -0 run_box --init --device /dev/null:/dev/mynull -- sh -c 'cat /proc/1/comm; echo x >/dev/mynull && echo yes'
	[[ $output = *init$'\nyes' ]] || show
}

@test "volumes: named ones are the container's, the host's root's files are not" {
	docker volume create kept >/dev/null
	run_box -v kept:/vol -- sh -c 'echo kept >/vol/h'
	[ "$(stat -c %u "$(docker volume inspect -f '{{.Mountpoint}}' kept)/h")" = 300000 ]
	run -0 run_box -v kept:/vol:ro -- sh -c 'cat /vol/h; stat -c %u /vol/h; touch /vol/x 2>/dev/null || echo refused'
	[[ $output = $'kept\n0\nrefused' ]] || show
	chmod o+x .. .
	mkdir -m 755 vol
	echo data >vol/f
	chmod 600 vol/f
	run -0 run_box -v "$PWD/vol:/vol" -- sh -c 'stat -c %u /vol/f; { touch /vol/x || cat /vol/f; } 2>/dev/null || echo refused'
	[[ $output = $'65534\nrefused' && ! -e vol/x ]] || show
	chown 300000 vol/f
	run -0 run_box -v "$PWD/vol/f:/etc/f" --tmpfs /tmp:size=1m --read-only -- sh -c 'cat /etc/f; echo t >/tmp/t; ! touch /x 2>/dev/null'
	[ "$output" = data ] || show
}

@test "limits, capabilities, sysctl: the container's own; the host's are out of its reach" {
	start_box box --memory 64m --memory-swap 128m --pids-limit 50 --cpus 0.5 -- sleep 1000
	run -0 docker stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' box
	[[ $output = 'box '*'64MiB 1' ]] || show
	docker update --pids-limit 77 --memory 128m --memory-swap 256m box
	[ "$(cat "/proc/$(pid_of box)/root/sys/fs/cgroup"/{pids/,}pids.max 2>/dev/null)" = 77 ]
	run -137 run_box --memory 16m --memory-swap 16m -- tail /dev/zero
	run -0 run_box --cap-drop all --cap-add NET_RAW --security-opt no-new-privileges --sysctl net.ipv4.ip_forward=1 --ulimit nofile=512:512 -- \
		sh -c 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; cat /proc/sys/net/ipv4/ip_forward; ulimit -n'
	[[ $output = *0000000000002000*NoNewPrivs:?1*Seccomp:?2$'\n1\n512' ]] || show
	run run_box -- sh -c 'echo 1 >/proc/sys/kernel/panic'
	[ "$status" != 0 ] || show
	run run_box -- sh -c 'mount -t tmpfs x /tmp'
	[ "$status" != 0 ] || show
}

@test "a container that asks for the host's IDs gets them" {
	start_box box --userns host -- sleep 1000
	[ "$(host_uid "$(pid_of box)")" = 0 ]
	[ "$(readlink "/proc/$(pid_of box)/ns/user")" = "$(readlink /proc/self/ns/user)" ]
}

@test "network with a port, another container's namespaces, copy, commit, build, restart" {
	docker run -d --name web --cgroup-parent "$CGROUP" -p 127.0.0.1:18081:80 "$IMAGE" \
		sh -c 'mkdir -p /www && echo served >/www/index.html && exec httpd -f -p 80 -h /www' >/dev/null
	answers() { [[ $(in_net timeout 10 busybox wget -qO- http://127.0.0.1:18081/) = served ]]; }
	wait_for -t 90 answers
	run -0 docker run --rm --network container:web "$IMAGE" readlink /proc/self/ns/net
	[ "$output" = "$(readlink "/proc/$(pid_of web)/ns/net")" ] || show
	echo copied >file
	docker cp file web:/tmp/file
	[ "$(docker exec web cat /tmp/file)" = copied ]
	docker commit web committed:1 >/dev/null
	mkdir context
	printf 'FROM committed:1\nRUN echo $(id -u) >/b && chown 1000 /b\nCMD ["sh", "-c", "cat /b /tmp/file; stat -c %%u /b"]\n' >context/Dockerfile
	docker build -q --network none -t built:1 context
	run -0 docker run --rm --network none built:1
	[ "$output" = $'0\ncopied\n1000' ] || show
	docker restart -t 0 web
	wait_for -t 90 answers
	docker rm -f web >/dev/null
	docker rmi built:1 committed:1 >/dev/null
}
