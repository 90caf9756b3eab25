#!/usr/bin/env bats
# What the kernel takes without doing it: this runtime does it by other means, refuses it by name, or says
# that it has no effect. Nothing that config.json asks for is skipped in silence.
# shellcheck disable=SC2154
load ../lib/common
load process

# warned NAME WORDS...: the container is made, and creation says the words on stderr.
warned() {
	local name=$1 word
	shift
	try oci create "$name" "$BUNDLE"
	((status == 0)) || fail "$stderr"
	for word; do
		[[ $stderr = *"warning: $word"* ]] || fail "no warning \"$word\": $stderr"
	done
}

# ---- Done by other means -------------------------------------------------------------------------

@test "scheduler: the nice value holds for every policy, also where sched_setattr forgets it" {
	require root
	local policy
	for policy in '"SCHED_IDLE", nice: 7' '"SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, nice: 7'; do
		mkbundle box ".process.scheduler = {policy: $policy}"
		oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
		[[ $(sed 's/.*) //' "/proc/$(ctr_pid box)/stat" | cut -d' ' -f17) = 7 ]] || fail "$policy"
		verify_clean box
		oci delete --force box
	done
	# Without one it is 0, whatever the caller's is.
	mkbundle box '.process.scheduler = {policy: "SCHED_IDLE"}'
	nice -n 5 "$OCI" --root "$ROOT" create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
	[[ $(sed 's/.*) //' "/proc/$(ctr_pid box)/stat" | cut -d' ' -f17) = 0 ]]
}

@test "sysctl: an empty value is the empty text, and an error for a number" {
	require root
	mkbundle box '.linux.sysctl = {"kernel.domainname": ""} | .process.args = ["cat", "/proc/sys/kernel/domainname"]'
	oci run box "$BUNDLE" >out 2>&1 || fail "$(<out)"
	[[ $(<out) = "" ]] || fail "$(<out)"
	refused '.linux.sysctl = {"net.ipv4.ip_forward": ""}' /linux/sysctl/net.ipv4.ip_forward 'EINVAL'
}

@test "execCPUAffinity: blanks in a list, and processors that are not there" {
	require root
	start_ctr box '.process.execCPUAffinity = {final: " 0 , 0 "}'
	run -0 oci exec box grep Cpus_allowed_list /proc/self/status
	[[ $output = *$'\t'0 ]] || show
	oci delete --force box
	for when in initial final; do
		start_ctr "$when" ".process.execCPUAffinity = {$when: \"900\"}"
		run ! oci exec "$when" true
		[[ $output = *"/process/execCPUAffinity/$when: cannot set the CPUs of the process: EINVAL"* ]] || show
	done
}

# ---- Refused --------------------------------------------------------------------------------------

@test "scheduler: flags that would do nothing, or undo the rest, are refused" {
	refused '.process.scheduler = {policy: "SCHED_BATCH", flags: ["SCHED_FLAG_DL_OVERRUN"]}' \
		/process/scheduler/flags/0 'is for SCHED_DEADLINE'
	refused '.process.scheduler = {policy: "SCHED_IDLE", flags: ["SCHED_FLAG_KEEP_PARAMS"]}' \
		/process/scheduler/flags/0 'SCHED_IDLE would not be set'
	refused '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1024, deadline: 2000, period: 4611686018427387904}' \
		/process/scheduler EINVAL sched_deadline_period_max_us
}

@test "one thing that is said twice is refused" {
	refused '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_forward": "0"}' \
		'/linux/sysctl/net~1ipv4~1ip_forward' 'is there twice'
	refused '.linux.resources.blockIO.throttleWriteIOPSDevice = [range(2) | {major: 254, minor: 0, rate: (. + 1)}]' \
		/linux/resources/blockIO/throttleWriteIOPSDevice/1 'is there twice'
	refused '.linux.devices = [{type: "c", path: "/dev/null", major: 1, minor: 5}]' \
		/linux/devices/0 'exists and is the device 1:5, not 1:3'
}

@test "masking the root itself is refused; a label that is empty is none" {
	require root
	refused '.linux.maskedPaths = ["/"]' /linux/maskedPaths/0 'the root itself'
	mkbundle box '.linux.mountLabel = "" | .process.selinuxLabel = "" | .process.apparmorProfile = ""'
	oci create box "$BUNDLE" >out 2>&1 </dev/null || fail "$(<out)"
}

@test "id mappings that are too long a text for the kernel are refused with the figures" {
	require root userns
	refused '.linux.namespaces += [{type: "user"}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1}]
		| .linux.uidMappings = [range(340) | {containerID: (. * 2), hostID: (100000 + . * 2), size: 1}]' \
		/linux/uidMappings '340 mappings are ' 'less than 4096'
}

@test "memory that does not suffice for init is an error that names the limit" {
	require root
	refused '.linux.resources.memory.limit = 4096' /linux/resources/memory/limit
	# That suffices to begin with.
	refused '.linux.resources.memory.limit = 40960' /linux/resources/memory/limit 'does not suffice'
}

# ---- Said ------------------------------------------------------------------------------------------

@test "options of a whole filesystem have no effect on a bind mount: creation says so" {
	require root
	mkbundle box '.mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "sync", "async", "nolazytime", "mand"]}]'
	warned box '/mounts/7/options: "sync" has no effect' '/mounts/7/options: "mand" has no effect'
	[[ $stderr != *lazytime* && $stderr != *async* ]] || fail "$stderr"
}

@test "a seccomp rule that contradicts an earlier one, shares beside idle: creation says so" {
	require root
	mkbundle box '.linux.resources.cpu = {idle: 1, shares: 512}
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"},
			{names: ["rmdir", "mkdir"], action: "SCMP_ACT_KILL"}]}'
	warned box '/linux/seccomp/syscalls/1/names/1: "mkdir" has no effect' '/linux/resources/cpu/shares: no effect'
	# What the engines' profiles have is no contradiction.
	[[ $(grep -c warning <<<"$stderr") = 2 ]] || fail "$stderr"
}
