#!/usr/bin/env bats
# oci-start: the user's program runs, or the error says why it does not.
load ../lib/common

create() { oci create "$1" "$BUNDLE" >create.out 2>&1 </dev/null || { cat create.out && return 1; }; }

@test "oci-start returns when the program runs" {
	mkbundle box
	create box
	run -0 oci-start box
	[ "$output" = "" ]
	# Not init's any more: no wait.
	[ "$(readlink "/proc/$(ctr_pid box)/exe")" = /bin/busybox ]
	[ "$(jq -r .status "$ROOT/box/state.json")" = running ]
}

@test "a failed exec is start's error, in the words that engines look for" {
	mkbundle box '.process.args = ["/script"]'
	printf '#!/no/such/interpreter\n' >box/rootfs/script
	chmod +x box/rootfs/script
	create box
	run -1 --separate-stderr oci start box
	[[ $stderr = *"no such file or directory"* ]] || show
	wait_for is_status box stopped
	oci delete box
}

@test "a creation that is not finished is refused, with the next stage" {
	mkbundle box
	oci-create --until cgroup box "$BUNDLE" >/dev/null 2>&1 </dev/null
	run -104 --separate-stderr oci-start --debug box
	[[ ${stderr_lines[0]} = *level=debug* ]] || show
	[ "${stderr_lines[1]}" = 'oci-start: cannot start container "box": its creation is not finished, the next stage is "nsenter-setup"' ] || show
	[ "${stderr_lines[2]}" = 'oci-create --resume box does the rest; alone: oci-nsenter-setup box' ] || show
}

@test "a creation that still runs is refused" {
	mkbundle box
	edit box '.hooks.prestart = [{path: "/bin/sh", args: ["sh", "-c", "while [ ! -e \($f) ]; do /bin/sleep 0.05; done"]}]' --arg f "$PWD/go"
	"$OCI" --root "$ROOT" create box box >/dev/null 2>&1 </dev/null &
	wait_for has_pid box
	(sleep 0.5; touch go) &
	# It waits for the lock, which the driver holds; then it is created.
	oci-start box
	wait
	[ "$(ctr_status box)" = running ]
}
has_pid() { [ "$(jq -r .pid "$ROOT/$1/state.json" 2>/dev/null || echo 0)" -gt 1 ]; }

@test "a paused container is refused, and started when it goes on" {
	mkbundle box
	create box
	oci pause box
	run -1 oci start box
	[ "$output" = 'oci-start: cannot start container "box": it is paused, not created' ] || show
	oci resume box
	oci start box
}

@test "of many starts at once, one wins" {
	mkbundle box '.process.args = ["sh", "-c", "echo ran >>/ran; exec sleep 1000"]'
	create box
	for i in {1..20}; do
		{ oci start box >/dev/null 2>&1 && echo "$i" >>won; } &
	done
	wait
	[ "$(wc -l <won)" = 1 ]
	wait_for test -s box/rootfs/ran
	[ "$(wc -l <box/rootfs/ran)" = 1 ]
}

@test "a start that is killed before it could record it: the container is running" {
	mkbundle box
	create box
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -o /dev/null -e trace=rename,renameat,renameat2 \
		-e inject=rename,renameat,renameat2:signal=KILL:when=1 "$OCI_BUILD/oci-start" --root "$ROOT" box || true
	[ "$(jq -r .status "$ROOT/box/state.json")" = created ]
	[ "$(ctr_status box)" = running ]
	run -1 oci start box
	[ "$output" = 'oci-start: cannot start container "box": it is running, not created' ] || show
	run -1 oci delete box
	oci kill box KILL
	wait_for is_status box stopped
}

@test "init dies while the container is created: start says that it has stopped" {
	mkbundle box
	create box
	oci kill box KILL
	wait_for is_status box stopped
	run -104 oci-start box
	[ "$output" = 'oci-start: cannot start a container that has stopped: "box"' ] || show
}
