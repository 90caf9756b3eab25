#!/usr/bin/env bats
# containerd's CRI plugin, as a kubelet speaks to it, with pods of this runtime's handler: its snippet is
# what make install puts down, added to an admin's config.toml.
# alone: engines are many processes; other files would only make each other slow

load ../lib/common
load engines

setup_file() {
	/usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null || skip "requires python3-grpcio, python3-protobuf"
	engine_begin containerd containerd-shim-runc-v2 ctr protoc make
	cri_begin
}
setup() { engine_setup; }
teardown() {
	cri_clean
	engine_teardown
}
teardown_file() { engine_end; }

# RUNTIME_HANDLER=runc: the same with runc, to compare.
HANDLER=${RUNTIME_HANDLER-oci}

cri_begin() {
	local state=/run/containerd
	engine_install || return
	export CRI_SOCKET=/run/containerd.sock CRI_PROTO=$ENGINE/cri.pb
	protoc -I "$REPO/tests/engines" --descriptor_set_out="$CRI_PROTO" cri.proto || return
	# Two plugins write there whatever they are told.
	mkdir -p "$ENGINE/cni/net.d" "$ENGINE/cni/lib" /var/lib/cni
	mount --bind "$ENGINE/cni/lib" /var/lib/cni
	jq -n --arg dir "$ENGINE/cni/addresses" '{cniVersion: "0.4.0", name: "pods", plugins: [
		{type: "bridge", bridge: "pods0", isGateway: true, ipam: {type: "host-local", dataDir: $dir,
			ranges: [[{subnet: "10.214.0.0/24"}]], routes: [{dst: "0.0.0.0/0"}]}}]}' \
		>"$ENGINE/cni/net.d/10-pods.conflist"
	cat >"$ENGINE/containerd.toml" <<-CONF
		version = 2
		root = "$ENGINE/containerd"
		state = "$state"
		[grpc]
		address = "$CRI_SOCKET"
		[plugins."io.containerd.internal.v1.opt"]
		path = "$ENGINE/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "$IMAGE-pause"
		# The machine may lack CAP_SYS_RESOURCE.
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "$ENGINE/cni/net.d"
	CONF
	containerd_snippet "$ENGINE/prefix/share/oci-tools/containerd" "$ENGINE/containerd.toml"
	containerd_start || return
	engine_layout
	ctr -n k8s.io image import --platform "linux/$(engine_machine)" "$ENGINE/layout.tar" >/dev/null || return
	engine_layout "$IMAGE-pause" /bin/sleep 100000
	ctr -n k8s.io image import --platform "linux/$(engine_machine)" "$ENGINE/layout.tar" >/dev/null || return
	wait_for -t 60 cri_is_ready || fail "the CRI plugin is not ready:" "$(tail -20 "$ENGINE/containerd.log")"
}
cri_is_ready() {
	[[ $(cri Status 2>/dev/null | jq '[.status.conditions[] | select(.status)] | length') = 2 ]]
}

cri() {
	local json=${2-}
	timeout --foreground -k 5 120 "$REPO/tests/engines/cri.py" "$1" "${json:-"{}"}" 3>&-
}

# The handler's containers, by the runtime itself.
runtime() { "$OCI" --root /run/containerd/runc/k8s.io "$@"; }

cri_clean() {
	local id
	[[ ${ENGINE-} ]] || return 0
	for id in $(cri ListContainers | jq -r '.containers[].id'); do
		cri RemoveContainer "$(of_container "$id")" >/dev/null || true
	done
	for id in $(cri ListPodSandbox | jq -r '.items[].id'); do
		cri StopPodSandbox "$(of_pod "$id")" >/dev/null && cri RemovePodSandbox "$(of_pod "$id")" >/dev/null
	done
	ROOT=/run/containerd/runc/k8s.io
}

of_pod() { jq -cn --arg id "$1" '{pod_sandbox_id: $id}'; }
of_container() { jq -cn --arg id "$1" "{container_id: \$id} + ${2:-"{}"}"; }

