#!/usr/bin/env bats
# What is recorded of a container, and commands that come at the wrong time: nobody else's process, cgroup
# or file may be touched, whatever a record says.
load ../lib/common
load security

teardown() {
	[[ ! ${victim-} ]] || kill -KILL "$victim" 2>/dev/null || true
	[[ ! ${VICTIM_CGROUP-} ]] || wait_for -t 30 rmdir "$VICTIM_CGROUP" 2>/dev/null || true
	security_teardown
}

V2=/sys/fs/cgroup/unified
[[ -d $V2 ]] || V2=/sys/fs/cgroup

# Somebody else: a process, in a cgroup of its own.
new_victim() {
	# Not in the environment that teardown goes by: it must live as long as the test.
	env -u OCI_TEST sleep 1000 3>&- &
	victim=$!
	VICTIM_CGROUP=$V2/victim-$OCI_TEST
	mkdir "$VICTIM_CGROUP"
	echo "$victim" >"$VICTIM_CGROUP/cgroup.procs"
}

victim_lives() {
	grep -q '^State:.[^ZX]' "/proc/$victim/status" && grep -qx "$victim" "$VICTIM_CGROUP/cgroup.procs"
}

# lifecycle: every command that acts on a container by its record; none of them may hang.
lifecycle() {
	local command
	for command in "state box" "start box" "ps --format json box" "pause box" "resume box" "kill box KILL" "kill --all box KILL" "delete box" "delete --force box"; do
		# shellcheck disable=SC2086
		timeout 60 "$OCI" --root "$ROOT" $command >>said 2>&1 </dev/null || (($? < 124)) || fail "$command: $?: $(tail -1 said)"
		victim_lives || fail "$command reached somebody else: $1"
	done
}

@test "T-P4: a record that names others' processes, cgroups and files reaches none of them" {
	local edit before n=0 start
	new_victim
	before=$(outside)
	start=$(awk '{print $22}' "/proc/$victim/stat")
	mkbundle box
	for edit in '.oci.init.pid = $victim' '.oci.init.pid = $victim | .pid = $victim | .status = "running"' \
		'.oci.init = {pid: 1, startTime: 1}' '.oci.init.pid = -$victim' '.oci.init.pid = 4294967297' '.oci.init.startTime = 0' \
		'.oci.init.pid = $victim | .oci.init.startTime = ($start + 1)' '.oci.creator = {pid: $victim, startTime: 1}' \
		'.oci.cgroup.path = $cgroup' '.oci.cgroup.path = "/"' '.oci.cgroup.path = "/.." + $cgroup' '.oci.cgroup.path = "/x/../.." ' \
		'.oci.cgroup.hierarchies |= map(.id = 1)' '.oci.cgroup.path = $cgroup | .oci.cgroup.hierarchies |= map(.made = 9)' \
		'.oci.cgroup.hierarchies |= map(.mount = $out)' '.oci.cgroup.path = $cgroup | .oci.cgroup.hierarchies |= map(.id = 0)' \
		'.oci.cgroup.hierarchies |= map(.mount = "/") | .oci.cgroup.path = $out' \
		'.id = "../outside"' '.rootfs = $out | .oci.rootfs = $out' '.bundle = $out' '.oci.options.pidFile = $out + "/canary"' '.oci.bootId = "x"'; do
		oci delete --force box
		oci create --bundle box box >out.log 2>&1 </dev/null
		cp "$ROOT/box/state.json" good
		jq --argjson victim "$victim" --argjson start "$start" --arg cgroup "${VICTIM_CGROUP#"$V2"}" --arg out "$OUT" "$edit" good >"$ROOT/box/state.json"
		lifecycle "$edit"
		[ "$before" = "$(outside)" ] || fail "changed outside: $edit"
		# What was this container's own is cleared by its true record.
		if [[ -d $ROOT/box ]]; then
			cp good "$ROOT/box/state.json"
		else
			clear_leftovers
		fi
		n=$((n + 1))
	done
	((n > 20))
	# The control: with its true start time the victim would be killed.
	oci delete --force box
	oci create --bundle box box >out.log 2>&1 </dev/null
	cp "$ROOT/box/state.json" good
	jq --argjson victim "$victim" --argjson start "$start" '.oci.init = {pid: $victim, startTime: $start} | .status = "running"' good >"$ROOT/box/state.json"
	oci kill box KILL
	wait_for -t 30 victim_is_dead
	cp good "$ROOT/box/state.json"
}
victim_is_dead() { ! victim_lives; }

