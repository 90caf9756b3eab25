#!/usr/bin/env bats
# config.md, "Process": command, environment, directory, limits, scheduling.
load ../lib/common
load process

# ---- args ---------------------------------------------------------------------------------------

@test "args are passed as they are" {
	seen box '.process.args = ["probe", "program", "", "a b", "--", "ü", "-x\n"]'
	# The probe writes bytes.
	see '.args == ["probe", "program", "", "a b", "--", "\u00c3\u00bc", "-x\n"]'
}

@test "args: a name without a slash is looked for in process.env's PATH, as execvp does" {
	mkbundle box '.process.args = ["prog"] | .process.env = ["PATH=/nowhere:/etc/passwd:/a:/b:/bin"]'
	mkdir "$BUNDLE"/rootfs/{a,b}
	cp "$BUNDLE/rootfs/bin/probe" "$BUNDLE/rootfs/b/prog"
	# Neither a directory nor what is not executable ends the search.
	mkdir "$BUNDLE/rootfs/a/prog"
	seen_again box
	see '.args == ["prog"]'
	rmdir "$BUNDLE/rootfs/a/prog"
	echo text >"$BUNDLE/rootfs/a/prog"
	seen_again box
	see '.args == ["prog"]'
}

@test "args: without PATH the usual directories are searched" {
	seen box '.process.env = []'
	see '.args == ["probe"] and .env == ["HOME=/root"]'
}

@test "args: a relative name with a slash is relative to cwd" {
	seen box '.process.args = ["./probe"] | .process.cwd = "/bin"'
	see '.args == ["./probe"] and .cwd == "/bin"'
}

@test "args: what cannot be executed is create's error, in the words that engines know" {
	refused '.process.args = ["nope"]' 'exec: "nope": executable file not found in $PATH' '/process/args/0'
	refused '.process.args = [""]' /process/args/0
	refused '.process.args = ["/nope"]' 'exec: "/nope": no such file or directory'
	refused '.process.args = ["/etc/passwd/x"]' 'exec: "/etc/passwd/x": not a directory'
	refused '.process.args = ["/etc/passwd"]' 'exec: "/etc/passwd": permission denied'
	refused '.process.args = ["/etc"]' 'exec: "/etc": is a directory: permission denied'
	refused '.process.args = ["passwd"] | .process.env = ["PATH=/etc"]' 'exec: "passwd": permission denied'
}

@test "args: it is executable for the process's user, not for root" {
	mkbundle box '.process.args = ["/bin/mine"] | .process.user = {uid: 1000, gid: 1000}'
	cp "$BUNDLE/rootfs/bin/probe" "$BUNDLE/rootfs/bin/mine"
	chmod 700 "$BUNDLE/rootfs/bin/mine"
	try oci create box "$BUNDLE"
	((status != 0))
	[[ $stderr = *'exec: "/bin/mine": permission denied'* ]] || show
	chown 1000 "$BUNDLE/rootfs/bin/mine"
	seen_again box
	see '.uid == [1000, 1000, 1000]'
}

@test "args: an exec that fails is start's error, and not success" {
	mkbundle box '.process.args = ["/bin/bad"]'
	printf 'no program' >"$BUNDLE/rootfs/bin/bad"
	chmod 755 "$BUNDLE/rootfs/bin/bad"
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start box
	((status != 0))
	[[ $stderr = *'exec: "/bin/bad": exec format error'* ]] || show
	wait_for is_status box stopped
	oci delete box

	# The script is there, what it names is not.
	printf '#!/no/shell\n' >"$BUNDLE/rootfs/bin/bad"
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	try oci start box
	((status != 0))
	[[ $stderr = *'exec: "/bin/bad": no such file or directory'* ]] || show
}