# start_pod [FILTER]: its id is put in POD, its configuration in pod.json.
start_pod() {
	jq -n --arg name "pod$RANDOM" --arg logs "$PWD/logs" --arg cgroup "$CGROUP" '{
		metadata: {name: $name, uid: $name, namespace: "default"}, hostname: $name, log_directory: $logs,
		linux: {cgroup_parent: $cgroup, security_context: {namespace_options: {pid: "CONTAINER"}}}}
		| '"${1-.}" >pod.json
	POD=$(cri RunPodSandbox "$(jq -c --arg handler "$HANDLER" '{config: ., runtime_handler: $handler}' pod.json)" |
		jq -r .pod_sandbox_id)
	[[ $POD ]]
}

# create NAME FILTER COMMAND...: a container of the pod; its id is put in ID.
create() {
	local name=$1 filter=$2
	shift 2
	ID=$(cri CreateContainer "$(jq -cn --arg pod "$POD" --arg name "$name" --arg image "$IMAGE" \
		--slurpfile sandbox pod.json '{pod_sandbox_id: $pod, sandbox_config: $sandbox[0], config: ({
			metadata: {name: $name}, image: {image: $image}, command: $ARGS.positional,
			log_path: "\($name).log",
			linux: {security_context: {namespace_options: {pid: "CONTAINER"}}}} | '"$filter"')}' \
		--args -- "$@")" | jq -r .container_id)
	[[ $ID ]]
}
start() {
	create "$@" || return
	cri StartContainer "$(of_container "$ID")" >/dev/null
}
# result NAME FILTER COMMAND...: of a container that ends: its exit code and log are put in CODE and LOG.
result() {
	start "$@" || return
	wait_for -t 60 is_ctr "$ID" EXITED || return
	CODE=$(about "$ID" .exit_code)
	LOG=$(log_of "$1")
}

about() { cri ContainerStatus "$(of_container "$1")" | jq -r ".status$2"; }
is_ctr() { [[ $(about "$1" .state) = "CONTAINER_$2" ]]; }
pid_of() { cri ContainerStatus "$(of_container "$1" '{verbose: true}')" | jq -r '.info.info | fromjson.pid'; }
# Without time, stream and tag.
log_of() { cut -d' ' -f4- "logs/$1.log"; }
log_has() { log_of "$1" | grep -qF "$2"; }
# execute ID COMMAND...
execute() {
	local answer id=$1
	shift
	answer=$(cri ExecSync "$(jq -cn --arg id "$id" \
		'{container_id: $id, cmd: $ARGS.positional, timeout: 60}' --args -- "$@")") || return 125
	jq -r '.stdout | @base64d | rtrimstr("\n") | select(. != "")' <<<"$answer"
	jq -r '.stderr | @base64d | rtrimstr("\n") | select(. != "")' <<<"$answer" >&2
	return "$(jq .exit_code <<<"$answer")"
}
shim_of() { pgrep -f "containerd-shim-runc-v2 .*-id $1" | head -1; }
stop() { cri StopContainer "$(of_container "$1" "{timeout: $2}")" >/dev/null; }
ns_of() { readlink "/proc/$1/ns/$2"; }

@test "a pod of the handler, and a container in it: logs, exit code, both gone when removed" {
	start_pod
	[ "$(cri PodSandboxStatus "$(of_pod "$POD")" | jq -r '.status | "\(.state) \(.runtime_handler)"')" = "SANDBOX_READY $HANDLER" ]
	create one . sh -c 'echo out; echo err >&2; echo $0; exit 7' zero
	is_ctr "$ID" CREATED
	cri StartContainer "$(of_container "$ID")"
	wait_for -t 60 is_ctr "$ID" EXITED
	[ "$(about "$ID" '| "\(.exit_code) \(.reason)"')" = "7 Error" ]
	[ "$(sed 's/^[^ ]* //' logs/one.log | sort)" = $'stderr F err\nstdout F out\nstdout F zero' ]
	result two . true
	[ "$CODE $(about "$ID" .reason)" = "0 Completed" ]
	# The shim has deleted what has ended.
	[ "$(runtime list -q)" = "$POD" ]
	cri_clean
	run -0 runtime list -q
	[ -z "$output" ] || show
}