@test "T-P4: of two hundred damaged records none sends a signal, removes a file or crashes a command" {
	local size i pid
	mkbundle box
	oci create --bundle box box >out.log 2>&1 </dev/null
	pid=$(ctr_pid box)
	cp "$ROOT/box/state.json" good
	size=$(stat -c %s good)
	# Cut at a hundred places; then a byte changed at a hundred.
	for ((i = 0; i < 100; i++)); do head -c $((size * i / 100)) good >"cut.$i"; done
	for ((i = 0; i < 100; i++)); do
		cp good "flip.$i"
		printf "\\x$(printf %02x $((33 + i * 7 % 90)))" | dd of="flip.$i" bs=1 seek=$(((size - 1) * i / 100)) conv=notrunc status=none
	done
	cat >tries <<-'END'
		for file in cut.* flip.*; do
			cp "$file" "$ROOT/box/state.json"
			for command in "state box" "ps --format json box" "kill box 0"; do
				"$OCI" --root "$ROOT" $command >/dev/null 2>>said </dev/null
				[ $? -lt 2 ] || echo "$file: $command: $?" >>bad
			done
		done
	END
	OCI=$OCI strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e signal=none -e trace=kill,tkill,tgkill,pidfd_send_signal,unlink,unlinkat,rmdir -o trace sh tries
	cp good "$ROOT/box/state.json"
	[ ! -e bad ] || fail "$(<bad)"
	# The control: kill was called for what is still a record.
	grep -q "pidfd_send_signal([0-9]*, 0" trace
	run ! grep -vE 'pidfd_send_signal\([0-9]+, 0,|\+\+\+' trace
	kill -0 "$pid"
}

@test "T-P4: whatever is damaged, every command leaves others alone, and ends" {
	local i command before code commands row size
	# One half of the damaged records meets one half of the commands.
	commands=("state;start;exec;pause;kill --all;delete --force" "ps;update --pids-limit 9;events --stats;resume;kill;delete")
	new_victim
	mkbundle box
	before=$(outside)
	for ((i = 0; i < 200; i += 5)); do
		[[ -e $ROOT/box/config.json ]] || {
			clear_leftovers
			rm -rf "${ROOT:?}/box"
			oci create --bundle box box >out.log 2>&1 </dev/null || fail "INVALID: $(<out.log)"
			cp "$ROOT/box/state.json" good
		}
		# Cut, or with a byte changed.
		size=$(stat -c %s good)
		if ((i < 100)); then
			head -c $((size * i / 100)) good >bad
		else
			cp good bad
			printf "\\x$(printf %02x $((33 + i * 7 % 90)))" | dd of=bad bs=1 seek=$(((size - 1) * (i - 100) / 100)) conv=notrunc status=none
		fi
		readarray -td';' row < <(printf '%s' "${commands[i % 2]}")
		for command in "${row[@]}"; do
			[[ ! -d $ROOT/box ]] || cp bad "$ROOT/box/state.json"
			set -- box
			[[ $command != exec ]] || set -- box true
			[[ $command != kill* ]] || set -- box KILL
			code=0
			# shellcheck disable=SC2086
			timeout 60 "$OCI" --root "$ROOT" $command "$@" >>said 2>&1 </dev/null || code=$?
			((code < 124 || code == 255)) || fail "$command $i: $code: $(tail -1 said)"
			grep -q '^State:.[^ZX]' "/proc/$victim/status" || fail "$command $i reached somebody else"
		done
	done
	[ "$before" = "$(outside)" ]
	victim_lives
	rm -rf "${ROOT:?}/box"
	clear_leftovers
}

