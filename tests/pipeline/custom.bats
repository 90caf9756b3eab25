#!/usr/bin/env bats
# Pipelines other than the stock one, and the examples.
load ../lib/common

EXAMPLES=$REPO/pipeline/examples

create() { oci-create "$@" >out 2>err </dev/null; }

# pipeline [STAGE LINE]: the stock pipeline in the file "p", with a line put after that of the stage.
pipeline() {
	cp "$REPO/pipeline/default.pipeline" p
	[[ $# = 0 ]] || LINE=$2 awk -v stage="$1" '{ print } $0 == stage { print ENVIRON["LINE"] }' \
		"$REPO/pipeline/default.pipeline" >p
}

@test "the stock pipeline as a file is the stock pipeline" {
	mkbundle box
	pipeline
	create --pipeline p c box
	[ "$(jq -r '[.oci.stages[].name] | join(",")' "$ROOT/c/state.json")" = \
		"validate,seccomp,cgroup,nsenter-setup,prepare-root,mount,hook prestart,hook createRuntime,hook createContainer,pivot" ]
}

@test "a step gets its flags and the id, and the container's whereabouts in its environment" {
	mkbundle box
	cat >step <<-'END'
		#!/bin/sh
		printf '%s\n' "$@" >"$OCI_BUNDLE/args"
		env | sort >"$OCI_BUNDLE/env"
		jq -c '.status, [.oci.stages[].name]' "$OCI_STATE_DIR/state.json" >"$OCI_BUNDLE/state"
		ls -l /proc/self/fd | awk '{ print $9 }' | tr '\n' ' ' >"$OCI_BUNDLE/fds"
		cut -d' ' -f7 /proc/self/stat >"$OCI_BUNDLE/tty"
	END
	chmod +x step
	pipeline mount "exec $PWD/step --flag 'two words'"
	create --pipeline p c box || fail "$(<err)"
	diff box/args <(printf '%s\n' --flag "two words" c)
	diff <(grep -v '^\(PWD\|SHLVL\|_\)=' box/env) - <<-END
		OCI_BUNDLE=$BUNDLE
		OCI_PID=$(ctr_pid c)
		OCI_ROOT=$ROOT
		OCI_ROOTFS=$BUNDLE/rootfs
		OCI_STATE_DIR=$ROOT/c
		PATH=$PATH
	END
	[ "$(tail -1 box/state)" = '["validate","seccomp","cgroup","nsenter-setup","prepare-root","mount"]' ]
	# ls has one more.
	[ "$(<box/fds)" = " 0 1 2 3 " ] || fail "$(<box/fds)"
	[ "$(jq -r '.oci.stages[6].name' "$ROOT/c/state.json")" = "exec $PWD/step --flag two words" ]
}

@test "a step that fails undoes the creation and is named with its line" {
	mkbundle box
	pipeline mount "exec /bin/sh -c 'echo out of luck >&2; exit 3'"
	run -105 create --pipeline p c box
	[[ $(<err) = "oci-create: $PWD/p:8: \"/bin/sh\" failed: exit status 3"*"out of luck"* ]] || fail "$(<err)"
	[ ! -e "$ROOT/c" ]
	wait_for no_processes
	run -1 oci create --pipeline p c box
	pipeline mount "exec /none/such"
	run -105 create --pipeline p c box
	[[ $(<err) = "oci-create: $PWD/p:8: "*ENOENT* ]] || fail "$(<err)"
	pipeline mount "exec /bin/sh -c 'kill -9 \$\$'"
	run -105 create --pipeline p c box
	[[ $(<err) = *"SIGKILL"* ]] || fail "$(<err)"
}

@test "steps after a stage that is kept run when it is resumed, with the same pipeline" {
	mkbundle box
	pipeline mount "exec /bin/sh -c 'echo step >>$PWD/log; test -e $PWD/good'"
	run -105 create --keep --pipeline p c box
	touch good
	create --resume c || fail "$(<err)"
	[ "$(wc -l <log)" = 2 ]
	[ "$(ctr_status c)" = created ]
}

@test "equal steps are each run once, also over --until and --resume" {
	mkbundle box
	pipeline prepare-root "exec /bin/sh -c 'echo step >>$PWD/log'"
	sed -i '/^mount/{p;s/.*/exec \/bin\/sh -c '"'echo step >>${PWD//\//\\/}\/log'"'/}' p
	create --until mount --pipeline p c box
	[ "$(wc -l <log)" = 1 ]
	create --resume c
	[ "$(wc -l <log)" = 2 ]
}

@test "another pipeline cannot finish what one has begun" {
	mkbundle box
	pipeline prepare-root "exec /bin/true"
	create --until mount --pipeline p c box
	pipeline
	run -100 oci-create --resume --pipeline p c
	[[ $output = *'container "c" was begun with another pipeline: "exec /bin/true" is not in this one'* ]] || show
	[ "$(jq -r .status "$ROOT/c/state.json")" = creating ]
}

@test "a step after pivot still precedes the commit" {
	mkbundle box
	pipeline pivot "exec /bin/sh -c 'jq -r .status \$OCI_STATE_DIR/state.json >$PWD/status'"
	create --pipeline p c box
	[ "$(<status)" = creating ]
	[ "$(ctr_status c)" = created ]
}

@test "a pipeline's errors are found before anything is begun" {
	mkbundle box
	expect() {
		run -100 oci-create --pipeline p c box
		[ "${lines[0]}" = "oci-create: $PWD/p$1" ] || show
		[ ! -e "$ROOT/c" ]
	}
	pipeline mount 'hook createruntime'
	expect ':8: unknown hook "createruntime" (did you mean "createRuntime"?)'
	pipeline mount 'munt'
	expect ':8: unknown stage "munt" (did you mean "mount"?)'
	pipeline mount 'exec step'
	expect ':8: the program "step" is not an absolute path'
	pipeline && sed -i /cgroup/d p
	expect ':4: "cgroup" must come before "nsenter-setup"'
	pipeline && sed -i '/^hook createContainer/d' p
	expect ':9: "hook createContainer" must come before "pivot"'
	pipeline && sed -i '/pivot/d' p
	expect ': the stage "pivot" is missing'
	pipeline mount 'mount'
	expect ':8: "mount" was there before'
}

@test "a pipeline that cannot be read is a usage error" {
	mkbundle box
	run -100 oci-create --pipeline none c box
	[ "${lines[0]}" = "oci-create: cannot read the pipeline \"$PWD/none\": ENOENT" ] || show
	mkfifo fifo
	run -100 oci-create --pipeline fifo c box
	run -100 oci-create --pipeline . c box
	head -c 100000 /dev/zero | tr '\0' '\n' >big
	run -100 oci-create --pipeline big c box
	[[ $output = *EFBIG* ]] || show
}

# ---- pipeline/examples -----------------------------------------------------------------------

@test "examples: stage by stage in sh" {
	mkbundle box
	wrap_commands
	PATH=$PWD/bin:$PATH "$EXAMPLES/stage-by-stage.sh" c box >out 2>err </dev/null || fail "$(<err)"
	[ "$(jq -r .status out)" = created ]
	oci-start c
	[ "$(ctr_status c)" = running ]
	oci-delete --force c
	edit box '.mounts += [{destination: "/x", type: "bind", source: "/none/such", options: ["bind"]}]'
	run ! env PATH="$PWD/bin:$PATH" "$EXAMPLES/stage-by-stage.sh" c box
	[ ! -e "$ROOT/c" ]
}

# Commands in bin/ that have the test's --root.
wrap_commands() {
	local command
	mkdir -p bin
	for command in "$OCI_BUILD"/oci-*; do
		command=${command##*/}
		[[ $command != oci-init ]] || continue
		printf '#!/bin/sh\nexec %s/%s --root %s "$@"\n' "$OCI_BUILD" "$command" "$ROOT" >"bin/$command"
		chmod +x "bin/$command"
	done
}

@test "examples: a custom step injects a bind mount between mount and pivot" {
	mkbundle box '.process.args = ["sh", "-c", "cat /run/secrets/key >/got; exec sleep 1000"]'
	mkdir secrets
	echo sesame >secrets/key
	sed "s|/srv/secrets|$PWD/secrets|" "$EXAMPLES/secrets.pipeline" >p
	create --pipeline p c box || fail "$(<err)"
	oci-start c
	wait_for test -s box/rootfs/got
	[ "$(<box/rootfs/got)" = sesame ]
	# Not on the host.
	[ "$(ls box/rootfs/run/secrets)" = "" ]
	oci-delete --force c
	rm -r secrets box/rootfs/run/secrets
	run -105 create --pipeline p c box
}

@test "examples: a look inside before the pivot" {
	mkbundle box
	wrap_commands
	PATH=$PWD/bin:$PATH "$EXAMPLES/look-inside.sh" c box >out 2>err </dev/null || fail "$(<err)"
	grep -q "$BUNDLE/rootfs/proc *proc" out
	grep -q "$BUNDLE/rootfs/dev/pts *devpts" out
	oci-start c
	[ "$(ctr_status c)" = running ]
}

@test "examples: the slowest stage" {
	mkbundle box
	wrap_commands
	PATH=$PWD/bin:$PATH "$EXAMPLES/slowest-stage.sh" c box >out 2>err </dev/null || fail "$(<err)"
	[ "$(wc -l <out)" = 10 ]
	sort -rnc out
	[ ! -e "$ROOT/c" ]
}
