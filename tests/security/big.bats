#!/usr/bin/env bats
# T-BIG: lengths around every limit: they arrive exactly, or are refused. CVE-2021-43784 (runc).

load ../lib/common
load security

text() { head -c "$1" /dev/zero | tr '\0' a; }

# arrives NAME: the bundle runs with exactly its args and env, as the kernel has them, or create or
# start refuses (E2BIG is the kernel's limit for one string and for all). Prints which.
arrives() {
	local want got
	create "$1" >/dev/null
	((status)) || start "$1" >/dev/null
	if ((status)); then
		refused "$1" 'E2BIG|too long|argument list|too large|exceeds|limit|ENAMETOOLONG|name too long|size' || return
		echo refused
	else
		PID=$(ctr_pid "$1")
		want=$(jq -j '.process.args | map(. + "\u0000") | add' "$1/config.json" | sha256sum)
		got=$(sha256sum <"/proc/$PID/cmdline")
		[[ $got = "$want" ]] || fail "the arguments are not the configured ones" || return
		want=$(jq -r '.process.env[]' "$1/config.json" | grep ^BIG | sha256sum)
		got=$(tr '\0' '\n' <"/proc/$PID/environ" | grep ^BIG | sha256sum)
		[[ $got = "$want" ]] || fail "the environment is not the configured one" || return
		echo exact
	fi
	oci delete --force "$1" >/dev/null 2>&1 || true
}

@test "arguments of 64 KiB and one more or less are exact; beyond the kernel's 128 KiB refused" {
	local n result
	mkbundle box '.process.args = ["sh", "-c", "exec sleep 1000", "x"]'
	# The program that is seen in /proc must be the one that got the arguments.
	edit "$BUNDLE" '.process.args = ["sh", "-c", "while :; do sleep 1; done", "x"]'
	[[ $(arrives box) = exact ]]
	for n in 65535 65536 65537 131071 131072 1048576; do
		text "$n" >big
		edit "$BUNDLE" '.process.args[3] = $big' --rawfile big big
		result=$(arrives box) || fail "$n: $result"
		echo "$n: $result"
		[[ $result = exact || $n -ge 131072 ]] || fail "$n: $result"
		[[ $result = refused || $n -lt 131072 ]] || fail "$n: $result"
	done
}

@test "an environment variable of 128 KiB is exact or refused" {
	local n result
	mkbundle box '.process.args = ["sh", "-c", "while :; do sleep 1; done"]'
	for n in 65531 65532 65533 131067 131068 1048576; do
		text "$n" >big
		edit "$BUNDLE" '.process.env += ["BIG=" + $big]' --rawfile big big
		result=$(arrives box) || fail "$n: $result"
		echo "$n: $result"
		edit "$BUNDLE" '.process.env |= map(select(startswith("BIG") | not))'
	done
}

@test "10,000 environment variables and 10,000 arguments are exact" {
	mkbundle box '.process.args = ["sh", "-c", "while :; do sleep 1; done"] + [range(10000) | tostring]
		| .process.env += [range(10000) | "BIG\(.)=\(.)"]'
	[[ $(arrives box) = exact ]]
}

@test "a path component of 256 bytes, and a path of 4096, are refused" {
	local n
	mkbundle box
	create box
	((status == 0))
	for n in 256 4096 65536 1048576; do
		mkbundle "big$n" '.mounts += [{destination: ("/" + $big), type: "tmpfs", source: "t"}]' --arg big x
		text "$n" >big
		edit "$BUNDLE" '.mounts[-1].destination = "/" + $big' --rawfile big big
		create "big$n" >/dev/null
		refused "big$n" 'ENAMETOOLONG|name too long|too long|longer|exceeds'
	done
}

@test "a thousand mounts are made" {
	mkbundle box '.mounts += [range(1000) | {destination: "/many/\(.)", type: "tmpfs", source: "t\(.)",
		options: ["size=4k"]}]'
	runs box
	[[ $(mountpoints "$PID" | grep -c ^/many/) = 1000 ]]
}

@test "a mount's data of a page and more is exact or refused" {
	local n
	for n in 4000 4095 4096 65536; do
		mkbundle "box$n" '.mounts += [{destination: "/x", type: "tmpfs", source: "t", options: ["mode=700"]}]'
		text "$n" >big
		edit "$BUNDLE" '.mounts[-1].options += ["x" + $big]' --rawfile big big
		create "box$n" >/dev/null
		((status)) || fail "an option that tmpfs does not have was taken"
		grep -q . "box$n.err"
		(($(wc -c <"box$n.err") < 8192)) || fail "the message is $(wc -c <"box$n.err") bytes long"
	done
}

@test "a hostname of 64 bytes is exact, one of 65 is refused" {
	mkbundle box '.hostname = $n' --arg n "$(text 64)"
	runs box
	[[ $(nsenter -t "$PID" -u hostname) = $(text 64) ]]
	mkbundle big '.hostname = $n' --arg n "$(text 65)"
	create big
	refused big 'hostname|invalid argument|EINVAL'
}