@test "T-BIG: long arguments and environments are exact, or refused with E2BIG" {
	local size
	for size in 65535 65536 65537 131071; do
		seen "box$size" '.process.args += ["program", $text] | .process.env += ["X=" + $text[2:]]' \
			--rawfile text <(head -c "$size" /dev/zero | tr '\0' x)
		see --argjson size "$size" '(.args[2] | length) == $size
			and (.env | map(select(startswith("X="))) | map(length)) == [$size]'
	done
	for size in 131072 1048576; do
		mkbundle big '.process.args += [$text]' --rawfile text <(head -c "$size" /dev/zero | tr '\0' x)
		try oci create big "$BUNDLE"
		((status != 0))
		[[ $stderr = *E2BIG* ]] || show
		edit "$BUNDLE" '.process.env = [.process.args[-1]] | .process.args = ["sh"]'
		try oci create big "$BUNDLE"
		((status != 0))
		[[ $stderr = *E2BIG* && $stderr = */process/env/0* ]] || show
	done
	# 1 MiB in small strings fits.
	seen many '.process.env = [range(1024) | "V\(.)=" + "x" * 1000]'
	see '(.env | length) == 1025 and (.env[1023] | length) == 1006'
}

# ---- env -------------------------------------------------------------------------------------

@test "env is exactly process.env; HOME is from /etc/passwd if it is missing" {
	seen box '.process.env = ["A=1", "B=", "C=x=y", "HOME=/x"]'
	see '.env == ["A=1", "B=", "C=x=y", "HOME=/x"]'
	seen box '.process.env = ["A=1"]'
	see '.env == ["A=1", "HOME=/root"]'
	seen box '.process.env = ["HOME="] | .process.user = {uid: 1000, gid: 1000}'
	see '.env == ["HOME=/home"]'
	seen box 'del(.process.env) | .process.user = {uid: 4242, gid: 0}'
	see '.env == ["HOME=/"]'
}

@test "HOME: an /etc/passwd that is a trap is not read (T-FIFO)" {
	mkbundle box '.process.args = ["probe"] | .process.env = []'
	rm "$BUNDLE/rootfs/etc/passwd"
	mkfifo "$BUNDLE/rootfs/etc/passwd"
	seen_again box
	see '.env == ["HOME=/"]'
	rm "$BUNDLE/rootfs/etc/passwd"
	printf 'root:x:0:0:root:/outside:/bin/sh\n' >outside
	ln -s "$PWD/outside" "$BUNDLE/rootfs/etc/passwd"
	seen_again box
	see '.env == ["HOME=/"]'
	rm "$BUNDLE/rootfs/etc/passwd"
	printf 'root:x:0:0:root:/a\033b:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	seen_again box
	see '.env == ["HOME=/"]'
}

@test "env: of a name that is there twice the last one counts" {
	seen box '.process.env = ["A=1", "B=1", "A=2", "HOME=/"]'
	see '.env | sort == ["A=2", "B=1", "HOME=/"]'
}

# ---- cwd ---------------------------------------------------------------------------------------

@test "cwd is made if it is missing, beneath the root, also of a read-only one" {
	seen box '.process.cwd = "/new/a/b" | .root.readonly = true'
	see '.cwd == "/new/a/b"'
	[ "$(stat -c %u:%a box/rootfs/new/a/b)" = 0:755 ]
}

@test "cwd: a link out of the root is resolved inside it (T-CWDLINK)" {
	mkdir outside
	mkbundle box '.process.args = ["probe"] | .process.cwd = "/w/x"'
	ln -s "$PWD/outside" "$BUNDLE/rootfs/w"
	seen_again box
	see --arg cwd "$PWD/outside/x" '.cwd == $cwd'
	[ -d "$BUNDLE/rootfs$PWD/outside/x" ]
	[ ! -e outside/x ]
}

@test "cwd: one that only the user may enter, and one that only root may" {
	mkbundle box '.process.args = ["probe"] | .process.cwd = "/d"
		| .process.user = {uid: 1000, gid: 1000} | del(.process.capabilities)'
	mkdir -m 700 "$BUNDLE/rootfs/d"
	seen_again box
	see '.cwd == "/d"'
	chown 1000 "$BUNDLE/rootfs/d"
	seen_again box
	see '.cwd == "/d"'
}

@test "cwd that is no directory is create's error" {
	refused '.process.cwd = "/etc/passwd"' '"/etc/passwd"' ENOTDIR /process/cwd
}