@test "what cannot be started: an error that says why, and the pod goes on" {
	start_pod
	create one . /nosuch
	run -1 cri StartContainer "$(of_container "$ID")"
	[[ $output = *'no such file or directory'* ]] || show
	[ "$(about "$ID" '| "\(.state) \(.exit_code) \(.reason)"')" = "CONTAINER_EXITED 128 StartError" ]
	create two . /etc/plain
	run -1 cri StartContainer "$(of_container "$ID")"
	[[ $output = *'permission denied'* ]] || show
	start three . sleep 1000
	run -125 execute "$ID" /nosuch
	[[ $output = *'no such file or directory'* ]] || show
	run -0 execute "$ID" echo on
}

@test "exec: output, exit code, timeout; of the container's user and environment" {
	start_pod
	start box '.envs = [{key: "K", value: "v w"}] | .working_dir = "/tmp"
		| .linux.security_context.run_as_user = {value: 1000}' sleep 1000
	run -0 --separate-stderr execute "$ID" sh -c 'echo out; echo err >&2'
	[ "$output $stderr" = "out err" ] || show
	run -9 execute "$ID" sh -c 'exit 9'
	run -0 execute "$ID" sh -c 'echo "$(id -u) $K $(pwd)"'
	[ "$output" = "1000 v w /tmp" ] || show
	run -1 cri ExecSync "$(of_container "$ID" '{cmd: ["sleep", "1234"], timeout: 1}')"
	[[ $output = *timeout* ]] || show
	run -0 execute "$ID" ps
	[[ $output != *1234* ]] || show
}

# streamed EXEC|ATTACH-REQUEST: what kubectl exec, and attach, do.
streamed() {
	local url
	url=$(cri "$1" "$2" | jq -r .url)
	in_net timeout --foreground 60 "$REPO/tests/engines/cri.py" stream "$url"
}

