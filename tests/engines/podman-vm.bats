#!/usr/bin/env bats
# podman with this runtime where systemd runs, on cgroup v2: without root in a session, and as root. Each
# test with both of podman's managers of cgroups. tests/engines/podman.bats has more, as root alone.
# alone: an engine is many processes
# shellcheck disable=SC2154
load ../lib/common

IMAGE=localhost/box:1

setup_file() {
	require_systemd && require_cgroup_v2 && require_command podman && require_command conmon || return 0
	export ENGINE=$BATS_FILE_TMPDIR/engine TMPDIR=$BATS_FILE_TMPDIR
	mkdir -p "$ENGINE/more/etc"
	# What make install puts down, and the line that an admin adds.
	{
		sed "s|@BINDIR@/oci|$OCI|; s|^\[engine\]|&\nruntime = \"oci\"\nevents_logger = \"file\"|" \
			"$REPO/share/containers.conf.d/oci.conf"
		printf '[containers]\nlog_driver = "k8s-file"\n[network]\nnetwork_backend = "netavark"\n'
	} >"$ENGINE/containers.conf"
	export CONTAINERS_CONF=$ENGINE/containers.conf
	# Netavark makes a mount of it and leaves it.
	((EUID)) || { ip netns add box-probe && ip netns delete box-probe; }
	tar -cf "$ENGINE/image.tar" -C "$(template_rootfs)" .
	podman import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/sbin' "$ENGINE/image.tar" "$IMAGE" >/dev/null
}

setup() {
	common_setup
	[[ ${ENGINE-} ]] || skip 'requires systemd, cgroup v2, podman and conmon'
}

teardown() {
	[[ ${ENGINE-} ]] || { common_teardown && return; }
	podman pod rm -t 0 -fa >/dev/null 2>&1 || true
	podman rm -t 0 -fa >/dev/null
	podman volume rm -fa >/dev/null
	# Conmon and its scope take a moment longer.
	wait_for -t 60 no_scopes || find_scopes >&2
	wait_for -t 60 no_processes || true
	common_teardown
}

teardown_file() {
	[[ ! ${ENGINE-} ]] || podman system reset -f >/dev/null 2>&1 || true
	# The process that keeps a user's namespaces of podman's.
	[[ ! ${ENGINE-} ]] || ((EUID == 0)) || podman system migrate >/dev/null 2>&1 || true
}

podman() { timeout --foreground -k 5 120 podman "$@" 3>&-; }
find_scopes() { find /sys/fs/cgroup -type d \( -name 'libpod-*' -o -regex '.*/[0-9a-f]*' \) ! -name 'libpod-conmon-*' 2>/dev/null | grep -E '[0-9a-f]{64}'; }
no_scopes() { [[ ! $(find_scopes) ]]; }

# managers COMMAND...: once with each manager of cgroups, in MANAGER.
managers() { for MANAGER in systemd cgroupfs; do "$@" || fail "with the manager $MANAGER" || return; done; }

# run_box OPTION... -- COMMAND...; start_box NAME OPTION... -- COMMAND...
run_box() {
	local options=()
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	podman --cgroup-manager "${MANAGER:-systemd}" run --rm --network none "${options[@]}" "$IMAGE" "${@:2}"
}
start_box() {
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	podman --cgroup-manager "${MANAGER:-systemd}" run -d --name "$name" --network none "${options[@]}" "$IMAGE" "${@:2}" >/dev/null
}

inspect() { podman inspect -f "$1" "$2"; }
log_has() { podman logs "$1" 2>&1 | grep -qF "$2"; }
cgroup_of() { sed -n 's/^0:://p' "/proc/$(inspect '{{.State.Pid}}' "$1")/cgroup"; }
values() { (cd "/sys/fs/cgroup$(cgroup_of "$1")" && cat "${@:2}"); }

