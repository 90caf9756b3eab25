#!/usr/bin/env bats
# docker with this runtime as dockerd's default, by the lines of share/docker/daemon.json.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin dockerd /usr/bin/docker containerd iptables
	# To be killed and started again under running containers.
	docker_begin --live-restore
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
about() { docker inspect -f "$2" "$1"; }
is_state() { [[ $(about "$1" '{{.State.Status}}') = "$2" ]]; }
log_has() { docker logs "$1" 2>&1 | grep -qF "$2"; }
pid_of() { about "$1" '{{.State.Pid}}'; }
cgroup_value() { cat "/proc/$(pid_of "$1")/root/sys/fs/cgroup/$2"; }
shim_of() { pgrep -f "containerd-shim.*$(about "$1" '{{.Id}}')" | head -1; }

@test "it is the default runtime; output, input, exit code" {
	[ "$(docker info -f '{{.DefaultRuntime}}')" = oci ]
	run -0 run_box -- echo hello
	[ "$output" = hello ] || show
	run -7 run_box -- sh -c 'exit 7'
	run -0 run_box -i -- cat < <(echo piped)
	[ "$output" = piped ] || show
	start_box box -- sleep 1000
	[ "$(about box '{{.HostConfig.Runtime}}')" = oci ]
	[ "$(oci --root "$(docker_root)" state "$(about box '{{.Id}}')" | jq -r .status)" = running ]
}

@test "127 for what is not there, 126 for what is no program, 125 for other errors; the hint" {
	local hint='Are you trying to mount a directory onto a file'
	run -127 run_box -- /nosuch
	[[ $output != *"$hint"* ]] || show
	run -127 run_box -- nosuch
	run -126 run_box -- /etc/plain
	run -126 run_box -- /etc
	[[ $output != *"$hint"* ]] || show
	# Neither the program's absence nor its rights.
	run -125 run_box --ulimit nofile=99999999:99999999 -- true
	[[ $output = *NOFILE* && $output != *"$hint"* ]] || show
	mkdir dir
	run run_box -v "$PWD/dir:/etc/plain" -- true
	[[ $output = *"$hint"* && $status != 0 && $status != 126 ]] || show
}

@test "terminal, names, users, capabilities, volumes, read-only" {
	mkdir vol
	echo data >vol/f
	run -0 run_box -t -- tty
	[[ $output = /dev/pts/[0-9]* ]] || show
	run -0 run_box --hostname gamma --user 1000:1000 --group-add 1234 -w /home -e K=v -- \
		sh -c 'echo $(hostname) $(id -u):$(id -g) $(pwd) $K; id -G'
	[[ $output = 'gamma 1000:1000 /home v'*1234* ]] || show
	run -0 run_box --cap-drop all --cap-add NET_RAW --security-opt no-new-privileges -- \
		grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status
	[[ $output = *0000000000002000*NoNewPrivs:?1*Seccomp:?2 ]] || show
	run -0 run_box -v "$PWD/vol:/vol" -- sh -c 'echo new >/vol/g && cat /vol/f'
	[ "$output" = data ] && [ "$(<vol/g)" = new ]
	run -1 run_box -v "$PWD/vol:/vol:ro" -- touch /vol/x
	docker volume create kept >/dev/null
	run_box -v kept:/vol -- sh -c 'echo kept >/vol/h'
	run -0 run_box -v kept:/vol -- cat /vol/h
	[ "$output" = kept ]
	docker volume rm kept >/dev/null
	run -1 run_box --read-only -- touch /x
	run -0 run_box --tmpfs /vol:size=1m --sysctl net.ipv4.ip_forward=1 --ulimit nofile=512:512 --oom-score-adj 500 -- \
		sh -c 'grep -c "/vol .*size=1024k" /proc/mounts; cat /proc/sys/net/ipv4/ip_forward; ulimit -n; cat /proc/self/oom_score_adj'
	[ "$output" = $'1\n1\n512\n500' ] || show
	run -0 run_box --device /dev/null:/dev/mynull -- sh -c 'echo x >/dev/mynull && echo yes'
	[ "$output" = yes ] || show
	run -0 run_box --init -- cat /proc/1/comm
	[[ $output = *init* ]] || show
}

@test "namespaces of the host and of another container" {
	local name
	for name in pid ipc uts; do
		run -0 run_box "--$name" host -- readlink "/proc/self/ns/$name"
		[ "$output" = "$(readlink "/proc/self/ns/$name")" ] || show
	done
	start_box box -- sleep 1000
	run -0 docker run --rm --network container:box --pid container:box "$IMAGE" \
		sh -c 'tr "\0" " " </proc/1/cmdline; readlink /proc/self/ns/net'
	[ "$output" = "sleep 1000 $(readlink "/proc/$(pid_of box)/ns/net")" ] || show
}

@test "limits, stats, update" {
	start_box box --memory 64m --memory-swap 128m --pids-limit 50 --cpus 0.5 -- sleep 1000
	run -0 docker stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' box
	[[ $output = 'box '*'64MiB 1' ]] || show
	docker update --memory 128m --memory-swap 256m --pids-limit 77 --cpus 0.7 box
	if [[ $(stat -fc %T /sys/fs/cgroup) = cgroup2fs ]]; then
		[ "$(cgroup_value box memory.max) $(cgroup_value box pids.max) $(cgroup_value box cpu.max)" = '134217728 77 70000 100000' ]
	else
		[ "$(cgroup_value box memory/memory.limit_in_bytes) $(cgroup_value box pids/pids.max)" = '134217728 77' ]
		[ "$(cgroup_value box cpu/cpu.cfs_quota_us)" = 70000 ]
	fi
	run -137 run_box --memory 16m --memory-swap 16m -- tail /dev/zero
}

