#!/usr/bin/env bats
# podman with this runtime, chosen by one line of containers.conf.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	engine_begin podman conmon
	podman_begin
}
setup() { engine_setup; }
teardown() {
	podman_clean
	engine_teardown
}
teardown_file() { engine_end; }

state_of() { podman inspect -f '{{.State.Status}}' "$1"; }
is_state() { [[ $(state_of "$1") = "$2" ]]; }
log_has() { podman logs "$1" 2>&1 | grep -qF "$2"; }
cgroup_value() { cat "/proc/$(podman inspect -f '{{.State.Pid}}' "$1")/root/sys/fs/cgroup/$2"; }

@test "run: output, input, exit code; it was this runtime" {
	run -0 run_box -- echo hello
	[ "$output" = hello ] || show
	run -7 run_box -- sh -c 'exit 7'
	run -0 run_box -i -- cat < <(echo piped)
	[ "$output" = piped ] || show
	FD3=4 run -0 run_box --preserve-fds 1 -- sh -c 'read -r line <&3; echo "$line"' 4< <(echo handed)
	[ "$output" = handed ] || show
	start_box box -- sleep 1000
	[ "$(podman inspect -f '{{.OCIRuntime}}' box)" = oci ]
	[ "$(oci --root /run/oci state "$(podman inspect -f '{{.Id}}' box)" | jq -r .status)" = running ]
}

@test "run: 127 for what is not there, 126 for what is no program, 125 for other errors" {
	local by
	# By name podman reads the runtime's JSON log, by path its standard error.
	for by in oci "$OCI"; do
		run -127 podman --runtime "$by" run --rm --network none "$IMAGE" /nosuch
		run -127 podman --runtime "$by" run --rm --network none "$IMAGE" nosuch
		run -126 podman --runtime "$by" run --rm --network none "$IMAGE" /etc/plain
		run -126 podman --runtime "$by" run --rm --network none "$IMAGE" /etc
		[[ $output = *ermission\ denied* ]] || show
	done
	# A directory cannot be mounted on a file. podman has 126 for all that a runtime says, but what is not
	# the command must not be called "not found".
	mkdir dir
	run -126 run_box -v "$PWD/dir:/etc/plain" -- true
	[[ $output = *"/etc/plain"* ]] || show
	# An error of the configuration names its property.
	run -126 run_box --ulimit nofile=1024:99999999 -- true
	[[ $output = *nofile*[Rr]limit* || $output = *NOFILE* ]] || show
	run -125 run_box --security-opt seccomp="$PWD/nosuch" -- true
}

@test "run -t: a terminal, and its size" {
	run -0 run_box -t -- tty
	[[ $output = /dev/pts/[0-9]* ]] || show
	run -0 run_box -- sh -c 'tty || true'
	[ "$output" = 'not a tty' ] || show
	# The size arrives with the attachment: the process waits for it.
	declare -f podman run_box in_net >functions
	cat >sized <<-SCRIPT
		CGROUP=$CGROUP IMAGE=$IMAGE; . $PWD/functions
		stty rows 33 cols 77
		run_box -it -- sh -c 'until [ "\$(stty size)" = "33 77" ]; do sleep 0.1; done; echo it is 33 by 77'
	SCRIPT
	# An input that stays open: its end would be typed into the terminal.
	mkfifo open
	exec 8<>open
	run -0 timeout 100 script -qec "bash $PWD/sized" /dev/null <&8
	exec 8>&-
	[[ $output = *'it is 33 by 77'* ]] || show
}

@test "namespaces: own, the host's, another container's" {
	local name
	for name in pid ipc uts; do
		run -0 run_box "--$name" host -- readlink "/proc/self/ns/$name"
		[ "$output" = "$(readlink "/proc/self/ns/$name")" ] || show
	done
	run -0 run_box --cgroupns host -- readlink /proc/self/ns/cgroup
	[ "$output" = "$(readlink /proc/self/ns/cgroup)" ] || show
	run -0 podman run --rm --network host "$IMAGE" readlink /proc/self/ns/net
	[ "$output" = "$(in_net readlink /proc/self/ns/net)" ] || show
	run -0 run_box --hostname gamma -- hostname
	[ "$output" = gamma ]
	run -0 run_box --cgroupns private -- grep -c ':/$' /proc/self/cgroup
	start_box box -- sleep 1000
	run -0 podman run --rm --network container:box --pid container:box --ipc container:box "$IMAGE" \
		sh -c 'cat /proc/1/cmdline | tr "\0" " "; readlink /proc/self/ns/net'
	[ "$output" = "sleep 1000 $(readlink "/proc/$(podman inspect -f '{{.State.Pid}}' box)/ns/net")" ] || show
}

