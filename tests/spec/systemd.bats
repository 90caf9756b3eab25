#!/usr/bin/env bats
# The cgroup driver "systemd": config-linux.md, "Cgroups Path", and "Resources" as properties of units.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	common_setup
	require systemd
	oci() { "$OCI" --root "$ROOT" --systemd-cgroup "$@"; }
	SLICE=system.slice MANAGER=
	if ((EUID)); then
		scope=(--user) SLICE=user.slice
		MANAGER=$(systemctl --user show -P ControlGroup) || skip "requires a session of systemd"
	else
		scope=()
	fi
	UNIT=oci-$OCI_TEST.scope
	# The hierarchy that is systemd's own.
	V2=/sys/fs/cgroup
	[[ -e $V2/cgroup.controllers ]] || V2=/sys/fs/cgroup/unified
	[[ -e $V2/cgroup.procs ]] || V2=/sys/fs/cgroup/systemd
}

# A user without root is root of a user namespace.
mkbundle_of_user() {
	mkbundle "$@"
	((!EUID)) || of_user "$(id -u)" "$(id -g)"
}

# of_user UID GID: the container of a user.
of_user() {
	edit "$BUNDLE" '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}]
		| .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}]
		| .mounts |= map(select(.type != "cgroup") | .options |= (. // [] | map(select(startswith("gid=") | not))))' \
		--argjson u "$1" --argjson g "$2"
}

# bundle [FILTER...]: its cgroup is the scope $UNIT.
bundle() {
	mkbundle_of_user box "$@"
	edit "$BUNDLE" '.linux.cgroupsPath = ":oci:" + $t' --arg t "$OCI_TEST"
}

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

show_unit() { systemctl "${scope[@]}" show -P "$1" "${2-$UNIT}"; }

unit_is() { [[ $(show_unit ActiveState "$2") = "$1" ]]; }

@test "a scope is made, and is gone after delete, also without the option" {
	bundle
	create box
	unit_is active "$UNIT"
	[[ $(show_unit Delegate) = yes && $(show_unit Slice) = "$SLICE" ]]
	cgroup=$(show_unit ControlGroup)
	[[ $cgroup = "$MANAGER/$SLICE/$UNIT" ]]
	# The placeholder has left.
	[[ $(cat "$V2$cgroup/cgroup.procs") = "$(ctr_pid box)" ]]
	oci start box
	[[ $(oci ps --format json box) = *"$(ctr_pid box)"* ]]
	"$OCI" --root "$ROOT" delete --force box
	[[ ! -e $V2$cgroup ]]
	unit_is inactive "$UNIT"
}

@test "slices are made and nested" {
	mkbundle_of_user box '.linux.cgroupsPath = "ocitest-a.slice:pre:" + $t' --arg t "$OCI_TEST"
	create box
	[[ $(show_unit ControlGroup "pre-$OCI_TEST.scope") = "$MANAGER/ocitest.slice/ocitest-a.slice/pre-$OCI_TEST.scope" ]]
	oci delete --force box
	systemctl "${scope[@]}" stop ocitest-a.slice ocitest.slice
	mkbundle_of_user box '.linux.cgroupsPath = "ocitest.slice:x:ocitest-b.slice"'
	create box
	[[ $(show_unit ControlGroup ocitest-b.slice) = "$MANAGER/ocitest.slice/ocitest-b.slice" ]]
	[[ $(cat "$V2$MANAGER/ocitest.slice/ocitest-b.slice/cgroup.procs") = "$(ctr_pid box)" ]]
	oci delete --force box
	[[ ! -e $V2$MANAGER/ocitest.slice/ocitest-b.slice ]]
	systemctl "${scope[@]}" stop ocitest.slice
}

@test "no path: a name of the container's" {
	mkbundle_of_user box 'del(.linux.cgroupsPath)'
	create "box-$OCI_TEST"
	unit_is active "oci-box-$OCI_TEST.scope"
	oci delete --force "box-$OCI_TEST"
}

@test "a path of another form, a name that is none: errors" {
	mkbundle_of_user box
	for path in /a/b a:b a:b:c x.slice:p: x.slice:p:a:b x.slice:p:a/b .slice:p:a a--b.slice:p:a; do
		edit "$BUNDLE" '.linux.cgroupsPath = $p' --arg p "$path"
		run -102 --separate-stderr oci-create --systemd-cgroup box "$BUNDLE"
		[[ $stderr = */linux/cgroupsPath* ]] || show
		[[ ! -e $ROOT/box ]]
	done
}

@test "a unit of that name that is active is left alone" {
	bundle
	systemd-run "${scope[@]}" --quiet --scope --unit "$UNIT" sleep 1000 3>&- &
	wait_for -t 30 unit_is active "$UNIT"
	run -104 --separate-stderr oci-create --systemd-cgroup box "$BUNDLE"
	[[ $stderr = *"$UNIT"* ]] || show
	unit_is active "$UNIT"
	[[ ! -e $ROOT/box ]]
	systemctl "${scope[@]}" stop "$UNIT"
}

@test "a unit of that name that has failed is replaced" {
	bundle
	systemd-run "${scope[@]}" --quiet --unit "${UNIT%.scope}" false 3>&- || true
	systemd-run "${scope[@]}" --quiet --scope --unit "$UNIT" -p RuntimeMaxSec=1 sleep 1000 3>&- || true
	wait_for -t 60 unit_is failed "$UNIT"
	create box
	unit_is active "$UNIT"
	oci delete --force box
	systemctl "${scope[@]}" reset-failed "${UNIT%.scope}.service" || true
}

# The control files of the container, which the driver and systemd both write.
values() {
	(cd "$V2$(show_unit ControlGroup)" && head -n 20 memory.{max,swap.max,low,high,min} cpu.{weight,max} \
		cpuset.{cpus,mems} pids.max io.max)
}

# same_files: systemd has no other idea of them, when it reads its units again and when it is told of something else.
same_files() {
	local before after
	before=$(values)
	systemctl "${scope[@]}" daemon-reload
	systemctl "${scope[@]}" set-property --runtime "$UNIT" "$@"
	# It writes the files before it hears of this.
	show_unit ActiveState >show.out
	after=$(values)
	[[ $after = "$before" ]] || fail "$(diff <(echo "$before") <(echo "$after"))"
}

@test "every limit that has a property is one, and a file, and a reload keeps it" {
	require cgroup_v2
	device=$(cat /sys/block/vda/dev) || skip "requires /dev/vda"
	bundle '.linux.resources += {
		"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432},
		"cpu": {"shares": 2048, "quota": 30500, "period": 50000, "cpus": "0", "mems": "0"},
		"pids": {"limit": 42}, "unified": {"memory.high": "50003968", "memory.min": "4096"},
		"blockIO": {"throttleReadBpsDevice": [$d + {"rate": 1048576}],
			"throttleWriteBpsDevice": [$d + {"rate": 2097152}],
			"throttleReadIOPSDevice": [$d + {"rate": 300}],
			"throttleWriteIOPSDevice": [$d + {"rate": 400}]}}' \
		--argjson d "{\"major\": ${device%:*}, \"minor\": ${device#*:}}"
	create box
	dir=$V2$(show_unit ControlGroup)
	[[ $(cd "$dir" && cat memory.{max,swap.max,low,high,min} cpu.{weight,max} cpuset.{cpus,mems} pids.max io.max) = \
		$'67108864\n67108864\n33554432\n50003968\n4096\n174\n30500 50000\n0\n0\n42\n'"$device rbps=1048576 wbps=2097152 riops=300 wiops=400" ]] ||
		fail "$(values)"
	for line in MemoryMax=67108864 MemorySwapMax=67108864 MemoryLow=33554432 MemoryHigh=50003968 MemoryMin=4096 \
		CPUWeight=174 CPUQuotaPerSecUSec=610ms CPUQuotaPeriodUSec=50ms AllowedCPUs=0 AllowedMemoryNodes=0 TasksMax=42 \
		"IOReadBandwidthMax=/dev/block/$device 1048576" "IOWriteBandwidthMax=/dev/block/$device 2097152" \
		"IOReadIOPSMax=/dev/block/$device 300" "IOWriteIOPSMax=/dev/block/$device 400"; do
		[[ $(show_unit "${line%%=*}") = "${line#*=}" ]] || fail "$line: $(show_unit "${line%%=*}")"
	done
	# One of each controller, so that it writes all of that.
	same_files MemoryLow=33554432 StartupCPUWeight=100 StartupIOWeight=100 TasksAccounting=yes
	oci delete --force box
	unit_is inactive "$UNIT"
}

