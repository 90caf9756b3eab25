#!/usr/bin/env bats
# oci-create: its forms, its outcomes, and what it leaves.
load ../lib/common

# A state, without what differs between two creations of the same.
same_state() {
	jq -S 'del(.pid, .oci.created, .oci.init, .oci.creator, .oci.options.pidFile)
		| (.oci.stages[].ms) |= 0 | (.oci.cgroup.hierarchies[]? | (.id, select(.eventsId).eventsId)) |= 0' "$ROOT/$1/state.json"
}

# create ARGS...: not with `run`, since the container's process would keep its pipes.
create() { oci-create "$@" >out 2>err </dev/null; }

# A hook that writes what it is called with.
logging_hook='.hooks = {prestart: [$h], createRuntime: [$h], createContainer: [$h]}'
hook_json() { jq -n --arg path "$1" '{path: $path, args: ["hook"]}'; }

nothing_left() {
	[ ! -e "$ROOT/$1" ]
	wait_for -t 5 no_processes
	[ "$(test_cgroups)" = "" ] || fail "cgroups: $(test_cgroups)"
	[ "$(test_mounts)" = "$MOUNTS_BEFORE" ]
}

@test "ID BUNDLE, --bundle BUNDLE ID, ID --bundle=BUNDLE and -b make the same container" {
	local form
	mkbundle box
	for form in "c box" "--bundle box c" "c --bundle=box" "-b $BUNDLE c" "c ./box/"; do
		# shellcheck disable=SC2086
		create $form || fail "$form: $(<err)"
		[ "$(ctr_status c)" = created ]
		[ "$(oci-state c | jq -r .bundle)" = "$BUNDLE" ] || fail "$form: $(oci-state c)"
		[ "$(<out)$(<err)" = "" ]
		oci-delete c
	done
}

@test "oci create ID takes the working directory as its bundle, oci-create ID does not" {
	mkbundle box
	cd box
	oci create c >out 2>err </dev/null
	[ "$(oci-state c | jq -r .bundle)" = "$BUNDLE" ]
	run -100 oci-create d
	[ "${lines[0]}" = "oci-create: too few arguments: usage: oci-create [OPTIONS] CONTAINER-ID BUNDLE" ] || show
}

@test "too few, too many and contradicting arguments are usage errors" {
	mkbundle box
	run -100 oci-create
	[ "${lines[0]}" = "oci-create: too few arguments: usage: oci-create [OPTIONS] CONTAINER-ID [BUNDLE]" ] || show
	run -100 oci-create c box more
	[[ ${lines[0]} = "oci-create: too many arguments: "* ]] || show
	run -100 oci-create --bundle box c box
	[[ ${lines[0]} = "oci-create: too many arguments: the bundle is given as \"box\" and with --bundle"* ]] || show
	run -100 oci-create --resume c box
	[[ ${lines[0]} = "oci-create: --resume takes no bundle"* ]] || show
	run -1 oci create
	[ "$(ls -A "$ROOT" 2>/dev/null)" = "" ]
}

@test "the pid file is there when create returns, and holds init's pid" {
	mkbundle box
	create --pid-file pid c box
	[ "$(od -An -c pid | tr -d ' \n')" = "$(oci-state c | jq -r .pid)" ]
	[ "$(find . -maxdepth 1 -name 'pid*' | wc -l)" = 1 ]
}

@test "a pid file that cannot be written is an error and nothing is left" {
	mkbundle box
	run ! create --pid-file none/pid c box
	[[ $(<err) = "oci-create: cannot write the pid file \"$PWD/none/pid\": ENOENT"* ]] || fail "$(<err)"
	nothing_left c
}

@test "a failing stage leaves nothing, and no pid file" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run ! create --pid-file pid c box
	[[ $(<err) = "oci-mount: /mounts/"* ]] || fail "$(<err)"
	[ "$(wc -l <err)" = 1 ]
	[ ! -e pid ]
	nothing_left c
}

@test "oci create exits 1, oci-create with the fault's code" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run -111 create c box || run -102 create c box
	run -1 oci create c box
}

@test "the error goes to the log once, as JSON" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run ! create --log log --log-format json c box
	[ "$(wc -l <log)" = 1 ]
	[ "$(jq -r .level log)" = error ]
	[ "$(jq -r .msg log)" = "$(<err)" ]
	jq -re .time log | grep -E '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$'
	[ "$(stat -c %a log)" = 600 ]
	[[ ! $(<err) =~ [Nn]o\ such\ file|[Pp]ermission\ denied|not\ permitted ]]
	run ! create --log text c box
	[ "$(wc -l <text)" = 1 ]
	[[ $(<text) = 'time="'*'" level=error msg="oci-mount: '* ]] || fail "$(<text)"
}

