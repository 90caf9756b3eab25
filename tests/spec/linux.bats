#!/usr/bin/env bats
# config-linux.md: what has no file of its own.
load ../lib/common
load process

# ---- IntelRdt: what is done in resctrl is in tests/unit/test_rdt.c -----------------------------------

@test "MUST: intelRdt without a mounted resctrl is an error, and nothing is left" {
	! grep -q ' - resctrl ' /proc/self/mountinfo || skip "requires a machine without resctrl"
	refused '.linux.intelRdt = {closID: "gold", schemata: ["L3:0=f"]}' \
		'/linux/intelRdt (config.json:' 'is set, but resctrl is not mounted'
	mkbundle box '.linux.intelRdt = {}'
	try oci-create box "$BUNDLE"
	((status == 103)) || fail "$status $stderr"
	[ "$(test_cgroups)" = "" ]
}
