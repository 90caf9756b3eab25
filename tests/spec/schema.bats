# The table of properties (lib/oci/spec.def) against the specification's JSON Schema.

load ../lib/common

setup_file() {
	export SPEC_DIR=${SPEC_DIR:-${BATS_TEST_DIRNAME%/tests/*}/../shared/spec}
	export SCHEMA=$BATS_FILE_TMPDIR/schema.json TABLE=$BATS_FILE_TMPDIR/table.json
}

setup() {
	common_setup
	[[ -e $SPEC_DIR/schema/config-schema.json ]] ||
		skip "no specification in $SPEC_DIR: set SPEC_DIR"
	[[ -s $SCHEMA ]] || {
		jq -n '[inputs | {(input_filename | sub(".*/"; "")): .}] | add' \
			"$SPEC_DIR"/schema/{config-schema,config-linux,defs,defs-linux}.json |
			jq -f "$BATS_TEST_DIRNAME/schema.jq" >"$SCHEMA"
		oci-validate --properties --json >"$TABLE"
	}
}

# compare FILTER: what FILTER says, given a schema's property as . and its row as $row, must be nothing.
compare() {
	run -0 jq -r --slurpfile table "$TABLE" '
		($table[0] | map({(.pointer): .}) | add) as $rows
		| .[] | $rows[.pointer] as $row | '"$1" "$SCHEMA"
	[[ ! $output ]] || fail "$output"
}

@test "the schema is understood" {
	run -0 jq 'length' "$SCHEMA"
	((output > 200))
	jq -e 'any(.pointer == "/linux/resources/blockIO/weightDevice/*/major")' "$SCHEMA"
	jq -e 'any(.pointer == "/linux/seccomp/syscalls/*/args/*/valueTwo")' "$SCHEMA"
	jq -e 'any(.pointer == "/windows" and .foreign)' "$SCHEMA"
}

@test "every property of the schema has a row" {
	compare 'select($row == null) | .pointer'
}

@test "every row is a property of the schema" {
	run -0 jq -r --slurpfile schema "$SCHEMA" '
		[.[].pointer] - [$schema[0][].pointer] | .[]' "$TABLE"
	[[ ! $output ]] || fail "$output"
}

@test "types are the schema's" {
	compare 'select($row and .type != $row.type) | "\(.pointer): \(.type), not \($row.type)"'
}

@test "what the schema requires is required" {
	compare 'select($row and .required and ($row.required | not)) | .pointer'
}

@test "every word of the schema's enumerations is accepted" {
	compare 'select($row and .enum)
		| . as {$pointer}
		| ($row.constraint | sub("^one of "; "") / ", ") as $words
		| .enum[] | select(IN($words[]) | not) | "\($pointer): \(.)"'
}

@test "other platforms' properties are ignored, and no others" {
	compare 'select($row and (.foreign // false) != $row.ignored
		and (.pointer | IN("/process/commandLine", "/process/user/username") | not)) | .pointer'
}

@test "each row says since when, and who applies it" {
	# Those of the README that are refused, and no others.
	run -0 jq -r '.[] | select((.since | test("^1\\.[0-3]\\.[0-9]$") | not)
		or (.ignored and has("stage"))) | .pointer' "$TABLE"
	[[ ! $output ]] || fail "$output"
	diff <(jq -r '.[] | select(.ignored or has("stage") | not) | .pointer / "/" | .[1:3] | join(".")' "$TABLE" |
		sort -u) <(sed -n 's/^| refused | //p' "$REPO/README.md" | grep -oE '`[a-z]+\.[A-Za-z.]+`' | tr -d '`' | sort -u)
}

@test "who applies a property is a command" {
	local stage bad=''
	for stage in $(jq -r '.[].stage // empty' "$TABLE" | sort -u); do
		[[ -x $OCI_BUILD/oci-$stage || $stage = exec ]] || bad+=" $stage"
	done
	[[ ! $bad ]] || fail "no such command:$bad"
}

@test "any 1.x is accepted as ociVersion, a newer one with a warning" {
	local version counts
	mkbundle box
	while read -r version counts; do
		edit "$BUNDLE" '.ociVersion = $v' --arg v "$version"
		run oci-validate --json "$BUNDLE"
		[ "$(jq -r '"\(.errors) \(.warnings)"' <<<"$output")" = "$counts" ] || fail "$version: $output"
	done <<-'END'
		1.0.0 0 0
		1.0.0-rc5 0 0
		1.0.2-dev 0 0
		1.1.0+dev 0 0
		1.2.1 0 0
		1.3.0 0 0
		1.3.7-dev 0 0
		1.4.0 0 1
		1.10.0-dev 0 1
		2.0.0 1 0
		0.9.0 1 0
		1.3 1 0
		1.3.0.0 1 0
	END
}
