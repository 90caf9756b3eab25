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
	V2=/sys/fs/cgroup
	[[ -e $V2/cgroup.controllers ]] || V2=/sys/fs/cgroup/unified
}

# A user without root is root of a user namespace.
mkbundle_of_user() {
	mkbundle "$@"
	((!EUID)) || edit "$BUNDLE" '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}]
		| .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}]
		| .mounts |= map(select(.type != "cgroup") | .options |= (. // [] | map(select(startswith("gid=") | not))))' \
		--argjson u "$(id -u)" --argjson g "$(id -g)"
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

@test "limits are properties and files, and a reload keeps them" {
	((!EUID)) || skip "requires root"
	[[ $V2 = /sys/fs/cgroup ]] || skip "requires cgroup v2"
	bundle '.linux.resources += {
		"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432},
		"cpu": {"shares": 2048, "quota": 50500, "period": 100000, "cpus": "0", "mems": "0"},
		"pids": {"limit": 42}, "unified": {"memory.high": "50003968"}}'
	create box
	dir=$V2$(show_unit ControlGroup)
	values() { (cd "$dir" && cat memory.max memory.swap.max memory.low memory.high cpu.weight cpuset.cpus pids.max); }
	before=$(values)
	[[ $before = $'67108864\n67108864\n33554432\n50003968\n174\n0\n42' ]] || fail "$before"
	[[ $(cat "$dir/cpu.max") = "50500 100000" ]]
	[[ $(show_unit MemoryMax) = 67108864 && $(show_unit TasksMax) = 42 && $(show_unit CPUWeight) = 174 ]]
	[[ $(show_unit AllowedCPUs) = 0 && $(show_unit CPUQuotaPerSecUSec) = 510ms ]]
	systemctl daemon-reload
	[[ $(values) = "$before" ]] || fail "$(values)"
	oci update --memory 80000000 --memory-swap 160000000 --pids-limit 50 box
	[[ $(show_unit MemoryMax) = 79998976 || $(show_unit MemoryMax) = 80000000 ]]
	[[ $(cat "$dir/pids.max") = 50 && $(show_unit TasksMax) = 50 ]]
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
	grep -qvw cpuset "$V2$MANAGER/cgroup.controllers" || skip "all is delegated"
	bundle '.linux.resources.unified = {"hugetlb.2MB.max": "0"}'
	run -103 --separate-stderr oci-create --systemd-cgroup box "$BUNDLE"
	[[ $stderr = *"the hugetlb controller is not available"* ]] || show
	unit_is inactive "$UNIT"
}
