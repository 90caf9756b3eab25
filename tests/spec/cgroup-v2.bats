#!/usr/bin/env bats
# config-linux.md, "Control groups", where all controllers are those of v2.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	# First: teardown goes by the name that it gives the test, also if it is skipped.
	common_setup
	require cgroup_v2
	grep -qw memory /sys/fs/cgroup/cgroup.controllers || skip "requires v2 controllers"
	DIR=/sys/fs/cgroup$CGROUP/box
}

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

refused() {
	local code=$1 pointer=$2 words=$3
	mkbundle box "$4"
	run -"$code" --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *"$pointer"* && $stderr = *"$words"* ]] || show
	[[ ! -e $ROOT/box && ! $(test_cgroups) ]]
}

# The control files NAME... of the container "box", one a line.
values() {
	local name
	for name; do cat "$DIR/$name"; done
}

@test "limits of v1 become those of v2" {
	mkbundle box '.linux.resources += {
		"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432},
		"cpu": {"shares": 2048, "quota": 50000, "period": 200000, "burst": 20000, "cpus": "0", "mems": "0"},
		"pids": {"limit": 42}}'
	create box
	diff <(values memory.max memory.swap.max memory.low cpu.weight cpu.max cpu.max.burst cpuset.cpus \
		cpuset.mems pids.max) - <<-'VALUES'
		67108864
		67108864
		33554432
		174
		50000 200000
		20000
		0
		0
		42
	VALUES
}

@test "block devices" {
	device=$(cat /sys/block/vda/dev) || skip "requires /dev/vda"
	mkbundle box '.linux.resources.blockIO = ({"major": ($d | split(":")[0] | tonumber),
		"minor": ($d | split(":")[1] | tonumber)} as $at | {"weight": 500,
		"throttleReadBpsDevice": [$at + {"rate": 1048576}],
		"throttleWriteIOPSDevice": [$at + {"rate": 100}]})' --arg d "$device"
	create box
	[[ $(values io.max) = "$device rbps=1048576 wbps=max riops=max wiops=100" ]]
	[[ $(cat "$DIR"/io.weight "$DIR"/io.bfq.weight 2>/dev/null) = *default\ @(4950|500)* ]]
	oci delete --force box
	refused 102 /linux/resources/blockIO/throttleReadBpsDevice/0 ENODEV \
		'.linux.resources.blockIO.throttleReadBpsDevice = [{"major": 99, "minor": 0, "rate": 1}]'
}

@test "MUST: unified enables the controllers it needs, also for deep paths" {
	mkbundle box '.linux.cgroupsPath += "/x/y" | .linux.resources.unified = {"hugetlb.2MB.max": "2097152",
		"memory.high": "50003968", "cgroup.max.depth": "5"}'
	create box
	DIR+=/x/y
	[[ $(values hugetlb.2MB.max memory.high cgroup.max.depth) = $'2097152\n50003968\n5' ]]
}

@test "MUST: unified values that the runtime does not know are written" {
	mkbundle box '.linux.resources.unified = {"memory.oom.group": "1", "io.max": "254:0 rbps=2097152\n254:0 wiops=120"}'
	create box
	[[ $(values memory.oom.group io.max) = $'1\n254:0 rbps=2097152 wbps=max riops=max wiops=120' ]]
}

@test "MUST: unified for a controller that is not present is an error" {
	refused 103 /linux/resources/unified/net_cls.x "the net_cls controller is not available" \
		'.linux.resources.unified = {"net_cls.x": "1"}'
	refused 103 /linux/resources/unified/memory.nothing ENOENT \
		'.linux.resources.unified = {"memory.nothing": "1"}'
	refused 102 /linux/resources/unified/a~1b "no plain file name" '.linux.resources.unified = {"a/b": "1"}'
}

@test "MUST: what v2 cannot do is an error" {
	for row in memory/swappiness=10 memory/kernel=1000000 memory/disableOOMKiller=true \
		cpu/realtimeRuntime=1000 cpu/realtimePeriod=1000 network/classID=5 blockIO/leafWeight=50; do
		path=${row%=*}
		refused 103 "/linux/resources/$path" "cgroup v2" \
			".linux.resources.${path/\//.} = ${row#*=}"
	done
}

