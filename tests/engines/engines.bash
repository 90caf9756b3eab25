# shellcheck shell=bash
#
# What the engines' tests share. After `load ../lib/common`: load engines, and then
#
#	setup_file() { engine_begin podman; podman_begin; }
#	setup() { engine_setup; }
#	teardown() { podman_clean; engine_teardown; }
#	teardown_file() { engine_end; }
#
# Each file has a world of its own: a mount namespace (made by tests/lib/run) with an empty /run, a
# network namespace in which the daemons are, and all files beneath $ENGINE. No service of the machine
# is started or asked, nothing is fetched: the image is made of busybox. A process belongs to the file
# if $ENGINE is in its command line or environment; whatever is left of them at the end is killed,
# one by one.
#
# The runtime is chosen as an admin does it: by its path in the engine's configuration. $RUNTIME, if
# it is set before an engine begins, is another one than the build under test.

IMAGE=localhost/box:1
# Other versions of the docker client may come earlier on PATH.
DOCKER=/usr/bin/docker

# engine_begin COMMAND...: the world, or a skip where it cannot be made.
engine_begin() {
	local command
	((EUID == 0)) || skip "requires root"
	[[ ${OCI_TEST_PRIVATE-} ]] || skip "requires a mount namespace: run it by tests/lib/run"
	for command; do [[ $(PATH=$PATH:/usr/sbin type -P "$command") ]] || skip "requires $command"; done
	[[ -x $OCI ]] || fail "no $OCI: run make first"
	export ENGINE=$BATS_FILE_TMPDIR/engine TMPDIR=$BATS_FILE_TMPDIR
	mkdir -p "$ENGINE"
	mount -t tmpfs -o mode=755 engine-run /run
	mkdir -p /run/lock /run/netns
	# As ip netns and netavark would make it later.
	mount --bind /run/netns /run/netns
	mount --make-rshared /run/netns
	clean_cgroup_tree
	# Engines look at the id ranges and the configuration of the machine; here they find ours.
	touch /run/netns/engine
	unshare --net=/run/netns/engine ip link set lo up
	printf 'engine:%d:%d\n' 200000 65536 >"$ENGINE/subid"
	touch /etc/subuid /etc/subgid
	mount --bind "$ENGINE/subid" /etc/subuid
	mount --bind "$ENGINE/subid" /etc/subgid
	unset NOTIFY_SOCKET DOCKER_HOST CONTAINER_HOST XDG_RUNTIME_DIR
	engine_image
}

# podman takes every directory there for a controller: only what is mounted stays in sight.
clean_cgroup_tree() {
	local at
	[[ $(stat -fc %T /sys/fs/cgroup) = tmpfs ]] || return 0
	mkdir "$ENGINE/cgroup"
	mount -t tmpfs -o mode=755 engine-cgroup "$ENGINE/cgroup"
	for at in $(awk '$5 ~ "^/sys/fs/cgroup/[^/]+$" { print $5 }' /proc/self/mountinfo | sort -u); do
		mkdir "$ENGINE/cgroup/${at##*/}"
		mount --bind "$at" "$ENGINE/cgroup/${at##*/}"
	done
	umount -R -l /sys/fs/cgroup
	mount --move "$ENGINE/cgroup" /sys/fs/cgroup
}

# The image as a tar archive: busybox, the probe, a file that is no program.
engine_image() {
	mkdir -p "$ENGINE/more/etc"
	echo text >"$ENGINE/more/etc/plain"
	tar -cf "$ENGINE/image.tar" -C "$(template_rootfs)" . -C "$ENGINE/more" ./etc/plain
}

# engine_layout [NAME COMMAND...]: the image as an archive of an OCI layout, for containerd.
engine_layout() {
	local layout=$ENGINE/layout manifest name=${1-$IMAGE}
	(($#)) && shift || set -- /bin/sh
	rm -rf "$layout"
	mkdir -p "$layout/blobs/sha256"
	blob() {
		local sum
		sum=$(sha256sum "$2" | cut -d' ' -f1)
		cp "$2" "$layout/blobs/sha256/$sum"
		jq -cn --arg type "application/vnd.oci.image.$1" --arg sum "sha256:$sum" \
			--argjson size "$(stat -c %s "$2")" '{mediaType: $type, digest: $sum, size: $size}'
	}
	manifest=$(blob layer.v1.tar "$ENGINE/image.tar" | jq -c '[.]')
	jq -cn --argjson layers "$manifest" --arg machine "$(engine_machine)" '{
		architecture: $machine, os: "linux", config: {Env: ["PATH=/bin:/sbin"], Cmd: $ARGS.positional},
		rootfs: {type: "layers", diff_ids: [$layers[].digest]}}' --args -- "$@" >"$ENGINE/image.json"
	jq -cn --argjson layers "$manifest" --argjson config "$(blob config.v1+json "$ENGINE/image.json")" '{
		schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: $config, layers: $layers}' >"$ENGINE/manifest.json"
	jq -cn --argjson manifest "$(blob manifest.v1+json "$ENGINE/manifest.json")" --arg name "$name" \
		--arg machine "$(engine_machine)" '{schemaVersion: 2, manifests: [$manifest + {
		platform: {architecture: $machine, os: "linux"},
		annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": "1"}}]}' \
		>"$layout/index.json"
	echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
	tar -cf "$ENGINE/layout.tar" -C "$layout" .
}

