#!/usr/bin/env bats
# Saving and restoring by criu. Needs criu and a kernel that it can work with: a virtual machine.
# shellcheck disable=SC2154
load ../lib/common

setup() {
	common_setup
	[[ -x /usr/sbin/criu ]] || skip "requires criu"
	((EUID == 0)) || skip "requires root"
	/usr/sbin/criu check >/dev/null 2>&1 || skip "requires a kernel that criu can work with"
	mkdir data
	echo precious >data/file
	IMAGES=$BATS_TEST_TMPDIR/images
}

# A container "box" that counts in /tmp/n, started.
counting() {
	mkbundle box '.process.args = ["sh", "-c", "i=0; while :; do i=$((i + 1)); echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.1; done"]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"},
		{destination: "/data", type: "bind", source: "'"$PWD"'/data", options: ["bind", "ro"]},
		{destination: "/data2", type: "bind", source: "'"$PWD"'/data", options: ["bind", "ro"]}]'" ${1-}"
	oci create box "$BUNDLE" </dev/null >out 2>&1
	oci start box
	until_counted box 3
}

counted() { cat "/proc/$(oci state "$1" | jq .pid)/root/tmp/n"; }
until_counted() { wait_for eval "((\$(counted $1 2>/dev/null || echo 0) >= $2))"; }

checkpoint() { oci checkpoint --image-path "$IMAGES" "$@"; }
restore() { oci restore --detach --image-path "$IMAGES" --bundle "$BUNDLE" "$@" </dev/null >>out 2>&1; }

@test "a container goes on where it was: memory, files in memory, mounts, another id" {
	counting
	checkpoint box
	run -1 oci state box
	n=$(jq -r '.[1]' "$IMAGES/descriptors.json")
	[[ $n = file* ]]
	restore --pid-file "$PWD/pid" copy
	[[ $(oci state copy | jq -r .status) = running && $(<pid) = $(oci state copy | jq .pid) ]]
	n=$(counted copy)
	((n >= 3))
	until_counted copy $((n + 2))
	[[ $(<"/proc/$(<pid)/root/data/file") = precious ]]
	[[ $(<"/proc/$(<pid)/cgroup") = *"$CGROUP/box"* ]]
	# Read-only is what was, whatever criu makes of two mounts of one directory.
	for m in /data /data2 /proc/keys /proc/kcore; do
		[[ $(awk -v m="$m" '$5 == m {print $6}' "/proc/$(<pid)/mountinfo") =~ ^ro(,|$) ]]
	done
	oci delete --force copy
	[[ ! $(test_cgroups) ]]
}

@test "the machine's cgroup2 keeps its options" {
	before=$(awk '$9 == "cgroup2" || $10 == "cgroup2"' /proc/self/mountinfo)
	counting
	checkpoint box
	restore box
	[[ $(awk '$9 == "cgroup2" || $10 == "cgroup2"' /proc/self/mountinfo) = "$before" ]]
	oci delete --force box
}

@test "--leave-running, and a pre-dump as a parent" {
	counting
	oci checkpoint --pre-dump --image-path "$PWD/pre" box
	[[ $(oci state box | jq -r .status) = running ]]
	checkpoint --leave-running --parent-path ../pre box
	n=$(counted box)
	until_counted box $((n + 2))
	oci delete --force box
}

@test "limits are those of the bundle that it is restored with" {
	counting '| .linux.resources.pids = {limit: 50}'
	checkpoint box
	jq '.linux.resources.pids.limit = 60' "$BUNDLE/config.json" >new && mv new "$BUNDLE/config.json"
	restore box
	pid=$(oci state box | jq .pid)
	[[ $(<"/sys/fs/cgroup$CGROUP/box/pids.max") = 60 ]]
	kill -0 "$pid"
	oci delete --force box
}

@test "in the foreground: waits for its end, exits with its status, removes it" {
	counting
	checkpoint box
	oci restore --image-path "$IMAGES" --bundle "$BUNDLE" copy </dev/null >>out 2>&1 &
	wait_for is_status copy running
	until_counted copy 5
	oci kill copy KILL
	code=0
	wait $! || code=$?
	((code == 137)) || { cat out && return 1; }
	[[ ! -e $ROOT/copy ]]
}

@test "what cannot be saved, or restored, is an error and leaves nothing" {
	counting
	oci pause box
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *'cannot checkpoint container "box": it is paused, not running'* ]] || show
	oci resume box
	oci kill box KILL
	wait_for eval '[[ $(oci state box | jq -r .status) = stopped ]]'
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *"it is stopped, not running"* ]] || show
	oci delete box
	run -1 --separate-stderr oci restore --detach --image-path "$PWD/none" --bundle "$BUNDLE" box
	[[ $stderr = *'cannot open the images "'*'/none": ENOENT'* && ! -e $ROOT/box ]] || show
	mkdir empty
	run -1 --separate-stderr oci restore --detach --image-path "$PWD/empty" --bundle "$BUNDLE" box
	[[ $stderr = *'cannot restore container "box": criu has failed'* && ! -e $ROOT/box ]] || show
	[[ ! $(test_cgroups) ]]
}

@test "a mount point that criu would misread is refused (CVE-2026-119101)" {
	mkbundle box '.process.args = ["sleep", "1000"]
		| .mounts += [{destination: "/x]:", type: "bind", source: "'"$PWD"'/data", options: ["bind"]}]'
	oci create box "$BUNDLE" </dev/null >out 2>&1
	oci start box
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *'criu cannot be told of the mount "/x]:": its name has "]:"'* ]] || show
	oci delete --force box
}

@test "a mount that its container has moved a link away from is not saved as another" {
	mkdir -p other
	counting '| .mounts += [{destination: "/link/x", type: "bind", source: "'"$PWD"'/other", options: ["bind"]}]
		| .root.readonly = false'
	pid=$(oci state box | jq .pid)
	# What the container's own root could do: the destination leads to the other mount now.
	nsenter -t "$pid" -m -- /bin/busybox umount /link/x
	nsenter -t "$pid" -m -- /bin/busybox mount --bind /data /link/x
	run -1 --separate-stderr checkpoint box
	[[ $stderr = *'what is mounted on "/link/x" is not "'*'/other" any more'* ]] || show
	oci delete --force box
}
