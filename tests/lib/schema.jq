# jq -r --slurpfile schema SCHEMA -f schema.jq FILE: one line for each place where FILE does not
# match the JSON Schema; none if it does. Knows the keywords that state.schema.json uses, and stops at
# any other, so that no part of a schema is silently skipped.

def known: ["$schema", "title", "description", "definitions", "$ref", "type", "enum", "const",
	"pattern", "minimum", "maximum", "required", "properties", "additionalProperties", "items"];

def is_type($t):
	if $t == "integer" then type == "number" and . == floor else type == $t end;

def check($s; $at):
	. as $v
	| ($s | keys - known | .[] | error("the schema of \($at) has the unknown keyword \(.)")),
	(if $s["$ref"] then
		$s["$ref"] | ltrimstr("#/definitions/") as $name | $v
		| check($schema[0].definitions[$name] // error("no definition \($name)"); $at)
	else empty end),
	(if $s.type and (is_type($s.type) | not) then "\($at): is no \($s.type): \($v | tojson)"
	else
		(if $s.enum and (any($s.enum[]; . == $v) | not) then
			"\($at): is none of \($s.enum | tojson): \($v | tojson)" else empty end),
		(if ($s | has("const")) and $s.const != $v then
			"\($at): is not \($s.const | tojson): \($v | tojson)" else empty end),
		(if $s.pattern and (test($s.pattern) | not) then
			"\($at): does not match \($s.pattern): \($v | tojson)" else empty end),
		(if $s.minimum and $v < $s.minimum then "\($at): is below \($s.minimum): \($v)" else empty end),
		(if $s.maximum and $v > $s.maximum then "\($at): is above \($s.maximum): \($v)" else empty end),
		(if type == "object" then
			(($s.required // [])[] | select(. as $key | $v | has($key) | not) | "\($at)/\(.): is missing"),
			(to_entries[] | .key as $key | .value as $value
				| if $s.properties | has($key)? then
					$value | check($s.properties[$key]; "\($at)/\($key)")
				elif $s.additionalProperties == false then "\($at)/\($key): is not in the schema"
				elif $s.additionalProperties then
					$value | check($s.additionalProperties; "\($at)/\($key)")
				else empty end)
		elif type == "array" and $s.items then
			range(length) as $i | .[$i] | check($s.items; "\($at)/\($i)")
		else empty end)
	end);

check($schema[0]; "")
