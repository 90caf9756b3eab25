#!/usr/bin/env bats
# What checkpoint and restore are asked for beside files and memory: terminals, connections, pages
# on demand, hooks. Needs criu: a virtual machine.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	common_setup
	[[ -x /usr/sbin/criu ]] || skip "requires criu"
	((EUID == 0)) || skip "requires root"
	/usr/sbin/criu check >/dev/null 2>&1 || skip "requires a kernel that criu can work with"
	IMAGES=$BATS_TEST_TMPDIR/images
}

# scripted SCRIPT [FILTER]: a container "box" that runs SCRIPT, started. $dir: the test's directory.
scripted() {
	mkbundle box ".process.args = [\"sh\", \"-c\", \$script] ${2-}" --arg script "$1" --arg dir "$PWD"
	oci create box "$BUNDLE" </dev/null >out 2>&1
	oci start box
}

teardown() {
	[[ ! ${lazy-} ]] || kill -KILL "$lazy" 2>/dev/null || true
	[[ ! -d tree/sub ]] || umount tree/sub 2>/dev/null || true
	common_teardown
}

checkpoint() { oci checkpoint --image-path "$IMAGES" "$@"; }
restore() { oci restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$@" </dev/null >>out 2>&1; }
log() { cat out; tail -n 30 "$IMAGES"/dump.log "$IMAGES"/restore.log 2>/dev/null; return 1; }

@test "a terminal goes to the console socket again" {
	mkbundle box '.process.terminal = true | .process.args = ["sh", "-c", "while read line; do echo got $line; done"]'
	mkfifo in
	"$TOOLS/recvtty" "$PWD/console" tty.out <in &
	exec 8>in
	wait_for -t 30 test -S console
	oci create --console-socket "$PWD/console" box "$BUNDLE" </dev/null
	oci start box
	echo one >&8
	wait_for grep -q 'got one' tty.out
	checkpoint box || log
	exec 8>&-
	wait || true
	rm -f console
	"$TOOLS/recvtty" "$PWD/console" tty2.out <in &
	exec 8>in
	wait_for -t 30 test -S console
	restore --console-socket "$PWD/console" box || log
	echo two >&8
	wait_for grep -q 'got two' tty2.out
	oci delete --force box
	exec 8>&-
	wait || true
}

@test "open TCP connections: only with --tcp-established" {
	scripted 'ip link set lo up; nc -l -p 7000 -e sh -c "while read l; do echo \$l >>/tmp/got; done" & sleep 1
		(while [ ! -e /tmp/end ]; do echo x; sleep 0.1; done) | nc 127.0.0.1 7000' \
		'| .process.capabilities.bounding += ["CAP_NET_ADMIN"] | .process.capabilities.effective += ["CAP_NET_ADMIN"]
		| .process.capabilities.permitted += ["CAP_NET_ADMIN"]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	pid=$(ctr_pid box)
	wait_for eval "[[ -s /proc/$pid/root/tmp/got ]]"
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *"criu has failed"*"--tcp-established"* && $(ctr_status box) = running ]] || show
	checkpoint --tcp-established box || log
	restore --tcp-established box || log
	pid=$(ctr_pid box)
	n=$(wc -l <"/proc/$pid/root/tmp/got")
	wait_for eval "((\$(wc -l <'/proc/$pid/root/tmp/got') > $n + 2))"
	oci delete --force box
}

@test "a container with a user namespace is refused, and runs on" {
	scripted 'while :; do sleep 0.1; done' '| .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *'cannot checkpoint container "box"'*'user namespace'* && ! -e $IMAGES ]] || show
	[[ $(ctr_status box) = running ]]
	oci delete --force box
}

@test "processes of exec are saved too" {
	scripted 'while :; do sleep 0.1; done'
	oci exec --detach --pid-file "$PWD/pid" box sleep 1000 </dev/null >>out 2>&1
	checkpoint box || log
	restore box || log
	oci ps box
	(($(oci ps --format json box | jq length) >= 2))
	oci delete --force box
}

@test "a recursive bind mount" {
	mkdir -p tree/sub
	mount -t tmpfs tmpfs tree/sub
	echo below >tree/sub/file
	scripted 'while :; do sleep 0.1; done' '| .mounts += [{destination: "/tree", type: "bind", source: "'"$PWD"'/tree", options: ["rbind", "ro"]}]'
	checkpoint box || log
	restore box || log
	[[ $(<"/proc/$(ctr_pid box)/root/tree/sub/file") = below ]]
	oci delete --force box
}