# engine_install: what make install puts down, beneath $ENGINE/prefix and $ENGINE/etc; the runtime is then
# $INSTALLED, a file that can be replaced.
engine_install() {
	local build
	build=$(realpath "$OCI_BUILD")
	[[ ${build##*/} != *-* ]] || skip "a build with sanitizers is not installed"
	make -s -C "$REPO" BUILD="${build%/*}" LINK="${build##*/}" PREFIX="$ENGINE/prefix" \
		SYSCONFDIR="$ENGINE/etc" install >/dev/null || return
	INSTALLED=$ENGINE/prefix/bin/oci
	export INSTALLED
}

engine_machine() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

# ---- One test --------------------------------------------------------------------------------

engine_setup() {
	common_setup
	# As the test's own end sees it.
	[[ ${ENGINE-} ]] || skip "no engine"
	cd "$BATS_TEST_TMPDIR" || return
}

# The engine has been told to remove the test's containers; helpers of its may still be at it.
engine_teardown() {
	wait_for -t 60 no_processes || true
	find /sys/fs/cgroup -depth -type d -path "*$CGROUP/*" -name 'conmon' -exec rmdir {} + 2>/dev/null
	common_teardown
}

# ---- The file's end --------------------------------------------------------------------------

engine_processes() {
	local pid
	for pid in $(grep -lsaF "$ENGINE" /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3 | sort -un); do
		case $pid in "$$" | "$BASHPID" | "$PPID") continue ;; esac
		# Of bats itself, whose environment has the name, too.
		! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qE 'bats-core|^(grep|tr|sleep) ' || continue
		! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || echo "$pid"
	done
}

engine_end() {
	local pid at
	[[ ${ENGINE-} ]] || return 0
	for pid in $(engine_processes); do kill -TERM "$pid" 2>/dev/null; done
	wait_for -t 20 engine_quiet 2>/dev/null || for pid in $(engine_processes); do kill -KILL "$pid" 2>/dev/null; done
	wait_for -t 30 engine_quiet || true
	grep -F " $ENGINE/" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | while read -r at; do
		umount -l "$at" 2>/dev/null
	done
	umount /run/netns/engine 2>/dev/null
	# podman makes it, and leaves it, empty.
	find /sys/fs/cgroup -maxdepth 3 -depth -type d -path '*/libpod_parent*' -exec rmdir {} + 2>/dev/null
	rm -rf "${ENGINE:?}"
}
engine_quiet() { [[ ! $(engine_processes) ]]; }

# in_net COMMAND...: in the daemons' network.
in_net() { nsenter --net=/run/netns/engine "$@"; }

# start_daemon LOG COMMAND...: in the background, in the file's network; its pid is put in DAEMON.
start_daemon() {
	local log=$1
	shift
	# A daemon is the file's, not the test's that happens to start it again.
	setsid env -u OCI_TEST nsenter --net=/run/netns/engine "$@" >>"$log" 2>&1 </dev/null 3>&- &
	DAEMON=$!
	disown
}

# stop_daemon PID [SIGNAL]: and waits for its end.
stop_daemon() {
	kill "-${2-TERM}" "$1" 2>/dev/null || true
	wait_for -t 60 ended "$1"
}
ended() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; }

# ---- podman and buildah ----------------------------------------------------------------------

# podman_begin: storage with the image, and the configuration that make install puts down, with the one
# line that an admin adds.
podman_begin() {
	local etc=$ENGINE/etc
	mkdir -p "$ENGINE/containers" "$ENGINE/net" "$etc/containers.conf.d"
	cp -a /etc/containers/. "$etc"
	sed "s|@BINDIR@/oci|${RUNTIME:-$OCI}|" "$REPO/share/containers.conf.d/oci.conf" >"$etc/containers.conf.d/oci.conf"
	printf '[engine]\nruntime = "oci"\n' >"$etc/containers.conf.d/admin.conf"
	# Without CAP_SYS_RESOURCE the engine's own default of limits cannot be applied; and there is no systemd.
	cat >"$etc/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=$(ulimit -Sn):$(ulimit -Hn)", "nproc=4096:4096"]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		infra_image = "$IMAGE-pause"
	CONF
	mount --bind "$etc" /etc/containers
	podman import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/sbin' "$ENGINE/image.tar" "$IMAGE" >/dev/null
	podman import -q -c 'CMD ["/bin/sleep", "1000"]' "$ENGINE/image.tar" "$IMAGE-pause" >/dev/null
}

podman() {
	local options=(--root "$ENGINE/containers" --storage-driver overlay --network-config-dir "$ENGINE/net")
	in_net timeout --foreground -k 5 "${ENGINE_TIMEOUT:-120}" podman "${options[@]}" "$@" 3>&"${FD3--}"
}