# ---- rlimits -------------------------------------------------------------------------------------

@test "rlimits: every type is as configured" {
	local types='{"RLIMIT_AS": 4e9, "RLIMIT_CORE": 0, "RLIMIT_CPU": 1000, "RLIMIT_DATA": 3e9,
		"RLIMIT_FSIZE": 1e6, "RLIMIT_LOCKS": 77, "RLIMIT_MEMLOCK": 65536, "RLIMIT_MSGQUEUE": 8192,
		"RLIMIT_NICE": 0, "RLIMIT_NOFILE": 64, "RLIMIT_NPROC": 500, "RLIMIT_RSS": 12345,
		"RLIMIT_RTPRIO": 0, "RLIMIT_RTTIME": 1e6, "RLIMIT_SIGPENDING": 100, "RLIMIT_STACK": 4e6}'
	seen box ".process.rlimits = [$types | to_entries[] |
		{type: .key, soft: ((.value / 2 | floor)), hard: .value}]"
	see "($types | map_values({soft: (. / 2 | floor), hard: .})) as \$want
		| .limits == \$want"
}

@test "rlimits: unlimited is the largest number" {
	mkbundle box '.process.args = ["probe"] | .process.rlimits = [{type: "RLIMIT_CORE", soft: "MAX", hard: "MAX"}]'
	# jq would round it.
	sed -i 's/"MAX"/18446744073709551615/' "$BUNDLE/config.json"
	seen_again box
	see '.limits.RLIMIT_CORE == {soft: "unlimited", hard: "unlimited"}'
}

@test "MUST: rlimits: an unknown type, and one that is there twice, are errors" {
	refused '.process.rlimits = [{type: "RLIMIT_FOO", soft: 1, hard: 1}]' RLIMIT_FOO /process/rlimits/0
	refused '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_CORE", soft: 1, hard: 1}]' \
		RLIMIT_CORE /process/rlimits/1
	refused '.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}]' /process/rlimits/0 limit
}

@test "rlimits: one that cannot be raised is an error that says what is missing" {
	((!(0x$(sed -n 's/^CapEff:.//p' /proc/self/status) >> 24 & 1))) || skip "we may raise limits"
	mkbundle box '.process.rlimits = [{type: "RLIMIT_NPROC", soft: 1, hard: 9000000}]'
	try oci create box "$BUNDLE"
	((status != 0))
	[[ $stderr = */process/rlimits/0*EPERM* && $stderr = *CAP_SYS_RESOURCE* ]] || show
}

@test "rlimits: one that is too small for init is named, not its ENOMEM alone" {
	local type
	for type in RLIMIT_AS RLIMIT_DATA; do
		refused ".process.rlimits = [{type: \"$type\", soft: 1000, hard: 1000}]" \
			'/process/rlimits (config.json:' "($type is 1000): ENOMEM"
	done
	local n
	for n in 0 1 2 5; do
		refused ".process.rlimits = [{type: \"RLIMIT_NOFILE\", soft: $n, hard: 5}]" /process/rlimits "(RLIMIT_NOFILE is $n): EMFILE"
	done
}

@test "rlimits: more open files than the machine allows are no matter of rights" {
	local most
	most=$(</proc/sys/fs/nr_open)
	refused ".process.rlimits = [{type: \"RLIMIT_CORE\", soft: 0, hard: 0}, {type: \"RLIMIT_NOFILE\", soft: 10, hard: $((most + 1))}]" \
		/process/rlimits/1 "hard limit $((most + 1)) is above fs.nr_open, which is $most"
	[[ $stderr != *CAP_SYS_RESOURCE* ]]
}

