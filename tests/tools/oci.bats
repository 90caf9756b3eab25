#!/usr/bin/env bats
# oci, and what all commands share: options, help, version, errors.
load ../lib/common

commands() { (cd "$OCI_BUILD" && printf '%s\n' oci-* | grep -v '^oci-init$'); }

@test "oci COMMAND is oci-COMMAND" {
	mkbundle box
	oci create c box >out 2>err </dev/null
	[ "$(oci state c | jq -r .status)" = created ]
	diff <(oci state c) <(oci-state c)
	oci delete c
}

@test "global options stand before the command and after it, in each of Go's spellings" {
	mkbundle box
	unset -f oci
	oci() { "$OCI" "$@"; }
	oci --root "$ROOT" --log log --log-format json create --bundle box c >out 2>err </dev/null
	oci state --root "$ROOT" c | jq -e '.status == "created"'
	oci --root="$ROOT" --log=log --log-format=json start c
	oci -root "$ROOT" -debug state c | jq -e '.status == "running"'
	oci --root "$ROOT" --systemd-cgroup=false --rootless=auto delete --force c
	[ ! -s log ]
}

@test "oci --version begins as runc's does" {
	run -0 oci --version
	[[ ${lines[0]} =~ ^oci\ version\ [0-9]+\.[0-9]+ ]] || show
	[[ ${lines[1]} =~ ^commit:\ . ]] || show
	[ "${lines[2]}" = "spec: 1.3.0" ] || show
	[[ ${lines[3]} =~ ^libseccomp:\ [0-9] ]] || show
	run -0 oci -v
	run -0 oci-create --version
	[[ ${lines[0]} = "oci-create version "* ]] || show
}

