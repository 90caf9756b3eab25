# jq -r --slurpfile table TABLE -f wrong.jq CONFIG: POINTER TAB CONFIG for each way to make a row of
# the table (oci-validate --properties --json) wrong in CONFIG: of the kind named by $kind, "missing",
# "type" or "value". "@BIG@" stands for an integer that has no 64 bits. A row that CONFIG has not is
# an error.

# Whether a path is one that a row's pointer stands for.
def stands_for($row): map(tostring) as $path | ($row / "/" | .[1:]) as $row
	| ($path | length) == ($row | length)
	and all(range($row | length); $row[.] == "*" or $row[.] == $path[.]);

def pointer: map(tostring | gsub("~"; "~0") | gsub("/"; "~1")) | map("/" + .) | join("");

def wrong_type: {string: 7, integer: "x", boolean: "x", array: {}, object: []}[.];

# What a constraint does not allow.
def wrong_values:
	if startswith("one of ") then "nosuch"
	elif test("^-?[0-9]+ to [0-9]+$") then capture("^(?<min>-?[0-9]+) to (?<max>[0-9]+)$")
		| (if (.max | length) > 15 then "@BIG@" else (.max | tonumber) + 1 end),
			(if (.min | length) > 15 then empty else (.min | tonumber) - 1 end)
	else {"not empty": "", "an absolute path": "relative", "an absolute path or empty": "relative",
		"a version": "x", "a list of numbers and ranges": "1-",
		"a path without \"..\"": "../x", "a page size": "2XB", "at most 64 bytes": ("a" * 65),
		"the name of a network device": "a/b", "of r, w, m": "q", "one line": "a\nb",
		"MB:...": ("L3:0=f", "MB:0=10\nL3:0=f"), "none": "x", "at least one": []}[.] // empty end;

. as $config
| [paths] as $paths
| $table[0][] | select(.ignored | not) | select(.pointer != "") | . as $row
| ([$paths[] | select(stands_for($row.pointer))] | last) as $path
| if $path == null then (if ($row.pointer | endswith("/*")) then empty else error("no \($row.pointer)") end)
	else . end
| if $kind == "missing" then
		select($row.required and ($path[-1] | type) == "string"
			and ($row.pointer | endswith("/*") | not))
		| "\($path | pointer)\t\($config | delpaths([$path]) | tojson)"
	elif $kind == "type" then
		"\($path | pointer)\t\(.type as $type | $config | setpath($path; $type | wrong_type) | tojson)"
	else ($row.constraint // "" | wrong_values) as $value
		| "\($path | pointer)\t\($config | setpath($path; $value) | tojson)"
	end