@test "rlimits: address space in which the program has no room is an error of create, and of exec" {
	local size
	size=$(stat -L -c %s "$(command -v busybox)")
	refused ".process.rlimits = [{type: \"RLIMIT_AS\", soft: $((size / 2)), hard: $((size / 2))}]" \
		'/process/rlimits (config.json:' 'its segments alone take' "(RLIMIT_AS is $((size / 2)))"
	# Room enough.
	mkbundle box ".process.rlimits = [{type: \"RLIMIT_AS\", soft: $((size * 4)), hard: $((size * 4))}]"
	oci create box "$BUNDLE" >create.out 2>&1 </dev/null
	oci start box
	jq "{args: [\"busybox\", \"true\"], cwd: \"/\", user: {uid: 0, gid: 0}, rlimits: [{type: \"RLIMIT_AS\", soft: $((size / 2)), hard: $((size / 2))}]}" \
		<<<null >process.json
	try oci exec --process process.json box
	((status != 0)) && [[ $stderr = *'its segments alone take'* ]] || show
	jq 'del(.rlimits)' process.json >free.json
	oci exec --process free.json box
}

# ---- oomScoreAdj -------------------------------------------------------------------------------

@test "MUST: oomScoreAdj is set to the given value" {
	seen box '.process.oomScoreAdj = 123'
	see '.oom_score_adj == "123"'
}

@test "MUST NOT: without oomScoreAdj the value is not changed" {
	seen box '.'
	see --arg ours "$(</proc/self/oom_score_adj)" '.oom_score_adj == $ours'
}

# ---- scheduler, ioPriority, memoryPolicy, personality --------------------------------------------

@test "scheduler: policy, nice and flags" {
	seen box '.process.scheduler = {policy: "SCHED_BATCH", nice: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	see '.scheduler | .policy == 3 and .nice == 7 and .flags == 1'
	# A v1 cpu cgroup has no time for real-time processes until it is given some.
	if [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]]; then
		refused '.process.scheduler = {policy: "SCHED_FIFO", priority: 5}' /process/scheduler EPERM cgroup
	else
		seen box '.process.scheduler = {policy: "SCHED_FIFO", priority: 5}'
		see '.scheduler | .policy == 1 and .priority == 5'
	fi
	seen box '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 5000000, period: 9000000}'
	see '.scheduler | .policy == 6 and .runtime == 1000000 and .deadline == 5000000'
	refused '.process.scheduler = {policy: "SCHED_FIFO", priority: 1000}' /process/scheduler
}

@test "scheduler: every other policy, a higher priority, and what a kernel may not have" {
	seen box '.process.scheduler = {policy: "SCHED_IDLE"}'
	see '.scheduler.policy == 5'
	seen box '.process.scheduler = {policy: "SCHED_OTHER", nice: -5}'
	see '.scheduler | .policy == 0 and .nice == -5'
	if [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]]; then
		refused '.process.scheduler = {policy: "SCHED_RR", priority: 1}' /process/scheduler EPERM cgroup
	else
		seen box '.process.scheduler = {policy: "SCHED_RR", priority: 1}'
		see '.scheduler | .policy == 2 and .priority == 1'
	fi
	seen box '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 5000000, period: 9000000,
		flags: ["SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN"]}'
	see '.scheduler.flags == 6 or .scheduler.flags == 7'
	mkbundle box '.process.args = ["probe"] | .process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_UTIL_CLAMP_MIN"]}'
	try oci create box "$BUNDLE"
	((status == 0)) || [[ $stderr = *'/process/scheduler/flags'*'no utilization clamping'*EOPNOTSUPP* ]] || fail "$stderr"
	refused '.process.scheduler = {policy: "SCHED_ISO"}' /process/scheduler/policy SCHED_ISO
	refused '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 10, deadline: 5, period: 3}' /process/scheduler runtime
}

@test "ioPriority: class and priority" {
	seen box '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	see ".scheduler.ioprio == $((2 << 13 | 6))"
	seen box '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}'
	see ".scheduler.ioprio == $((3 << 13))"
}

@test "ioPriority: real-time, and what is out of range" {
	seen box '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 3}'
	see ".scheduler.ioprio == $((1 << 13 | 3))"
	refused '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 9}' /process/ioPriority/priority 'out of range'
	refused '.process.ioPriority = {class: "IOPRIO_CLASS_NONE"}' /process/ioPriority/class
}