@test "a creation that succeeds writes no log" {
	mkbundle box
	create --log log --log-format json c box
	[ ! -s log ]
}

# What the container's process sees, without what differs between two containers of one bundle.
same_view() {
	jq -S 'del(.session_keyring) | walk(if type == "object" then del(.device, .dev, .ino, .id, .parent) else . end
		| if type == "string" then sub("^(?<ns>[a-z_]+:)\\[[0-9]+\\]$"; .ns) else . end)' "$1"
}

@test "--exec makes the same state and the same container" {
	local mode
	[[ -x $TOOLS/probe ]] || skip "requires build/tests/probe"
	mkbundle box '.process.args = ["/bin/probe"]'
	for mode in --keep --exec; do
		create $mode c box || fail "$(<err)"
		same_state c >"state$mode"
		oci-start c
		wait_for is_status c stopped
		same_view out >"view$mode"
		oci-delete c
	done
	diff state--keep state--exec
	diff view--keep view--exec
	[ "$(jq .pid view--exec)" = 1 ]
}

@test "--exec: an error is the same error, and nothing is left" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run ! create c box
	mv err fork.err
	run ! create --exec c box
	diff fork.err err
	nothing_left c
	edit box '.mounts[0].type = 7 | .process.cwd = "relative"'
	run ! create c box
	mv err fork.err
	run ! create --exec c box
	diff fork.err err
	nothing_left c
}

@test "--exec takes no tool from PATH" {
	mkbundle box
	mkdir bin
	printf '#!/bin/sh\ntouch %s/taken\n' "$PWD" >bin/oci-cgroup
	chmod +x bin/oci-cgroup
	PATH=$PWD/bin:$PATH create --exec c box
	[ ! -e taken ]
	[ "$(ctr_status c)" = created ]
}

@test "--until stops after each stage, --resume goes on, and the result is the same" {
	local stage stages
	mkbundle box
	create c box
	same_state c >expected
	stages=$(jq -r '.oci.stages[].name' "$ROOT/c/state.json")
	oci-delete c
	while read -r stage <&3; do
		[[ $stage != pivot ]] || continue
		create --until "$stage" c box
		[[ $(<err) = "stopped after $stage; resume: oci-create --resume c, enter: oci-nsenter c, drop: oci-delete c" ]] || fail "$(<err)"
		[ "$(jq -r .status "$ROOT/c/state.json")" = creating ]
		[ "$(jq -r '.oci.stages[-1].name' "$ROOT/c/state.json")" = "$stage" ]
		create --resume c
		same_state c | diff expected -
		oci-start c
		oci-delete --force c
	done 3<<<"$stages"
}

@test "--until can be repeated, and stages of the rest done by hand" {
	mkbundle box
	create --until cgroup c box
	create --resume --until nsenter-setup c
	oci-prepare-root c
	create --resume --until mount c
	oci-hook c prestart createRuntime createContainer || {
		oci-hook c prestart
		oci-hook c createRuntime
		oci-hook c createContainer
	}
	oci-pivot c
	[ "$(ctr_status c)" = created ]
	oci-start c
	[ "$(ctr_status c)" = running ]
	run -104 oci-create --resume c
	[[ $output = *"there is nothing to resume"* ]] || show
}

@test "what --until has left can be dropped" {
	mkbundle box
	create --until mount c box
	oci-delete c
	nothing_left c
	create --until validate c box
	oci-delete c
	nothing_left c
}

@test "--until with an unknown stage names the nearest, and nothing is begun" {
	mkbundle box
	run -100 oci-create --until munt c box
	[ "${lines[0]}" = 'oci-create: unknown stage "munt" (did you mean "mount"?)' ] || show
	[ ! -e "$ROOT/c" ]
}

@test "--until a stage that is done already is an error that undoes nothing it should not" {
	mkbundle box
	create --until mount c box
	run -104 create --resume --keep --until cgroup c
	[[ $(<err) = *'the stage "cgroup" is done already'* ]] || fail "$(<err)"
	[ "$(jq -r .status "$ROOT/c/state.json")" = creating ]
}

@test "--keep leaves the half-made container, --resume finishes it" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$PWD/source"
	run ! create --keep c box
	[[ $(<err) = "oci-mount: "* ]] || fail "$(<err)"
	[ "$(jq -r .status "$ROOT/c/state.json")" = creating ]
	kill -0 "$(jq -r .pid "$ROOT/c/state.json")"
	run -0 oci-nsenter c -- sh -c 'echo inside $OCI_ROOTFS'
	[ "$output" = "inside $BUNDLE/rootfs" ] || show
	mkdir source
	create --resume c || fail "$(<err)"
	oci-start c
	[ "$(ctr_status c)" = running ]
}

