#!/usr/bin/env bats
# oci-validate: the bundle, config.json, the state directory that it begins.
# shellcheck disable=SC2154

load ../lib/common

# place PATTERN: LINE:COLUMN of the first place in config.json where the fixed string PATTERN stands.
place() {
	awk -v pattern="$1" 'i = index($0, pattern) {print NR ":" i; exit}' "$BUNDLE/config.json"
}

# Engines take these words for a failed exec.
no_exec_words() {
	[[ ! ${1,,} =~ "no such file"|"permission denied"|"not permitted"|"executable file not found" ]] ||
		fail "$1"
}

nothing_left() { [[ ! -e $ROOT || ! $(ls -A "$ROOT") ]]; }

# refuses WORDS...: the stage and the check refuse the bundle "box", with all these words.
refuses() {
	local word
	run -102 oci-validate "$BUNDLE"
	for word; do [[ $output = *"$word"* ]] || fail "not said: $word" "$output"; done
	no_exec_words "$output"
	run -102 --separate-stderr oci-validate --bundle "$BUNDLE" box
	for word; do [[ $stderr = *"$word"* ]] || fail "not said: $word" "$stderr"; done
	nothing_left
}

# ---- Operands --------------------------------------------------------------------------------

@test "a bundle that is fine: nothing is said, nothing is made" {
	mkbundle box
	run -0 oci-validate "$BUNDLE"
	[[ ! $output ]]
	run -0 oci-validate box # a directory of that name is here
	[[ ! $output ]]
	run -0 oci-validate .//box/
	nothing_left
}

@test "with an id: the state directory is made, with a snapshot" {
	mkbundle box '.annotations = {"org.example.a": "1"}'
	run -0 oci-validate --bundle "$BUNDLE" box
	[[ ! $output ]]
	cmp "$BUNDLE/config.json" "$ROOT/box/config.json"
	[[ $(stat -c %a "$ROOT" "$ROOT/box" | paste -sd' ') = "700 700" ]]
	jq -e --arg bundle "$BUNDLE" '
		.id == "box" and .status == "creating" and .pid == 0 and .ociVersion == "1.3.0"
		and .bundle == $bundle and .annotations == {"org.example.a": "1"}
		and .oci.rootfs == $bundle + "/rootfs"
		and (.oci.created | test("^20..-..-..T..:..:..\\.[0-9]{9}Z$"))
		and .oci.owner == '$EUID'
		and [.oci.stages[] | .name, .result] == ["validate", "done"]' "$ROOT/box/state.json"
	[[ $(jq -r .oci.bootId "$ROOT/box/state.json") = $(cat /proc/sys/kernel/random/boot_id) ]]
	[[ $(jq -r .oci.rootDev,.oci.rootIno "$ROOT/box/state.json" | paste -sd' ') = \
		$(stat -c '%d %i' "$BUNDLE/rootfs") ]]
}

@test "id and bundle as two operands; the working directory as bundle" {
	mkbundle box
	oci-validate one box
	cd "$BUNDLE"
	oci-validate two
	[[ $(jq -r .bundle "$ROOT"/{one,two}/state.json | sort -u) = "$BUNDLE" ]]
}

@test "options are recorded for later stages" {
	mkbundle box
	oci-validate --bundle box --console-socket sock --pid-file pid --preserve-fds 2 --no-pivot \
		--no-new-keyring box
	jq -e --arg here "$PWD" '.oci.options == {"consoleSocket": "\($here)/sock",
		"pidFile": "\($here)/pid", "preserveFds": 2, "noPivot": true, "noNewKeyring": true}' \
		"$ROOT/box/state.json"
}

@test "wrong use" {
	run -100 oci-validate
	run -100 oci-validate a b c
	run -100 oci-validate --json a b
	run -100 oci-validate --bundle b a c
	run -100 oci-validate --nosuch a
	nothing_left
}

@test "ids that are none" {
	local id long
	mkbundle box
	long=$(printf 'x%.0s' {1..256})
	for id in '' . .. ../x a/b .a -- 'a b' $'a\nb' ä "$long"; do
		run -100 oci-validate --bundle "$BUNDLE" -- "$id"
		nothing_left
	done
	oci-validate --bundle "$BUNDLE" "${long:1}"
}