@test "streamed exec and attach, with a terminal and without" {
	start_pod
	start box '.stdin = true' sh -c 'echo ready; read x; echo "got $x"; exec sleep 1000'
	run -0 --separate-stderr streamed Exec "$(of_container "$ID" \
		'{cmd: ["sh", "-c", "echo out; echo err >&2"], stdout: true, stderr: true}')" </dev/null
	[ "$output $stderr" = "out err" ] || show
	run -5 streamed Exec "$(of_container "$ID" '{cmd: ["sh", "-c", "exit 5"], stdout: true}')" </dev/null
	run -0 streamed Exec "$(of_container "$ID" '{cmd: ["sh", "-c", "tty; read x; echo got $x"], tty: true, stdin: true, stdout: true}')" \
		< <(echo typed)
	[[ $output = */dev/pts/*'got typed'* ]] || show
	echo attached | streamed Attach "$(of_container "$ID" '{stdin: true, stdout: true}')" >attached 2>&1 &
	wait_for -t 60 log_has box 'got attached'
	stop "$ID" 0
	wait $! || true
	[[ $(<attached) = *'got attached'* ]]
}

@test "stop: the signal, then after its time KILL" {
	start_pod
	start polite . sh -c 'trap "echo asked; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for -t 60 log_has polite ready
	stop "$ID" 60
	[ "$(about "$ID" '| "\(.state) \(.exit_code)"') $(log_of polite | tail -1)" = "CONTAINER_EXITED 3 asked" ]
	start stubborn . sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for -t 60 log_has stubborn ready
	stop "$ID" 1
	[ "$(about "$ID" '| "\(.state) \(.exit_code)"')" = "CONTAINER_EXITED 137" ]
}

@test "stats, limits and their update" {
	local pid
	start_pod
	start box '.linux.resources = {cpu_period: 100000, cpu_quota: 50000, cpu_shares: 512, memory_limit_in_bytes: 67108864}' \
		sh -c 'x=0; while [ $x -lt 20000 ]; do x=$((x+1)); done; exec sleep 1000'
	pid=$(pid_of "$ID")
	used() { cri ContainerStats "$(of_container "$ID")" |
		jq -e '.stats | (.cpu.usage_core_nano_seconds.value | tonumber > 0) and (.memory.working_set_bytes.value | tonumber > 0)'; }
	wait_for -t 60 used
	limits() {
		local at=/proc/$pid/root/sys/fs/cgroup
		cat "$at"/{memory/memory.limit_in_bytes,memory.max} "$at"/{cpu/cpu.cfs_quota_us,cpu.max} 2>/dev/null | paste -sd' '
	}
	[[ $(limits) = '67108864 50000'* ]] || fail "$(limits)"
	cri UpdateContainerResources "$(of_container "$ID" \
		'{linux: {memory_limit_in_bytes: 134217728, cpu_quota: 70000, cpu_period: 100000}}')"
	[[ $(limits) = '134217728 70000'* ]] || fail "$(limits)"
	cri RemoveContainer "$(of_container "$ID")"
}

@test "out of memory is reported as such" {
	start_pod
	result box '.linux.resources.memory_limit_in_bytes = 16777216' tail /dev/zero
	[ "$CODE $(about "$ID" .reason)" = "137 OOMKilled" ] || fail "$(about "$ID" '')"
}

@test "namespaces: a pod's are shared; pids of the container's own, of the pod's, of another container's" {
	local first second pause
	start_pod
	pause=$(runtime state "$POD" | jq .pid)
	start one . sleep 1000
	first=$ID
	start two . sleep 1001
	second=$ID
	for ns in net ipc uts; do
		[ "$(ns_of "$(pid_of "$first")" $ns) $(ns_of "$(pid_of "$second")" $ns)" = "$(ns_of "$pause" $ns) $(ns_of "$pause" $ns)" ]
	done
	[ "$(ns_of "$(pid_of "$first")" pid)" != "$(ns_of "$(pid_of "$second")" pid)" ]
	[ "$(ns_of "$(pid_of "$first")" mnt)" != "$(ns_of "$(pid_of "$second")" mnt)" ]
	run -0 execute "$first" hostname
	[ "$output" = "$(jq -r .hostname pod.json)" ] || show
	# An ephemeral container of kubectl debug.
	result debugger '.linux.security_context.namespace_options = {pid: "TARGET", target_id: "'"$first"'"}' \
		sh -c 'tr "\0" " " </proc/1/cmdline; kill -0 1'
	[ "$CODE $LOG" = "0 sleep 1000 " ] || fail "$CODE $LOG"
	start_pod '.linux.security_context.namespace_options.pid = "POD"'
	start one '.linux.security_context.namespace_options.pid = "POD"' sleep 1000
	start two '.linux.security_context.namespace_options.pid = "POD"' sleep 1001
	run -0 execute "$ID" ps
	[[ $output = *' 1 '*'sleep 100000'*'sleep 1000'*'sleep 1001'* ]] || show
}

@test "a pid namespace that is shared: a container's end ends what it started, no one else's" {
	local first
	start_pod '.linux.security_context.namespace_options.pid = "POD"'
	start one '.linux.security_context.namespace_options.pid = "POD"' sh -c 'sleep 1234 & echo ready; wait'
	first=$ID
	start two '.linux.security_context.namespace_options.pid = "POD"' sleep 1001
	wait_for -t 60 log_has one ready
	stop "$first" 0
	run -0 execute "$ID" ps
	[[ $output != *1234* && $output = *1001* ]] || show
	is_ctr "$ID" RUNNING
}

@test "the pod's network, its address and its DNS; the host's" {
	local address
	start_pod '.dns_config = {servers: ["10.0.0.10"], searches: ["svc.local"], options: ["ndots:5"]}'
	address=$(cri PodSandboxStatus "$(of_pod "$POD")" | jq -r .status.network.ip)
	start web . sh -c 'mkdir /www; echo served >/www/index.html; exec httpd -f -p 80 -h /www'
	answers() { [[ $(in_net timeout 10 busybox wget -qO- "http://$address/" 2>/dev/null) = served ]]; }
	wait_for -t 60 answers
	run -0 execute "$ID" ip -4 addr show eth0
	[[ $output = *"$address/24"* ]] || show
	run -0 execute "$ID" busybox wget -qO- http://127.0.0.1/
	[ "$output" = served ] || show
	[ "$(<"$(cri ContainerStatus "$(of_container "$ID" '{verbose: true}')" | jq -r '.info.info | fromjson
		| .runtimeSpec.mounts[] | select(.destination == "/etc/resolv.conf").source')")" = \
		$'search svc.local\nnameserver 10.0.0.10\noptions ndots:5' ]
	start_pod '.linux.security_context.namespace_options.network = "NODE" | .hostname = ""'
	start host '.linux.security_context.namespace_options.network = "NODE"' sleep 1000
	[ "$(ns_of "$(pid_of "$ID")" net)" = "$(in_net readlink /proc/self/ns/net)" ]
}

@test "security context: users, groups, capabilities, no new privileges, seccomp, paths, read-only root" {
	start_pod
	result user '.linux.security_context += {run_as_user: {value: 1000}, run_as_group: {value: 1001}, supplemental_groups: [2000, 2001]}' \
		sh -c 'echo $(id -u) $(id -g) $(id -G)'
	[ "$LOG" = "1000 1001 1001 2000 2001" ] || fail "$LOG"
	result named '.linux.security_context.run_as_username = "user"' id -u
	[ "$LOG" = 1000 ] || fail "$LOG"
	result caps '.linux.security_context.capabilities = {add_capabilities: ["NET_ADMIN"], drop_capabilities: ["ALL"]}' \
		grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status
	[ "$(cut -f2 <<<"$LOG" | sort -u)" = 0000000000001000 ] || fail "$LOG"
	result less '.linux.security_context.capabilities = {drop_capabilities: ["CHOWN"]}' chown 1000 /tmp
	[ "$CODE" != 0 ]
	result quiet '.linux.security_context.no_new_privs = true' grep NoNewPrivs /proc/self/status
	[[ $LOG = *1 ]] || fail "$LOG"
	result filtered '.linux.security_context.seccomp = {profile_type: "RuntimeDefault"}' \
		sh -c 'grep Seccomp: /proc/self/status; unshare -U true || echo denied'
	[[ $LOG = *2* && $LOG = *denied* ]] || fail "$LOG"
	result free '.linux.security_context.seccomp = {profile_type: "Unconfined"}' grep Seccomp: /proc/self/status
	[[ $LOG = *0 ]] || fail "$LOG"
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}' >profile.json
	result local '.linux.security_context.seccomp = {profile_type: "Localhost", localhost_ref: "'"$PWD/profile.json"'"}' mkdir /tmp/x
	[[ $CODE != 0 && $LOG = *'not implemented'* ]] || fail "$CODE $LOG"
	result paths '.linux.security_context += {masked_paths: ["/proc/meminfo", "/proc/nosuch", "/sys/firmware"], readonly_paths: ["/proc/sys"]}' \
		sh -c 'wc -c </proc/meminfo; ls /sys/firmware | wc -l; echo x 2>/dev/null >/proc/sys/kernel/hostname || echo read-only'
	[ "$LOG" = $'0\n0\nread-only' ] || fail "$LOG"
	result root '.linux.security_context.readonly_rootfs = true' touch /x
	[[ $CODE = 1 && $LOG = *'Read-only'* ]] || fail "$LOG"
}

@test "privileged: every capability that there is, the host's devices, /sys to write" {
	[[ $(grep CapBnd /proc/self/status) = *$(printf %x $(((1 << ($(</proc/sys/kernel/cap_last_cap) + 1)) - 1))) ]] ||
		skip "requires all capabilities"
	start_pod '.linux.security_context.privileged = true'
	result box '.linux.security_context.privileged = true' \
		sh -c 'grep CapEff /proc/self/status; ls -d /dev/kmsg; grep " /sys sysfs" /proc/mounts'
	[[ $LOG = *"$(grep CapBnd /proc/self/status | cut -f2)"*/dev/kmsg*'sysfs rw'* ]] || fail "$LOG"
}

