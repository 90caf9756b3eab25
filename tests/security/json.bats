#!/usr/bin/env bats
# The JSON that others accept: each of these ran a container as root, or something else than what is
# written, under some runtime. One row of the table, one test.

load ../lib/common
load security

# change SED-EXPRESSION: of the text of config.json, which jq has written one property a line.
change() { sed -i -E "$1" "$BUNDLE/config.json"; }

# The bundle is refused; if it is not, the message tells as whom the process runs.
refuses() {
	create box
	if ((status == 0)); then
		fail "accepted; uid $(status_of "$(ctr_pid box)" Uid)" || return
	fi
	[[ -s box.err && ! $(<box.err) =~ (panic|Segmentation) ]] || fail "INVALID: no message" || return
	[[ ${SECURITY_RUNTIME-} ]] || refused box "${1:-config.json}"
}

setup_bundle() {
	mkbundle box '.process.user = {uid: 1000, gid: 1000}'
	cp "$BUNDLE/config.json" config.good
}

@test "control: the configuration runs, as the user it says" {
	setup_bundle
	runs box
	[[ $(status_of "$PID" Uid) = $'1000\t1000\t1000\t1000' ]]
}

@test "text after the object is refused" {
	local text
	setup_bundle
	for text in x '{}' ']' '\0' '\0{"a": 1}' '// x'; do
		cp config.good "$BUNDLE/config.json"
		printf '%b' "$text" >>"$BUNDLE/config.json"
		refuses
	done
}

@test "a key that is there twice is refused" {
	setup_bundle
	change 's/"uid": 1000/"uid": 1000, "uid": 0/'
	refuses 'duplicate|twice'
}

@test "a key that is there twice, once escaped, is refused" {
	setup_bundle
	change 's/"uid": 1000/"uid": 1000, "\\u0075id": 0/'
	refuses 'duplicate|twice'
}

@test "a key in another case is another key" {
	setup_bundle
	change 's/"uid": 1000/"uid": 1000, "UID": 0, "Uid": 7/'
	runs box
	[[ $(status_of "$PID" Uid) = $'1000\t1000\t1000\t1000' ]]
}

uid_is_refused() {
	setup_bundle
	change "s/\"uid\": 1000/\"uid\": $1/"
	refuses '/process/user/uid|config.json'
}

@test "uid 4294967295 is refused" { uid_is_refused 4294967295; }
@test "uid \"1000\" is refused" { uid_is_refused '"1000"'; }
@test "uid 1e3 is refused" { uid_is_refused 1e3; }
@test "uid 0.9 is refused" { uid_is_refused 0.9; }
@test "uid -1 is refused" { uid_is_refused -1; }
@test "uid 4294967296 is refused" { uid_is_refused 4294967296; }
@test "uid 99999999999999999999 is refused" { uid_is_refused 99999999999999999999; }
@test "uid null is refused" { uid_is_refused null; }
@test "uid true is refused" { uid_is_refused true; }
@test "uid [1000] is refused" { uid_is_refused '[1000]'; }

@test "a NUL in a string is refused" {
	local filter
	setup_bundle
	for filter in '.process.args += ["a\u0000b"]' '.process.cwd = "/\u0000x"' '.process.env += ["A=b\u0000c"]' \
		'.mounts[0].destination += "\u0000x"' '.hostname = "a\u0000b"' '.root.path += "\u0000"'; do
		jq "$filter" config.good >"$BUNDLE/config.json"
		refuses || fail "with $filter"
	done
}

@test "bytes that are not UTF-8, and half a surrogate pair, are refused" {
	local text
	setup_bundle
	for text in '\xff' '\xc0\x80' '\xed\xa0\x80' '\xf5\x80\x80\x80' '\xe2\x82'; do
		cp config.good "$BUNDLE/config.json"
		LC_ALL=C sed -i "s/\"TERM=/\"TERM=$text/; s/\"HOME=/\"HOME=$text/; s/\"PATH=/\"PATH=$text/" "$BUNDLE/config.json"
		! cmp -s config.good "$BUNDLE/config.json" || fail "INVALID: nothing was changed"
		refuses || fail "with $text"
	done
	for text in '\\ud800' '\\udc00x' '\\ud800\\ud800'; do
		cp config.good "$BUNDLE/config.json"
		sed -i "s/\"PATH=/\"PATH=$text/" "$BUNDLE/config.json"
		refuses || fail "with $text"
	done
}

@test "a depth of 64 is accepted, 1,000 and 100,000 are refused" {
	local n
	setup_bundle
	for n in 1000 100000; do
		{
			printf '{"x": '
			head -c "$n" /dev/zero | tr '\0' '['
			head -c "$n" /dev/zero | tr '\0' ']'
			echo ,
			tail -c +2 config.good
		} >"$BUNDLE/config.json"
		refuses || fail "at $n"
	done
	{
		printf '{"x": %s%s,\n' "$(head -c 60 /dev/zero | tr '\0' '[')" "$(head -c 60 /dev/zero | tr '\0' ']')"
		tail -c +2 config.good
	} >"$BUNDLE/config.json"
	runs box
}

@test "comments, single quotes and trailing commas are refused" {
	setup_bundle
	sed '1s|{|{ // comment|' config.good >"$BUNDLE/config.json"
	refuses
	sed '1s|{|{ /* comment */|' config.good >"$BUNDLE/config.json"
	refuses
	sed "s/\"uid\"/'uid'/" config.good >"$BUNDLE/config.json"
	refuses
	sed '$s/}/,}/' config.good >"$BUNDLE/config.json"
	refuses
}

@test "a byte order mark, NaN, a truncated and an empty file are refused" {
	setup_bundle
	{ printf '\xef\xbb\xbf' && cat config.good; } >"$BUNDLE/config.json"
	refuses
	sed 's/"uid": 1000/"uid": NaN/' config.good >"$BUNDLE/config.json"
	refuses
	head -c 300 config.good >"$BUNDLE/config.json"
	refuses
	: >"$BUNDLE/config.json"
	refuses
	echo '[]' >"$BUNDLE/config.json"
	refuses
	echo null >"$BUNDLE/config.json"
	refuses
}

@test "a string of 20 MB is refused" {
	setup_bundle
	{
		printf '{"x": "'
		head -c 20000000 /dev/zero | tr '\0' a
		echo '",'
		tail -c +2 config.good
	} >"$BUNDLE/config.json"
	refuses 'large|limit|MiB|bytes'
}

@test "a configuration that is no regular file is refused at once" {
	setup_bundle
	rm "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	create box
	refused box 'config.json'
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	create box
	refused box 'config.json'
	rmdir "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	create box
	refused box 'config.json'
}

@test "numbers of the wrong type elsewhere are refused" {
	local filter
	setup_bundle
	for filter in '.process.oomScoreAdj = "0"' '.process.user.umask = -1' '.process.user.additionalGids = [4294967295]' \
		'.linux.resources.memory.limit = "1"' '.linux.resources.pids.limit = 1.5' '.process.terminal = "false"' \
		'.process.args = "sh"' '.process.args = [1]' '.mounts = {}' '.root.readonly = 0' \
		'.process.rlimits = [{type: "RLIMIT_NOFILE", soft: -1, hard: 10}]'; do
		jq "$filter" config.good >"$BUNDLE/config.json"
		create box
		((status != 0)) || fail "accepted: $filter"
		oci delete --force box >/dev/null 2>&1 || true
	done
}