@test "limits of cgroup v1 are properties and files, also those of an update" {
	require cgroup_v1
	((!EUID)) || skip "requires root"
	values_v1() {
		local path
		path=$(show_unit ControlGroup)
		(cd /sys/fs/cgroup && cat "memory$path/memory.limit_in_bytes" "cpu$path/cpu.shares" \
			"cpu$path/cpu.cfs_quota_us" "cpu$path/cpu.cfs_period_us" "pids$path/pids.max")
	}
	# check WANT PROPERTY=VALUE...: also when systemd has read its units again, and has written them.
	check() {
		local line want=$1
		shift
		for line; do [[ $(show_unit "${line%%=*}") = "${line#*=}" ]] || fail "$line: $(show_unit "${line%%=*}")"; done
		[[ $(values_v1) = "$want" ]] || fail "$(values_v1)"
		systemctl daemon-reload
		systemctl set-property --runtime "$UNIT" StartupCPUShares=1024 MemoryAccounting=yes TasksAccounting=yes
		show_unit ActiveState >show.out
		[[ $(values_v1) = "$want" ]] || fail "after a reload: $(values_v1)"
	}
	bundle '.linux.resources += {"memory": {"limit": 67108864}, "pids": {"limit": 42},
		"cpu": {"shares": 2048, "quota": 30500, "period": 50000}}'
	create box
	check $'67108864\n2048\n30500\n50000\n42' MemoryLimit=67108864 CPUShares=2048 CPUQuotaPerSecUSec=610ms TasksMax=42
	oci update --memory 83886080 --cpu-quota 20000 --cpu-share 512 --pids-limit 50 box
	check $'83886080\n512\n20000\n50000\n50' MemoryLimit=83886080 CPUShares=512 CPUQuotaPerSecUSec=400ms TasksMax=50
	oci delete --force box
	unit_is inactive "$UNIT"
}

