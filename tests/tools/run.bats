#!/usr/bin/env bats
# oci run: a container as one command. How signals and the terminal are passed on in detail is in
# tests/unit/test_relay.c.
load ../lib/common

setup() {
	common_setup
	require root
}

# says WHAT: bundle box, of which sh runs WHAT.
says() { mkbundle box '.process.args = ["sh", "-c", $what]' --arg what "$1"; }

with_terminal() { edit box '.process.terminal = true'; }

nothing_left() { [ ! "$(ls -A "$ROOT")" ] && [ ! "$(test_cgroups)" ]; }

onpty() { "$TOOLS/onpty" "$@"; }

@test "the program's streams are ours, its exit status too, and nothing is left" {
	says 'read x; echo "out $x"; echo "err $x" >&2; exit 7'
	run -7 --separate-stderr oci run --bundle box c <<<word
	[ "$output" = "out word" ]
	[ "$stderr" = "err word" ]
	nothing_left
	run -7 --separate-stderr oci-run --exec c box <<<word
	[ "$output" = "out word" ]
	nothing_left
}

@test "killed by a signal: 128 and its number" {
	says 'kill -USR1 $$'
	# A pid namespace's first process cannot kill itself with a signal that it has no handler for.
	edit box '.linux.namespaces |= map(select(.type != "pid"))'
	run -138 oci run -b box c
	nothing_left
}

@test "in the working directory, if no bundle is named" {
	says 'exit 4'
	cd box
	run -4 oci run c
	run -100 oci-run c
	[[ $output = *"too few arguments: usage: oci-run"* ]] || show
}

@test "poststop hooks run, and --keep leaves the container" {
	says 'exit 3'
	edit box '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $command]}]' --arg command "echo gone >>$PWD/hook"
	run -3 oci run --keep -b box c
	is_status c stopped
	[ ! -e hook ]
	oci delete c
	[ "$(<hook)" = gone ]
	run -3 oci run -b box c
	[ "$(wc -l <hook)" = 2 ]
	nothing_left
}

@test "a container that cannot start leaves nothing, but with --keep" {
	says :
	edit box '.process.args = ["no-such-program"]'
	run -1 --separate-stderr oci run -b box c
	[[ $stderr = *"executable file not found"* && $(wc -l <<<"$stderr") = 1 ]] || show
	nothing_left
	edit box '.process.args = ["true"] | .hooks.poststart = [{path: "/bin/false"}]'
	run -105 --separate-stderr oci-run c box
	[[ $stderr = *"/hooks/poststart/0 (config.json:"*"failed: exit status 1"* ]] || show
	nothing_left
	# An image can change between the creation and the start: here the program goes.
	edit box '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "rm /bin/prog"]}]} | .process.args = ["/bin/prog"]'
	cp box/rootfs/bin/busybox box/rootfs/bin/prog
	run -102 --separate-stderr oci-run c box
	[[ $stderr = *"/bin/prog"*"no such file or directory"* ]] || show
	nothing_left
	cp box/rootfs/bin/busybox box/rootfs/bin/prog
	run -102 --separate-stderr oci-run --keep c box
	is_status c stopped
}

@test "an id that is in use stays whose it is" {
	start_ctr c
	says 'exit 3'
	run -1 oci run -b box c
	[[ $output = *'"c"'*exist* ]] || show
	is_status c running
}

@test "signals go to the program" {
	says 'trap "echo got usr1" USR1; trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	wait_for -t 60 grep -q ready out
	kill -USR1 $!
	wait_for -t 60 grep -q usr1 out
	kill -TERM $!
	wait $! && status=0 || status=$?
	[ "$status" = 9 ]
	nothing_left
}

@test "while it runs, other commands work on it; who deletes it ends it" {
	says 'echo ready; exec sleep 1000'
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	wait_for -t 60 grep -q ready out
	is_status c running
	oci kill c WINCH
	oci delete --force c
	wait $! && status=0 || status=$?
	[ "$status" = 137 ]
	[ ! -s err ]
	nothing_left
}