@test "a cpuset that is impossible is an error" {
	refused 102 /linux/resources/cpu/cpus '"999"' '.linux.resources.cpu.cpus = "999"'
	mkdir -p "/sys/fs/cgroup$CGROUP"
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
	echo 0 >"/sys/fs/cgroup$CGROUP/cpuset.cpus"
	refused 102 /linux/resources/cpu/cpus 'has only "0" of these' '.linux.resources.cpu.cpus = "1"'
	rmdir "/sys/fs/cgroup$CGROUP"
}

@test "statistics: controllers without limits" {
	mkbundle box '.linux.cgroupsPath += "/deep" | .linux.resources = {}'
	create box
	for controller in cpu io memory pids; do
		grep -qw $controller "$DIR/deep/cgroup.controllers" || fail "no $controller"
	done
}

@test "no process is in a directory above: an error that says so" {
	mkbundle box '.linux.resources.pids.limit = 5'
	mkdir -p "/sys/fs/cgroup$CGROUP"
	sleep 1000 3>&- &
	echo $! >"/sys/fs/cgroup$CGROUP/cgroup.procs"
	run -111 --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *"/linux/resources"*"+pids"*EBUSY* ]] || show
	[[ $(cat "/sys/fs/cgroup$CGROUP/cgroup.type") = domain ]]
	# Without a limit there is nothing to enable.
	edit "$BUNDLE" 'del(.linux.resources)'
	create box
	oci delete --force box
	kill $! && wait $! || true
	wait_for rmdir "/sys/fs/cgroup$CGROUP"
}

@test "threaded directories cannot have containers" {
	mkbundle box
	mkdir -p "/sys/fs/cgroup$CGROUP/t"
	echo threaded >"/sys/fs/cgroup$CGROUP/t/cgroup.type"
	run -103 --separate-stderr oci-create box "$BUNDLE"
	[[ $stderr = *'type "domain threaded"'* ]] || show
	rmdir "/sys/fs/cgroup$CGROUP"/{t,}
}

@test "SHOULD: a container that gets its cgroup to write to owns it" {
	writable='.linux.namespaces += [{"type": "cgroup"}]
		| .mounts |= map(select(.destination != "/sys/fs/cgroup"))
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]
		| .process.user = {uid: 1000, gid: 1000}'
	mkbundle box "$writable"
	create box
	[[ $(stat -c %u "$DIR") = 1000 ]]
	while read -r file; do
		[[ ! -e $DIR/$file || $(stat -c %u "$DIR/$file") = 1000 ]] || fail "$file"
	done </sys/kernel/cgroup/delegate
	[[ $(stat -c %u "$DIR/pids.max") = 0 && $(stat -c %u "$DIR/memory.max") = 0 ]]
	oci delete --force box
	# Each of the conditions.
	for less in '.linux.namespaces |= map(select(.type != "cgroup"))' '.mounts[-1].options = ["ro"]' \
		'.mounts[-1].source = "x"' 'del(.mounts[-1])' '.process.user.uid = 0'; do
		mkbundle box "$writable | $less"
		create box
		[[ $(stat -c %u "$DIR") = 0 ]] || fail "$less"
		oci delete --force box
	done
}

@test "SHOULD: the owner is the host's uid of the container's user" {
	mkbundle box '.linux.namespaces += [{"type": "cgroup"}, {"type": "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(select(.destination != "/sys/fs/cgroup"))
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"]}]
		| .process.user = {uid: 7, gid: 7}'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	create box
	[[ $(stat -c %u "$DIR") = 100007 ]]
}

# ---- A container that runs -----------------------------------------------------------------------

running() {
	mkbundle box '.linux.resources = $r' --argjson r "$1"
	create box
	oci start box
}

# update_refused CODE RESOURCES WORDS...
update_refused() {
	local code=$1 word
	printf '%s' "$2" >doc.json
	shift 2
	run -"$code" --separate-stderr oci-update --resources doc.json box
	for word; do [[ $stderr = *"$word"* ]] || show; done
}

@test "MUST: checkBeforeUpdate rejects a limit that is less than what is in use" {
	mkbundle box '.linux.resources.memory = {"limit": 67108864, "checkBeforeUpdate": true}
		| .process.args = ["sh", "-c", "dd if=/dev/zero of=/dev/shm/file bs=1M count=8; : >/done; exec sleep 1000"]'
	create box
	oci start box
	wait_for -t 60 test -e box/rootfs/done
	# The word of the creation holds.
	update_refused 102 '{"memory": {"limit": 1048576}}' /memory/limit "in use"
	[[ $(values memory.max) = 67108864 ]]
	is_status box running
}