@test "cpu.idle, also in an update" {
	require cgroup_v2
	bundle '.linux.resources.cpu = {"shares": 2048, "idle": 1}'
	create box
	dir=$V2$(show_unit ControlGroup)
	[[ $(show_unit CPUWeight) = idle && $(cat "$dir/cpu.idle") = 1 ]]
	systemctl "${scope[@]}" daemon-reload
	oci update --cpu-idle 0 box
	[[ $(show_unit CPUWeight) = 174 && $(cat "$dir/cpu.idle") = 0 ]]
	oci delete --force box
}

@test "update: properties and files, kept by a reload; all of it or nothing" {
	require cgroup_v2
	bundle '.linux.resources += {"memory": {"limit": 67108864, "swap": 134217728},
		"cpu": {"shares": 1024, "quota": 20000, "period": 50000}, "pids": {"limit": 42}}'
	create box
	dir=$V2$(show_unit ControlGroup)
	# Of each pair of properties that one limit depends on, one is as it was.
	oci update --memory 83886080 --cpu-quota 30000 --cpu-share 2048 --pids-limit 50 box
	for line in MemoryMax=83886080 MemorySwapMax=67108864 CPUQuotaPerSecUSec=600ms CPUQuotaPeriodUSec=50ms CPUWeight=174 TasksMax=50; do
		[[ $(show_unit "${line%%=*}") = "${line#*=}" ]] || fail "$line: $(show_unit "${line%%=*}")"
	done
	[[ $(cat "$dir"/{memory.max,cpu.max,cpu.weight,pids.max}) = $'83886080\n30000 50000\n174\n50' ]]
	same_files MemoryLow=0 StartupCPUWeight=100 TasksAccounting=yes
	oci update --cpu-period 100000 box
	[[ $(show_unit CPUQuotaPerSecUSec) = 300ms && $(cat "$dir/cpu.max") = "30000 100000" ]]
	run -102 --separate-stderr oci-update --memory 100663296 --cpuset-cpus 4000 box
	[[ $(show_unit MemoryMax) = 83886080 && $(cat "$dir/memory.max") = 83886080 ]]
	oci update --memory -1 --pids-limit -1 box
	[[ $(show_unit MemoryMax) = infinity && $(show_unit TasksMax) = infinity ]]
	same_files MemoryLow=0 StartupCPUWeight=100 TasksAccounting=yes
	oci delete --force box
}

# The directory that decides about devices.
device_dir() {
	local dir=/sys/fs/cgroup/devices
	[[ -d $dir ]] || dir=$V2
	echo "$dir$(show_unit ControlGroup)"
}

# Whether a process of the container's cgroup may read the host's disk; it may have /dev/null in any case.
reads_disk() {
	local dir
	dir=$(device_dir)
	(echo $BASHPID >"$dir/cgroup.procs" && head -c 1 /dev/vda >/dev/null 2>disk.err && cat /dev/null)
}