@test "somebody else's container of the same id is not deleted" {
	says 'echo ready; exec sleep 1000'
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	local pid=$!
	wait_for -t 60 grep -q ready out
	# It cannot go on before there is another.
	kill -STOP $pid
	oci delete --force c
	oci create --bundle box c >/dev/null 2>&1 </dev/null
	kill -CONT $pid
	wait $pid && status=0 || status=$?
	[ "$status" = 137 ]
	is_status c created
}

@test "killed in the middle it leaves a container that delete removes" {
	says 'echo ready; exec sleep 1000'
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	wait_for -t 60 grep -q ready out
	kill -KILL $!
	wait $! || true
	is_status c running
	oci delete --force c
	nothing_left
}

@test "a signal before the program runs undoes the creation" {
	says 'exit 3'
	edit box '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $command]}]' \
		--arg command "echo begun >$PWD/hook; exec sleep 1000"
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	wait_for -t 60 test -s hook
	kill -TERM $!
	wait $! && status=0 || status=$?
	[ "$status" = 143 ]
	[[ $(<err) = *interrupted* || $(<err) = *createRuntime* ]] || fail "$(<err)"
	nothing_left
}

@test "a signal ends a poststart hook that hangs, and the container" {
	says 'exec sleep 1000'
	edit box '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", $command]}]' \
		--arg command "echo begun >$PWD/hook; exec sleep 1000"
	"$OCI_BUILD/oci-run" --root "$ROOT" c box >out 2>err 3>&- </dev/null &
	wait_for -t 60 test -s hook
	kill -TERM $!
	wait $! && status=0 || status=$?
	[ "$status" = 143 ]
	nothing_left
}

@test "detached: nothing is printed, the container stays, its streams are ours" {
	says 'echo hello; exec sleep 1000'
	oci run --detach --pid-file pid -b box c >out 2>err </dev/null
	wait_for -t 60 grep -q hello out
	[ "$(<out)" = hello ]
	[ ! -s err ]
	[ "$(<pid)" = "$(ctr_pid c)" ]
	is_status c running
	says 'exec sleep 1000'
	run -1 oci run -d -b box c
}

@test "a terminal of our own: raw, with our size, and as it was afterwards" {
	says 'stty size; test -t 0 && test -t 1 && test -t 2 && tty; echo ready; read x; echo "got $x"; read y; stty size; exit 6'
	with_terminal
	run -6 --separate-stderr onpty size 33 77 expect '33 77' expect ready type 'a\x7fb\r' expect 'got b' \
		size 44 55 type '\r' expect '44 55' -- "$OCI" --root "$ROOT" run -b box c
	[[ $stderr = *canonical ]] || show
	nothing_left
}

@test "keys that make signals make them in the container" {
	says 'trap "exit 5" INT; echo ready; while :; do sleep 0.1; done'
	with_terminal
	run -5 --separate-stderr onpty expect ready type '\x03' -- "$OCI" --root "$ROOT" run -b box c
	[[ $stderr = *canonical ]] || show
	nothing_left
}

@test "the terminal is put back if the program is killed, and if it cannot start" {
	says 'echo ready; exec sleep 1000'
	with_terminal
	"$TOOLS/onpty" expect ready -- "$OCI" --root "$ROOT" run -b box c >out 2>err 3>&- </dev/null &
	wait_for -t 60 grep -q ready out
	oci kill c KILL
	wait $! && status=0 || status=$?
	[ "$status" = 137 ]
	grep -qx canonical err
	edit box '.process.args = ["no-such-program"]'
	run -1 --separate-stderr onpty -- "$OCI" --root "$ROOT" run -b box c
	[[ $stderr = *canonical && $output = *"executable file not found"* ]] || show
}