@test "memoryPolicy: mode and nodes" {
	seen box '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	see '.mempolicy == {mode: 2, nodes: 1}'
	seen box '.linux.memoryPolicy = {mode: "MPOL_LOCAL"}'
	see '.mempolicy.mode == 4'
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "9"}' /linux/memoryPolicy EINVAL
}

@test "memoryPolicy: every mode, and flags" {
	local mode number=0
	for mode in MPOL_DEFAULT MPOL_PREFERRED MPOL_BIND MPOL_INTERLEAVE MPOL_LOCAL MPOL_PREFERRED_MANY; do
		seen box '.linux.memoryPolicy = {mode: $mode} | if $mode | IN("MPOL_DEFAULT", "MPOL_LOCAL") then .
			else .linux.memoryPolicy.nodes = "0" end' --arg mode "$mode"
		see --argjson mode "$((number++))" '.mempolicy.mode == $mode'
	done
	seen box '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"]}'
	see '.mempolicy.mode == 40962'
	seen box '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES"]}'
	see '.mempolicy.mode == 16387'
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]}' \
		/linux/memoryPolicy EINVAL
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND"}' /linux/memoryPolicy
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0-"}' /linux/memoryPolicy/nodes
	refused '.linux.memoryPolicy = {mode: "MPOL_NONE"}' /linux/memoryPolicy/mode
	refused '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_NONE"]}' /linux/memoryPolicy/flags/0
}

@test "personality: LINUX32" {
	seen box '.linux.personality = {domain: "LINUX32"}'
	see '.personality == 8'
	seen box '.linux.personality = {domain: "LINUX"}'
	see '.personality == 0'
}

@test "personality: flags, of which there are none, are errors" {
	refused '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}' /linux/personality/flags/0
	refused '.linux.personality = {domain: "SOLARIS"}' /linux/personality/domain SOLARIS
}

# ---- Security modules ----------------------------------------------------------------------------

@test "apparmorProfile, selinuxLabel, mountLabel: an error where the module is not enabled" {
	[[ -e /sys/kernel/security/apparmor ]] || refused '.process.apparmorProfile = "box-default"' \
		'/process/apparmorProfile (config.json:' '"box-default" is asked for, but AppArmor is not enabled on this machine'
	[[ ! -e /sys/fs/selinux/enforce ]] || skip "requires a machine without SELinux"
	refused '.process.selinuxLabel = "system_u:system_r:svirt_t:s0"' '/process/selinuxLabel (config.json:' \
		'but SELinux is not enabled on this machine'
	refused '.linux.mountLabel = "system_u:object_r:svirt_t:s0"' '/linux/mountLabel (config.json:' \
		'but SELinux is not enabled on this machine'
}

# ---- Capabilities ----------------------------------------------------------------------------------

@test "capabilities: a name that this kernel does not know is a warning, and left out" {
	mkbundle box '.process.args = ["probe"] | .process.capabilities.bounding = ["CAP_KILL", "CAP_BREATHE"]
		| .process.capabilities.effective = ["CAP_KILL"] | .process.capabilities.permitted = ["CAP_KILL"]'
	SEEN=$PWD/seen
	oci-create box "$BUNDLE" >"$SEEN" 2>warnings </dev/null || fail "$(<warnings)"
	grep -q '/process/capabilities/bounding/1: unknown capability "CAP_BREATHE", left out' warnings || fail "$(<warnings)"
	grep -q '^CapBnd:.0000000000000020$' "/proc/$(ctr_pid box)/status"
}

@test "the container has all CPUs of its cgroup, whatever its maker is confined to" {
	local all one
	all=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)
	one=${all%%[-,]*}
	[[ $one != "$all" ]] || skip "one CPU"
	mkbundle box '.process.args = ["sleep", "1000"]'
	taskset -c "$one" "$OCI" --root "$ROOT" create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"
	oci start box
	# More than "all" if the test is confined itself: the cpuset decides.
	[ "$(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$(ctr_pid box)/status")" != "$one" ]
	run -0 taskset -c "$one" "$OCI" --root "$ROOT" exec box grep Cpus_allowed_list /proc/self/status
	[ "$output" != "$(printf 'Cpus_allowed_list:\t%s' "$one")" ] || show
}

