#!/usr/bin/env bats
# Configurations that podman, docker, containerd and runc have written: each runs, and its process sees
# exactly what it says.

load ../lib/common

FIXTURES=$REPO/tests/accept/fixtures

# put FIXTURE: its bundle, with the root file system and the files that the engine would have provided.
put() {
	local source at
	mkbundle box
	DIR=$BATS_TEST_TMPDIR/engine
	mkdir "$DIR"
	printf '#!/bin/sh\ncat >%s/hook\n' "$DIR" >"$DIR/program"
	chmod 755 "$DIR/program" "$DIR"
	sed "s|@DIR@|$DIR|g; s|@HOOK@|$DIR/program|" "$FIXTURES/$1.json" | jq --arg root "$BUNDLE/rootfs" \
		--arg cgroup "$CGROUP/box" --argjson nofile "$(ulimit -Hn | sed 's/unlimited/1048576/')" '
		.root.path = $root | .linux.cgroupsPath = $cgroup
		| if .process.rlimits then .process.rlimits |= map(if .type == "RLIMIT_NOFILE"
			then .hard = ([.hard, $nofile] | min) | .soft = ([.soft, $nofile] | min) else . end) else . end' \
		>"$BUNDLE/config.json"
	jq -r '.mounts[] | select(.type == "bind") | .source + " " + .destination' "$BUNDLE/config.json" |
		while read -r source at; do
			[[ $source = "$DIR"/* ]] || continue
			mkdir -p "$(dirname "$source")"
			if [[ $at = /dev/shm ]]; then mkdir "$source" && chmod 1777 "$source"; else echo "$at" >"$source"; fi
		done
	# With a user namespace the engine gives the files to the root of the container.
	if jq -e .linux.uidMappings "$BUNDLE/config.json" >/dev/null; then
		chown -R "$(jq -r '.linux.uidMappings[] | select(.containerID == 0) | .hostID' "$BUNDLE/config.json")" \
			"$BUNDLE/rootfs" "$DIR"
		chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* 2>/dev/null || true
	fi
}

# What the engine asked the process to do; the process's output is in the file out.
run_as_is() {
	put "$1"
	oci create --pid-file "$PWD/pid" --bundle "$BUNDLE" box </dev/null >out 2>err || fail "$(<err)"
	[[ $(<pid) = "$(ctr_pid box)" ]]
	oci start box
	wait_for is_status box stopped
}

differences='
	def names(o): [o[]? | tostring] | sort;
	def differ(what; is; want): if is == want then empty else "\(what): \(is), not \(want)" end;
	$config.process as $p |
	differ("bounding"; (.capabilities.bounding | sort); ($p.capabilities.bounding // [] | sort)),
	differ("effective"; (.capabilities.effective | sort); ($p.capabilities.effective // [] | sort)),
	differ("permitted"; (.capabilities.permitted | sort); ($p.capabilities.permitted // [] | sort)),
	differ("inheritable"; (.capabilities.inheritable | sort); ($p.capabilities.inheritable // [] | sort)),
	# The kernel lets nothing be ambient that is not inheritable; Debian 12'"'"'s runc spec asks for it.
	differ("ambient"; (.capabilities.ambient | sort); (($p.capabilities.ambient // []) -
		(($p.capabilities.ambient // []) - ($p.capabilities.inheritable // [])) | sort)),
	(.limits as $l | $p.rlimits[]? | differ(.type; $l[.type]; {soft, hard})),
	differ("missing from the environment"; ($p.env - .env); []),
	differ("uid"; .uid[1]; $p.user.uid), differ("gid"; .gid[1]; $p.user.gid),
	differ("groups"; (.groups | unique); ($p.user.additionalGids // [] | unique)),
	(if $p.user.umask then differ("umask"; .umask; $p.user.umask) else empty end),
	differ("cwd"; .cwd; $p.cwd),
	differ("tty"; .tty; ($p.terminal // false)),
	differ("hostname"; .hostname; ($config.hostname // .hostname)),
	differ("no_new_privs"; .no_new_privs; (if $p.noNewPrivileges then 1 else 0 end)),
	differ("seccomp"; .seccomp.mode; (if $config.linux.seccomp then 2 else 0 end)),
	(if $p.oomScoreAdj then differ("oom_score_adj"; .oom_score_adj; ($p.oomScoreAdj | tostring)) else empty end),
	(.mounts as $m | $config.mounts[] | .destination as $at | ([$m[] | select(.destination == $at)] | last) as $is |
		differ("mount at \($at)"; ($is != null); true),
		(["ro", "nosuid", "nodev", "noexec"][] as $o | select(.options // [] | index($o)) |
			differ("\($at): \($o)"; ($is.options | split(",") | index($o) != null); true))),
	([.mounts[] | select(.destination == "/")] | last | differ("read-only root";
		(.options | split(",") | index("ro") != null); ($config.root.readonly // false))),
	differ("descriptors"; (.descriptors | keys_unsorted | map(tonumber) | sort); [0, 1, 2])'

# The process is the probe, and sees what the configuration says.
sees_its_configuration() {
	local path host wrong
	put "$1"
	edit "$BUNDLE" '.process.args = ["/bin/probe", "--stay"]'
	if jq -e .process.terminal "$BUNDLE/config.json" >/dev/null; then
		"$TOOLS/recvtty" "$PWD/socket" out </dev/null >/dev/null 2>&1 3>&- &
		wait_for test -S socket
		oci create --console-socket "$PWD/socket" --bundle "$BUNDLE" box </dev/null >log 2>err || fail "$(<err)"
	else
		oci create --bundle "$BUNDLE" box </dev/null >out 2>err || fail "$(<err)"
	fi
	oci start box
	wait_for complete
	wrong=$(grep '^{' out | jq -r --slurpfile c "$BUNDLE/config.json" '$c[0] as $config | '"$differences")
	[[ ! $wrong ]] || fail "$wrong"
	PID=$(ctr_pid box)
	grep -q ":$CGROUP/box" "/proc/$PID/cgroup"
	while read -r path; do
		host=/proc/$PID/root$path
		if [[ -d $host ]]; then
			[[ ! $(ls -A "$host") ]] || fail "$path is not masked"
		elif [[ -e $host ]]; then
			[[ $(stat -c %t:%T "$host") = 1:3 ]] || fail "$path is not masked"
		fi
	done < <(jq -r '.linux.maskedPaths[]?' "$BUNDLE/config.json")
	while read -r path; do
		[[ ! -e /proc/$PID/root$path ]] ||
			awk -v at="$path" '$5 == at { o = $6 } END { exit o !~ /(^|,)ro(,|$)/ }' "/proc/$PID/mountinfo" ||
			fail "$path is not read-only"
	done < <(jq -r '.linux.readonlyPaths[]?' "$BUNDLE/config.json")
	oci kill box KILL
	wait_for is_status box stopped
}
complete() { grep '^{' out 2>/dev/null | jq -e . >/dev/null 2>&1; }

setup() {
	common_setup
	require root cgroup_v1
}

@test "podman run" { sees_its_configuration podman-run; }
@test "podman run: what it is asked to do" { run_as_is podman-run && [[ $(<out) = hello ]]; }
@test "podman run -t" { sees_its_configuration podman-tty; }
@test "podman run --read-only" { sees_its_configuration podman-read-only; }
@test "podman run --userns" { sees_its_configuration podman-userns; }
@test "podman run --cpus" { sees_its_configuration podman-cpu; }

@test "docker run" { sees_its_configuration docker-run; }
@test "docker run: what it is asked to do; its hook gets the state" {
	run_as_is docker-run
	[[ $(<out) = hello ]]
	[[ $(jq -r '.id + " " + (.pid | tostring)' "$DIR/hook") = "box $(<pid)" ]]
}
@test "docker run -t" { sees_its_configuration docker-tty; }
@test "docker run --pids-limit" {
	sees_its_configuration docker-limits
}
@test "docker run --pids-limit: the limit holds" {
	run_as_is docker-limits
	[[ $(<out) = 50 ]]
}
@test "docker run --security-opt seccomp=unconfined" { sees_its_configuration docker-no-seccomp; }

@test "ctr run" { sees_its_configuration ctr-run; }
@test "ctr run: what it is asked to do" { run_as_is ctr-run && [[ $(<out) = hello ]]; }
@test "ctr run --seccomp" { sees_its_configuration ctr-seccomp; }
@test "ctr run --read-only" { sees_its_configuration ctr-read-only; }

@test "runc spec" { sees_its_configuration runc-spec; }
