# What the probe saw (tests/probe/probe.c) as lines "KEY = VALUE" that can be compared: what is
# another number each time (inodes, ids, pids of the host) is left out or named.
# $host: the runtime's namespaces. $base: the directory of the two bundles.
def name: gsub($base; "BASE");
def sorted: split(",") | sort | join(",");
def mount_value: {
	options: (.options | sorted), type, source: (.source | name), root: (.root | name),
	super: (.super | sorted | name),
	propagation: (.propagation | gsub(":[0-9]+"; ""))
};
def number_repeated: reduce .[] as $m ([{}, {}];
	(.[1][$m.destination] // 0) as $n
	| .[0][$m.destination + (if $n > 0 then "#\($n)" else "" end)] = ($m | mount_value)
	| .[1][$m.destination] = $n + 1) | .[0];

.namespaces |= with_entries(.value = if .value == $host[.key] then "the host's" else "its own" end)
| .capabilities |= with_entries(.value |= join(" "))
| .env |= (sort | join(" "))
| .mounts |= number_repeated
| .descriptors |= with_entries(.value |= {target: (.target // "" | name | gsub("[0-9]{3,}"; "N")), cloexec, type})
| .session_keyring |= (. > 0)
| .cgroup |= (split("\n") | sort | join(" "))
| if .pid > 1 then .pid = "some" | .ppid = "some" | .sid = "some" | .pgid = "some" else . end
| del(.devices[]?.mtime)
| [paths(scalars, (arrays | select(length == 0)), (objects | select(length == 0))) as $p
	| "\($p | map(tostring) | join(".")) = \(getpath($p))"] | .[] | name | gsub("\n"; " ")