@test "devices stay denied, whatever systemd is told" {
	((!EUID)) || skip "requires root"
	device=$(cat /sys/block/vda/dev) || skip "requires /dev/vda"
	bundle
	create box
	[[ $(show_unit DevicePolicy) = strict && $(show_unit DeviceAllow) = *"/dev/char/1:3 rwm"* ]]
	run -1 reads_disk
	[[ $(cat disk.err) = *"Operation not permitted"* ]]
	systemctl daemon-reload
	run -1 reads_disk
	systemctl set-property --runtime "$UNIT" CPUWeight=50 MemoryLow=4096 TasksMax=900
	run -1 reads_disk
	rule="{\"allow\": true, \"type\": \"b\", \"major\": ${device%:*}, \"minor\": ${device#*:}, \"access\": \"r\"}"
	oci update --resources - box <<<"{\"devices\": [{\"allow\": false, \"access\": \"rwm\"}, $rule]}"
	[[ $(show_unit DeviceAllow) = *"/dev/block/$device r"* ]]
	run -0 reads_disk
	systemctl daemon-reload
	run -0 reads_disk
	oci update --resources - box <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
	[[ $(show_unit DeviceAllow) != *"/dev/block/"* ]]
	run -1 reads_disk
	systemctl daemon-reload
	run -1 reads_disk
	oci update --resources - box <<<'{"devices": [{"allow": true, "access": "rwm"}]}'
	run -0 reads_disk
	systemctl daemon-reload
	run -0 reads_disk
	oci delete --force box
}

@test "a limit of one process holds" {
	bundle '.linux.resources.pids.limit = 1'
	create box
	dir=$V2$(show_unit ControlGroup)
	[[ ! -e $dir/pids.max || $(cat "$dir/pids.max") = 1 ]]
	[[ $(show_unit TasksMax) = 1 ]]
	oci delete --force box
}

@test "T-SDPROP: annotations set what is in the list, and nothing else" {
	bundle '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 123000000",
		"org.systemd.property.CollectMode": "'"'inactive-or-failed'"'"}'
	create box
	[[ $(show_unit TimeoutStopUSec) = "2min 3s" && $(show_unit CollectMode) = inactive-or-failed ]]
	oci delete --force box
	for text in 'ExecStopPost="x"' 'Description="x"' 'TimeoutStopUSec="x"' 'Delegate=false' 'Slice="a.slice"' 'Wants=["a.service"]'; do
		edit "$BUNDLE" '.annotations = {("org.systemd.property." + $k): $v}' --arg k "${text%%=*}" --arg v "${text#*=}"
		run -102 --separate-stderr oci-create --systemd-cgroup box "$BUNDLE"
		[[ $stderr = *"/annotations/org.systemd.property.${text%%=*}"* ]] || show
	done
}

@test "a scope that systemd removes while it is deleted is no error" {
	bundle
	for i in 1 2 3 4 5 6 7 8; do
		create box
		oci start box
		case $i in
		[1-4]) kill -KILL "$(ctr_pid box)" ;;
		[56]) systemctl "${scope[@]}" stop --no-block "$UNIT" ;;
		*) systemctl "${scope[@]}" kill -s KILL "$UNIT" ;;
		esac
		run -0 --separate-stderr oci delete --force box
		[[ ! $stderr ]] || show
		unit_is inactive "$UNIT"
	done
}

@test "a creation that was killed leaves what delete takes away" {
	bundle
	oci-create --systemd-cgroup --until cgroup box "$BUNDLE" 2>/dev/null || true
	"$OCI" --root "$ROOT" delete --force box
	unit_is inactive "$UNIT"
}

@test "a limit of what has not been delegated is an error" {
	((EUID)) || skip "requires rootless"
	require cgroup_v2
	[[ $(cat "$V2$MANAGER/cgroup.controllers") != *hugetlb* ]] || skip "all is delegated"
	bundle '.linux.resources.unified = {"hugetlb.2MB.max": "0"}'
	run -103 --separate-stderr oci-create --systemd-cgroup box "$BUNDLE"
	[[ $stderr = *"the hugetlb controller is not available"* ]] || show
	unit_is inactive "$UNIT"
}

@test "pause, resume, exec, ps and kill" {
	# Nobody but root has a freezer of v1.
	((!EUID)) || require cgroup_v2
	bundle
	create box
	oci start box
	oci pause box
	is_status box paused
	oci resume box
	is_status box running
	run -0 --separate-stderr oci-exec box cat /proc/self/cgroup
	oci exec --detach --pid-file pid box sleep 1000 3>&-
	grep -q "$UNIT" "/proc/$(cat pid)/cgroup"
	[[ $(oci ps --format json box | jq length) = 2 ]]
	oci kill box KILL
	wait_for is_status box stopped
	oci delete box
	unit_is inactive "$UNIT"
}