@test "update: limits of v1 become those of v2" {
	running '{"memory": {"limit": 67108864, "swap": 100663296}, "pids": {"limit": 50}}'
	oci update --memory 128M box
	# The amount of swap stays, which v2 counts by itself.
	[[ $(values memory.max memory.swap.max) = $'134217728\n33554432' ]]
	[[ $(jq .linux.resources.memory.swap "$ROOT/box/config.json") = 167772160 ]]
	oci update --memory-swap 256M box
	[[ $(values memory.max memory.swap.max) = $'134217728\n134217728' ]]
	oci update --memory -1 box
	[[ $(values memory.max memory.swap.max) = $'max\nmax' ]]
	oci update --memory 64M --memory-swap 64M --memory-reservation 32M --cpu-share 512 --cpu-quota 50000 \
		--cpu-period 200000 --cpu-burst 10000 --cpuset-cpus 0 --pids-limit -1 --blkio-weight 500 box
	[[ $(values memory.max memory.swap.max memory.low cpu.weight cpu.max cpu.max.burst cpuset.cpus pids.max) = \
		$'67108864\n0\n33554432\n59\n50000 200000\n10000\n0\nmax' ]] ||
		fail "$(values memory.max memory.swap.max memory.low cpu.weight cpu.max cpu.max.burst cpuset.cpus pids.max)"
	oci update --cpu-quota 60000 box
	[[ $(values cpu.max) = "60000 200000" ]]
	oci update --cpu-period 100000 box
	[[ $(values cpu.max) = "60000 100000" ]]
	oci update --cpu-idle 1 box
	[[ $(values cpu.idle) = 1 ]]
}

@test "update: unified, and one that fails takes the others back" {
	running '{"memory": {"limit": 67108864}, "pids": {"limit": 50}, "cpu": {"quota": 10000, "period": 50000}}'
	oci update --resources - box <<<'{"unified": {"memory.high": "50003968"}}'
	[[ $(values memory.high) = 50003968 ]]
	update_refused 102 '{"memory": {"limit": 134217728}, "pids": {"limit": 51}, "cpu": {"quota": 20000, "period": 90000},
		"unified": {"memory.high": "1048576000", "memory.low": "much"}}' /unified/memory.low EINVAL
	[[ $(values memory.max memory.high pids.max cpu.max) = $'67108864\n50003968\n50\n10000 50000' ]] ||
		fail "$(values memory.max memory.high pids.max cpu.max)"
	update_refused 102 '{"cpu": {"cpus": "999"}, "pids": {"limit": 52}}' /cpu/cpus
	[[ $(values pids.max cpuset.cpus) = 50 ]] || fail "$(values pids.max cpuset.cpus)"
}

@test "update: what v2 cannot do is an error, and what is so anyway is none" {
	running '{}'
	for row in memory/swappiness=10 memory/kernel=1000000 memory/kernelTCP=1000000 \
		memory/disableOOMKiller=true cpu/realtimeRuntime=1000 network/classID=5 blockIO/leafWeight=50; do
		path=${row%=*}
		update_refused 103 "{\"${path%/*}\": {\"${path#*/}\": ${row#*=}}}" "/$path: " "cgroup v2"
	done
	update_refused 102 '{"cpu": {"shares": 1}}' /cpu/shares "not from 2 to 262144"
	oci update --resources - box <<<'{"memory": {"disableOOMKiller": false, "kernel": -1}}'
}

@test "update: the program of devices is replaced, and there is always one" {
	local rule='{"allow": true, "type": "c", "major": 10, "minor": 200, "access": "rwm"}' id next
	running '{"devices": [{"allow": false, "access": "rwm"}]}'
	id=$("$TOOLS/programs" "$DIR")
	for _ in 1 2 3; do
		oci update --resources - box <<<"{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}, $rule]}"
		next=$("$TOOLS/programs" "$DIR")
		[[ $next =~ ^[0-9]+$ && $next != "$id" ]] || fail "$id, $next"
		oci update --resources - box <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
		id=$("$TOOLS/programs" "$DIR")
		[[ $id =~ ^[0-9]+$ && $next != "$id" ]] || fail "$next, $id"
	done
	oci update --resources - box <<<'{"devices": [{"allow": true, "access": "rwm"}]}'
	[[ ! $("$TOOLS/programs" "$DIR") ]]
	oci update --resources - box <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	[[ $("$TOOLS/programs" "$DIR") =~ ^[0-9]+$ ]]
}

