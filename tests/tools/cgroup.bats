#!/usr/bin/env bats
# oci-cgroup: the cgroup and its limits, on v1, v2 and hybrid machines.
# shellcheck disable=SC2154

load ../lib/common

V2=/sys/fs/cgroup/unified

# planned NAME [FILTER]: a container up to the stage before ours.
planned() {
	mkbundle "$@"
	oci-validate "$1" "$BUNDLE"
}

# limited RESOURCES: the container "box" with these linux.resources and the stage done.
limited() {
	planned box '.linux.resources = $r' --argjson r "$1"
	oci-cgroup box
}

# refused CODE WORDS...: the stage fails with that code and these words, and leaves nothing.
refused() {
	local code=$1 word
	shift
	run -"$code" --separate-stderr oci-cgroup box
	for word; do
		[[ $stderr = *"$word"* ]] || fail "not in the message: $word" "$stderr"
	done
	[[ ! $(test_cgroups) ]] || fail "left behind: $(test_cgroups)"
}

# The text of a v1 control file of the container "box".
v1() { cat "/sys/fs/cgroup/${1%%.*}$CGROUP/box/$1"; }

# hold DIR...: a process in these cgroups; its pid in HELD.
hold() {
	local dir
	sleep 1000 3>&- &
	HELD=$!
	for dir; do echo "$HELD" >"$dir/cgroup.procs"; done
}
release() { kill -KILL "$HELD" && wait "$HELD" || true; }

# on_v2 COMMAND...: in a mount namespace whose only cgroups are a plain cgroup2.
on_v2() {
	export -f oci oci-cgroup oci-validate oci-delete "${1?}"
	export OCI OCI_BUILD BUNDLE CGROUP
	unshare -m bash -c 'mount --make-rprivate / && umount -l /sys/fs/cgroup &&
		mount -t cgroup2 none /sys/fs/cgroup && "$@"' bash "$@"
}

# ---- Where ------------------------------------------------------------------------------------