@test "volumes, tmpfs, read-only" {
	mkdir vol
	echo data >vol/f
	run -0 run_box -v "$PWD/vol:/vol" -- sh -c 'echo new >/vol/g && cat /vol/f'
	[ "$output" = data ] && [ "$(<vol/g)" = new ]
	run -1 run_box -v "$PWD/vol:/vol:ro" -- touch /vol/x
	run -0 run_box -v "$PWD/vol/f:/etc/f:ro" -- cat /etc/f
	[ "$output" = data ]
	podman volume create kept >/dev/null
	run_box -v kept:/vol -- sh -c 'echo kept >/vol/h'
	run -0 run_box -v kept:/vol -- cat /vol/h
	[ "$output" = kept ]
	run -0 run_box --tmpfs /vol:size=1m,noexec -- grep ' /vol ' /proc/mounts
	[[ $output = *noexec*size=1024k* ]] || show
	run -0 run_box --mount "type=bind,src=$PWD/vol,dst=/vol,bind-propagation=rshared" -- grep ' /vol ' /proc/self/mountinfo
	[[ $output = *shared:* ]] || show
	run -1 run_box --read-only -- touch /x
	run -0 run_box --read-only -- sh -c 'touch /tmp/x && echo yes'
	[ "$output" = yes ]
	run -0 run_box --shm-size 2m -- grep ' /dev/shm ' /proc/mounts
	[[ $output = *size=2048k* ]] || show
	run -0 run_box --device /dev/null:/dev/mynull -- sh -c 'echo x >/dev/mynull && ls -l /dev/mynull'
	[[ $output = crw*1,*3* ]] || show
}

@test "users, groups, capabilities, privileges" {
	run -0 run_box --user 1000:1000 --group-add 1234 -w /home -e K=v --umask 0077 -- \
		sh -c 'echo $(id -u):$(id -g) $(id -G) $(pwd) $K $(umask)'
	[ "$output" = '1000:1000 1000 1234 /home v 0077' ] || show
	run -0 run_box --cap-drop all -- grep CapEff /proc/self/status
	[[ $output = *0000000000000000 ]] || show
	run -0 run_box --cap-drop all --cap-add NET_RAW -- grep CapEff /proc/self/status
	[[ $output = *0000000000002000 ]] || show
	run -0 run_box --security-opt no-new-privileges -- grep -E 'NoNewPrivs|Seccomp:' /proc/self/status
	[[ $output = *NoNewPrivs:?1*Seccomp:?2 ]] || show
	run -0 run_box --security-opt seccomp=unconfined -- grep -w Seccomp: /proc/self/status
	[[ $output = *0 ]] || show
	run -0 run_box --privileged -- sh -c 'grep -c " /sys sysfs rw" /proc/mounts'
	run -0 run_box -- sh -c 'ls -A /sys/firmware /proc/scsi 2>/dev/null; cat /proc/timer_list /proc/keys 2>/dev/null | wc -c'
	[ "${lines[-1]}" = 0 ] || show
	run -1 run_box -- sh -c 'echo 1 >/proc/sys/vm/swappiness'
	run -0 run_box --sysctl net.ipv4.ip_forward=1 -- cat /proc/sys/net/ipv4/ip_forward
	[ "$output" = 1 ]
	run -0 run_box --ulimit nofile=512:512 --ulimit nproc=4096:4096 --oom-score-adj 500 -- sh -c 'ulimit -n; cat /proc/self/oom_score_adj'
	[ "$output" = $'512\n500' ] || show
}

@test "user namespaces: maps, volumes, terminal" {
	mkdir vol
	echo data >vol/f
	run -0 run_box --uidmap 0:100000:1000 --gidmap 0:100000:1000 -- sh -c 'echo $(cat /proc/self/uid_map)'
	[ "$output" = '0 100000 1000' ] || show
	run -0 run_box -t --uidmap 0:100000:65536 --user 1000 -v "$PWD/vol:/vol:ro" -- sh -c 'id -u; cat /vol/f'
	[ "${output//$'\r'/}" = $'1000\ndata' ] || show
	start_box box --uidmap 0:100000:65536 -- sleep 1000
	[ "$(stat -c %u "/proc/$(podman inspect -f '{{.State.Pid}}' box)")" = 100000 ]
	[ "$(podman exec box id -u)" = 0 ]
}

