#!/usr/bin/env bats
# config.md, "rlimits": every type, raised above what the caller has.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	common_setup
	require root
	((0x$(sed -n 's/^CapEff:.//p' /proc/self/status) >> 24 & 1)) || skip "requires CAP_SYS_RESOURCE"
}

# The line of /proc/PID/limits, and the values.
limits=(
	"AS|Max address space|8589934592 17179869184"
	"CORE|Max core file size|4096 unlimited"
	"CPU|Max cpu time|100000 200000"
	"DATA|Max data size|8589934592 unlimited"
	"FSIZE|Max file size|1073741824 unlimited"
	"LOCKS|Max file locks|100 200"
	"MEMLOCK|Max locked memory|1073741824 2147483648"
	"MSGQUEUE|Max msgqueue size|1000000 2000000"
	"NICE|Max nice priority|10 20"
	"NOFILE|Max open files|8192 16384"
	"NPROC|Max processes|10000 unlimited"
	"RSS|Max resident set|1000000 2000000"
	"RTPRIO|Max realtime priority|10 99"
	"RTTIME|Max realtime timeout|1000000 2000000"
	"SIGPENDING|Max pending signals|100000 200000"
	"STACK|Max stack size|16777216 unlimited"
)

value() { [[ $1 = unlimited ]] && echo 18446744073709551615 || echo "$1"; }

@test "MUST: each type of limit is set, above the caller's own" {
	list='[]'
	for row in "${limits[@]}"; do
		IFS='|' read -r type _ values <<<"$row"
		read -r soft hard <<<"$values"
		list=$(jq -c ". + [{type: \"RLIMIT_$type\", soft: $(value "$soft"), hard: $(value "$hard")}]" <<<"$list")
	done
	mkbundle box ".process.rlimits = $list"
	# jq rounds numbers that large.
	sed -i 's/1844674407370955[0-9]*/18446744073709551615/' "$BUNDLE/config.json"
	ulimit -n 4096
	oci create box "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && false; }
	oci start box
	pid=$(ctr_pid box)
	is_sleep() { [[ $(cat "/proc/$pid/comm") = sleep ]]; }
	wait_for -t 60 is_sleep
	for row in "${limits[@]}"; do
		IFS='|' read -r type name values <<<"$row"
		read -r soft hard < <(sed -n "s/^$name *//p" "/proc/$pid/limits")
		[[ "$soft ${hard%% *}" = "$values" ]] || fail "$type: $soft $hard, not $values"
	done
}