# run_box OPTION... -- COMMAND...: one that is removed at its end, without a network.
run_box() {
	local options=()
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	podman run --rm --network none --cgroup-parent "$CGROUP" "${options[@]}" "$IMAGE" "$@"
}

# start_box NAME OPTION... -- COMMAND...: one in the background.
start_box() {
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	shift
	podman run -d --name "$name" --network none --cgroup-parent "$CGROUP" "${options[@]}" "$IMAGE" "$@" >/dev/null
}

# Everything of the test is removed by the engine; what it leaves is found afterwards.
podman_clean() {
	[[ ${ENGINE-} ]] || return 0
	podman pod rm -t 0 -fa >/dev/null 2>&1 || true
	podman rm -t 0 -fa >/dev/null
	podman volume rm -fa >/dev/null
	ROOT=/run/oci
}

# ---- docker ----------------------------------------------------------------------------------

# docker_begin [OPTION...]: a dockerd of the file's own, which is told of the runtime as an admin does it.
docker_begin() {
	mkdir -p "$ENGINE/cli"
	sed "s|@BINDIR@/oci|${RUNTIME:-$OCI}|" "$REPO/share/docker/daemon.json" >"$ENGINE/daemon.json"
	export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG=$ENGINE/cli DOCKER_BUILDKIT=0 DOCKER_CLI_HINTS=false
	docker_start "$@" || return
	# The container's own PATH is asked for by the tests of exit codes.
	docker import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin:/sbin' "$ENGINE/image.tar" "$IMAGE" >/dev/null
}

docker_start() {
	start_daemon "$ENGINE/dockerd.log" dockerd --config-file "$ENGINE/daemon.json" --data-root "$ENGINE/docker" \
		--exec-root /run/docker --pidfile /run/docker.pid -H "$DOCKER_HOST" --storage-driver overlay2 \
		--exec-opt native.cgroupdriver=cgroupfs --userland-proxy=false --log-level warn "$@"
	echo "$DAEMON" >"$ENGINE/dockerd.pid"
	wait_for -t 120 docker_is_up || fail "dockerd does not start:" "$(tail -20 "$ENGINE/dockerd.log")"
}
# docker_kill: dockerd, and with it its containerd.
docker_kill() {
	stop_daemon "$(<"$ENGINE/dockerd.pid")" KILL
	# Where the machine's init is slow to reap, their pids look alive.
	rm -f /run/docker.pid /run/docker/containerd/containerd.pid
}
docker_is_up() { ENGINE_TIMEOUT=20 docker version >/dev/null 2>&1; }

docker() { timeout --foreground -k 5 "${ENGINE_TIMEOUT:-120}" "$DOCKER" "$@" 3>&-; }

docker_clean() {
	local ids
	[[ ${ENGINE-} ]] || return 0
	docker_is_up || return 0
	mapfile -t ids < <(docker ps -aq)
	((${#ids[@]} == 0)) || docker rm -f "${ids[@]}" >/dev/null
	docker volume prune -f >/dev/null
	ROOT=$(docker_root)
}

# Where the runtime's containers are recorded: dockerd says.
docker_root() {
	local dir
	for dir in /run/docker/runtime-*/moby; do echo "$dir"; done
}

# ---- containerd ------------------------------------------------------------------------------

# containerd_begin: a containerd of the file's own, with the image.
containerd_begin() {
	cat >"$ENGINE/containerd.toml" <<-CONF
		version = 2
		root = "$ENGINE/containerd"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		address = "/run/containerd.sock"
	CONF
	containerd_start || return
	engine_layout
	ctr image import --platform "linux/$(engine_machine)" "$ENGINE/layout.tar" >/dev/null
}

# containerd_snippet DIR CONFIG: does to CONFIG what the file oci.toml in DIR says is to be done.
containerd_snippet() {
	sed -n 's/^#\t//p' "$1/oci.toml" | sed "s|/etc/containerd/config.toml|$(realpath "$2")|g; s|^cd .*|cd $1|" | sh -e
}

containerd_start() {
	start_daemon "$ENGINE/containerd.log" containerd -c "$ENGINE/containerd.toml" -l warn
	echo "$DAEMON" >"$ENGINE/containerd.pid"
	wait_for -t 120 containerd_is_up || fail "containerd does not start:" "$(tail -20 "$ENGINE/containerd.log")"
}
containerd_is_up() { ENGINE_TIMEOUT=20 ctr version >/dev/null 2>&1; }

ctr() {
	timeout --foreground -k 5 "${ENGINE_TIMEOUT:-120}" ctr -a /run/containerd.sock -n test "$@" 3>&-
}

containerd_clean() {
	local id
	[[ ${ENGINE-} ]] || return 0
	containerd_is_up || return 0
	for id in $(ctr task ls -q); do ctr task rm -f "$id" >/dev/null 2>&1 || true; done
	for id in $(ctr container ls -q); do ctr container rm "$id" >/dev/null; done
	ROOT=/run/oci-ctr/test
}
