#!/usr/bin/env bats
# config.md, "selinuxLabel" and "apparmorProfile", config-linux.md, "mountLabel", where the security module
# is not there: a confinement that is asked for and cannot be had is an error, never skipped.
# tests/spec/apparmor.bats has what happens where it is.
# shellcheck disable=SC2154
load ../lib/common
load process

setup() {
	common_setup
	require root
	grep -q Y /sys/module/apparmor/parameters/enabled 2>/dev/null && APPARMOR=1 || APPARMOR=
	[[ ! -e /sys/fs/selinux/enforce ]] || skip "requires a machine without SELinux"
}

LABEL='system_u:system_r:container_t:s0:c1,c2'

@test "MUST: a label without its security module is an error that names both, and leaves nothing" {
	local property module
	for property in process.apparmorProfile process.selinuxLabel linux.mountLabel; do
		module=SELinux
		[[ $property != *apparmor* ]] || module=AppArmor
		[[ $module$APPARMOR != AppArmor1 ]] || continue
		refused ".$property = \"$LABEL\"" "/${property/.//} (config.json:" "\"$LABEL\" is asked for" \
			"$module is not enabled on this machine"
		mkbundle box ".$property = \"$LABEL\""
		try oci-create box "$BUNDLE"
		((status == 103)) || fail "$status $stderr"
	done
}

@test "a label of more than one line is an error of its form" {
	local property
	for property in process.apparmorProfile process.selinuxLabel linux.mountLabel; do
		refused ".$property = \"a\\nb\"" "/${property/.//}" 'line break'
		refused ".$property = 5" "/${property/.//}" 'must be a string'
	done
}

@test "exec: --process-label and --apparmor without the security module are errors, and nothing runs" {
	start_ctr box
	try oci exec --process-label "$LABEL" box sh -c 'echo >/ran'
	((status)) && [[ $stderr = *"\"$LABEL\" is asked for, but SELinux is not enabled on this machine"* ]] || fail "$stderr"
	[[ ! $APPARMOR ]] || return 0
	try oci exec --apparmor profile box sh -c 'echo >/ran'
	((status)) && [[ $stderr = *'"profile" is asked for, but AppArmor is not enabled on this machine'* ]] || fail "$stderr"
	# The label of a process file is refused in the same way, an empty one is none.
	for property in apparmorProfile selinuxLabel; do
		jq --arg p "$property" '.process | .[$p] = "a:b:c:d" | .args = ["sh", "-c", "echo >/ran"]' "$BUNDLE/config.json" >process.json
		try oci exec --process process.json box
		((status)) && [[ $stderr = *"/process/$property"*'is asked for'* ]] || fail "$stderr"
		jq '.[$p] = "" | .args = ["sh", "-c", "echo empty"]' --arg p "$property" process.json >empty.json
		run -0 oci exec --process empty.json box
		[[ $output = empty ]] || show
	done
	[[ ! -e $BUNDLE/rootfs/ran ]]
}

@test "an image cannot feign a security module" {
	mkbundle box ".process.selinuxLabel = \"$LABEL\""
	mkdir -p "$BUNDLE/rootfs/sys/fs/selinux" "$BUNDLE/rootfs/sys/module/apparmor/parameters"
	echo 1 >"$BUNDLE/rootfs/sys/fs/selinux/enforce"
	echo Y >"$BUNDLE/rootfs/sys/module/apparmor/parameters/enabled"
	try oci create box "$BUNDLE"
	((status)) && [[ $stderr = *'SELinux is not enabled'* ]] || fail "$stderr"
}

@test "validate --host says before what creation would refuse" {
	mkbundle box ".process.selinuxLabel = \"$LABEL\" | .linux.mountLabel = \"$LABEL\""
	run ! oci validate --host "$BUNDLE"
	[[ $output = *'/process/selinuxLabel'* && $output = *'/linux/mountLabel'* ]] || show
}