@test "an id that is in use" {
	mkbundle box
	oci-validate --bundle "$BUNDLE" box
	run -104 oci-validate --bundle "$BUNDLE" box
	[[ $output = *'container "box" exists already'* ]]
	[[ -e $ROOT/box/state.json ]]
}

# ---- The bundle ------------------------------------------------------------------------------

@test "a bundle that is missing: the component that fails is named" {
	mkdir -p a/b
	run -102 oci-validate --bundle a/b/c/d box
	[[ $output = *'"a/b/c" does not exist (ENOENT)'* ]]
	no_exec_words "$output"
	run -102 oci-validate /nonexistent/x
	[[ $output = *'"/nonexistent" does not exist (ENOENT)'* ]]
	run -102 oci-validate --bundle '' box
	[[ $output = *'the path to the bundle is empty'* ]]
	nothing_left
}

@test "a bundle that is no directory" {
	touch file
	run -102 oci-validate ./file
	[[ $output = *'cannot use bundle "./file": it is no directory'* ]]
	run -102 oci-validate --bundle file/x box
	[[ $output = *'"file" is no directory (ENOTDIR)'* ]]
	no_exec_words "$output"
}

@test "a bundle behind links: one that leads nowhere, one that leads in a circle" {
	ln -s nowhere link
	run -102 oci-validate ./link/x
	[[ $output = *'"./link" is a symbolic link to "nowhere": ENOENT'* ]]
	ln -s circle circle
	run -102 oci-validate ./circle
	[[ $output = *ELOOP* ]]
	mkbundle box
	ln -s "$BUNDLE" to-box
	oci-validate --bundle to-box box
	[[ $(jq -r .bundle "$ROOT/box/state.json") = "$BUNDLE" ]]
}

@test "a bundle that is not accessible: the directory that cannot be searched is named" {
	require root
	chmod 711 "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
	mkbundle box
	mkdir closed && chmod 700 closed
	mv box closed/box
	cp "$OCI" "$BATS_TEST_TMPDIR/oci-validate"
	run -102 setpriv --reuid 65534 --regid 65534 --clear-groups ./oci-validate "$PWD/closed/box"
	[[ $output = *"\"$PWD/closed\" is not searchable by uid 65534 (mode 0700, owner 0)"* ]] || show
	no_exec_words "$output"
	chmod 711 closed
	chmod 600 closed/box/config.json
	run -102 setpriv --reuid 65534 --regid 65534 --clear-groups ./oci-validate "$PWD/closed/box"
	[[ $output = *"config.json\": EACCES"* ]] || show
	no_exec_words "$output"
}

@test "config.json: missing, a directory, a FIFO, a device, too large, a link" {
	mkbundle box
	mv "$BUNDLE/config.json" config.good
	refuses 'has no config.json'
	mkdir "$BUNDLE/config.json"
	refuses 'is no regular file'
	rmdir "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	timeout 10 "$OCI_BUILD/oci-validate" "$BUNDLE" && fail accepted || (($? == 102))
	refuses 'is no regular file'
	ln -sf /dev/zero "$BUNDLE/config.json"
	refuses 'is no regular file'
	rm "$BUNDLE/config.json"
	truncate -s 16777217 "$BUNDLE/config.json"
	refuses 'larger than 16 MiB'
	ln -sf ../config.good "$BUNDLE/config.json"
	oci-validate --bundle "$BUNDLE" box
	[[ ! -L $ROOT/box/config.json ]]
	cmp config.good "$ROOT/box/config.json"
}

@test "config.json of almost 16 MiB is read" {
	mkbundle box
	truncate -s 16777000 pad
	{ cat "$BUNDLE/config.json" && tr '\0' ' ' <pad | head -c 16770000; } >large
	mv large "$BUNDLE/config.json"
	run -0 oci-validate "$BUNDLE"
}