life() {
	run -0 run_box -- sh -c 'id -u; exec echo hello'
	[ "$output" = $'0\nhello' ] || show
	run -7 run_box -i -- sh -c 'read -r x; [ "$x" = piped ] && exit 7' < <(echo piped)
	start_box box --memory 64m --pids-limit 50 --cpus 0.5 --cpuset-cpus 0 -- sh -c 'echo started; exec sleep 1000'
	[ "$(inspect '{{.OCIRuntime}}' box)" = oci ]
	[ "$(values box memory.max pids.max cpu.max cpuset.cpus)" = $'67108864\n50\n50000 100000\n0' ]
	[[ $MANAGER != systemd || $(cgroup_of box) = *.slice/libpod-*.scope* ]]
	# Recorded where the user himself looks.
	[ "$("$OCI" state "$(inspect '{{.Id}}' box)" | jq -r .status)" = running ]
	run -0 "$OCI" verify "$(inspect '{{.Id}}' box)"
	[[ $output = "0 differences"* ]] || show
	wait_for -t 60 log_has box started
	[[ $(podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' box) = *67.11MB*' 1' ]]
	podman update --memory 128m box >/dev/null
	[ "$(values box memory.max)" = 134217728 ]
	run -9 podman exec --user 1000:1000 -e A=b box sh -c 'echo $(id -u) $A; exit 9'
	[ "$output" = '1000 b' ] || show
	[ "$(podman exec box cat /proc/self/cgroup)" = "$(podman exec box cat /proc/1/cgroup)" ]
	podman pause box
	[ "$(inspect '{{.State.Status}}' box)" = paused ]
	grep -qx 'frozen 1' "/sys/fs/cgroup$(cgroup_of box)/cgroup.events"
	podman unpause box
	podman top box | grep -q 'sleep 1000'
	podman kill box
	[ "$(podman wait box)" = 137 ]
	podman start box
	podman stop -t 0 box
	podman rm box
	wait_for -t 60 no_scopes
}

@test "run, limits, stats, update, exec, pause, kill, start, stop" {
	managers life
}

@test "a terminal: run -it, exec -it" {
	run -5 "$TOOLS/onpty" size 33 77 expect '# ' type 'until [ "$(stty size)" = "33 77" ]; do sleep 1; done; tty\r' \
		expect /dev/pts/ type 'exit 5\r' -- podman run --rm -it --network none "$IMAGE" sh
	start_box box -- sleep 1000
	run -6 "$TOOLS/onpty" expect '# ' type 'tty\r' expect /dev/pts/ type 'exit 6\r' -- podman exec -it box sh
}

@test "errors: 127 for what is not there, 126 for what is no program" {
	run -127 run_box -- /nosuch
	run -126 run_box -- /etc
	[[ $output = *ermission\ denied* ]] || show
	run -126 run_box --cpuset-cpus 99 -- true
	[[ $output = *cpus*99* ]] || show
}

@test "signals; out of memory; the restart policy; health checks" {
	start_box box -- sh -c 'trap "echo got term; exit 3" TERM; echo ready; while :; do sleep 0.2; done'
	wait_for -t 60 log_has box ready
	podman stop -t 60 box
	[ "$(inspect '{{.State.ExitCode}} {{.State.Status}}' box)" = '3 exited' ]
	run -137 run_box --memory 16m --memory-swap 16m -- tail /dev/zero
	start_box again --restart on-failure:2 -- sh -c 'exit 1'
	restarts() { [[ $(inspect '{{.RestartCount}} {{.State.Status}}' again) = '2 exited' ]]; }
	wait_for -t 120 restarts
	start_box healthy --health-cmd 'test -e /tmp/healthy' --health-interval disable -- sleep 1000
	run -1 podman healthcheck run healthy
	podman exec healthy touch /tmp/healthy
	run -0 podman healthcheck run healthy
}

@test "volumes: written, read-only, given to the container's user; /sys and tmpfs" {
	mkdir vol
	echo data >vol/f
	run -0 run_box -v "$PWD/vol:/vol" --tmpfs /t:size=1m -- sh -c 'echo new >/vol/g && cat /vol/f; grep -c " /t .*size=1024k" /proc/mounts'
	[ "$output" = $'data\n1' ] && [ "$(<vol/g)" = new ] || show
	run -1 run_box -v "$PWD/vol:/vol:ro" -- touch /vol/x
	run -1 run_box --read-only -- touch /x
	run -0 run_box --user 1000 -v "$PWD/vol:/vol:U" -- sh -c 'stat -c %u /vol/f && echo x >/vol/h'
	[ "$output" = 1000 ] || show
	podman unshare chown -R 0:0 "$PWD/vol" 2>/dev/null || chown -R 0:0 vol
	run -0 podman run --rm --network host "$IMAGE" sh -c 'ls -d /sys/class/net/lo && ! touch /sys/x 2>/dev/null'
	[ "$output" = /sys/class/net/lo ] || show
}

@test "ids: groups, and the user's own kept" {
	run -0 run_box --user 1000 -- sh -c 'id -u; echo $(cat /proc/self/setgroups)'
	[ "$output" = $'1000\nallow' ] || show
	run -0 run_box --user 1000:1000 --group-add 1234 -- id -G
	[ "$output" = '1000 1234' ] || show
	((EUID)) || return 0
	run -0 run_box --userns keep-id -- sh -c 'id -u; touch /tmp/x && stat -c %u /tmp/x'
	[ "$output" = "$EUID"$'\n'"$EUID" ] || show
}

@test "a port of the host, and a pod" {
	local network=()
	((EUID == 0)) || { require command:slirp4netns && network=(--network slirp4netns); }
	podman run -d --name web "${network[@]}" -p 127.0.0.1:18080:80 "$IMAGE" \
		sh -c 'mkdir /www && echo served >/www/index.html && exec httpd -f -p 80 -h /www' >/dev/null
	answers() { [[ $(timeout 10 busybox wget -qO- http://127.0.0.1:18080/) = served ]]; }
	wait_for -t 90 answers
	podman rm -f -t 0 web >/dev/null
	podman pod create --name pod --network none --infra-image "$IMAGE" --infra-command '/bin/sleep 1000' >/dev/null
	podman run -d --pod pod --name one "$IMAGE" sleep 1000 >/dev/null
	podman run -d --pod pod --name two --memory 64m "$IMAGE" sleep 1000 >/dev/null
	[ "$(podman exec one readlink /proc/self/ns/net)" = "$(podman exec two readlink /proc/self/ns/net)" ]
	[ "$(values two memory.max)" = 67108864 ]
	podman pod pause pod >/dev/null
	podman pod unpause pod >/dev/null
	podman pod rm -f -t 0 pod >/dev/null
}
