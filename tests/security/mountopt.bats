#!/usr/bin/env bats
# T-OPT: the set of mount options is closed. CVE-2024-1753 and its kind (buildah, podman): an option that
# one program passes on as text and another one understands.

load ../lib/common
load security

# attack OPTIONS-JSON [TYPE]: a bind mount, or one of TYPE, with these options.
attack() {
	[[ -e attack/config.json ]] || mkbundle attack
	[[ -e attack.config ]] || cp attack/config.json attack.config
	cp attack.config attack/config.json
	edit "$BATS_TEST_TMPDIR/attack" '.mounts += [{destination: "/m", source: $out, options: $options} + if $type != "" then {type: $type} else {} end]' \
		--arg out "$OUT" --argjson options "$1" --arg type "${2-}"
	create attack
}

@test "control: a bind mount with known options runs, read-only where it says so" {
	mkbundle plain '.mounts += [{destination: "/m", source: $out, options: ["bind", "ro", "nosuid", "nodev", "noexec"]}]' --arg out "$OUT"
	runs plain
	[[ $(mount_line "$PID" /m) = *' ro,nosuid,nodev,noexec'* ]]
}

@test "an option of a bind mount that is not known is refused, whatever it looks like" {
	local option before
	before=$(outside)
	for option in foo rbind,foo ro,rw suid,dev bind-propagation=shared 'bind propagation' lowerdir=/ upperdir=/ size=1m mode=0 \
		context=x fsname=x fd=3 uid=0 -o --bind z Z U 0 '\n' 'ro\nrw' '\\n' 'ro\\nrw' 'ro ' ' ro' RO Bind rbind=1 'nosuid=0' idmap=x \
		'exec\u0001' 'exec\\u0001' '$(id)' ../x /etc; do
		attack "[\"bind\", \"$option\"]"
		refused attack 'mount option|mapping|idmap' || fail "$option"
	done
	[ "$before" = "$(outside)" ]
}

@test "an option of a filesystem in memory that it does not know is refused by name" {
	local option
	for option in foo rbind=x mode=x size=q huge=sometimes nr_inodes=-x 'mode=1777,size=1m' 'uid=0,gid=0'; do
		attack "[\"$option\"]" tmpfs
		refused attack 'mounts/[0-9]+/options/0' || fail "$option"
	done
	for option in hidepid=9 subset=all gid=x newinstance=1; do
		attack "[\"$option\"]" proc
		refused attack 'mounts/[0-9]+' || fail "$option"
	done
}

@test "an option that is no string, and a list that is none, are refused" {
	local options
	for options in '["bind", 1]' '["bind", null]' '["bind", ["ro"]]' '"bind,ro"' '{"bind": true}' '["bind", ""]'; do
		attack "$options"
		refused attack 'mounts/[0-9]+/options' || fail "$options"
	done
}

@test "a later option does not silently take back ro" {
	local options
	mkbundle attack '.mounts += [{destination: "/m", source: $out, options: ["bind", "ro", "noatime", "rslave"]}]' --arg out "$OUT"
	runs attack
	[[ $(mount_line "$PID" /m) = *' ro,'* ]] || fail "$(mount_line "$PID" /m)"
}