@test "--empty-ns network" {
	scripted 'while :; do sleep 0.1; done'
	ip link add name cp0 type dummy
	ip link set cp0 netns "$(ctr_pid box)"
	checkpoint --empty-ns network box || log
	restore --empty-ns network box || log
	run -0 nsenter -t "$(ctr_pid box)" -n ip -o link
	[[ $output != *cp0* ]] || show
	oci delete --force box
}

@test "the hooks of a creation run before the processes go on, and are told who they are" {
	scripted 'while :; do sleep 0.1; done' '| .hooks = ([["prestart", "createRuntime", "poststart", "poststop"][]
		| {key: ., value: [{path: "/bin/sh", args: ["sh", "-c", "echo \(.) $(cat) >>\($dir)/hooks"]}]}] | from_entries)'
	checkpoint box || log
	: >hooks
	restore --pid-file "$PWD/pid" box || log
	[[ $(cut -d' ' -f1 hooks | xargs) = "prestart createRuntime" ]] || { cat hooks && false; }
	run -0 oci nsenter box pwd
	[[ $output = / ]] || show
	[[ $(sed -n 's/^createRuntime //p' hooks | jq .pid) = "$(<pid)" ]]
	oci delete --force box
	[[ $(tail -1 hooks) = "poststop "* ]]
}

@test "a failing hook of a restore leaves nothing" {
	scripted 'while :; do sleep 0.1; done'
	checkpoint box || log
	edit "$BUNDLE" '.hooks.createRuntime = [{path: "/bin/false", args: ["false"]}]'
	run -1 restore box
	[[ $(<out) = *'hook'*'/bin/false'* && ! -e $ROOT/box && ! $(test_cgroups) ]] || log
}

@test "a configuration file for criu: the annotation's" {
	scripted 'while :; do sleep 0.1; done' '| .annotations["org.criu.config"] = $dir + "/criu.conf"'
	echo "log-file special.log" >criu.conf
	oci checkpoint --image-path "$IMAGES" --work-path "$PWD/work" box
	[[ -e work/special.log ]]
}

@test "--lazy-pages: memory comes when it is needed" {
	scripted 'x=$(head -c 8000000 /dev/zero | tr "\0" a); i=0; while :; do i=$((i+1)); echo ${#x} $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.1; done' \
		'| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	wait_for eval "[[ -s /proc/$(ctr_pid box)/root/tmp/n ]]"
	mkfifo ready
	oci checkpoint --image-path "$IMAGES" --lazy-pages --page-server 127.0.0.1:27999 --status-fd 7 box 7>ready >dump 2>&1 &
	dump=$!
	head -c1 ready >/dev/null
	# What restores is another machine otherwise. (In the first cgroup namespace criu changes cgroup2's options.)
	unshare --cgroup criu lazy-pages --page-server --address 127.0.0.1 --port 27999 -D "$IMAGES" -W "$IMAGES" >lazy 2>&1 &
	lazy=$!
	wait_for test -S "$IMAGES/lazy-pages.socket"
	edit "$BUNDLE" '.linux.cgroupsPath += "-copy"'
	restore --lazy-pages copy || { cat lazy && log; }
	wait $dump || { cat dump && log; }
	wait $lazy || { cat lazy && false; }
	n=$(cut -d' ' -f2 "/proc/$(ctr_pid copy)/root/tmp/n")
	wait_for eval "[[ \$(<'/proc/$(ctr_pid copy)/root/tmp/n') = '8000000 $((n + 3))' ]]"
	oci delete --force copy
}

@test "podman's checkpoint and restore" {
	require command:podman
	printf '%s\n' '[engine]' 'runtime = "oci"' 'cgroup_manager = "cgroupfs"' 'events_logger = "file"' \
		'[engine.runtimes]' "oci = [\"$OCI\"]" >containers.conf
	export CONTAINERS_CONF=$PWD/containers.conf
	podman() { command podman --root "$PWD/store" --runroot "$PWD/run" --storage-driver vfs "$@"; }
	tar -C "$(template_rootfs)" -c . | podman import - box >out 2>&1
	run -0 podman run -d --name c --network none box sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done'
	run -0 podman container checkpoint c
	[[ $(podman inspect c | jq -r '.[0].State | .Status, .Checkpointed' | xargs) = "exited true" ]]
	run -0 podman container restore c
	run -0 podman exec c true
	run -0 podman container checkpoint --export "$PWD/c.tar.gz" c
	run -0 podman rm -f c
	run -0 podman container restore --import "$PWD/c.tar.gz" --name d
	n=$(podman logs --tail 1 d 2>/dev/null)
	wait_for eval "((\$(podman logs --tail 1 d 2>/dev/null) > $n))"
	((n > 3))
	run -0 podman rm -f -t 0 d
}
