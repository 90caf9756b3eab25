#!/usr/bin/env bats
# T-USER, T-GROUPS, T-CAPINH: who the container's processes are, as the kernel says it.
# CVE-2016-3697 (runc), CVE-2026-30892 (crun), CVE-2026-46680 (containerd), CVE-2022-2989 (podman),
# CVE-2022-29162 (runc), CVE-2022-27650 (crun).

load ../lib/common
load security

# created_as UID GID: the JSON texts put into process.user; "UID GID" of the process, or "refused".
created_as() {
	local pid
	sed "s/\"@uid@\"/$1/; s/\"@gid@\"/$2/" "$BUNDLE/config.template" >"$BUNDLE/config.json"
	create box >/dev/null
	if ((status)); then
		grep -Eq '/process/user/(uid|gid)|config.json:' box.err || fail "INVALID: $(<box.err)"
		echo refused
		return
	fi
	pid=$(ctr_pid box)
	echo "$(status_of "$pid" Uid | tr '\t' ' ') $(status_of "$pid" Gid | tr '\t' ' ')"
	oci delete --force box
}

# T-USER
@test "process.user takes numbers exactly as they are, and nothing else" {
	local uid gid want got wrong=''
	mkbundle box '.process.user = {uid: "@uid@", gid: "@gid@"}'
	mv "$BUNDLE/config.json" "$BUNDLE/config.template"
	while IFS='|' read -r uid gid want; do
		got=$(created_as "$uid" "$gid")
		[[ $want = refused ]] || want="$uid $uid $uid $uid $gid $gid $gid $gid"
		[[ $got = "$want" ]] || wrong+="uid $uid gid $gid: $got"$'\n'
	done <<-'TABLE'
		0|0|exact
		1|1|exact
		1000|7|exact
		65534|65535|exact
		2147483648|2147483647|exact
		4294967294|4294967294|exact
		4294967295|0|refused
		0|4294967295|refused
		4294967296|0|refused
		0|4294968296|refused
		18446744073709551616|0|refused
		99999999999999999999|0|refused
		-1|0|refused
		0|-1|refused
		1.0|0|refused
		0.9|0|refused
		1e3|0|refused
		01|0|refused
		+1|0|refused
		0x3e8|0|refused
		"1"|0|refused
		0|"0"|refused
		"root"|0|refused
		null|0|refused
		true|0|refused
		[1]|0|refused
		{}|0|refused
	TABLE
	[[ ! $wrong ]] || fail "$wrong"
}

# exec_as STRING: "UID GID" of a process executed with --user STRING, or "refused".
exec_as() {
	local pid
	rm -f pid
	if timeout 20 "$OCI" --root "$ROOT" exec --user "$1" --detach --pid-file "$PWD/pid" box sleep 100 \
		</dev/null >exec.out 2>exec.err; then
		pid=$(<pid)
		echo "$(status_of "$pid" Uid | tr '\t' ' ') $(status_of "$pid" Gid | tr '\t' ' ')"
		kill -KILL "$pid"
	else
		[[ -s exec.err ]] || fail "INVALID: refused without a word"
		echo refused
	fi
}

# T-USER
@test "exec --user takes numbers exactly as they are, and nothing else" {
	require command:oci-exec
	local string want got wrong=''
	mkbundle box
	runs box
	while IFS='|' read -r string want; do
		got=$(exec_as "$string")
		[[ $want != *" "* ]] || want=$(printf '%s %s %s %s ' $want $want $want $want |
			awk '{ print $1, $1, $1, $1, $2, $2, $2, $2 }')
		[[ $got = "$want" ]] || wrong+="\"$string\": $got, not $want"$'\n'
	done <<-'TABLE'
		1|1 0
		1:1|1 1
		1000:1000|1000 1000
		0|0 0
		0:7|0 7
		4294967294:4294967294|4294967294 4294967294
		:1|refused
		1:|refused
		:|refused
		 1|refused
		1 |refused
		+1|refused
		-1|refused
		--1|refused
		0x0|refused
		0x3e8|refused
		1e3|refused
		1.0|refused
		1,1|refused
		4294967295|refused
		4294967296|refused
		4294968296|refused
		18446744073709551616|refused
		99999999999999999999|refused
		1:4294967295|refused
		1:4294967296|refused
		1:-1|refused
		1:x|refused
		x|refused
		x:x|refused
		1:1:1|refused
		1;1|refused
		1/1|refused
		nobodyhere|refused
	TABLE
	[[ $(exec_as '') = @(refused|"0 0 0 0 0 0 0 0") ]]
	[[ $(exec_as $'1\n') = refused ]]
	[[ ! $wrong ]] || fail "$wrong"
}