@test "sysctls and devices" {
	start_pod '.linux.sysctls = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}'
	result box '.devices = [{container_path: "/dev/mynull", host_path: "/dev/null", permissions: "rwm"}]' \
		sh -c 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced; echo x >/dev/mynull && echo written'
	[ "$LOG" = $'1\n1\nwritten' ] || fail "$LOG"
}

@test "volumes: read-only, and mounts that come later, in each direction" {
	local private slave shared
	start_pod
	mkdir vol
	mount -t tmpfs volume vol
	mount --make-shared vol
	echo data >vol/file
	mkdir vol/{later,back}
	volume() { echo ".mounts = [{container_path: \"/vol\", host_path: \"$PWD/vol\", propagation: \"PROPAGATION_$1\", readonly: $2}]"; }
	start private "$(volume PRIVATE true)" sleep 1000
	private=$ID
	start slave "$(volume HOST_TO_CONTAINER false)" sleep 1000
	slave=$ID
	start shared "$(volume BIDIRECTIONAL false) | .linux.security_context.capabilities.add_capabilities = [\"SYS_ADMIN\"]" sleep 1000
	shared=$ID
	run -0 execute "$private" cat /vol/file
	run -1 execute "$private" touch /vol/x
	[[ $output = *Read-only* ]] || show
	run -0 execute "$slave" sh -c 'echo new >/vol/new'
	[ "$(<vol/new)" = new ]
	mount -t tmpfs later vol/later
	touch vol/later/seen
	run -1 execute "$private" test -e /vol/later/seen
	run -0 execute "$slave" test -e /vol/later/seen
	run -0 execute "$shared" mount -t tmpfs back /vol/back
	mountpoint -q vol/back
	run -0 execute "$shared" umount /vol/back
	run ! mountpoint -q vol/back
	cri_clean
	umount vol/later vol
}