@test "a terminal with files and pipes in front" {
	says 'cat; echo over; exit 8'
	with_terminal
	run -8 --separate-stderr oci run -b box c <<<word
	# Its echo, what it says, and no carriage returns.
	[[ $output = *$'word\nover' && $output != *$'\r'* ]] || show
	[ ! "$stderr" ]
	run -8 --separate-stderr oci-run --exec c box </dev/null
	[ "$output" = over ]
	nothing_left
}

@test "a terminal that nobody reads hangs up" {
	says 'trap "" HUP; read x; while echo much; do :; done 2>/dev/null; exit 8'
	with_terminal
	mkfifo in out
	"$OCI_BUILD/oci-run" --root "$ROOT" c box <in >out 2>err 3>&- &
	exec 8>in 9<out
	exec 9<&-
	echo go >&8
	wait $! && status=0 || status=$?
	exec 8>&-
	[ "$status" = 8 ]
	nothing_left
}

@test "--console-socket goes with --detach and a terminal" {
	says 'tty; exec sleep 1000'
	run -100 oci-run --console-socket "$PWD/socket" c box
	[[ $output = *"cannot use console socket if oci will not detach or allocate tty"* ]] || show
	run -100 oci-run --detach --console-socket "$PWD/socket" c box
	[[ $output = *"cannot use console socket if oci will not detach or allocate tty"* ]] || show
	with_terminal
	run -100 oci-run --detach c box
	[[ $output = *"cannot allocate tty if oci will detach without setting console socket"* ]] || show
	nothing_left
	"$TOOLS/recvtty" socket >terminal 3>&- </dev/null &
	wait_for -t 60 test -S socket
	oci-run --detach --console-socket "$PWD/socket" c box >out 2>err </dev/null
	wait_for -t 60 grep -q /dev/ terminal
	[ ! -s out ]
	[ ! -s err ]
}

@test "--no-subreaper" {
	says 'exit 3'
	run -3 oci-run --no-subreaper c box
	run -100 oci-run --no-subreaper --exec c box
	[[ $output = *"--no-subreaper and --exec"* ]] || show
}

@test "what hooks leave behind does not become a zombie" {
	says 'echo ready; read x; exit 3'
	edit box '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", $command]}]' \
		--arg command "(sleep 0.2; echo orphan >$PWD/orphan) >/dev/null 2>&1 &"
	mkfifo in
	"$OCI_BUILD/oci-run" --root "$ROOT" c box <in >out 2>err 3>&- &
	local pid=$!
	exec 8>in
	wait_for -t 60 test -s orphan
	no_zombies() { [[ ! $(ps -o stat= --ppid "$pid" | grep Z) ]]; }
	wait_for -t 60 no_zombies
	echo >&8
	wait $pid && status=0 || status=$?
	exec 8>&-
	[ "$status" = 3 ]
}

@test "a pidfd of the container's process, on a socket" {
	says 'exec sleep 1000'
	require command:python3
	python3 - <<-'END' >got 3>&- &
		import socket, array, os
		s = socket.socket(socket.AF_UNIX); s.bind("socket"); s.listen()
		c = s.accept()[0]
		data, ancillary, flags, address = c.recvmsg(64, 64)
		fds = array.array("i"); fds.frombytes(ancillary[0][2][:4])
		info = open("/proc/self/fdinfo/%d" % fds[0]).read()
		print(data.decode(), [l.split()[1] for l in info.splitlines() if l.startswith("Pid:")][0], flush=True)
	END
	wait_for -t 60 test -S socket
	run -111 oci-run --detach --pidfd-socket "$PWD/none" c box
	[[ $output = *"cannot connect to the pidfd socket \"$PWD/none\": ENOENT"* ]] || show
	nothing_left
	oci-run --detach --pidfd-socket socket c box </dev/null >out 2>err
	wait_for -t 60 test -s got
	[ "$(<got)" = "standard $(ctr_pid c)" ]
}
