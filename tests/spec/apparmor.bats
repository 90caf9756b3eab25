#!/usr/bin/env bats
# config.md, "apparmorProfile", where AppArmor is enabled.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	common_setup
	require root apparmor command:apparmor_parser
	grep -q Y /sys/module/apparmor/parameters/enabled || skip "requires AppArmor"
	cat >profile <<-'PROFILE'
		profile oci-test flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			network,
			signal,
			ptrace,
			deny /forbidden/** rwlk,
		}
	PROFILE
	apparmor_parser -r profile
}

teardown() {
	common_teardown
	[[ ! -e profile ]] || apparmor_parser -R profile
}

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

@test "MUST: the process has the profile, also one that is executed later" {
	mkbundle box '.process.apparmorProfile = "oci-test"'
	mkdir "$BUNDLE/rootfs/forbidden"
	echo secret >"$BUNDLE/rootfs/forbidden/file"
	create box
	oci start box
	has_profile() { [[ $(cat "/proc/$(ctr_pid box)/attr/apparmor/current") = "oci-test (enforce)" ]]; }
	wait_for -t 60 has_profile
	run -0 oci exec box cat /proc/self/attr/apparmor/current
	[[ $output = "oci-test (enforce)" ]] || show
	run oci exec box cat /forbidden/file
	((status)) && [[ $output != *secret* ]] || show
	run -0 oci exec --apparmor unconfined box cat /forbidden/file
	[[ $output = *secret* ]] || show
}

@test "a profile that is not loaded is an error that names it" {
	mkbundle box '.process.apparmorProfile = "no-such-profile"'
	run --separate-stderr oci run box "$BUNDLE"
	((status)) && [[ $stderr = *no-such-profile* && $stderr = */process/apparmorProfile* ]] || show
}

@test "no profile: the process is unconfined" {
	mkbundle box
	create box
	oci start box
	[[ $(cat "/proc/$(ctr_pid box)/attr/apparmor/current") = unconfined ]]
}
