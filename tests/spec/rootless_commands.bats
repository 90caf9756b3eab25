#!/usr/bin/env bats
# What a user who is not root can do with his container: every command, every kind of mount. What takes a
# cgroup is shown where one has been delegated to him: in a session of systemd, on cgroup v2.
# shellcheck disable=SC2030,SC2031
load ../lib/common
load rootless

setup() { user_setup; }
teardown() { user_teardown; }

# The container's cgroup, put in DIR, where the user's session has one to give.
delegated() {
	local own
	require cgroup_v2
	own=$(sed -n 's/^0:://p' /proc/self/cgroup)
	((EUID)) && [[ -w /sys/fs/cgroup${own%/*}/cgroup.procs ]] || skip "requires a session of systemd"
	PARENT=/sys/fs/cgroup${own%/*}
	DIR=$PARENT$CGROUP/box
}

values() { (cd "$DIR" && cat "$@"); }

# refused FILTER WORD...: create fails, says all the words, and leaves nothing.
refused() {
	local filter=$1 word
	[[ -e $PLACE/good ]] || cp "$PLACE/box/config.json" "$PLACE/good"
	cp "$PLACE/good" "$PLACE/box/config.json"
	edit "$PLACE/box" "$filter"
	! create || fail "created: $filter"
	shift
	for word; do grep -qF -- "$word" "$PLACE/out" || fail "$filter: no \"$word\":" "$(<"$PLACE/out")"; done
	[ ! -e "$ROOT/box" ]
	cp "$PLACE/good" "$PLACE/box/config.json"
}

@test "ps, list, state, kill, kill --all, delete" {
	running '.process.args = ["sh", "-c", "sleep 999 & exec sleep 1000"]'
	run -0 user_oci list --format json
	jq -e --arg me "$USER_ID" '.[0] | .id == "box" and .status == "running" and .owner == $me' <<<"$output" || show
	[[ $(user_oci ps box) = *"sleep 1000"* ]]
	user_oci ps --format json box | jq -e --argjson pid "$(pid)" 'index($pid) != null'
	[ "$(user_status)" = running ]
	run ! user_oci delete box
	user_oci kill box WINCH
	user_oci kill --all box KILL
	wait_for -t 60 user_is stopped
	user_oci delete box
	[ ! -e "$ROOT/box" ]
	# Of one that runs.
	create
	user_oci start box
	user_oci delete --force box
	[ ! -e "$ROOT/box" ]
}

@test "exec: namespaces, exit status, what may not be" {
	running .
	run -3 user_oci exec box sh -c 'id -u; for n in user mnt pid; do readlink /proc/self/ns/$n; done; exit 3'
	[ "$output" = "0"$'\n'"$(readlink "/proc/$(pid)/ns/"{user,mnt,pid})" ] || show
	run -0 user_oci exec --env A=b --cwd /tmp box sh -c 'echo $A; pwd'
	[ "$output" = $'b\n/tmp' ] || show
	run -255 user_oci exec --user 3 box true
	[[ $output = *"/process/user/uid"*"not mapped"* ]] || show
	run -255 user_oci exec -g 3 box true
	[[ $output = *"/process/user/additionalGids"*"setgroups(2) is denied"* ]] || show
	user_oci exec --detach --pid-file "$PLACE/box/pid" box sleep 998 </dev/null >/dev/null 2>&1
	[ "$(tr '\0' ' ' <"/proc/$(<"$PLACE/box/pid")/cmdline")" = "sleep 998 " ]
	[ "$(readlink "/proc/$(<"$PLACE/box/pid")/ns/pid")" = "$(readlink "/proc/$(pid)/ns/pid")" ]
	[ "$(</"proc/$(<"$PLACE/box/pid")/cgroup")" = "$(</"proc/$(pid)/cgroup")" ]
}

@test "exec: ids of the user's range, and additional groups" {
	ranges
	running "$MAP"
	run -0 user_oci exec --user 5:6 -g 7 box sh -c 'echo $(id -u) $(id -g) $(id -G)'
	[ "$output" = '5 6 6 7' ] || show
	run -255 user_oci exec --user 70000 box true
	[[ $output = *"not mapped"* ]] || show
}

@test "run and exec at a terminal" {
	local at=()
	((EUID)) || at=(setpriv --reuid "$USER_ID" --regid "$GROUP_ID" --clear-groups)
	bundle '.process.terminal = true | .process.args = ["sh"]'
	run -5 "$TOOLS/onpty" expect '# ' type 'echo $((6*7)) $(tty)\r' expect '42 /dev/pts/' type 'exit 5\r' -- \
		"${at[@]}" env OCI_TEST="$OCI_TEST" "$PLACE/oci" --root "$ROOT" run --bundle "$PLACE/box" box
	edit "$PLACE/box" '.process.terminal = false | .process.args = ["sleep", "1000"]'
	create
	user_oci start box
	run -6 "$TOOLS/onpty" size 33 77 expect '# ' type 'stty size; tty\r' expect '33 77' expect /dev/pts/ type 'exit 6\r' -- \
		"${at[@]}" env OCI_TEST="$OCI_TEST" "$PLACE/oci" --root "$ROOT" exec --tty box sh
}

@test "verify compares a user's container, with the host's network and its own" {
	running '.hostname = "mine" | .linux.maskedPaths = ["/proc/keys"] | .root.readonly = true'
	run -0 user_oci verify box
	[[ $output = "0 differences, "* ]] || show
	user_oci delete --force box
	edit "$PLACE/box" '.linux.namespaces += [{type: "network"}] | .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	create
	user_oci start box
	run -0 user_oci verify box
	[[ $output = "0 differences, "* ]] || show
	as_user nsenter -U -n --preserve-credentials -t "$(pid)" sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	run -106 user_oci verify box
	[[ $output = *"/linux/sysctl/net.ipv4.ip_forward"* ]] || show
}

@test "without a cgroup: what needs one says so" {
	! [[ -w /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/../cgroup.procs && $EUID != 0 ]] || skip "a cgroup has been delegated"
	running .
	run -1 user_oci pause box
	[[ $output = *"it has no cgroup with a freezer"* ]] || show
	run -1 user_oci update --memory 64m box
	[[ $output = *"has no cgroup of its own"* ]] || show
	run -255 user_oci exec --cgroup x box true
	[[ $output = *"has no cgroup"* ]] || show
	user_oci events --stats box | jq -e '.type == "stats" and .data.memory == {}'
	user_oci delete --force box
	refused '.linux.resources.pids.limit = 5' "/linux/resources (config.json:" "there are limits, but uid $USER_ID may not create cgroup"
}

@test "a process that dies slowly is waited for, also without a cgroup" {
	running .
	local pid
	pid=$(pid)
	# Stopped by a tracer it is dead only when that lets it go.
	strace -qq -p "$pid" -e trace=none -e signal=none -o /dev/null >/dev/null 2>&1 3>&- &
	local tracer=$!
	traced() { [[ $(status_of TracerPid "$pid") != 0 ]]; }
	wait_for -t 60 traced
	kill -STOP "$tracer"
	{ sleep 1; kill -KILL "$tracer"; } >/dev/null 2>&1 3>&- &
	run -0 user_oci delete --force box
	[ ! -e "$ROOT/box" ]
	wait
}

@test "checkpoint is refused by name" {
	running .
	run -1 user_oci checkpoint --image-path "$PLACE/box/images" box
	[[ $output = *'cannot checkpoint container "box"'* ]] || show
	[ "$(user_status)" = running ]
}

@test "the state root without --root: beneath XDG_RUNTIME_DIR, if there is one" {
	bundle .
	as_user mkdir -m 700 "$PLACE/box/run"
	USER_ENV=("XDG_RUNTIME_DIR=$PLACE/box/run")
	as_user "$PLACE/oci" create box "$PLACE/box" >"$PLACE/out" 2>&1 </dev/null || fail "$(<"$PLACE/out")"
	[ -e "$PLACE/box/run/oci/box/state.json" ]
	[ "$(as_user "$PLACE/oci" list -q)" = box ]
	as_user "$PLACE/oci" delete --force box
	for USER_ENV in USER=x XDG_RUNTIME_DIR= XDG_RUNTIME_DIR=relative; do
		run ! as_user "$PLACE/oci" create box "$PLACE/box"
		[[ $output = *'"/run/oci"'* ]] || show
	done
}

@test "root of a user's namespace, as engines make one: his state root, his container" {
	local inside="unshare --user --map-root-user --mount"
	bundle 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	as_user mkdir -m 700 "$PLACE/box/run"
	for USER_ENV in "USER=somebody" "OTHER=x"; do
		USER_ENV=("$USER_ENV" "XDG_RUNTIME_DIR=$PLACE/box/run")
		as_user $inside "$PLACE/oci" create box "$PLACE/box" >"$PLACE/out" 2>&1 </dev/null || fail "$(<"$PLACE/out")"
		[ -e "$PLACE/box/run/oci/box/state.json" ]
		# The namespace is the container's: who comes later joins it.
		as_user nsenter --user --preserve-credentials -t "$(jq .pid "$PLACE/box/run/oci/box/state.json")" \
			"$PLACE/oci" delete --force box
		[ ! -e "$PLACE/box/run/oci/box" ]
	done
	# In a container that root runs the engine is root's.
	USER_ENV=("USER=root" "XDG_RUNTIME_DIR=$PLACE/box/run")
	run ! as_user $inside "$PLACE/oci" create box "$PLACE/box"
	[[ $output = *'"/run/oci"'* ]] || show
}

@test "a user namespace that is joined by its path" {
	local holder
	bundle 'del(.linux.uidMappings, .linux.gidMappings)'
	as_user sh -c 'echo $$ >holder; exec unshare --user --map-root-user sleep 1000' >/dev/null 2>&1 </dev/null 3>&- &
	mapped() { [[ -s $PLACE/box/holder ]] && holder=$(<"$PLACE/box/holder") && grep -qs " $USER_ID " "/proc/$holder/uid_map"; }
	wait_for -t 60 mapped
	edit "$PLACE/box" '.linux.namespaces |= map(if .type == "user" then .path = $p else . end)' --arg p "/proc/$holder/ns/user"
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	[ "$(readlink "/proc/$(pid)/ns/user")" = "$(readlink "/proc/$holder/ns/user")" ]
	[ "$(user_oci exec box id -u)" = 0 ]
	user_oci delete --force box
	kill "$holder"
}

@test "mounts: what a user may mount" {
	bundle .
	as_user mkdir lower upper work data
	as_user sh -c 'echo low >lower/f; echo data >data/f'
	edit "$PLACE/box" '.linux.namespaces += [{type: "network"}, {type: "cgroup"}] | .mounts += [
		{destination: "/m/overlay", type: "overlay", source: "overlay", options: ["lowerdir=" + $p + "/lower",
			"upperdir=" + $p + "/upper", "workdir=" + $p + "/work"]},
		{destination: "/m/bind", type: "bind", source: ($p + "/data"), options: ["bind", "ro"]},
		{destination: "/m/file", type: "bind", source: ($p + "/data/f"), options: ["bind"]},
		{destination: "/m/tmpfs", type: "tmpfs", source: "tmpfs", options: ["size=1m", "mode=700"]},
		{destination: "/m/proc", type: "proc", source: "proc", options: ["ro"]},
		{destination: "/m/sysfs", type: "sysfs", source: "sysfs", options: ["ro", "nosuid"]},
		{destination: "/m/mqueue", type: "mqueue", source: "mqueue"},
		{destination: "/m/cgroup", type: "cgroup", source: "cgroup", options: ["ro"]}]
		| .process.args = ["sh", "-c", "cat /m/overlay/f /m/bind/f /m/file; echo new >/m/overlay/g; echo x 2>&1 >/m/bind/g;
			echo x >/m/tmpfs/f && ls /m/sysfs/class/net; ls -d /m/proc/1; stat -f -c %T /m/mqueue; exec sleep 1000"]' --arg p "$PLACE/box"
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	told() { grep -q UNKNOWN "$PLACE/out"; }
	wait_for -t 60 told
	diff "$PLACE/out" - <<-'END' || fail "$(<"$PLACE/out")"
		low
		data
		data
		sh: can't create /m/bind/g: Read-only file system
		lo
		/m/proc/1
		UNKNOWN
	END
	[ "$(<"$PLACE/box/upper/g")" = new ]
	grep -q ' /m/cgroup ' "/proc/$(pid)/mounts"
	grep -q '/m/tmpfs tmpfs .*size=1024k.*uid=' "/proc/$(pid)/mounts"
}

@test "mounts: /sys of the host where there is no network namespace; devices are bound" {
	running '.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7}]'
	# As oci-spec --rootless and engines have it.
	jq -e '.mounts[] | select(.destination == "/sys") | .options | index("rbind")' "$PLACE/box/config.json"
	[ -d "/proc/$(pid)/root/sys/class" ]
	run ! user_oci exec box touch /sys/x
	for name in null zero full random urandom tty; do
		[ "$(stat -c %t:%T "/proc/$(pid)/root/dev/$name")" = "$(stat -c %t:%T "/dev/$name")" ]
		grep -q " /dev/$name " "/proc/$(pid)/mountinfo"
	done
	run -1 user_oci exec box sh -c 'echo x >/dev/full'
	[[ $output = *"No space left"* ]] || show
}

@test "mounts and devices of the network: what a user may not is one error, with its place" {
	bundle .
	as_user mkdir data
	refused '.mounts += [{destination: "/m", type: "sysfs", source: "sysfs"}]' "/mounts/7 (config.json:" "cannot mount sysfs" EPERM
	refused '.mounts += [{destination: "/m", type: "ext4", source: "/dev/vda"}]' "/mounts/7 (config.json:" "cannot mount ext4"
	refused '.mounts += [{destination: "/m", type: "bind", source: "'"$PLACE/box/data"'", options: ["bind", "idmap"]}]' \
		"/mounts/7 (config.json:" "EPERM: cannot map its ids"
	refused '.mounts += [{destination: "/m", type: "bind", source: "'"$PLACE/box/data"'", options: ["bind"],
		uidMappings: [{containerID: 0, hostID: 5, size: 1}], gidMappings: [{containerID: 0, hostID: 5, size: 1}]}]' \
		"/mounts/7 (config.json:" "for its id mapping"
	refused '.linux.namespaces += [{type: "network"}] | .linux.netDevices = {lo: {name: "x"}}' \
		"/linux/netDevices (config.json:" "cannot join the container's network namespace: EPERM"
	# On a terminal, and in an engine's log, more is said.
	edit "$PLACE/box" '.linux.namespaces += [{type: "network"}] | .linux.netDevices = {lo: {name: "x"}}'
	run -0 as_user sh -c '"$0" --root "$1" --log "$2/log" --log-format json create box "$2" || cat "$2/log"' "$PLACE/oci" "$ROOT" "$PLACE/box"
	[[ $output = *"/linux/netDevices"* ]] || show
}

@test "seccomp: SCMP_ACT_NOTIFY reaches the user's agent" {
	local agent
	bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: $p, listenerMetadata: "x",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]} | .process.args = ["mkdir", "/tmp/x"]' \
		--arg p "$PLACE/box/agent.sock"
	cp "$TOOLS/agent" "$PLACE/agent"
	as_user "$PLACE/agent" "$PLACE/box/agent.sock" "$PLACE/box/seen" >/dev/null 2>&1 3>&- &
	agent=$!
	wait_for -t 60 test -S "$PLACE/box/agent.sock"
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	wait_for -t 60 user_is stopped
	[[ $(<"$PLACE/out") = *"No medium found"* ]] || fail "$(<"$PLACE/out")"
	jq -e '.metadata == "x" and .fds == ["seccompFd"]' "$PLACE/box/seen"
	wait "$agent" || true
}

# ---- With a cgroup that has been delegated --------------------------------------------------------

@test "delegated: limits of memory, processes and CPUs apply; update changes them" {
	delegated
	running '.linux.resources += {memory: {limit: 67108864, swap: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000, cpus: "0"}}'
	[ "$(values cgroup.procs)" = "$(pid)" ]
	[ "$(values memory.max memory.swap.max pids.max cpu.max cpuset.cpus)" = $'67108864\n0\n50\n50000 100000\n0' ] || fail "$(values memory.max memory.swap.max pids.max cpu.max cpuset.cpus)"
	run -0 user_oci verify box
	user_oci update --memory 128M --memory-swap 128M --pids-limit 20 --cpu-quota 20000 box
	[ "$(values memory.max pids.max cpu.max)" = $'134217728\n20\n20000 100000' ]
	user_oci events --stats box | jq -e '.data | .memory.usage.limit == 134217728 and .pids == {current: 1, limit: 20}'
	# They hold.
	run ! user_oci exec box sh -c 'for i in $(seq 40); do sleep 5 & done; wait'
	[[ $output = *"can't fork"* ]] || show
	user_oci update --pids-limit 1000 box
	run -137 user_oci exec box sh -c 'head -c 300m /dev/zero | tail; exit $?'
	user_oci delete --force box
	[ ! -e "$DIR" ]
}

@test "delegated: a limit whose controller is not: its name, the directory, the place; none asked for, none missed" {
	delegated
	bundle .
	refused '.linux.resources.unified = {"hugetlb.2MB.max": "0"}' "/linux/resources/unified/hugetlb.2MB.max (config.json:" \
		"the hugetlb controller is not available in \"$DIR\""
	refused '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 0}]' "/linux/resources/hugepageLimits/0" "the hugetlb controller"
	# A part of the tree that was given to the user without controllers.
	mkdir "$PARENT$CGROUP" "$PARENT$CGROUP/part"
	sed -i "s|\(\"cgroupsPath\": \"\)[^\"]*|\1${CGROUP#/}/part/box|" "$PLACE/good"
	chmod a-w "$PARENT$CGROUP/cgroup.subtree_control"
	refused '.linux.resources.memory.limit = 67108864' "/linux/resources/memory/limit (config.json:" \
		"the memory controller is not available in \"$PARENT$CGROUP/part/box\""
	refused '.linux.resources.pids.limit = 5' "/linux/resources/pids/limit (config.json:" "the pids controller"
	refused '.linux.resources.cpu.quota = 5000' "/linux/resources/cpu/quota (config.json:" "the cpu controller"
	# No limit, no error.
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	[[ $(</"proc/$(pid)/cgroup") = *"$CGROUP/part/box" ]]
	run -1 user_oci update --memory 64M box
	[[ $output = *"the memory controller is not available"* ]] || show
	user_oci delete --force box
	rmdir "$PARENT$CGROUP/part" "$PARENT$CGROUP"
}

@test "delegated: pause, resume, ps and kill --all; exec is in the cgroup, and beneath it" {
	delegated
	running '.process.args = ["sh", "-c", "sleep 999 & exec sleep 1000"]'
	user_oci pause box
	[ "$(user_status)" = paused ]
	grep -qx 'frozen 1' "$DIR/cgroup.events"
	user_oci resume box
	[ "$(user_status)" = running ]
	user_oci exec --detach --pid-file "$PLACE/box/pid" box sleep 998 </dev/null >/dev/null 2>&1
	grep -qx "$(<"$PLACE/box/pid")" "$DIR/cgroup.procs"
	[ "$(user_oci ps --format json box | jq length)" = 3 ]
	mkdir "$DIR/sub"
	user_oci exec --cgroup sub --detach --pid-file "$PLACE/box/pid" box sleep 997 </dev/null >/dev/null 2>&1
	grep -qx "$(<"$PLACE/box/pid")" "$DIR/sub/cgroup.procs"
	user_oci kill --all box KILL
	wait_for -t 60 user_is stopped
	user_oci delete box
	[ ! -e "$DIR" ]
}

@test "delegated: exec beside the first process, which has moved and enabled controllers for those below" {
	delegated
	running '.linux.namespaces += [{type: "cgroup"}]
		| (.mounts[] | select(.destination == "/sys/fs/cgroup")).options = ["rw", "nosuid", "noexec", "nodev"]
		| .process.args = ["sh", "-c", "cd /sys/fs/cgroup && mkdir c && echo 1 >c/cgroup.procs &&
			echo +memory +pids >cgroup.subtree_control; exec sleep 1000"]'
	enabled() { [[ $(values cgroup.subtree_control) = *memory* ]]; }
	wait_for -t 60 enabled
	user_oci exec --detach --pid-file "$PLACE/box/pid" box sleep 998 </dev/null >/dev/null 2>&1
	grep -qx "$(<"$PLACE/box/pid")" "$DIR/c/cgroup.procs"
	# What the container was given it cannot raise.
	run ! user_oci exec box sh -c 'echo max >/sys/fs/cgroup/pids.max'
	user_oci delete --force box
	[ ! -e "$DIR" ]
}

@test "delegated: a path from the root of the tree is not the user's to make" {
	delegated
	bundle '.linux.cgroupsPath = "/a/b" | .linux.resources.pids.limit = 5'
	refused . /linux/resources "uid $USER_ID may not create cgroup \"/a/b\""
	# Without a limit it is not needed.
	edit "$PLACE/box" 'del(.linux.resources.pids)'
	create || fail "$(<"$PLACE/out")"
}