@test "exec, top, copy, logs" {
	start_box box -- sh -c 'echo started; exec sleep 1000'
	run -0 docker exec box echo x
	[ "$output" = x ]
	run -9 docker exec box sh -c 'exit 9'
	run docker exec box /nosuch
	[[ $status = 12[67] && $output = *'no such file'* ]] || show
	run docker exec box nosuch
	[[ $status = 12[67] && $output = *'not found'* ]] || show
	run -126 docker exec box /etc/plain
	run -0 docker exec -i box cat < <(echo in)
	[ "$output" = in ]
	run -0 docker exec -t box tty
	[[ $output = /dev/pts/* ]] || show
	run -0 docker exec -u 1000 -e A=b -w /home box sh -c 'echo $(id -u) $A $(pwd)'
	[ "$output" = '1000 b /home' ] || show
	[[ $(docker top box) = *'sleep 1000'* ]]
	echo copied >file
	docker cp file box:/tmp/file
	[ "$(docker exec box cat /tmp/file)" = copied ]
	wait_for -t 60 log_has box started
}

@test "pause, signals, stop, restart, the restart policy" {
	start_box box -- sh -c 'trap "exit 3" TERM; trap "echo got usr1" USR1; echo ready; while :; do sleep 0.1; done'
	wait_for -t 60 log_has box ready
	docker pause box
	is_state box paused
	docker unpause box
	is_state box running
	docker kill -s USR1 box
	wait_for -t 60 log_has box 'got usr1'
	docker stop -t 60 box
	[ "$(about box '{{.State.ExitCode}} {{.State.Status}}')" = '3 exited' ]
	docker start box
	docker restart -t 0 box
	is_state box running
	docker kill box
	[ "$(docker wait box)" = 137 ]
	docker run -d --name again --network none --cgroup-parent "$CGROUP" --restart on-failure:2 "$IMAGE" sh -c 'exit 1' >/dev/null
	restarted() { [[ $(about again '{{.RestartCount}} {{.State.Status}}') = '2 exited' ]]; }
	wait_for -t 120 restarted
}

@test "health checks: unhealthy, then healthy" {
	local health='{{.State.Health.Status}}'
	start_box box --health-cmd 'test -e /tmp/healthy' --health-interval 1s --health-retries 1 -- sleep 1000
	is_health() { [[ $(about box "$health") = "$1" ]]; }
	wait_for -t 90 is_health unhealthy
	docker exec box touch /tmp/healthy
	wait_for -t 90 is_health healthy
}

@test "a network with ports, and one that is connected later" {
	docker run -d --name web --cgroup-parent "$CGROUP" -p 127.0.0.1:18080:80 "$IMAGE" \
		sh -c 'mkdir /www && echo served >/www/index.html && exec httpd -f -p 80 -h /www' >/dev/null
	answers() { [[ $(in_net timeout 10 busybox wget -qO- "http://$1/") = served ]]; }
	wait_for -t 90 answers "$(about web '{{.NetworkSettings.IPAddress}}')"
	wait_for -t 90 answers 127.0.0.1:18080
	docker network create other >/dev/null
	docker network connect other web
	[[ $(docker exec web ip -4 addr show eth1) = *inet* ]]
	docker rm -f web >/dev/null
	docker network rm other >/dev/null
}

@test "build" {
	mkdir context
	printf 'FROM %s\nRUN echo built >/b\nCMD cat /b\n' "$IMAGE" >context/Dockerfile
	docker build -q --network none -t built:1 context
	run -0 docker run --rm --network none built:1
	[ "$output" = built ] || show
	docker rmi built:1 >/dev/null
}

@test "containers live on when dockerd is killed, and are ended by the next one" {
	start_box box -- sleep 1000
	start_box short -- sh -c 'until [ -e /tmp/end ]; do sleep 0.1; done; exit 5'
	local pid
	pid=$(pid_of box)
	docker_kill
	run -1 ended "$pid"
	# One ends while nobody is there to hear of it.
	touch "/proc/$(pgrep -f 'until \[ -e /tmp/end' | head -1)/root/tmp/end"
	docker_start --live-restore
	[ "$(pid_of box)" = "$pid" ]
	run -0 docker exec box echo alive
	[ "$output" = alive ] || show
	[ "$(docker wait short)" = 5 ]
	docker stop -t 0 box
	docker start box
	is_state box running
}

@test "the shim is killed: the container can be removed, and the next one runs" {
	local pid
	start_box box -- sleep 1000
	pid=$(pid_of box)
	kill -KILL "$(shim_of box)"
	# Whether docker ends it at once or at the removal is docker's matter.
	docker rm -f box >/dev/null
	wait_for -t 60 ended "$pid" || kill -KILL "$pid"
	run -0 run_box -- echo next
	[ "$output" = next ] || show
}

@test "twenty at once" {
	local i pids=()
	for i in $(seq 20); do
		ENGINE_TIMEOUT=300 run_box -- sh -c "echo I am $i; exit $((i % 3))" >"out.$i" 2>"err.$i" &
		pids[i]=$!
	done
	for i in $(seq 20); do
		status=0
		wait "${pids[i]}" || status=$?
		[ "$status" = $((i % 3)) ] || fail "$i: $status" "$(<"err.$i")"
		[ "$(<"out.$i")" = "I am $i" ]
	done
	[[ ! $(docker ps -aq) ]]
}