@test "limits: memory, pids, cpus; each as its cgroup shows it" {
	start_box box --memory 64m --pids-limit 50 --cpus 0.5 --cpuset-cpus 0 -- sleep 1000
	if [[ $(stat -fc %T /sys/fs/cgroup) = cgroup2fs ]]; then
		[ "$(cgroup_value box memory.max) $(cgroup_value box pids.max) $(cgroup_value box cpu.max)" = '67108864 50 50000 100000' ]
	else
		[ "$(cgroup_value box memory/memory.limit_in_bytes) $(cgroup_value box pids/pids.max)" = '67108864 50' ]
		[ "$(cgroup_value box cpu/cpu.cfs_quota_us)" = 50000 ]
		[ "$(cgroup_value box cpuset/cpuset.cpus)" = 0 ]
	fi
	run -0 podman stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' box
	[[ $output = 'box '*67.11MB*' 1' ]] || show
	run run_box --pids-limit 5 -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 2 & done' 2>&1
	[[ $output = *"can't fork"* ]] || show
}

@test "update changes limits of a running container" {
	[[ -x $OCI_BUILD/oci-update ]] || skip 'requires oci-update'
	start_box box --memory 64m -- sleep 1000
	podman update --memory 128m --cpu-shares 512 box
	if [[ $(stat -fc %T /sys/fs/cgroup) = cgroup2fs ]]; then
		[ "$(cgroup_value box memory.max)" = 134217728 ]
	else
		[ "$(cgroup_value box memory/memory.limit_in_bytes) $(cgroup_value box cpu/cpu.shares)" = '134217728 512' ]
	fi
}

@test "a container that is out of memory is killed" {
	run -137 run_box --memory 16m --memory-swap 16m -- tail /dev/zero
}

@test "without a cgroup: --cgroups=disabled" {
	run -0 podman run --rm --network none --cgroups disabled "$IMAGE" echo hello
	[ "$output" = hello ] || show
}