@test "containerd killed under running pods: they go on, and are the next one's" {
	local pid pod=$POD other
	start_pod
	start box . sh -c 'until [ -e /tmp/end ]; do sleep 0.1; done; echo ended; exit 6'
	other=$ID
	pid=$(pid_of "$other")
	start stays . sleep 1000
	stop_daemon "$(<"$ENGINE/containerd.pid")" KILL
	# One ends while nobody is there to hear of it.
	touch "/proc/$pid/root/tmp/end"
	wait_for -t 60 ended "$pid"
	kill -0 "$(runtime state "$POD" | jq .pid)"
	containerd_start
	wait_for -t 60 cri_is_ready
	is_ctr "$ID" RUNNING
	run -0 execute "$ID" echo still
	[ "$output" = still ] || show
	wait_for -t 60 is_ctr "$other" EXITED
	[ "$(about "$other" .exit_code)" = 6 ]
	# The log, too, goes on.
	result more . echo more
	[ "$LOG" = more ]
	stop "$ID" 0
	is_ctr "$ID" EXITED
}

@test "the shim killed: the pod's containers are unknown or ended, and can be removed" {
	local pid
	start_pod
	start box . sleep 1000
	pid=$(pid_of "$ID")
	kill -KILL "$(shim_of "$POD")"
	is_over() { ! is_ctr "$ID" RUNNING; }
	wait_for -t 60 is_over
	cri_clean
	wait_for -t 60 ended "$pid"
	[[ ! $(cri ListContainers | jq '.containers[]') && ! $(cri ListPodSandbox | jq '.items[]') ]]
	start_pod
	result next . echo next
	[ "$LOG" = next ]
}