# T-GROUPS
@test "the caller's supplementary groups are not the container's" {
	require command:setpriv
	mkbundle box
	setpriv --groups 77,88,99 "$OCI" --root "$ROOT" create --bundle "$BUNDLE" box </dev/null >out 2>err ||
		fail "INVALID: $(<err)"
	PID=$(ctr_pid box)
	[[ $(status_of "$PID" Groups | tr -d ' ') = "" ]] || fail "created: $(status_of "$PID" Groups)"
	start box
	wait_for is_status box running
	[[ $(status_of "$PID" Groups | tr -d ' ') = "" ]]
}

@test "the caller's supplementary groups are not those of an executed process" {
	require command:setpriv command:oci-exec
	mkbundle box
	runs box
	setpriv --groups 77,88 "$OCI" --root "$ROOT" exec --detach --pid-file "$PWD/pid" box sleep 100 \
		</dev/null >out 2>err
	[[ $(status_of "$(<pid)" Groups | tr -d ' ') = "" ]]
}

@test "additionalGids are the supplementary groups, all of them and no others" {
	mkbundle box '.process.user = {uid: 5, gid: 6, additionalGids: [10, 4294967294, 7]}'
	runs box
	[[ $(status_of "$PID" Groups | tr ' ' '\n' | grep . | sort -n | tr '\n' ' ') = "7 10 4294967294 " ]] ||
		fail "$(status_of "$PID" Groups)"
	[[ $(status_of "$PID" Uid) = $'5\t5\t5\t5' && $(status_of "$PID" Gid) = $'6\t6\t6\t6' ]]
}

# T-CAPINH
@test "capabilities are exactly what is configured; nothing is inheritable or ambient" {
	mkbundle box '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_KILL"],
		permitted: ["CAP_CHOWN", "CAP_KILL"]}'
	runs box
	has_no_more_capabilities "$PID"
	[[ $(status_of "$PID" NoNewPrivs) = 1 ]]
}

@test "an executed process has no more capabilities, and none inheritable or ambient" {
	require command:oci-exec
	mkbundle box '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_KILL"],
		permitted: ["CAP_CHOWN", "CAP_KILL"]}'
	runs box
	oci exec --detach --pid-file "$PWD/pid" box sleep 100 </dev/null >out 2>&1
	has_no_more_capabilities "$(<pid)"
}

has_no_more_capabilities() {
	[[ $(status_of "$1" CapInh) = 0000000000000000 ]] &&
		[[ $(status_of "$1" CapAmb) = 0000000000000000 ]] &&
		[[ $(status_of "$1" CapBnd) = 0000000000000021 ]]
}

@test "a user other than root has no capability unless it is ambient" {
	mkbundle box '.process.user.uid = 1000 | .process.capabilities = (["CAP_CHOWN", "CAP_KILL"]
		| {bounding: ., effective: ., permitted: .})'
	runs box
	[[ $(status_of "$PID" CapPrm) = 0000000000000000 && $(status_of "$PID" CapEff) = 0000000000000000 ]]
	oci delete --force box
	mkbundle ambient '.process.user.uid = 1000 | .process.capabilities = (["CAP_CHOWN", "CAP_KILL"]
		| {bounding: ., effective: ., permitted: ., inheritable: ., ambient: ["CAP_KILL"]})'
	runs ambient
	[[ $(status_of "$PID" CapEff) = 0000000000000020 && $(status_of "$PID" CapAmb) = 0000000000000020 ]]
}
