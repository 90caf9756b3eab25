#!/usr/bin/env bats
# Errors as engines read them: one JSON line in the log for a command that fails; the words from which
# podman and docker make the exit codes 126 and 127 in errors of the exec, and in no others.
load ../lib/common

setup() {
	common_setup
	require root
}

EXEC_WORDS='permission denied|operation not permitted|no such file or directory|executable file not found'

# fails COMMAND...: it fails, and says so once: sets MESSAGE.
fails() {
	rm -f log
	run timeout 120 "$OCI" --root "$ROOT" --log "$PWD/log" --log-format json "$@" </dev/null
	((status == 1 || status == 255)) || fail "$*: status $status: $output"
	[[ -e log && $(wc -l <log) = 1 ]] || fail "$*: not one line in the log:" "$(cat log)"
	# runc logs RFC 3339; an engine that cannot parse the time shows nothing.
	jq -es 'length == 1 and (.[0] | (keys == ["level", "msg", "time"]) and .level == "error" and (.msg | length > 0)
		and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$")))' log >/dev/null ||
		fail "$*: $(<log)"
	MESSAGE=$(jq -r .msg log)
	[[ $MESSAGE != *$'\n'* ]] || fail "$*: $MESSAGE"
	[ "$output" ] || fail "$*: nothing on stderr"
}

other() {
	fails "$@"
	! grep -qiE "$EXEC_WORDS" <<<"$MESSAGE$output" || fail "$*: words of an exec error:" "$MESSAGE"
}

of_exec() {
	local words=$1
	shift
	fails "$@"
	[[ ${MESSAGE,,} = *"$words"* ]] || fail "$*: without \"$words\":" "$MESSAGE"
}

# config FILTER: bundle b with it.
config() {
	mkbundle b "$@"
}

@test "errors of the command line and of what is not there" {
	config .
	other --no-such-option list
	other no-such-command
	other create
	other create --no-such-option --bundle b x
	other create --bundle "$PWD/none" x
	other create --bundle b "not/an/id"
	other create --bundle b --preserve-fds 99 x
	other create --bundle b --pid-file "$PWD/none/pid" x
	other create --bundle b --pid-file /dev/null/pid x
	other create --bundle b --console-socket "$PWD/none" x
	other run --bundle b --console-socket "$PWD/none" x
	other run --detach --bundle b --pidfd-socket "$PWD/none" x
	other run --bundle "$PWD/none" x
	other list --format xml
	other spec --bundle "$PWD/none"
	other spec --bundle b
	local command
	for command in state start "kill x KILL" delete pause resume ps "exec x true" "update x --pids-limit 5" "events --stats"; do
		[[ -e $OCI_BUILD/oci-${command%% *} ]] || continue
		[[ $command = *x* ]] || command="$command x"
		# shellcheck disable=SC2086
		other $command
		[[ $MESSAGE = *"does not exist"* ]] || fail "$command: $MESSAGE"
	done
}

@test "errors of the wrong state" {
	config .
	oci create --bundle b c >out 2>&1 </dev/null
	other create --bundle b c
	other run --bundle b c
	other resume c
	oci start c
	other start c
	other delete c
	other kill c NOSIGNAL
	other kill c 65
	other pause nothing
	other ps --format xml c
	other ps c --no-such-option
	oci pause c
	other start c
	other delete c
	oci resume c
	oci kill c KILL
	wait_for -t 30 is_status c stopped
	other kill c TERM
	[[ $MESSAGE = *"container not running"* ]]
	run -0 oci kill --all c KILL
	other start c
	other pause c
	other resume c
	other exec c true
}