@test "pause, resume, ps and kill --all" {
	running '{"pids": {"limit": 50}}'
	oci pause box
	[[ $(grep -x 'frozen 1' "$DIR/cgroup.events") ]]
	is_status box paused
	oci resume box
	is_status box running
	[[ $(oci ps --format json box | jq -c .) = "[$(ctr_pid box)]" ]]
	oci kill --all box KILL
	wait_for -t 60 is_status box stopped
}

# in_cgroup NAME: a further process of the container is in that cgroup beneath its own.
in_cgroup() {
	local pid
	oci exec --detach --pid-file further box sleep 999 </dev/null >/dev/null 2>&1
	pid=$(<further)
	[[ $(<"/proc/$pid/cgroup") = "0::$CGROUP/box$1" ]] || fail "$(<"/proc/$pid/cgroup")"
	kill -KILL "$pid"
}

# A container with its cgroup to write to, whose first process does what is said in it.
nesting() {
	mkbundle box '.linux.namespaces += [{"type": "cgroup"}]
		| (.mounts[] | select(.destination == "/sys/fs/cgroup")).options = ["rw"]
		| .process.args = ["sh", "-c", "cd /sys/fs/cgroup && \($what) && : >/done; exec sleep 1000"]' --arg what "$1"
	create box
	oci start box
	wait_for -t 60 test -e box/rootfs/done
}

@test "exec beside the first process, which has moved and enabled controllers for those below" {
	nesting 'mkdir c && echo 1 >c/cgroup.procs && echo +memory +pids >cgroup.subtree_control'
	[[ $(values cgroup.subtree_control) = *memory* && ! $(values cgroup.procs) ]]
	in_cgroup /c
	mkdir "$DIR/other"
	run -0 oci exec --cgroup other box cat /proc/self/cgroup
	[[ $output = */other ]] || show
	# Where it is asked for the place that takes none, that is said.
	run -255 oci exec --cgroup / box true
	[[ $output = *"the cgroup takes no process, since controllers are enabled for those below it"* ]] || show
	oci delete --force box
	[[ ! -e $DIR ]]
}

@test "exec in a container that has made threaded cgroups beneath its own" {
	nesting 'mkdir t && echo threaded >t/cgroup.type'
	[[ $(values cgroup.type) = "domain threaded" ]]
	in_cgroup ""
	run -0 oci exec --cgroup t box true || show
	# Beside a threaded one a plain one is no domain.
	mkdir "$DIR/invalid"
	run -255 oci exec --cgroup invalid box true
	[[ $output = *"since it is no valid domain, beside or below a threaded one"* ]] || show
	oci kill --all box KILL
	wait_for -t 60 is_status box stopped
	oci delete box
	[[ ! -e $DIR ]]
}

@test "events: the numbers of v2 in the units of v1" {
	running '{"memory": {"limit": 67108864, "swap": 100663296}, "pids": {"limit": 50}}'
	oci pause box
	run -0 oci events --stats box
	jq -e '.data.memory | .usage.limit == 67108864 and .swap.limit == 100663296 and .usage.usage > 0' <<<"$output"
	jq -e '.data.pids == {"current": 1, "limit": 50}' <<<"$output"
	[[ $(jq .data.cpu.usage.total <<<"$output") = $(sed -n 's/^usage_usec //p' "$DIR/cpu.stat")000 ]]
	oci resume box
}

@test "events: out of memory" {
	running '{"memory": {"limit": 33554432, "swap": 33554432}}'
	"$OCI_BUILD/oci-events" --root "$ROOT" --interval 1h box >events 2>&1 3>&- &
	local follows=$!
	watching() { find "/proc/$follows/fd" -lname '*inotify*' 2>/dev/null | grep -q .; }
	said() { [[ $(head -1 events) = '{"type":"oom","id":"box"}' ]]; }
	wait_for -t 120 watching
	oci exec box sh -c 'head -c 200m /dev/zero | tail' >/dev/null 2>&1 || true
	wait_for -t 120 said
	oci kill box KILL
	wait "$follows"
}