@test "root.path: missing, a file, relative, absolute, behind a link" {
	mkbundle box
	edit "$BUNDLE" '.root.path = "gone/rootfs"'
	refuses "$(place '"gone/rootfs"')" "/root/path" "\"$BUNDLE/gone\" does not exist (ENOENT)"
	touch "$BUNDLE/file"
	edit "$BUNDLE" '.root.path = "file"'
	refuses "is no directory"
	edit "$BUNDLE" 'del(.root)'
	refuses '/root: is required'
	edit "$BUNDLE" '.root.path = $path' --arg path "$BUNDLE/rootfs"
	oci-validate --bundle "$BUNDLE" one
	ln -s rootfs "$BUNDLE/link"
	edit "$BUNDLE" '.root.path = "./link"'
	oci-validate --bundle "$BUNDLE" two
	[[ $(jq -r .oci.rootfs "$ROOT"/{one,two}/state.json | sort -u) = "$BUNDLE/rootfs" ]]
}

# ---- What is said ----------------------------------------------------------------------------

@test "JSON that is none: line, column, caret" {
	mkbundle box
	printf '{\n\t"ociVersion": "1.3.0",\n\t"root": {"path": "rootfs",}\n}\n' >"$BUNDLE/config.json"
	run -102 oci-validate box
	diff - <(echo "$output") <<-'END'
		box/config.json:3:28: a member is missing here, or there is a comma too many
		    3 |     "root": {"path": "rootfs",}
		      |                               ^
	END
	run -102 --separate-stderr oci-validate --log log --log-format json --bundle box box
	[[ $(jq -r .msg log) = *'box/config.json:3:28: a member is missing here'* ]]
	(($(wc -l <log) == 1))
	nothing_left
}

@test "all errors at once, in the order of the text" {
	mkbundle box '.process.user.uid = "1000" | .process.cwd = "relative" | .procces = 1
		| .linux.namespaces |= map(select(.type != "uts")) | del(.mounts[1].destination)'
	run -102 oci-validate "$BUNDLE"
	[[ $output = *"$BUNDLE/config.json:$(place '"1000"'): error: /process/user/uid: must be an integer, not the string \"1000\""* ]]
	[[ $output = *"config.json:$(place '"relative"'): error: /process/cwd: \"relative\" is no absolute path"* ]]
	[[ $output = *"config.json:$(place '"procces"'): warning: /procces: no such property"* ]]
	[[ $output = *'did you mean "process"?'* ]]
	[[ $output = *"config.json:$(place '"hostname"'): error: /hostname: set, but the container has no UTS namespace"* ]]
	[[ $output = *"error: /mounts/1/destination: is required"* ]]
	[[ ${lines[-1]} = "4 errors, 1 warning" ]]
	diff <(grep -oE 'config.json:[0-9]+' <<<"$output") \
		<(grep -oE 'config.json:[0-9]+' <<<"$output" | sort -t: -k2n)
}

