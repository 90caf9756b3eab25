#!/usr/bin/env bats
# config.md, process.terminal and consoleSize.
load ../lib/common
load process

# on_terminal NAME FILTER: creates with a console socket and starts; what the terminal says is NAME.tty.
on_terminal() {
	mkbundle "$1" ".process.terminal = true | $2"
	rm -f socket
	"$TOOLS/recvtty" "$PWD/socket" "$1.tty" </dev/null >/dev/null 2>&1 3>&- &
	receiver=$!
	wait_for test -S socket
	oci create --console-socket "$PWD/socket" "$1" "$BUNDLE" >"$1.out" 2>&1 </dev/null ||
		fail "$(<"$1.out")" || return
	oci start "$1"
}

# What the probe said there.
on_terminal_seen() {
	on_terminal "$1" ".process.args = [\"probe\"] | $2" || return
	wait_for is_status "$1" stopped
	wait "$receiver" || true
	SEEN=$PWD/$1.seen
	grep -a '^{' "$1.tty" >"$SEEN"
}

teardown() {
	[[ ! ${receiver-} ]] || kill "$receiver" 2>/dev/null || true
	common_teardown
}

@test "terminal: a new one is on descriptors 0 to 2, controlling, and the session's foreground" {
	on_terminal_seen box .
	see '.tty and .ttyname == "/dev/pts/0" and .pid == 1 and .sid == 1 and .foreground == 1'
	see '[.descriptors["0", "1", "2"].target] == ["/dev/pts/0", "/dev/pts/0", "/dev/pts/0"]'
	see '.descriptors | keys == ["0", "1", "2"]'
}

@test "terminal: consoleSize is its size" {
	on_terminal box '.process.consoleSize = {height: 33, width: 111} | .process.args = ["sh", "-c", "stty size"]'
	wait_for grep -q '33 111' box.tty
}

@test "MUST: consoleSize is ignored without a terminal" {
	seen box '.process.terminal = false | .process.consoleSize = {height: 33, width: 111}'
	see '.tty == false'
}

@test "terminal: it is the user's, and its group devpts's" {
	on_terminal box '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sh", "-c", "stat -c %u:%a /dev/pts/0; exec sleep 1000"]'
	wait_for grep -q '1000:620' box.tty
}

@test "terminal: it is mounted on /dev/console" {
	local pid
	on_terminal box '.process.args = ["sh", "-c", "echo said >/dev/console; exec sleep 1000"]'
	wait_for grep -q said box.tty
	pid=$(ctr_pid box)
	[ "$(stat -Lc %t "/proc/$pid/root/dev/console")" = 88 ]
	[ "$(grep -c ' /dev/console ' "/proc/$pid/mountinfo")" = 1 ]
}

@test "terminal: input reaches the process, and ctrl-c its foreground" {
	mkbundle box '.process.terminal = true | .process.args = ["sh", "-c",
		"read line; echo got $line; trap \"echo interrupted\" INT; while :; do sleep 0.05; done"]'
	mkfifo input
	"$TOOLS/recvtty" "$PWD/socket" box.tty <input >/dev/null 2>&1 3>&- &
	receiver=$!
	exec 9>input
	wait_for test -S socket
	oci create --console-socket "$PWD/socket" box "$BUNDLE" >/dev/null 2>&1 </dev/null 9>&-
	oci start box 9>&-
	echo hello >&9
	wait_for grep -q 'got hello' box.tty
	printf '\003' >&9
	wait_for grep -q interrupted box.tty
	exec 9>&-
}

@test "terminal: without a console socket, and without devpts, it is an error that says so" {
	mkbundle box '.process.terminal = true'
	try oci create box "$BUNDLE"
	((status != 0))
	[[ $stderr = */process/terminal*--console-socket* ]] || fail "$stderr"
	edit "$BUNDLE" '.mounts |= map(select(.destination != "/dev/pts"))'
	"$TOOLS/recvtty" "$PWD/socket" box.tty </dev/null >/dev/null 2>&1 3>&- &
	receiver=$!
	wait_for test -S socket
	try oci create --console-socket "$PWD/socket" box "$BUNDLE"
	((status != 0))
	[[ $stderr = */process/terminal*/dev/pts* ]] || fail "$stderr"
}

@test "terminal: in a user namespace" {
	require userns
	on_terminal_seen box '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 5, gid: 5}'
	see '.tty and .uid[0] == 5 and .foreground == 1'
}

@test "T-TIOCSTI: without a terminal the process has no controlling one" {
	seen box .
	see '.foreground == -1 and .sid == 1'
}