@test "exec: output, input, exit code, terminal, user, environment" {
	start_box box --memory 64m -- sleep 1000
	run -0 podman exec box echo x
	[ "$output" = x ]
	run -9 podman exec box sh -c 'exit 9'
	run -127 podman exec box /nosuch
	run -127 podman exec box nosuch
	run -126 podman exec box /etc/plain
	run -0 podman exec -t box tty
	[[ $output = /dev/pts/* ]] || show
	run -0 podman exec -i box cat < <(echo in)
	[ "$output" = in ]
	run -0 podman exec -u 1000 -e A=b -w /home box sh -c 'echo $(id -u) $A $(pwd)'
	[ "$output" = '1000 b /home' ] || show
	run -0 podman exec --privileged box grep CapEff /proc/self/status
	[[ $output = *00000[1-9a-f]* ]] || show
	podman exec -d box sh -c 'echo d >/tmp/d'
	wait_for -t 60 podman exec box test -s /tmp/d
	# It is in the container's cgroup: its limit holds for it.
	[ "$(podman exec box cat /proc/self/cgroup)" = "$(podman exec box cat /proc/1/cgroup)" ]
	run ! podman exec nosuch true
}

@test "logs, top, copy, diff, commit" {
	start_box box -- sh -c 'echo started; echo to stderr >&2; exec sleep 1000'
	wait_for -t 60 log_has box 'to stderr'
	log_has box started
	[[ $(podman top box) = *'sleep 1000'* ]]
	echo copied >file
	podman cp file box:/tmp/file
	[ "$(podman exec box cat /tmp/file)" = copied ]
	[[ $(podman diff box) = *'A /tmp/file'* ]]
	podman commit -q box localhost/made:1 >/dev/null
	run -0 podman run --rm --network none localhost/made:1 cat /tmp/file
	[ "$output" = copied ]
	podman rmi -f localhost/made:1 >/dev/null
}

@test "pause stops it, unpause goes on" {
	start_box box -- sh -c 'while :; do echo tick; sleep 0.1; done'
	wait_for -t 60 log_has box tick
	podman pause box
	is_state box paused
	run ! podman exec box true
	podman unpause box
	is_state box running
	podman exec box true
}

@test "signals: kill, stop, the exit code; stop ends in SIGKILL" {
	start_box box -- sh -c 'trap "echo got term; exit 3" TERM; trap "echo got usr1" USR1; echo ready; while :; do sleep 0.1; done'
	wait_for -t 60 log_has box ready
	podman kill -s USR1 box
	wait_for -t 60 log_has box 'got usr1'
	podman stop -t 60 box
	[ "$(podman inspect -f '{{.State.ExitCode}} {{.State.Status}}' box)" = '3 exited' ]
	podman start box
	podman kill box
	[ "$(podman wait box)" = 137 ]
	start_box deaf -- sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for -t 60 log_has deaf ready
	podman stop -t 1 deaf
	[ "$(podman inspect -f '{{.State.ExitCode}}' deaf)" = 137 ]
}

@test "--init: a first process that reaps and passes signals on" {
	[[ -x /usr/libexec/podman/catatonit || $(type -P catatonit) ]] || skip 'requires catatonit'
	run -143 run_box --init -- sh -c 'kill $$; sleep 1000'
	run -0 run_box --init -- cat /proc/1/comm
	[[ $output = catatonit || $output = podman-init ]] || show
}

@test "create, init, start, attach, restart" {
	podman create --name box --network none --cgroup-parent "$CGROUP" "$IMAGE" echo created >/dev/null
	podman init box
	is_state box initialized
	run -0 podman start -a box
	[ "$output" = created ] || show
	start_box again -- sleep 1000
	podman restart -t 0 again
	is_state again running
	# A created container that was never started goes, too.
	podman create --name never --network none --cgroup-parent "$CGROUP" "$IMAGE" true >/dev/null
	podman init never
	podman rm never
}

@test "the restart policy starts it again" {
	start_box box --restart on-failure:2 -- sh -c 'exit 1'
	restarts() { [[ $(podman inspect -f '{{.RestartCount}} {{.State.Status}}' box) = '2 exited' ]]; }
	wait_for -t 90 restarts
}

@test "health checks go through exec" {
	start_box box --health-cmd 'test -e /tmp/healthy' --health-interval disable -- sleep 1000
	run -1 podman healthcheck run box
	podman exec box touch /tmp/healthy
	run -0 podman healthcheck run box
}

@test "a pod: shared namespaces; pause, stop, remove" {
	podman pod create --name pod --network none --cgroup-parent "$CGROUP" --infra-image "$IMAGE" \
		--infra-command '/bin/sleep 1000' >/dev/null
	podman run -d --pod pod --name one "$IMAGE" sleep 1000 >/dev/null
	podman run -d --pod pod --name two "$IMAGE" sleep 1000 >/dev/null
	[ "$(podman exec one readlink /proc/self/ns/net)" = "$(podman exec two readlink /proc/self/ns/net)" ]
	podman pod pause pod
	podman pod unpause pod
	podman pod stop -t 0 pod
	podman pod rm -f -t 0 pod
	[[ ! $(podman ps -aq) ]]
}

@test "kube play: a Kubernetes pod" {
	cat >pod.yaml <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: web}
		spec:
		  hostNetwork: true
		  restartPolicy: Never
		  containers:
		  - {name: c, image: "$IMAGE", imagePullPolicy: Never, command: [sh, -c, "echo played; sleep 1000"],
		     resources: {limits: {memory: 64Mi}}, securityContext: {readOnlyRootFilesystem: true}}
	YAML
	podman play kube pod.yaml || fail "$(podman ps -a)"
	wait_for -t 60 log_has web-c played
	podman play kube --down pod.yaml
}

@test "networks: a bridge, and a port of the host" {
	local i
	[[ -x /usr/lib/podman/netavark || -x /usr/libexec/podman/netavark ]] || skip 'requires netavark'
	podman run -d --name web --cgroup-parent "$CGROUP" -p 127.0.0.1:18080:80 "$IMAGE" \
		sh -c 'mkdir /www && echo served >/www/index.html && exec httpd -f -p 80 -h /www' >/dev/null
	answers() { [[ $(in_net timeout 10 busybox wget -qO- "http://$1/") = served ]]; }
	wait_for -t 60 answers "$(podman inspect -f '{{.NetworkSettings.IPAddress}}' web)"
	wait_for -t 60 answers 127.0.0.1:18080
	podman rm -f -t 0 web
}

@test "containers at once: twenty, each alone; nothing is left" {
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
	wait_for -t 60 no_processes
	[[ ! $(podman ps -aq) ]]
	[[ ! $(ls /run/oci) ]]
}

@test "conmon is killed: podman can still stop and remove the container" {
	local pid
	start_box box -- sleep 1000
	pid=$(podman inspect -f '{{.State.Pid}}' box)
	kill -KILL "$(podman inspect -f '{{.State.ConmonPid}}' box)"
	[ "$(podman exec box echo alive)" = alive ]
	podman stop -t 0 box || true
	wait_for -t 60 ended "$pid"
	podman rm -f -t 0 box
	[[ ! $(podman ps -aq) ]]
}

@test "the process is killed behind podman's back" {
	start_box box -- sleep 1000
	kill -KILL "$(podman inspect -f '{{.State.Pid}}' box)"
	[ "$(podman wait box)" = 137 ]
	podman rm box
}