@test "a resumed creation that fails is undone, unless --keep" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	create --until prepare-root c box
	run ! create --resume --keep c
	[ -e "$ROOT/c" ]
	run ! create --resume c
	nothing_left c
}

@test "SIGTERM undoes the creation, also while a hook hangs" {
	local pid
	printf '#!/bin/sh\ntouch %s/began\nsleep 1000\n' "$PWD" >hook
	chmod +x hook
	for mode in --keep --exec; do for kind in createRuntime createContainer; do
		rm -rf "box-$kind"
		mkbundle "box-$kind" '.hooks[$kind] = [{path: $path}]' --arg kind "$kind" --arg path "$PWD/hook"
		rm -f began
		"$OCI_BUILD/oci-create" --root "$ROOT" $mode --pid-file pid c "$BUNDLE" >out 2>err </dev/null &
		pid=$!
		wait_for test -e began
		kill -TERM $pid
		status=0
		wait $pid || status=$?
		[ $status = 143 ]
		nothing_left c
		[ ! -e pid ]
		[[ $(<err) = *"told to end"* || $(<err) = "oci-hook: oci-hook was killed by SIGKILL" ]] || fail "$(<err)"
	done; done
}

@test "of many creates of one id exactly one wins" {
	local i won=0 pids=()
	mkbundle box
	for i in {1..20}; do
		oci-create c box >"out.$i" 2>"err.$i" </dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" && ((++won)); done
	[ $won = 1 ]
	[ "$(grep -l 'exists already' err.* | wc -l)" = 19 ] || fail "$(cat err.*)"
	oci-start c
	[ "$(ctr_status c)" = running ]
}

@test "an id in use is refused, whatever the container does" {
	mkbundle box
	create c box
	run -104 create c box
	[[ $(<err) = *'container "c" exists already'* ]] || fail "$(<err)"
	oci-start c
	run -104 create c box
	[ "$(ctr_status c)" = running ]
}

@test "--preserve-fds passes those descriptors and no others" {
	[[ -x $TOOLS/probe ]] || skip "requires build/tests/probe"
	mkbundle box '.process.args = ["sh", "-c", "cat <&4 >got; ls /proc/self/fd >fds"] | .process.cwd = "/tmp"'
	echo three >three
	echo four >four
	for mode in --keep --exec; do
		oci-create $mode --preserve-fds 2 c box 3<three 4<four 5<four >out 2>err </dev/null || fail "$(<err)"
		oci-start c
		wait_for is_status c stopped
		oci-delete c
		[ "$(<box/rootfs/tmp/got)" = four ]
		# ls has opened one more: the directory.
		[ "$(tr '\n' ' ' <box/rootfs/tmp/fds)" = "0 1 2 3 4 5 " ] || fail "$(<box/rootfs/tmp/fds)"
	done
}

@test "--preserve-fds with descriptors that are not open is an error, not a leak" {
	mkbundle box
	run -100 create --preserve-fds 3 c box 3>&- 4>&- 5>&-
	[ "$(<err)" = "oci-create: --preserve-fds 3: only 0 descriptors from 3 on are open" ] || fail "$(<err)"
	[ ! -e "$ROOT/c" ]
}

@test "--timing draws a bar for each stage, --steps a line, --trace a Chrome trace" {
	mkbundle box
	create --timing --trace trace c box
	grep -E '^mount +▏ *█+ +[0-9.]+ ms$' err
	grep -E '^ +total +[0-9.]+ ms$' err
	[ "$(jq -r '[.traceEvents[] | select(.ph == "X").name] | join(" ")' trace)" = \
		"validate seccomp cgroup nsenter-setup prepare-root mount hook prestart hook createRuntime hook createContainer pivot" ]
	jq -e '.traceEvents | all(.dur >= 0 and .ts > 0)' trace
	oci-delete c
	create --steps c box
	grep -E '^nsenter-setup +[0-9.]+ ms  init is pid [0-9]+' err
	grep -E '^created +c, pid [0-9]+ - next: oci start c$' err
}

@test "a failed creation has a trace too" {
	mkbundle box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run ! create --trace trace c box
	[ "$(jq -r '.traceEvents[-1] | .name, .args.outcome' trace | tr '\n' ' ')" = "mount failed " ]
}