@test "a driver that is killed in the middle leaves no scope" {
	bundle
	printf '%s\n' validate seccomp cgroup "exec /bin/sh -c ': >$PWD/there; exec sleep 1000'" nsenter-setup prepare-root \
		mount 'hook prestart createRuntime' 'hook createContainer' pivot >pipeline
	for way in '' --exec; do
		rm -f there
		# shellcheck disable=SC2086
		"$OCI_BUILD/oci-create" --root "$ROOT" $way --systemd-cgroup --pipeline pipeline box "$BUNDLE" 2>err 3>&- &
		wait_for -t 30 test -e there
		unit_is active "$UNIT"
		kill -KILL $!
		wait $! || true
		wait_for -t 30 unit_is inactive "$UNIT"
		"$OCI" --root "$ROOT" delete --force box
	done
	# But one that is to stop there keeps it.
	oci-create --systemd-cgroup --until cgroup box "$BUNDLE" 2>err
	unit_is active "$UNIT"
	oci-create --resume box
	unit_is active "$UNIT"
	oci delete --force box
	unit_is inactive "$UNIT"
}

@test "many at once" {
	bundle
	n=10
	((EUID)) || [[ $V2 != /sys/fs/cgroup ]] || n=100
	before=$(systemctl "${scope[@]}" list-units --all --plain --no-legend 'oci-*.scope' | wc -l)
	for ((i = 0; i < n; i++)); do
		mkdir "b$i"
		ln -s "$BUNDLE/rootfs" "b$i/rootfs"
		jq --arg t "many-$i-$OCI_TEST" '.root.path = $r | .linux.cgroupsPath = ":oci:" + $t' --arg r "$BUNDLE/rootfs" \
			"$BUNDLE/config.json" >"b$i/config.json"
	done
	for ((i = 0; i < n; i++)); do
		oci create "box$i" "b$i" >"out$i" 2>&1 </dev/null 3>&- &
		pids[i]=$!
	done
	for ((i = 0; i < n; i++)); do
		wait "${pids[i]}" || fail "$i: $(cat "out$i")"
		unit_is active "oci-many-$i-$OCI_TEST.scope"
	done
	for ((i = 0; i < n; i++)); do
		oci delete --force "box$i" >"out$i" 2>&1 3>&- &
		pids[i]=$!
	done
	for ((i = 0; i < n; i++)); do wait "${pids[i]}" || fail "$i: $(cat "out$i")"; done
	[[ $(systemctl "${scope[@]}" list-units --all --plain --no-legend 'oci-*.scope' | wc -l) = "$before" ]]
}

@test "from a login session, which is not below the user's systemd" {
	((!EUID)) || skip "requires root"
	require cgroup_v2
	id tester >/dev/null 2>&1 || skip "requires a user \"tester\""
	home=$(mktemp -d /tmp/session.XXXXXX)
	mkbundle box
	of_user "$(id -u tester)" "$(id -g tester)"
	edit "$BUNDLE" '.linux.cgroupsPath = ":oci:" + $t | .linux.resources.pids.limit = 2' --arg t "$OCI_TEST"
	cp -a "$BUNDLE" "$home"
	chown -R tester: "$home"
	cat >"$home/run" <<-'RUN'
		set -ex
		[[ $(cat /proc/self/cgroup) = *session-*.scope ]]
		oci() { "$OCI" --root "$1/root" --systemd-cgroup "${@:2}"; }
		oci . create box box </dev/null >out 2>&1 || { cat out; exit 1; }
		oci . start box
		pid=$(oci . state box | jq .pid)
		[[ $(cat "/proc/$pid/cgroup") = *"/user@"*"/user.slice/$UNIT" ]]
		oci . update --pids-limit 30 box
		[[ $(systemctl --user show -P TasksMax "$UNIT") = 30 ]]
		oci . exec --detach --pid-file pid box sleep 1000 </dev/null >out 2>&1 || { cat out; exit 1; }
		[[ $(cat "/proc/$(cat pid)/cgroup") = *"/user.slice/$UNIT" ]]
		oci . pause box
		oci . resume box
		oci . delete --force box
		[[ $(systemctl --user show -P ActiveState "$UNIT") = inactive ]]
	RUN
	systemctl start systemd-logind
	# In the machine's mount namespace: logind mounts the directory with the bus there.
	run nsenter --mount --target 1 su -l tester -c "cd $home && OCI=$OCI UNIT=$UNIT bash run" 3>&-
	rm -rf "$home"
	((status == 0)) || show
}
