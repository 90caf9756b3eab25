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