@test "execCPUAffinity is for exec: the container's own process has all its processors" {
	seen box '.process.args = ["grep", "Cpus_allowed_list", "/proc/self/status"] | .process.execCPUAffinity = {initial: "0", final: "0"}'
	[ "$(cut -f2 "$SEEN")" = "$(sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status)" ] || fail "$(<"$SEEN")"
	refused '.process.execCPUAffinity = {initial: "0-x"}' /process/execCPUAffinity/initial
	refused '.process.execCPUAffinity = {final: "1-0"}' /process/execCPUAffinity/final
}

# ---- The rest of what a process is ---------------------------------------------------------------

@test "the process leads a session, has a session keyring of its own, and is not init any more" {
	seen box .
	see '.pid == 1 and .sid == 1 and .pgid == 1 and .dumpable == 1'
	see --argjson ours "$("$TOOLS/probe" process | jq .session_keyring)" '.session_keyring != $ours'
}

@test "signals that the caller ignores or blocks are not inherited" {
	mkbundle box '.process.args = ["probe"]'
	SEEN=$PWD/seen
	(
		trap '' PIPE HUP TERM USR1
		oci create box "$BUNDLE" >"$SEEN" 2>/dev/null </dev/null
	)
	oci start box
	wait_for is_status box stopped
	see '.signals == {blocked: [], ignored: []}'
}

@test "descriptors: 0, 1 and 2, whatever the caller has open" {
	mkbundle box '.process.args = ["probe"]'
	SEEN=$PWD/seen
	oci create box "$BUNDLE" >"$SEEN" 2>/dev/null </dev/null 7</ 8<"$BUNDLE" 9>/dev/null
	oci start box
	wait_for is_status box stopped
	see '.descriptors | keys == ["0", "1", "2"]'
}

@test "--preserve-fds: that many more" {
	mkbundle box '.process.args = ["probe"]'
	SEEN=$PWD/seen
	echo one >one
	(
		exec 3<one 4<one 5<one
		oci create --preserve-fds 2 box "$BUNDLE" >"$SEEN" 2>/dev/null </dev/null
	)
	oci start box
	wait_for is_status box stopped
	see '.descriptors | keys == ["0", "1", "2", "3", "4"]'
}

@test "a standard stream that is the host's /dev/null is the container's: it cannot change the host's" {
	seen box '.process.args = ["sh", "-c", "probe descriptors"]'
	see --argjson host "$(stat -c %i /dev/null)" --argjson dev "$(stat -c %d /dev/null)" \
		'.descriptors["0"] | .rdev == 259 and [.dev, .ino] != [$dev, $host]'
}

@test "a pipe of the caller's is the process's user's, so that /dev/stdout can be opened" {
	mkbundle box '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "echo said >/dev/stdout"]'
	mkfifo out
	cat out >copy 3>&- &
	oci create box "$BUNDLE" >out 2>box.err </dev/null
	oci start box
	wait_for is_status box stopped
	wait
	[ "$(<copy)" = said ] || fail "$(<copy)"
}

@test "without a process, create succeeds and start is an error" {
	mkbundle box 'del(.process)'
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	is_status box created
	try oci start box
	((status != 0))
	[[ $stderr = *"no process"* ]] || show
}

@test "a container that is only created has the process's identity and rights already" {
	local pid
	mkbundle box '.process.user = {uid: 1000, gid: 1001, additionalGids: [5]}'
	oci create box "$BUNDLE" >/dev/null 2>&1 </dev/null
	pid=$(ctr_pid box)
	grep -q '^Uid:.1000.1000.1000.1000$' "/proc/$pid/status"
	grep -q '^Gid:.1001.1001.1001.1001$' "/proc/$pid/status"
	grep -q '^Groups:.5 $' "/proc/$pid/status"
	grep -q '^CapBnd:.0000000020000420$' "/proc/$pid/status"
	grep -q '^NoNewPrivs:.1$' "/proc/$pid/status"
	# Not dumpable: its files are root's.
	[ "$(stat -c %u "/proc/$pid/mem")" = 0 ]
}