@test "every command has --help: a usage line, what it does, its options, in thirty lines" {
	local command
	for command in $(commands); do
		run -0 "$OCI_BUILD/$command" --help
		[[ ${lines[0]} = "Usage: $command"* ]] || fail "$command: ${lines[0]}"
		[[ ${lines[1]} =~ ^[A-Z].*\.$ ]] || fail "$command: ${lines[1]}"
		[[ $output = *"--help"*"print this and exit"* ]] || fail "$command"
		((${#lines[@]} <= 36)) || fail "$command: ${#lines[@]} lines"
		[ "$(awk 'length > 100' <<<"$output")" = "" ] || fail "$command: $(awk 'length > 100' <<<"$output")"
		run -0 "$OCI_BUILD/$command" -h
	done
}

@test "oci help, oci, oci --help list the commands that there are; oci help COMMAND is its help" {
	local command
	run -0 oci help
	for command in $(commands); do
		grep -qE "^  ${command#oci-} " <<<"$output" || fail "$command is not listed"
	done
	while read -r command _; do
		[[ -x $OCI_BUILD/oci-$command ]] || fail "$command is listed but not there"
	done < <(grep -E '^  [a-z-]+ ' <<<"$output" | grep -v '^  -')
	diff <(oci help) <(oci --help)
	diff <(oci help) <(oci)
	diff <(oci help create) <(oci-create --help)
}

@test "an unknown command or option names the nearest one" {
	run -1 oci sttate
	[ "${lines[0]}" = 'oci: unknown command "sttate" (did you mean "state"?)' ] || show
	run -1 oci quitedifferent
	[ "${lines[0]}" = 'oci: unknown command "quitedifferent"' ] || show
	run -1 oci --rooot x state c
	[ "${lines[0]}" = 'oci: unknown option "--rooot" (did you mean "--root"?)' ] || show
	run -100 oci-create --pidfile x c box
	[ "${lines[0]}" = 'oci-create: unknown option "--pidfile" (did you mean "--pid-file"?)' ] || show
	run -1 oci create --pidfile x c box
	[ "${lines[0]}" = 'oci-create: unknown option "--pidfile" (did you mean "--pid-file"?)' ] || show
}

@test "an unknown log format is a usage error" {
	run -100 oci-state --log-format xml c
	[ "${lines[0]}" = 'oci-state: unknown log format "xml": text or json' ] || show
}

@test "the log: one line, escaped, and valid whatever the error quotes" {
	run -104 oci-state --log log --log-format json c
	run -104 oci-state --log log --log-format json d
	[ "$(wc -l <log)" = 2 ]
	jq -es 'map(.level) == ["error", "error"]' log
	[ "$(jq -r .msg log | head -1)" = 'oci-state: container "c" does not exist' ]
	run ! oci-state --log evil --log-format json $'x\n{"level":"x"}\e[2J"'
	[ "$(wc -l <evil)" = 1 ]
	jq -e . evil
	run ! grep -q $'\e' evil
}

@test "a log that cannot be written is said, and changes no exit code" {
	run -104 oci-state --log none/log c
	[ "${lines[0]}" = 'oci-state: container "c" does not exist' ] || show
	[ "${lines[1]}" = "oci-state: cannot write the log \"$PWD/none/log\": ENOENT" ] || show
}

@test "the hint is for terminals and --debug" {
	mkbundle box
	run -100 oci-create c
	[ "${#lines[@]}" = 1 ] || show
	run -100 oci-create --debug c
	[ "${lines[-1]}" = "oci-create --help says more" ] || show
}

@test "--debug: what is done, a line each, in the log or in its form" {
	mkbundle box
	oci-create --debug --log log --log-format json c box >out 2>err </dev/null
	[ ! -s out ]
	[ ! -s err ]
	[ "$(jq -r .level log | sort -u)" = debug ]
	jq -rs '.[].msg' log >said
	grep -q "^oci-create [0-9].*, pid [0-9]*, root \"$ROOT\", container c$" said
	grep -qE "^mount: [0-9.]+ ms, /proc /dev" said
	grep -qE "^pivot: [0-9.]+ ms, / is the root" said
	# An error comes last, as an error.
	run -104 oci-create --debug --log log --log-format json c box
	[ "$(jq -rs '.[-1].level' log)" = error ]
	run -0 oci-delete --debug c
	[[ $output =~ ^time=\"[^\"]+\"\ level=debug\ msg=\"oci-delete\  ]] || show
	run -0 oci-validate --debug --log-format json c box
	[ "$(jq -rs '.[0].level' <<<"$output")" = debug ]
	oci-delete c
	run -0 oci --criu /usr/sbin/criu --debug list
}

@test "closed standard descriptors are opened, not taken for something else" {
	mkbundle box
	run -0 bash -c "'$OCI' --root '$ROOT' create c box <&- >&- 2>&-"
	[ "$(ctr_status c)" = created ]
	[ "$(readlink "/proc/$(ctr_pid c)/fd/0")" = /dev/null ]
}

@test "set-user-ID is refused" {
	require root
	((EUID == 0)) || skip "requires root"
	cp "$OCI" suid
	chmod 4755 suid
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")" 2>/dev/null || true
	run setpriv --reuid 1234 --regid 1234 --clear-groups ./suid --version
	[[ $status = 100 && $output = *"refuses to run set-user-ID"* ]] || show
}

@test "a process of ours is not dumpable" {
	printf '#!/bin/sh\nexec sleep 1000\n' >hook
	chmod +x hook
	mkbundle box '.hooks.createRuntime = [{path: $hook}]' --arg hook "$PWD/hook"
	"$OCI_BUILD/oci-create" --root "$ROOT" c box >out 2>err </dev/null &
	local pid=$!
	wait_for test -s "$ROOT/c/state.json"
	# What is not dumpable belongs to root, whoever runs it; root's own files tell by their mode.
	[ "$(stat -c %a "/proc/$pid/mem")" = 600 ]
	run setpriv --bounding-set -all --inh-caps -all -- readlink "/proc/$pid/exe"
	[ "$status" -ne 0 ] || show
	kill $pid
	wait $pid || true
}
