#!/usr/bin/env bats
# config-linux.md, "User namespace mappings", for a user who is not root.
load ../lib/common
load rootless

setup() { user_setup; }
teardown() { user_teardown; }

@test "a user creates, starts and deletes a container that he is root of" {
	bundle '.hostname = "mine"'
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	pid=$(pid)
	grep -Eq "^ +0 +$USER_ID +1$" "/proc/$pid/uid_map"
	[ "$(<"/proc/$pid/setgroups")" = deny ]
	[ "$(status_of Uid)" = "$USER_ID $USER_ID $USER_ID $USER_ID" ]
	run -0 user_oci exec box hostname
	[ "$output" = mine ]
	[ "$(stat -c '%t:%T' "/proc/$pid/root/dev/null")" = 1:3 ]
	user_oci delete --force box
	[ ! -e "$ROOT/box" ]
}

@test "init is dumpable for its user's stages only, not when it is ready" {
	bundle .
	create || fail "$(<"$PLACE/out")"
	# A process that is not dumpable belongs to root in procfs.
	[ "$(stat -c %u "/proc/$(pid)/environ")" = 0 ]
}

@test "ranges are mapped by newuidmap and newgidmap" {
	ranges
	running "$MAP | .process.user = {uid: 5, gid: 6, additionalGids: [7]}"
	local uid=$((FIRST_ID + 4)) gid=$((FIRST_ID + 5))
	[ "$(status_of Uid)" = "$uid $uid $uid $uid" ]
	[ "$(status_of Gid)" = "$gid $gid $gid $gid" ]
	[[ $(status_of Groups) = $((FIRST_ID + 6))?( ) ]]
	[ "$(<"/proc/$(pid)/setgroups")" = allow ]
}

@test "ids that are not the user's are refused by name" {
	require command:newuidmap
	bundle '.linux.uidMappings += [{containerID: 1, hostID: 500, size: 10}]'
	run ! create
	grep -q "/linux/uidMappings" "$PLACE/out"
	grep -q newuidmap "$PLACE/out"
	[ ! -e "$ROOT/box" ]
}

@test "additional groups where setgroups is denied are an error" {
	bundle '.process.user.additionalGids = [0]'
	run ! create
	grep -q "/process/user/additionalGids" "$PLACE/out"
}

@test "oci-validate --host knows which ids a user may map, and which filesystems he may make" {
	bundle .
	host() {
		as_user "$PLACE/oci" validate --host --format json "$PLACE/box" >"$PLACE/report" 2>/dev/null
	}
	said() { jq -r --arg p "$1" '.[] | select(.pointer == $p) | "\(.status) \(.result)"' "$PLACE/report"; }
	host || fail "$(<"$PLACE/report")"
	[ "$(said /linux/uidMappings)" = 'ok done' ] || fail "$(<"$PLACE/report")"
	[ "$(said /mounts/0)" = 'ok done' ] || fail "$(<"$PLACE/report")"
	create || fail "$(<"$PLACE/out")"
	# Ids of others need the consent of newuidmap(1).
	edit "$PLACE/box" ".linux.uidMappings[0].hostID = $((USER_ID + 1))"
	run ! host
	[[ $(said /linux/uidMappings) = fail* ]] || fail "$(<"$PLACE/report")"
}

@test "a user's hooks run in the container's namespaces, though some are the host's" {
	bundle '.hostname = "mine" | .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "hostname >" + $file + ".host"]}],
		createContainer: [{path: "/bin/sh", args: ["sh", "-c", "hostname >" + $file + "; cat /proc/self/uid_map >>" + $file]}]}' \
		--arg file "$PLACE/box/seen"
	create || fail "$(<"$PLACE/out")"
	[ "$(<"$PLACE/box/seen.host")" = "$(hostname)" ]
	[ "$(sed -n 1p "$PLACE/box/seen")" = mine ] || fail "$(<"$PLACE/box/seen")"
	sed -n 2p "$PLACE/box/seen" | grep -Eq "^ +0 +$USER_ID +1$"
}

@test "what the kernel lets a user set is set" {
	bundle '.hostname = "h" | .domainname = "d" | .linux.namespaces += [{type: "network"}, {type: "time"}]
		| .linux.timeOffsets = {monotonic: {secs: 50}} | .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "99"}
		| .process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 7}
		| .process.oomScoreAdj = 100 | .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .process.user.umask = 63
		| .linux.personality = {domain: "LINUX32"} | .linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}
		| .linux.maskedPaths = ["/proc/keys"] | .linux.readonlyPaths = ["/proc/sys"] | .root.readonly = true | .process.cwd = "/tmp/new"
		| .linux.devices = [{path: "/dev/pipe", type: "p", fileMode: 384}]
		| .mounts += [{destination: "/tmp", type: "tmpfs", options: ["size=1m"]}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 38}]}
		| .process.args = ["sh", "-c", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/self/oom_score_adj; umask; pwd;
			wc -c </proc/keys; uname -m; [ -p /dev/pipe ] && echo fifo; mkdir /tmp/x 2>&1; grep -c Seccomp:.2 /proc/self/status"]'
	create || fail "$(<"$PLACE/out")"
	user_oci start box
	ended() { [[ $(user_oci state box | jq -r .status) = stopped ]]; }
	wait_for -t 60 ended
	diff <(sed 's/i[3-6]86/MACHINE/; s/.*Function not implemented/ENOSYS/' "$PLACE/out") - <<-END || fail "$(<"$PLACE/out")"
		1
		99
		100
		0077
		/tmp/new
		0
		$(setarch linux32 uname -m | sed 's/i[3-6]86/MACHINE/')
		fifo
		ENOSYS
		1
	END
}

@test "what it does not let a user do is an error that says what is missing" {
	local row
	bundle .
	cp "$PLACE/box/config.json" "$PLACE/config.good"
	while IFS='|' read -r filter words; do
		cp "$PLACE/config.good" "$PLACE/box/config.json"
		edit "$PLACE/box" "$filter"
		create && fail "created: $filter"
		grep -qF "$words" "$PLACE/out" || fail "$filter:" "$(<"$PLACE/out")"
		[ ! -e "$ROOT/box" ]
	done <<-'END'
		.process.oomScoreAdj = -5|/process/oomScoreAdj (config.json:
		.process.scheduler = {policy: "SCHED_FIFO", priority: 5}|it takes CAP_SYS_NICE
		.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 7}|CAP_SYS_NICE is needed
		.linux.devices = [{path: "/dev/none", type: "c", major: 1, minor: 5}]|/linux/devices/0 (config.json:
		.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 3, uid: 5}]|not mode
		.process.user.additionalGids = [5]|not mapped into the user namespace
		.process.user.uid = 7|not mapped into the user namespace
	END
}