@test "T-STATE: links, FIFOs and foreign directories in the place of what is ours" {
	local before
	before=$(outside)
	mkbundle box
	oci create --bundle box box >out.log 2>&1 </dev/null
	mv "$ROOT/box/state.json" "$OUT/state.json"
	before=$(outside)
	ln -s "$OUT/state.json" "$ROOT/box/state.json"
	run ! timeout 60 "$OCI" --root "$ROOT" kill box KILL
	run ! timeout 60 "$OCI" --root "$ROOT" delete box
	rm "$ROOT/box/state.json"
	mkfifo "$ROOT/box/state.json"
	run ! timeout 60 "$OCI" --root "$ROOT" kill box KILL
	((status < 124)) || fail "a FIFO hangs kill"
	run ! timeout 60 "$OCI" --root "$ROOT" state box
	((status < 124)) || fail "a FIFO hangs state"
	rm "$ROOT/box/state.json"
	[ "$before" = "$(outside)" ]
	cp "$OUT/state.json" "$ROOT/box/state.json"
	# The directory of a container is none of ours if it is a link.
	mv "$ROOT/box" "$OUT/box"
	ln -s "$OUT/box" "$ROOT/box"
	before=$(outside)
	run ! oci kill box KILL
	run oci delete --force box
	[ "$before" = "$(outside)" ]
	rm -f "$ROOT/box"
	mv "$OUT/box" "$ROOT/box"
	# So is the root, and one that is others' too.
	ln -s "$ROOT" link
	run ! "$OCI" --root "$PWD/link" state box
	[[ $output = *refused* || $output = *link* ]] || show
	chown 1000 "$ROOT"
	run ! oci state box
	[[ $output = *"is refused: owner 1000"* ]] || show
	chown 0 "$ROOT"
	# A record that others can write, that is others', or that has another name as well.
	chmod 664 "$ROOT/box/state.json"
	run ! oci kill box KILL
	[[ $output = *'state.json of "box" is refused: owner 0, mode 0664, 1 link' ]] || show
	chmod 600 "$ROOT/box/state.json"
	chown 1000 "$ROOT/box/state.json"
	run ! oci delete --force box
	[[ $output = *'state.json of "box" is refused: owner 1000'* ]] || show
	chown 0 "$ROOT/box/state.json"
	ln "$ROOT/box/state.json" "$ROOT/box/name"
	run ! oci state box
	[[ $output = *'state.json of "box" is refused: owner 0, mode 0600, 2 links' ]] || show
	rm "$ROOT/box/name"
	chmod 770 "$ROOT/box"
	run ! oci state box
	[[ $output = *'the state directory of "box" is refused: owner 0, mode 0770'* ]] || show
	chmod 700 "$ROOT/box"
	# The control.
	oci kill box KILL
	wait_for -t 30 is_status box stopped
}

# at STATUS: container box in that status.
at() {
	oci delete --force box
	oci create --bundle box box >out.log 2>&1 </dev/null
	[[ $1 = created ]] || oci start box
	case $1 in
	paused) oci pause box ;;
	stopped) oci kill box KILL && wait_for -t 30 is_status box stopped ;;
	esac
	is_status box "$1"
}

@test "T-P5: a stage that is run by hand when the container is made does nothing" {
	local when stage
	mkbundle box '.hooks.prestart = [{path: "/bin/true"}]'
	# The control: in time it joins.
	oci-create --until prepare-root box box >out.log 2>&1 </dev/null
	strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e trace=setns -o trace "$OCI_BUILD/oci-mount" --root "$ROOT" box
	grep -q setns trace
	for when in created running paused stopped; do
		at "$when"
		for stage in seccomp cgroup nsenter-setup prepare-root mount "hook prestart" "hook createContainer" pivot; do
			# shellcheck disable=SC2086
			set -- $stage
			run strace -E ASAN_OPTIONS=detect_leaks=0 -f -qq -e signal=none -e trace=setns,mount,move_mount,pivot_root,clone,clone3,fork,vfork,mkdirat,kill,pidfd_send_signal \
				-o trace "$OCI_BUILD/oci-$1" --root "$ROOT" box ${2-}
			[[ $status = 104 || ($when = created && $output = *" before, nothing to do") ]] || fail "$stage of a $when container: status $status: $output"
			[ ! -s trace ] || fail "$stage of a $when container:" "$(<trace)"
		done
		run -104 oci-validate box box
	done
}

@test "T-PIDREUSE: a process that got the pid of a container's dead one is nobody's" {
	mkbundle box
	cat >inside <<-'END'
		set -e
		"$OCI" --root "$ROOT" create --bundle box box >out.log 2>&1 </dev/null
		"$OCI" --root "$ROOT" start box
		pid=$("$OCI" --root "$ROOT" state box | jq .pid)
		kill -KILL "$pid"
		until ! test -e "/proc/$pid"; do sleep 0.05; done
		# A start time is a count of ticks of 10 ms, and a pid is given to the next that is forked.
		sleep 0.1
		for try in $(seq 100); do
			echo $((pid - 1)) >/proc/sys/kernel/ns_last_pid
			sleep 1000 &
			victim=$!
			[ "$victim" != "$pid" ] || break
			kill -KILL "$victim"
		done
		[ "$victim" = "$pid" ] || exit 77
		for command in "state box" "kill box KILL" "kill --all box KILL" "ps box" "pause box" "exec box true" "update --pids-limit 9 box" "events --stats box" "start box" "delete box" "delete --force box"; do
			"$OCI" --root "$ROOT" $command >>said 2>&1 </dev/null || true
			grep -q '^State:.[^ZX]' "/proc/$victim/status" || { echo "$command killed it"; exit 1; }
		done
		"$OCI" --root "$ROOT" state box && exit 1
		kill "$victim"
		echo survived
	END
	run env OCI="$OCI" unshare --pid --fork --mount-proc bash inside
	[[ $status != 77 ]] || skip "the pid could not be had again"
	[[ $status = 0 && $output = *survived ]] || show
	[[ $(<said) = *"container not running"* ]] || fail "$(<said)"
}