@test "the caret is where it should be" {
	mkbundle box '.mounts[1].options = ["nosuid", "strictatme"]'
	run -102 oci-validate "$BUNDLE"
	[[ ${#lines[@]} = 4 ]]
	[[ ${lines[0]} = *": error: /mounts/1/options/1: unknown mount option \"strictatme\"" ]]
	[[ ${lines[2]} = *'^~~~~~~~~~~~ did you mean "strictatime"?' ]]
	before=${lines[2]%%^*}
	[[ ${lines[1]:${#before}:12} = '"strictatme"' ]]
	[[ ${lines[3]} = "1 error" ]]
}

@test "the log has one line, of the first error" {
	mkbundle box '.process.cwd = "x" | .process.user.uid = -1'
	run -102 --separate-stderr oci-validate --log log --log-format json --bundle "$BUNDLE" box
	[[ $stderr = *"2 errors"* ]]
	(($(wc -l <log) == 1))
	jq -e '.level == "error" and (.msg | test("^oci-validate: /process/.*, at .*config.json:[0-9]+:[0-9]+ \\(and 1 more error\\)$"))' log
	nothing_left
}

@test "--json" {
	mkbundle box '.process.cwd = "x" | .x = 1'
	run -102 --separate-stderr oci-validate --json "$BUNDLE"
	[[ ! $stderr ]]
	jq -e '.valid == false and .errors == 1 and .warnings == 1
		and ([.findings[].pointer] | sort == ["/process/cwd", "/x"])
		and all(.findings[]; .line > 1 and .column > 1 and .message != "")' <<<"$output"
	edit "$BUNDLE" '.process.cwd = "/"'
	run -0 oci-validate --json "$BUNDLE"
	jq -e '.valid and .errors == 0 and .warnings == 1' <<<"$output"
}

@test "warnings do not fail; the stage says them on standard error" {
	mkbundle box '.x = 1'
	run -0 oci-validate "$BUNDLE"
	[[ ${lines[-1]} = "1 warning" ]]
	run -0 --separate-stderr oci-validate --bundle "$BUNDLE" box
	[[ ! $output && $stderr = *"warning: /x: no such property"* ]]
}

@test "colour only on a terminal, and never with NO_COLOR" {
	require command:script
	mkbundle box '.x = 1'
	on_terminal() { TERM=xterm script -qec "$OCI_BUILD/oci-validate $BUNDLE" /dev/null </dev/null; }
	[[ $(oci-validate "$BUNDLE") != *$'\033'* ]]
	[[ $(on_terminal) = *$'\033[1;35mwarning:'* ]]
	[[ $(NO_COLOR=1 on_terminal) != *$'\033'* ]]
}

@test "strings of the config are escaped" {
	mkbundle box '.process.cwd = "\u001b[2J\n" | ."\u001b]0;x" = 1'
	run -102 oci-validate "$BUNDLE"
	[[ $output != *$'\033'* && $output = *'\x1b[2J\x0a'* ]]
}

@test "many errors: not all are shown, all are counted" {
	mkbundle box '.process.env = [range(3000)]'
	run -102 oci-validate "$BUNDLE"
	[[ ${lines[-2]} = "and 2900 more" && ${lines[-1]} = "3000 errors" ]]
}

@test "--properties lists what the specification has" {
	run -0 oci-validate --properties
	[[ $output = *$'\n/process/cwd '*' string '*' required '* ]]
	oci-validate --properties --json | jq -e '
		.[] | select(.pointer == "/linux/namespaces/*/type")
		| .type == "string" and .required and .stage == "nsenter-setup" and .since == "1.0.0"
		and (.constraint | startswith("one of mount, pid"))'
}

# ---- What is accepted ------------------------------------------------------------------------

@test "the bundle is read once: a change after that changes nothing" {
	mkbundle box
	oci-validate --bundle "$BUNDLE" box
	cp "$BUNDLE/config.json" before
	edit "$BUNDLE" '.process.args = ["false"]'
	cmp before "$ROOT/box/config.json"
}

@test "a config.json by runc spec" {
	require command:runc
	mkbundle box
	rm "$BUNDLE/config.json"
	(cd "$BUNDLE" && runc spec)
	run -0 oci-validate "$BUNDLE"
	[[ ! $output ]]
	rm "$BUNDLE/config.json"
	(cd "$BUNDLE" && runc spec --rootless)
	run -0 oci-validate "$BUNDLE"
	[[ ! $output ]]
}

@test "the example of the specification" {
	SPEC_DIR=${SPEC_DIR:-$REPO/../shared/spec}
	[[ -e $SPEC_DIR/config.md ]] || skip "no specification in $SPEC_DIR: set SPEC_DIR"
	mkbundle box
	awk '/^## Configuration Schema Example/ {on = 1} on && /^```$/ {exit} on && text {print}
		on && /^```json/ {text = 1}' "$SPEC_DIR/config.md" >"$BUNDLE/config.json"
	jq -e '.ociVersion == "1.0.1"' "$BUNDLE/config.json"
	run -0 oci-validate "$BUNDLE"
	[[ ! $output ]]
}

@test "a namespace that is joined and is the host's is not changed" {
	mkbundle box '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.sem": "1 2 3 4"}
		| .linux.namespaces |= map(if .type | IN("network", "uts") then
			.path = "/proc/self/ns/" + {network: "net", uts: "uts"}[.type] else . end)'
	refuses '/linux/sysctl/net.ipv4.ip_forward: set, but the network namespace that is joined is the host' \
		'/hostname: set, but the uts namespace' '2 errors'
	edit "$BUNDLE" 'del(.hostname) | .linux.sysctl = {"kernel.sem": "1 2 3 4"}'
	run -0 oci-validate "$BUNDLE"
}
