# The properties of a JSON Schema as objects {pointer, type, required, enum}. Input: an object of
# all schema files by name; those of other platforms are missing.

def at($path): reduce ($path / "/" | .[] | select(. != "")) as $key (.; .[$key]);

# The schema that a reference names, as [file, schema].
def resolve($files; $file; $reference):
	($reference / "#") as [$name, $path]
	| (if $name == "" then $file else $name end) as $to
	| [$to, ($files[$to] // {} | at($path)) // {}];

def properties($files; $file; $pointer; $required):
	. as $schema
	| if has("$ref") then
		resolve($files; $file; $schema["$ref"]) as [$to, $target]
		| if $target == {} then {$pointer, $required, type: "object", foreign: true}
		else $target | properties($files; $to; $pointer; $required) end
	else
		(if has("type") then {$pointer, $required, type, enum} else empty end),
		(.properties // {} | to_entries[] | .key as $key | .value
			| properties($files; $file; "\($pointer)/\($key)";
				$schema.required // [] | index([$key]) != null)),
		(.items // empty | properties($files; $file; "\($pointer)/*"; true)),
		(.additionalProperties // empty | objects
			| properties($files; $file; "\($pointer)/*"; true)),
		(.patternProperties // {} | .[] | properties($files; $file; "\($pointer)/*"; true)),
		((.allOf // [])[], (.anyOf // [])[]
			| properties($files; $file; $pointer; $required))
	end;

. as $files
| [$files["config-schema.json"] | properties($files; "config-schema.json"; ""; true)
	| .pointer |= sub("^/linux/timeOffsets/[a-z]+"; "/linux/timeOffsets/*")]
| unique_by(.pointer)