@test "a directory in every hierarchy" {
	require hybrid
	planned box
	oci-cgroup box
	for dir in /sys/fs/cgroup/*/; do
		[[ -d $dir$CGROUP/box ]] || fail "none in $dir"
	done
	run -0 jq -r '.oci.cgroup | .mode, .path, (.hierarchies | length)' "$ROOT/box/state.json"
	[[ ${lines[0]} = hybrid && ${lines[1]} = "$CGROUP/box" ]]
	((lines[2] == $(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d | wc -l)))
}

@test "twice is once" {
	planned box
	oci-cgroup box
	before=$(stat -c %i $V2"$CGROUP"/box)
	run -0 oci-cgroup box
	[[ $(stat -c %i $V2"$CGROUP"/box) = "$before" ]]
}

@test "no path: named after the container" {
	planned "$OCI_TEST-x" 'del(.linux.cgroupsPath)'
	oci-cgroup "$OCI_TEST-x"
	[[ -d $V2/$OCI_TEST-x ]]
	oci-delete --force "$OCI_TEST-x"
	[[ ! -d $V2/$OCI_TEST-x ]]
}

@test "a relative path lies beneath the root, and slashes and dots do not count" {
	planned box '.linux.cgroupsPath = $p' --arg p "${CGROUP#/}//./sub/box/"
	oci-cgroup box
	[[ $(jq -r .oci.cgroup.path "$ROOT/box/state.json") = "$CGROUP/sub/box" ]]
	[[ -d $V2$CGROUP/sub/box ]]
}

@test "paths that leave their place are refused" {
	for path in "$CGROUP/../box" .. "a/.." / ./ $'/a\nb'; do
		mkbundle box '.linux.cgroupsPath = $p' --arg p "$path"
		run -102 --separate-stderr oci-create box "$BUNDLE"
		[[ $stderr = *cgroupsPath* ]] || show
	done
}

@test "a name that is too long" {
	planned box '.linux.cgroupsPath = "/" + "a" * 256'
	refused 102 /linux/cgroupsPath "more than 255 bytes"
}

@test "a name that is a control file" {
	planned box '.linux.cgroupsPath = "/cgroup.procs"'
	refused 102 /linux/cgroupsPath
}

# ---- What is there already ----------------------------------------------------------------------

@test "a cgroup with processes is refused, and they live" {
	require hybrid
	planned box
	mkdir -p $V2"$CGROUP"/box
	hold $V2"$CGROUP"/box
	run -104 --separate-stderr oci-cgroup box
	[[ $stderr = *"cgroup is not empty: processes are in "* ]] || show
	oci-delete --force box
	kill -0 "$HELD"
	release
	[[ ! -d /sys/fs/cgroup/pids$CGROUP/box ]]
	rmdir $V2"$CGROUP"/box $V2"$CGROUP"
}

@test "a frozen cgroup is refused" {
	require hybrid
	planned box
	mkdir -p $V2"$CGROUP"/box
	echo 1 >$V2"$CGROUP"/box/cgroup.freeze
	run -104 --separate-stderr oci-cgroup box
	[[ $stderr = *"is frozen"* ]] || show
	rmdir $V2"$CGROUP"/box
	mkdir -p /sys/fs/cgroup/freezer"$CGROUP"/box
	echo FROZEN >/sys/fs/cgroup/freezer"$CGROUP"/box/freezer.state
	run -104 --separate-stderr oci-cgroup box
	[[ $stderr = *"is frozen"* ]] || show
	rmdir /sys/fs/cgroup/freezer"$CGROUP"/box /sys/fs/cgroup/freezer"$CGROUP" $V2"$CGROUP"
}

@test "an empty cgroup of somebody is used, and stays" {
	require hybrid
	mkdir -p $V2"$CGROUP"/box
	planned box
	oci-cgroup box
	hold $V2"$CGROUP"/box
	oci-delete --force box
	run ! kill -0 "$HELD"
	release
	[[ -d $V2$CGROUP/box && ! -d /sys/fs/cgroup/pids$CGROUP ]]
	rmdir $V2"$CGROUP"/box $V2"$CGROUP"
}

@test "a cgroup of the same name that is another one is left alone" {
	require hybrid
	planned box
	oci-cgroup box
	rmdir $V2"$CGROUP"/box
	mkdir $V2"$CGROUP"/box
	hold $V2"$CGROUP"/box
	oci-delete --force box
	kill -0 "$HELD"
	release
	rmdir $V2"$CGROUP"/box $V2"$CGROUP"
}

# ---- Removal --------------------------------------------------------------------------------------

@test "what the container has made in it goes, deepest first" {
	require hybrid
	planned box
	oci-cgroup box
	mkdir -p $V2"$CGROUP"/box/a/{b,c}/d /sys/fs/cgroup/memory"$CGROUP"/box/x/y
	hold $V2"$CGROUP"/box/a/c/d /sys/fs/cgroup/memory"$CGROUP"/box/x/y
	oci-delete --force box
	release
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
}

@test "processes that are only in v1 cgroups are ended too" {
	require hybrid
	planned box
	oci-cgroup box
	hold /sys/fs/cgroup/pids"$CGROUP"/box
	echo FROZEN >/sys/fs/cgroup/freezer"$CGROUP"/box/freezer.state
	oci-delete --force box
	run ! kill -0 "$HELD"
	release
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
}

@test "directories above it go with the last container" {
	require hybrid
	planned one '.linux.cgroupsPath = $p' --arg p "$CGROUP/a/b/one"
	planned two '.linux.cgroupsPath = $p' --arg p "$CGROUP/a/b/two"
	oci-cgroup one
	oci-cgroup two
	oci-delete --force one
	[[ -d $V2$CGROUP/a/b/two ]]
	oci-delete --force two
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
	# Those of others stay.
	mkdir $V2"$CGROUP"
	oci-validate three one && oci-cgroup three
	oci-delete --force three
	[[ $(find /sys/fs/cgroup -path "*$CGROUP*" -type d) = "$V2$CGROUP" ]] || fail "$(find /sys/fs/cgroup -path "*$CGROUP*" -type d)"
	rmdir $V2"$CGROUP"
}

@test "containers that come and go at once leave nothing" {
	for i in {1..6}; do planned c$i '.linux.cgroupsPath = $p' --arg p "$CGROUP/a/b/c$i"; done
	for i in {1..6}; do
		for _ in {1..5}; do
			oci-cgroup c$i && oci-delete --force c$i && oci-validate c$i c$i || echo failed
		done >out$i 2>&1 &
	done
	wait
	for i in {1..6}; do oci-delete --force c$i; done
	[[ ! $(cat out?) ]] || fail "$(cat out?)"
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
}

@test "two containers want one cgroup: one gets it" {
	for i in {1..8}; do planned c$i '.linux.cgroupsPath = $p' --arg p "$CGROUP/one"; done
	for i in {1..8}; do
		{ oci-cgroup c$i 2>err$i && echo c$i >>won; } &
	done
	wait
	# Those who came later found it there and empty; of those at once only one made it.
	(($(wc -l <won) >= 1))
	for i in {1..8}; do
		[[ ! -s err$i || $(<err$i) = *"in use"* || $(<err$i) = *"not empty"* || $(<err$i) = *"ENOENT"* || $(<err$i) = *"is gone"* ]] || fail "$(<err$i)"
	done
}

@test "a stage that fails leaves no directory" {
	require hybrid
	planned box '.linux.resources.cpu.shares = 1'
	refused 102 /linux/resources/cpu/shares "not from 2 to 262144"
	edit "$BUNDLE" '.linux.resources.cpu.shares = 2'
	oci-delete --force box
	oci-validate box "$BUNDLE"
	oci-cgroup box
}

# ---- Limits ---------------------------------------------------------------------------------------

@test "v1 limits" {
	require hybrid
	limited '{"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432,
			"swappiness": 7, "disableOOMKiller": true},
		"cpu": {"shares": 512, "quota": 50000, "period": 200000, "burst": 20000, "cpus": "0",
			"mems": "0"},
		"pids": {"limit": 42},
		"devices": [{"allow": false, "access": "rwm"}]}'
	[[ $(v1 memory.limit_in_bytes) = 67108864 && $(v1 memory.memsw.limit_in_bytes) = 134217728 ]]
	[[ $(v1 memory.soft_limit_in_bytes) = 33554432 && $(v1 memory.swappiness) = 7 ]]
	[[ $(v1 memory.oom_control) = *"oom_kill_disable 1"* ]]
	[[ $(v1 cpu.shares) = 512 && $(v1 cpu.cfs_quota_us) = 50000 && $(v1 cpu.cfs_period_us) = 200000 ]]
	[[ $(v1 cpu.cfs_burst_us) = 20000 && $(v1 cpuset.cpus) = 0 && $(v1 pids.max) = 42 ]]
}

@test "no limits: the cpuset of the parent" {
	require hybrid
	limited '{}'
	[[ $(v1 cpuset.cpus) = "$(</sys/fs/cgroup/cpuset/cpuset.cpus)" ]]
}

@test "errors say the property, the file and the value" {
	require hybrid
	local row code pointer words
	while IFS='|' read -r code pointer words row; do
		[[ $code ]] || continue
		planned box '.linux.resources = $r' --argjson r "$row"
		refused "$code" "/linux/resources/$pointer" "$words"
		oci-delete --force box
	done <<-'TABLE'
		103|rdma/mlx5_1|the rdma controller is not available|{"rdma": {"mlx5_1": {"hcaHandles": 3}}}
		103|network/classID|the net_cls controller is not available|{"network": {"classID": 3}}
		102|cpu/cpus|write "999" to|{"cpu": {"cpus": "999"}}
		102|cpu/quota|cpu.cfs_quota_us|{"cpu": {"quota": 5}}
		102|blockIO/throttleReadBpsDevice/0|"123:45 1000"|{"blockIO": {"throttleReadBpsDevice": [{"major": 123, "minor": 45, "rate": 1000}]}}
		103|blockIO/leafWeight|blkio.leaf_weight": ENOENT|{"blockIO": {"leafWeight": 100}}
		102|cpu/realtimeRuntime|cpu.rt_runtime_us|{"cpu": {"realtimePeriod": 1000, "realtimeRuntime": 2000}}
		103|unified/memory.high|the memory controller is not available|{"unified": {"memory.high": "1"}}
		102|unified/cgroup.max.depth|"many"|{"unified": {"cgroup.max.depth": "many"}}
	TABLE
}

without_cgroups() {
	umount -l /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup
	local code=0
	oci-validate box "$BUNDLE" && oci-cgroup box || code=$?
	jq -r .oci.cgroup.mode "$ROOT/box/state.json"
	oci-delete --force box
	return $code
}

@test "files that act on processes are no limits" {
	local file
	for file in cgroup.procs cgroup.threads cgroup.kill cgroup.freeze cgroup.type; do
		planned box '.linux.resources.unified = {($f): "1"}' --arg f $file
		refused 102 "/linux/resources/unified/$file" "is no limit"
		oci-delete --force box
		rm -rf "$BUNDLE"
	done
}

@test "a machine without cgroups: an error only if there are limits" {
	mkbundle box 'del(.linux.resources)'
	run -0 on_v2 without_cgroups
	[[ $output = none ]] || show
	edit "$BUNDLE" '.linux.resources.pids.limit = 5'
	run -103 --separate-stderr on_v2 without_cgroups
	[[ $stderr = *"/linux/resources ("*"no cgroups are mounted"* ]] || show
	edit "$BUNDLE" '.linux.resources = {"devices": [{"allow": false, "access": "rwm"}]}'
	run -103 --separate-stderr on_v2 without_cgroups
	[[ $stderr = *"/linux/resources/devices"*"no cgroups are mounted"* ]] || show
}

# ---- Devices --------------------------------------------------------------------------------------

@test "v1 devices: all denied, then rules in order, then the defaults" {
	require hybrid
	limited '{"devices": [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"},
		{"allow": false, "type": "c", "major": 10, "minor": 200, "access": "w"}]}'
	diff <(v1 devices.list | LC_ALL=C sort) - <<-'LIST'
		b *:* m
		c *:* m
		c 10:200 rm
		c 136:* rwm
		c 1:3 rwm
		c 1:5 rwm
		c 1:7 rwm
		c 1:8 rwm
		c 1:9 rwm
		c 5:0 rwm
		c 5:2 rwm
	LIST
}

@test "v1 devices: nothing said is not everything allowed" {
	require hybrid
	planned box 'del(.linux.resources)'
	oci-cgroup box
	[[ $(v1 devices.list) = *"c 1:3 rwm"* && $(v1 devices.list) != *"a *:* rwm"* ]]
}

@test "v1 devices: the same list as runc's" {
	require hybrid command:runc
	local rules='[{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", "major": 7, "access": "r"},
		{"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]'
	mkbundle box '.linux.resources.devices = $r' --argjson r "$rules"
	oci create box "$BUNDLE" </dev/null >/dev/null
	ours=$(v1 devices.list | LC_ALL=C sort)
	oci delete --force box
	edit "$BUNDLE" '.ociVersion = "1.0.2"'
	runc --root "$BATS_TEST_TMPDIR/runc" create --bundle "$BUNDLE" box </dev/null >/dev/null
	theirs=$(v1 devices.list | LC_ALL=C sort)
	runc --root "$BATS_TEST_TMPDIR/runc" delete --force box
	find /sys/fs/cgroup -depth -type d -path "*$CGROUP*" -exec rmdir {} + || true
	# Debian's runc still allows /dev/net/tun.
	diff <(echo "$ours") <(echo "$theirs" | grep -v '^c 10:200 ')
}

# tries DEVICE: what a process of the container can do with it.
try_devices() {
	oci-validate box "$BUNDLE" && oci-cgroup box || return
	(
		echo $BASHPID >/sys/fs/cgroup"$CGROUP"/box/cgroup.procs
		cd "$BATS_TEST_TMPDIR" || exit
		for device in c:1:3 c:1:11 b:7:0 c:10:229; do
			IFS=: read -r type major minor <<<"$device"
			mknod node "$type" "$major" "$minor" && printf '%s m' "$device"
			{ : <node; } 2>/dev/null && printf r
			{ : >>node; } 2>/dev/null && printf w
			echo
			rm node
		done
	)
	oci-delete --force box
}

@test "v2 devices: a program decides" {
	mkbundle box '.linux.resources.devices = [{"allow": false, "access": "rwm"},
		{"allow": true, "type": "b", "major": 7, "access": "r"},
		{"allow": false, "type": "c", "major": 10, "minor": 229, "access": "m"}]'
	[[ -b /dev/loop0 ]] || skip "no loop devices"
	run -0 on_v2 try_devices
	diff - <(echo "$output") <<-'LIST'
		c:1:3 mrw
		c:1:11 m
		b:7:0 mr
		c:10:229 m
	LIST
	edit "$BUNDLE" '.linux.resources.devices = [{"allow": true, "access": "rwm"}]'
	run -0 on_v2 try_devices
	[[ ${lines[1]} = "c:1:11 mrw" && ${lines[2]} = "b:7:0 mrw" ]] || show
}

count_loads() {
	oci-validate box "$BUNDLE" &&
		ASAN_OPTIONS=detect_leaks=0 strace -o "$BATS_TEST_TMPDIR/trace" "$OCI_BUILD/oci-cgroup" --root "$ROOT" box || return
	oci-delete --force box
}

@test "v2: the stock configuration costs one directory and one program" {
	require command:strace
	mkbundle box
	on_v2 count_loads
	trace=$BATS_TEST_TMPDIR/trace
	(($(grep -c '^mkdirat(' "$trace") == 2)) || fail "$(grep ^mkdir "$trace")" # the test's own, and box
	(($(grep -c '^bpf(' "$trace") == 2))
	run ! grep -E '^write\(.*\+(cpu|memory|pids|io)' "$trace"
	run ! grep mountinfo "$trace"
	edit "$BUNDLE" '.linux.resources.devices = [{"allow": true, "access": "rwm"}]'
	on_v2 count_loads
	run ! grep '^bpf(' "$trace"
}

# ---- Processes -----------------------------------------------------------------------------------

@test "limits of 0 and 1 processes" {
	require hybrid
	for limit in 0 1; do
		mkbundle box '.linux.resources.pids.limit = $l' --argjson l $limit
		oci create box "$BUNDLE" </dev/null >/dev/null
		[[ $(v1 pids.max) = "$limit" ]]
		oci start box
		oci delete --force box
	done
}

@test "kill --all reaches who forks meanwhile" {
	require hybrid
	mkbundle box '.process.args = ["sh", "-c",
		"trap : TERM; while :; do sh -c \"sleep 1000 & sleep 1000\" & sleep 0.01; done"]
		| .linux.namespaces |= map(select(.type != "pid")) | .linux.resources.pids.limit = 300'
	oci create box "$BUNDLE" </dev/null >/dev/null 2>&1
	oci start box
	wait_for eval '(($(v1 pids.current) > 20))'
	oci kill --all box KILL
	wait_for eval '[[ ! $(cat '$V2"$CGROUP"'/box/cgroup.procs) ]]'
	oci delete box
}

@test "delete --force of a fork bomb" {
	require hybrid
	mkbundle box '.process.args = ["sh", "-c", "b() { b & b; }; b"] | .linux.resources.pids.limit = 200
		| .linux.namespaces |= map(select(.type != "pid"))'
	oci create box "$BUNDLE" </dev/null >/dev/null 2>&1
	oci start box
	wait_for eval '(($(v1 pids.current) > 100))'
	oci delete --force box
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP/*") ]]
}

@test "--cgroup-manager=disabled makes no cgroup; the container can be used all the same" {
	mkbundle box 'del(.linux.resources)'
	oci --cgroup-manager disabled create box "$BUNDLE" >out 2>err </dev/null || fail "$(<err)"
	oci start box
	[[ ! $(find /sys/fs/cgroup -path "*$CGROUP*") ]]
	[ "$(cut -d: -f3 "/proc/$(ctr_pid box)/cgroup")" = "$(cut -d: -f3 "/proc/$$/cgroup")" ]
	[ "$(oci ps --format json box | jq -c .)" = "[$(ctr_pid box)]" ]
	run -1 --separate-stderr oci pause box
	[[ $stderr = *'it has no cgroup'* ]] || show
	oci kill --all box KILL
	wait_for -t 30 is_status box stopped
	oci delete box
	edit "$BUNDLE" '.linux.resources.pids.limit = 10'
	run -1 --separate-stderr oci --cgroup-manager disabled create box "$BUNDLE"
	[[ $stderr = *'/linux/resources'*'there are limits'* ]] || show
	run -1 --separate-stderr oci --cgroup-manager v3 create box "$BUNDLE"
	[[ $stderr = *'unknown cgroup manager "v3"'* ]] || show
}
