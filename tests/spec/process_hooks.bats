#!/usr/bin/env bats
# config.md, "StartContainer Hooks": what init runs before the process.
load ../lib/common
load process

# on_start COMMAND [FILTER]: a startContainer hook that runs COMMAND in the container's sh; FILTER edits it.
on_start() {
	edit "$BUNDLE" '.hooks.startContainer += [{path: "/bin/sh", args: ["sh", "-c", $command]} | '"${2:-.}"']' \
		--arg command "$1"
}

create() { oci create box "$BUNDLE" >box.out 2>&1 </dev/null || fail "$(<box.out)"; }

# The hook fails, and start says so.
fails() {
	local word
	create
	try timeout 30 "$OCI" --root "$ROOT" start box
	((status != 0 && status != 124)) || fail "status $status"
	for word; do [[ $stderr = *"$word"* ]] || fail "does not say \"$word\": $stderr"; done
	oci delete --force box 2>/dev/null || true
}

@test "MUST: startContainer hooks run at start, before the process, in order, in the container" {
	mkbundle box '.process.args = ["sh", "-c", "cat /order; sleep 1000"]'
	on_start 'echo one $$ >>/order; readlink /proc/self/ns/mnt >/ns'
	on_start 'echo two >>/order'
	create
	[ ! -e box/rootfs/order ]
	oci start box
	[ "$(xargs <box/rootfs/order)" = "one 2 two" ]
	[ "$(<box/rootfs/ns)" = "$(readlink "/proc/$(ctr_pid box)/ns/mnt")" ]
	wait_for grep -q two box.out
}

@test "MUST: the state is on standard input, with the pid that the container sees" {
	mkbundle box '.annotations = {key: "value"}'
	on_start 'cat >/state'
	create
	oci start box
	jq -e --arg bundle "$BUNDLE" '. == {ociVersion: .ociVersion, id: "box", status: "created", pid: 1,
		bundle: $bundle, annotations: {key: "value"}}' box/rootfs/state
	[ "$(wc -l <box/rootfs/state)" = 1 ]
	oci delete --force box
	# Without a pid namespace of its own it is the host's.
	edit "$BUNDLE" '.linux.namespaces |= map(select(.type != "pid"))'
	create
	oci start box
	[ "$(jq .pid box/rootfs/state)" = "$(ctr_pid box)" ]
}

@test "T-HOOKENV: a hook has its own environment, /, descriptors 0 to 2, no terminal, the user's rights" {
	mkbundle box '.process.env += ["LD_PRELOAD=/evil.so", "SECRET=x"] | .process.cwd = "/tmp"
		| .process.user = {uid: 1000, gid: 1001, additionalGids: [7]}
		| .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "probe >/tmp/seen"], env: ["A=1", "PATH=/bin"]}]'
	create
	oci start box
	SEEN=$BUNDLE/rootfs/tmp/seen
	see '.env - ["A=1", "PATH=/bin", "PWD=/", "SHLVL=1"] == [] and .cwd == "/"'
	see '.uid[0] == 1000 and .gid[0] == 1001 and .groups == [7] and .capabilities.effective == []'
	see '.descriptors | keys == ["0", "1", "2"]'
	see '.foreground == -1 and .pgid == .sid and .umask == 18 and .signals.blocked == []'
}

@test "a hook's own environment is empty without env" {
	mkbundle box '.process.env += ["GIVEN=yes"]'
	on_start 'tr "\0" "\n" </proc/self/environ >/environ'
	create
	SECRET=1 oci start box
	! grep -v '^\(PWD\|SHLVL\|PATH\)=' box/rootfs/environ
}

@test "a hook is under the seccomp filter of the process" {
	local new
	for new in true false; do
		mkbundle box '.process.noNewPrivileges = $new | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}' --argjson new "$new"
		on_start 'exec mkdir /made'
		fails '/hooks/startContainer/0' 'error running startContainer hook #0: "/bin/sh"' 'killed by signal 31' 'bad system call'
		[ ! -e box/rootfs/made ]
	done
}

@test "a hook that fails: its status, output, place" {
	mkbundle box
	on_start 'exit 0'
	on_start 'echo first; echo second >&2; exit 3'
	fails '/hooks/startContainer/1' 'error running startContainer hook #1: "/bin/sh" failed: exit status 3' 'first|second'
	edit "$BUNDLE" 'del(.hooks)'
	on_start 'kill -9 $$'
	fails '/hooks/startContainer/0' 'killed by signal 9'
	edit "$BUNDLE" '.hooks.startContainer = [{path: "/no/hook"}]'
	fails '/hooks/startContainer/0' '"/no/hook" did not run' ENOENT
	edit "$BUNDLE" '.hooks.startContainer = [{path: "/etc/passwd"}]'
	fails '/hooks/startContainer/0' '"/etc/passwd" did not run' EACCES
}

@test "a hook that fails: of long output the end is shown" {
	mkbundle box
	on_start 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; exit 1'
	fails 'line 1998|line 1999'
	[[ $stderr != *'line 100|'* ]]
}

@test "a hook that hangs is killed with its process group" {
	mkbundle box
	on_start 'sleep 1000 & sleep 1000' '.timeout = 1'
	fails 'killed after its timeout of 1 s' /hooks/startContainer/0
}

@test "a hook need not read its state, and may leave a daemon" {
	mkbundle box '.annotations = {big: ("x" * 200000)}'
	on_start 'exit 0'
	on_start '(sleep 1000 &) ; echo left'
	create
	timeout 20 "$OCI" --root "$ROOT" start box
	is_status box running
}

@test "MUST: the path resolves in the container" {
	mkbundle box
	# The host has another program of that path.
	mkdir -p "$BUNDLE/rootfs$PWD"
	printf '#!/bin/sh\necho host >/which\n' >hook
	printf '#!/bin/sh\necho container >/which\n' >"$BUNDLE/rootfs$PWD/hook"
	chmod 755 hook "$BUNDLE/rootfs$PWD/hook"
	edit "$BUNDLE" '.hooks.startContainer = [{path: $path}]' --arg path "$PWD/hook"
	create
	oci start box
	[ "$(<box/rootfs/which)" = container ]
}

@test "where the container has nothing of that path, the runtime's program is run, as a sealed copy" {
	mkbundle box
	cp "$(command -v busybox)" host-hook
	edit "$BUNDLE" '.hooks.startContainer = [{path: "/bin/true"}, {path: $path, args: ["sh", "-c", $command]}]' \
		--arg path "$PWD/host-hook" --arg command 'readlink /proc/$$/exe >/exe; readlink /proc/self/ns/mnt >/ns'
	create
	# The file may be gone by then: it was taken at create.
	rm host-hook
	oci start box
	[ "$(<box/rootfs/exe)" = "/memfd:oci-hook (deleted)" ]
	[ "$(<box/rootfs/ns)" = "$(readlink "/proc/$(ctr_pid box)/ns/mnt")" ]
	[ "$(cd "/proc/$(ctr_pid box)/fd" && echo *)" = "0 1 2" ]
}

@test "a terminal is not the hooks'" {
	mkbundle box '.process.terminal = true'
	on_start 'probe >/seen'
	"$TOOLS/recvtty" "$PWD/socket" box.tty </dev/null >/dev/null 2>&1 3>&- &
	receiver=$!
	wait_for test -S socket
	oci create --console-socket "$PWD/socket" box "$BUNDLE" >box.out 2>&1 </dev/null
	oci start box
	SEEN=$BUNDLE/rootfs/seen
	see '.foreground == -1 and .tty == false'
	kill "$receiver"
}
