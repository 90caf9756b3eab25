#!/usr/bin/env bats
# T-41579, T-31133, T-88265: an image whose /dev, or /dev/null, is a trap.
# CVE-2026-41579 and CVE-2025-31133 (runc), CVE-2026-47766 and CVE-2026-88265 (crun),
# CVE-2025-62161 (youki).

load ../lib/common
load security

# Without mounts on /dev the runtime works in the image's own directory.
no_dev='.mounts |= map(select(.destination | startswith("/dev") | not))'

@test "control: an image's own /dev is filled" {
	mkbundle box "$no_dev"
	runs box
	[[ -c $BUNDLE/rootfs/dev/null || $(mount_line "$PID" /dev/null) ]]
}

# T-41579
@test "a /dev that is a link to a host directory is not filled there" {
	local before
	mkbundle attack "$no_dev"
	echo marker >"$OUT/ptmx"
	rmdir "$BUNDLE/rootfs/dev"
	ln -s "$OUT" "$BUNDLE/rootfs/dev"
	before=$(outside)
	create attack
	((status)) || start attack
	[[ $(outside) = "$before" ]] || fail "$(outside)"
	((status == 0)) || refused attack 'dev'
}

@test "a /dev that is a relative link to a host directory is not filled there" {
	local before
	mkbundle attack "$no_dev"
	rmdir "$BUNDLE/rootfs/dev"
	ln -s "../../../../../../../../../$OUT" "$BUNDLE/rootfs/dev"
	before=$(outside)
	create attack
	((status)) || start attack
	[[ $(outside) = "$before" ]] || fail "$(outside)"
	((status == 0)) || refused attack 'dev'
}

@test "control: a masked file is empty and cannot be written" {
	mkbundle box '.linux.maskedPaths = ["/proc/uptime"]'
	runs box
	[[ ! -s /proc/$PID/root/proc/uptime && $(wc -c <"/proc/$PID/root/proc/uptime") = 0 ]]
}

# T-31133
@test "a mask is the host's null device, not the image's link to procfs" {
	local line
	mkbundle attack "$no_dev | .linux.maskedPaths = [\"/proc/uptime\"]"
	ln -s /proc/version "$BUNDLE/rootfs/dev/null"
	create attack
	if ((status)); then
		refused attack '/dev/null|/proc/uptime'
		return
	fi
	start attack
	((status == 0))
	PID=$(ctr_pid attack)
	line=$(mount_line "$PID" /proc/uptime)
	echo "mask: $line"
	[[ $(wc -c <"/proc/$PID/root/proc/uptime") = 0 ]]
	[[ $(cut -d' ' -f4 <<<"$line") != /version ]]
	[[ $(stat -c %t:%T "/proc/$PID/root/proc/uptime") = 1:3 ]]
}

@test "a mask is read-only" {
	mkbundle box '.linux.maskedPaths = ["/proc/uptime", "/proc/bus"]'
	runs box
	mount_line "$PID" /proc/bus | cut -d' ' -f6 | grep -E '(^|,)ro(,|$)'
	# A device node's writes go to the device, so read-only is for its mode and owner.
	[[ $(stat -c %t:%T "/proc/$PID/root/proc/uptime") = 1:3 ]]
}

# T-88265: standard streams that are /dev/null are reopened, or given to the user, by some runtimes.
stream_config="$no_dev | .process.user.uid = 4242 | .process.args = [\"sh\", \"-c\", \"echo said; exec sleep 1000\"]
	| .mounts += [{destination: \"/vol\", type: \"bind\", source: \$out, options: [\"bind\", \"rw\"]}]"

@test "control: standard output reaches the caller" {
	mkbundle box "$stream_config" --arg out "$OUT"
	runs box
	wait_for grep -qx said box.out
}

@test "standard streams do not go to a volume's file that /dev/null points to" {
	local before
	mkbundle attack "$stream_config" --arg out "$OUT"
	ln -s /vol/canary "$BUNDLE/rootfs/dev/null"
	before=$(outside)
	create attack
	if ((status == 0)); then
		start attack
		((status)) || wait_for grep -qx said attack.out
	fi
	[[ $(outside) = "$before" ]] || fail "$(outside)"
	((status == 0)) || refused attack '/dev/null'
}

@test "standard streams do not go to a volume's file that is bound over /dev/null" {
	local before
	mkbundle attack "$stream_config | .mounts += [
		{destination: \"/dev/null\", type: \"bind\", source: (\$out + \"/canary\"), options: [\"bind\", \"rw\"]}]" \
		--arg out "$OUT"
	before=$(outside)
	create attack
	if ((status == 0)); then
		start attack
		((status)) || wait_for grep -qx said attack.out
	fi
	[[ $(outside) = "$before" ]] || fail "$(outside)"
	((status == 0)) || refused attack '/dev/null'
}

@test "a device node in the image that is not what it is called is not trusted" {
	local line
	mkbundle attack "$no_dev | .linux.maskedPaths = [\"/proc/uptime\"]"
	mknod "$BUNDLE/rootfs/dev/null" c 1 5 # zero: endless
	create attack
	if ((status)); then
		refused attack '/dev/null'
		return
	fi
	PID=$(ctr_pid attack)
	[[ $(stat -c %t:%T "/proc/$PID/root/proc/uptime") = 1:3 ]]
}
