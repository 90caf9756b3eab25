#!/usr/bin/env bats
# T-21626, T-FDWL: descriptors of the host that a container's process could reach.
# CVE-2024-21626 (runc), CVE-2016-9962 (runc), CVE-2020-15257 (containerd).

load ../lib/common
load security

# Whether the working directory of PID is what its path says in its own root: a directory of the host
# has the same path and is another one, or has no path at all.
cwd_is_inside() {
	local path
	path=$(readlink "/proc/$1/cwd")
	[[ $path = /* && $(stat -Lc %d:%i "/proc/$1/cwd") = $(stat -Lc %d:%i "/proc/$1/root$path") ]]
}

@test "control: the working directory is in the container" {
	mkbundle box '.process.cwd = "/tmp"'
	runs box
	cwd_is_inside "$PID"
}

@test "control: a working directory of the host is recognised" {
	mkbundle box
	runs box
	# In the container's root, but with a working directory of the host, as after the attack.
	(cd "$OUT" && exec unshare --mount nsenter --wdns=/ -t "$PID" -r sleep 5) 3>&- &
	wait_for eval '! cwd_is_inside $! || [[ $(stat -Lc %i /proc/$!/root) != $(stat -Lc %i /proc/self/root) ]]'
	kill $! || true
}

# T-21626
@test "a working directory in /proc/self/fd does not lead to the host" {
	local n base
	for base in /proc/self/fd /proc/thread-self/fd /proc/1/fd; do
		for n in {3..20}; do
			[[ $base = /proc/self/fd ]] || ((n % 4 == 3)) || continue
			mkbundle "attack-$n" '.process.cwd = $cwd' --arg cwd "$base/$n"
			create "attack-$n" >/dev/null
			((status)) || start "attack-$n" >/dev/null
			if ((status)); then
				refused "attack-$n" "cwd|working directory|$base|chdir"
			else
				cwd_is_inside "$(ctr_pid "attack-$n")" || fail "$base/$n leads to the host"
			fi
			oci delete --force "attack-$n" >/dev/null 2>&1 || true
			rm -rf "$BUNDLE"
		done
	done
}

@test "a working directory that is a link into /proc/self/fd does not lead to the host" {
	local n
	for n in {3..20}; do
		mkbundle "attack-$n" '.process.cwd = "/w"'
		ln -s "/proc/self/fd/$n" "$BUNDLE/rootfs/w"
		create "attack-$n" >/dev/null
		((status)) || start "attack-$n" >/dev/null
		if ((status)); then
			refused "attack-$n" 'cwd|working directory|/w|chdir'
		else
			cwd_is_inside "$(ctr_pid "attack-$n")" || fail "$n leads to the host"
		fi
		oci delete --force "attack-$n" >/dev/null 2>&1 || true
		rm -rf "$BUNDLE"
	done
}

@test "exec with a working directory in /proc/self/fd does not lead to the host" {
	require command:oci-exec
	local n dir
	mkbundle box
	ln -s /proc/self/fd/7 "$BUNDLE/rootfs/w"
	runs box
	run -0 oci exec --cwd /tmp box pwd
	[[ $output = /tmp ]]
	for n in {3..20} w; do
		dir=/proc/self/fd/$n
		[[ $n != w ]] || dir=/w
		rm -f pid
		if oci exec --cwd "$dir" --detach --pid-file "$PWD/pid" box sleep 100 </dev/null >exec.out 2>&1; then
			cwd_is_inside "$(<pid)" || fail "$dir leads to the host"
			kill -KILL "$(<pid)"
		else
			grep -Eqi "cwd|working directory|chdir|$dir" exec.out || fail "INVALID: $(<exec.out)"
		fi
	done
}

# Opens things that must not reach the container, then becomes the command.
with_descriptors() {
	(
		local n
		for n in {20..29}; do eval "exec $n<\"\$OUT\""; done
		for n in {30..39}; do eval "exec $n<>\"\$OUT/canary\""; done
		for n in {40..49}; do eval "exec $n</"; done
		exec 50<>"$OUT/locked"
		flock 50
		exec 3>&-
		exec "$@"
	)
}

# What PID holds beyond standard input, output and error, and the sockets and anonymous files that the
# wait for start needs.
foreign_descriptors() {
	find "/proc/$1/fd" -mindepth 1 -printf '%f %l\n' | grep -vE '^[012] ' |
		grep -vE ' (socket:|anon_inode:|pipe:|/memfd:|'"$ROOT/$2"')' || true
}

# T-FDWL
@test "the caller's descriptors reach neither init nor the container's process" {
	touch "$OUT/locked"
	mkbundle box
	with_descriptors "$OCI" --root "$ROOT" create --bundle "$BUNDLE" box </dev/null >out 2>err || fail "$(<err)"
	PID=$(ctr_pid box)
	[[ $(foreign_descriptors "$PID" box) = "" ]] || fail "$(foreign_descriptors "$PID" box)"
	# A lock that nobody else holds: init has not inherited it.
	flock --nonblock "$OUT/locked" true || fail "the caller's lock is held"
	with_descriptors "$OCI" --root "$ROOT" start box </dev/null
	wait_for only_standard
}
only_standard() { [[ $(find "/proc/$PID/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' ') = "0 1 2 " ]]; }

@test "the caller's descriptors do not reach an executed process" {
	require command:oci-exec
	touch "$OUT/locked"
	mkbundle box
	runs box
	with_descriptors "$OCI" --root "$ROOT" exec --detach --pid-file "$PWD/pid" box sleep 100 \
		</dev/null >out 2>err || fail "$(<err)"
	PID=$(<pid)
	wait_for only_standard
	kill -KILL "$PID"
}

@test "--preserve-fds passes so many and no more" {
	mkbundle box
	with_descriptors bash -c 'exec 3<"$1" 4<"$1"; shift; exec "$@"' - "$OUT/canary" \
		"$OCI" --root "$ROOT" create --preserve-fds 2 --bundle "$BUNDLE" box </dev/null >out 2>err ||
		fail "$(<err)"
	start box
	PID=$(ctr_pid box)
	wait_for five_descriptors
	[[ $(readlink "/proc/$PID/fd/4") = */canary ]]
}
five_descriptors() { [[ $(find "/proc/$PID/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' ') = "0 1 2 3 4 " ]]; }

# T-ABS: whoever shares the network namespace can connect to an abstract socket.
@test "no abstract socket is made" {
	local before
	before=$(grep -o '@.*' /proc/net/unix | sort)
	mkbundle box '.linux.namespaces |= map(select(.type != "network"))'
	create box
	[[ $(grep -o '@.*' /proc/net/unix | sort) = "$before" ]]
}
