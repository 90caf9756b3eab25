#!/usr/bin/env bats
# What a service manager passes: NOTIFY_SOCKET and LISTEN_FDS, by create and start, and by run.
load ../lib/common

setup() {
	common_setup
	require root
}

teardown() {
	[[ ! ${manager-} ]] || kill "$manager"
	common_teardown
}

# says WHAT: bundle box, of which sh runs WHAT, with "notify" in its path.
says() {
	mkbundle box '.process.args = ["sh", "-c", $what]' --arg what "$1"
	cp "$TOOLS/notify" "$BUNDLE/rootfs/bin/notify"
}

# The manager, on the socket that is named.
listen() {
	"$TOOLS/notify" receive "$1" >heard 3>&- &
	manager=$!
	[[ $1 = @* ]] || wait_for -t 60 test -S "$1"
	export NOTIFY_SOCKET=$1
}

heard() { grep -qxF -- "$1" heard; }

@test "create and start: READY=1 comes through, with the container's process" {
	says 'until test -e /go; do sleep 0.05; done; notify send STATUS=x "READY=1" && sleep 1000'
	listen "$PWD/manager"
	oci create --bundle box c >out 2>&1 </dev/null
	oci start c &
	local start=$!
	wait_for -t 60 is_status c running
	# Start waits, and says nothing to the manager.
	sleep 0.2
	kill -0 $start
	[ ! -s heard ]
	touch box/rootfs/go
	wait $start
	heard "MAINPID=$(ctr_pid c) READY=1 "
	# So that the manager has read it before start ended.
	heard "BARRIER=1 +fd"
	[ "$(wc -l <heard)" = 2 ]
	[ "$(grep -c / <(grep ' /run/notify ' "/proc/$(ctr_pid c)/mountinfo"))" = 1 ]
	grep ' /run/notify ro,nosuid,nodev,noexec' "/proc/$(ctr_pid c)/mountinfo"
}

@test "nothing else comes through" {
	says 'notify send "MAINPID=1" "WATCHDOG=trigger\nREADY=0" "STOPPING=1\nXREADY=1\nREADY=11" "FDSTORE=1" "STATUS=evil\nREADY=1\nMAINPID=1"; sleep 1000'
	listen "$PWD/manager"
	oci create --bundle box c >out 2>&1 </dev/null
	oci start c
	heard "MAINPID=$(ctr_pid c) READY=1 "
	heard "BARRIER=1 +fd"
	[ "$(wc -l <heard)" = 2 ] || fail "$(<heard)"
}

@test "a program that ends without having been ready" {
	says 'exit 3'
	listen "$PWD/manager"
	oci create --bundle box c >out 2>&1 </dev/null
	run -0 oci start c
	[ ! "$output" ]
	[ ! -s heard ]
}

@test "run: we are the main process; detached, it is the container's" {
	says 'echo "socket $NOTIFY_SOCKET"; notify send READY=1; read x; exit 4'
	listen "$PWD/manager"
	mkfifo in
	"$OCI_BUILD/oci-run" --root "$ROOT" c box <in >out 2>err 3>&- &
	local run=$!
	exec 8>in
	wait_for -t 60 heard "MAINPID=$run READY=1 "
	echo >&8
	wait $run && status=0 || status=$?
	exec 8>&-
	[ "$status" = 4 ]
	[ "$(<out)" = "socket /run/notify/notify.sock" ]
	[ ! "$(ls -A "$ROOT")" ]
	says 'notify send READY=1; exec sleep 1000'
	oci-run --detach c box >out 2>err </dev/null
	heard "MAINPID=$(ctr_pid c) READY=1 "
	[ ! -s err ]
}

@test "an abstract socket, and each stage as its tool" {
	says 'notify send READY=1; exec sleep 1000'
	"$TOOLS/notify" receive "@$OCI_TEST" >heard 3>&- &
	manager=$!
	export NOTIFY_SOCKET=@$OCI_TEST
	wait_for -t 60 grep -q "@$OCI_TEST" /proc/net/unix
	oci-create --exec c box >out 2>&1 </dev/null
	oci start c
	heard "MAINPID=$(ctr_pid c) READY=1 "
}

@test "a manager that is not there, and a container that was made without one" {
	says 'exec sleep 1000'
	NOTIFY_SOCKET=$PWD/none oci-create c box >out 2>&1 </dev/null
	NOTIFY_SOCKET=$PWD/none run -111 oci-start c
	[[ $output = *"cannot connect to NOTIFY_SOCKET \"$PWD/none\": ENOENT" ]] || show
	is_status c created
	oci delete c
	rmdir box/rootfs/run/notify
	oci-create c box >out 2>&1 </dev/null
	NOTIFY_SOCKET=$PWD/none run -0 oci-start c
	[ ! -e box/rootfs/run/notify ]
}

@test "/run/notify of the image does not lead out of the container" {
	says 'notify send READY=1; exec sleep 1000'
	mkdir outside
	rm -rf box/rootfs/run
	mkdir box/rootfs/run
	ln -s "$PWD/outside" box/rootfs/run/notify
	listen "$PWD/manager"
	# The link means a path in the container, where it is made.
	oci create --bundle box c >out 2>&1 </dev/null
	oci start c
	[ ! "$(ls -A outside)" ]
	heard "MAINPID=$(ctr_pid c) READY=1 "
	grep -q " $PWD/outside ro" "/proc/$(ctr_pid c)/mountinfo"
}

@test "what a container with many rights leaves in the directory is removed with it" {
	says 'mount -o remount,rw,bind /run/notify && touch /run/notify/a /run/notify/b; notify send READY=1; exec sleep 1000'
	edit box '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	listen "$PWD/manager"
	oci create --bundle box c >out 2>&1 </dev/null
	oci start c
	[ -e "$ROOT/c/notify/a" ]
	oci delete --force c
	[ ! -e "$ROOT/c" ]
}

@test "sockets of the manager: how many, for whom, and their names" {
	says 'echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES"; cat <&3; cat <&4; test -e /proc/self/fd/5 || echo no more'
	echo three >three
	echo four >four
	for how in "$OCI_BUILD/oci-run --bundle box" "$OCI_BUILD/oci-run --exec --bundle box"; do
		run -0 bash -c 'export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin; exec "$@"' - $how --root "$ROOT" c 3<three 4<four 5<four
		[ "$output" = "2 1 web:admin"$'\n'three$'\n'four$'\n'"no more" ] || show
	done
	# Not for us: LISTEN_PID is another's.
	run -0 bash -c 'export LISTEN_PID=1 LISTEN_FDS=2 LISTEN_FDNAMES=web:admin; exec "$@"' - "$OCI" --root "$ROOT" run -b box c 3<three 4<four
	[[ $output = " "* ]] || show
}