@test "errors of a bundle and of its mounts" {
	config '.procces = 1 | .process.cwd = "relative" | .mounts[0].options = ["no-such-option"]'
	other create --bundle b x
	echo '{' >b/config.json
	other create --bundle b x
	rm b/config.json
	other create --bundle b x
	config '.root.path = "nowhere"'
	other create --bundle b x
	config '.mounts += [{destination: "/x", type: "bind", source: "/no/such/source", options: ["bind"]}]'
	other create --bundle b x
	config '.mounts += [{destination: "/x", type: "no-such-filesystem", source: "x"}]'
	other create --bundle b x
	config '.mounts += [{destination: "/x", type: "tmpfs", source: "x", options: ["size=12q"]}]'
	other create --bundle b x
	config '.mounts += [{destination: "/proc/x", type: "tmpfs", source: "x"}]'
	other create --bundle b x
	config '.mounts += [{destination: "/x", type: "ext4", source: "/dev/null"}]'
	other create --bundle b x
	config '.process.cwd = "/bin/busybox"'
	other create --bundle b x
	config '.linux.cgroupsPath = "/a/../b"'
	other create --bundle b x
	config '.linux.sysctl = {"net.no.such": "1"}'
	other create --bundle b x
	config '.linux.sysctl = {"kernel.panic": "1"}'
	other create --bundle b x
	config '.linux.namespaces += [{type: "user", path: "/no/such/namespace"}]'
	other create --bundle b x
	config '.linux.namespaces |= map(if .type == "network" then .path = "/no/such/namespace" else . end)'
	other create --bundle b x
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 2, hard: 1}]'
	other create --bundle b x
	config '.process.terminal = true'
	other create --bundle b x
	other run --detach --bundle b x
	config '.linux.devices = [{path: "/dev/x", type: "b", major: 1}]'
	other create --bundle b x
	config '.process.apparmorProfile = "no-such-profile"'
	[[ -d /sys/kernel/security/apparmor ]] || other create --bundle b x
	[ ! "$(find "$ROOT" -mindepth 1 -maxdepth 1 ! -name '.*')" ]
}

@test "errors of hooks" {
	local hook
	for hook in prestart createRuntime createContainer poststart; do
		config '.hooks[$hook] = [{path: "/no/such/hook"}]' --arg hook $hook
		other run --bundle b x
		config '.hooks[$hook] = [{path: "/etc/passwd"}]' --arg hook $hook
		other run --bundle b x
		config '.hooks[$hook] = [{path: "/bin/false"}]' --arg hook $hook
		other run --bundle b x
	done
}

@test "a directory on a file, and a file on a directory: docker's hint" {
	mkdir dir
	echo >file
	config '.mounts += [{destination: "/bin/busybox", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$PWD/dir"
	other create --bundle b x
	[[ $MESSAGE = *"the source is a directory"* && $MESSAGE = *"not a directory"* ]] || fail "$MESSAGE"
	config '.mounts += [{destination: "/tmp", type: "bind", source: $file, options: ["bind"]}]' --arg file "$PWD/file"
	other create --bundle b x
	[[ $MESSAGE = *"the source is not a directory"* ]] || fail "$MESSAGE"
	# Not otherwise.
	config '.mounts += [{destination: "/x", type: "bind", source: $file, options: ["bind"]}]' --arg file "$PWD/file/below"
	other create --bundle b x
	[[ $MESSAGE != *"not a directory"* ]] || fail "$MESSAGE"
}

@test "errors of the exec, in the words that make 126 and 127" {
	local command
	for command in create run; do
		config '.process.args = ["no-such-program"]'
		of_exec 'executable file not found in $path' $command --bundle b x
		config '.process.args = ["/no/such/program"]'
		of_exec 'no such file or directory' $command --bundle b x
		config '.process.args = ["/etc/passwd"]'
		of_exec 'permission denied' $command --bundle b x
		config '.process.args = ["/etc"]'
		of_exec 'permission denied' $command --bundle b x
	done
	config .
	oci create --bundle b c >out 2>&1 </dev/null
	oci start c
	[[ -e $OCI_BUILD/oci-exec ]] || return 0
	of_exec 'executable file not found in $path' exec c no-such-program
	of_exec 'no such file or directory' exec c /no/such/program
	of_exec 'permission denied' exec c /etc/passwd
}

@test "a command that succeeds leaves no log" {
	config .
	for command in "create --bundle b c" "start c" "state c" "list" "ps c" "pause c" "resume c" "kill c KILL" "delete --force c" "delete --force c"; do
		# shellcheck disable=SC2086
		oci --log "$PWD/log" --log-format json $command </dev/null >out 2>&1 || fail "$command: $(<out)"
		[ ! -s log ] || fail "$command: $(<log)"
	done
}
