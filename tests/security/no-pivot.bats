#!/usr/bin/env bats
# --no-pivot: the host's mounts stay in the container's mount namespace, beneath its root.
load ../lib/common

setup() {
	common_setup
	require root
}

# Whether a user namespace that the container makes may mount a procfs without the masks of the one that it
# was given: the kernel allows it if it sees one without masks in the mount namespace.
tries_to_mount() {
	# Without CAP_SETFCAP nobody may be mapped to root.
	mkbundle box '.process.args = ["sh", "-c", $script] | .linux.maskedPaths = ["/proc/sysrq-trigger"]
		| .process.capabilities |= map_values(. + ["CAP_SETFCAP"])' --arg script \
		'unshare -U -r -m -p -f sh -c "mount -t proc proc /mnt && echo revealed; mount -t sysfs sysfs /mnt && echo revealed; echo tried" 2>&1'
}

@test "T-NOPIVOT: no procfs without masks through a user namespace" {
	local how
	# The control: it is the masks that matter.
	tries_to_mount
	edit box '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run oci run --bundle box c
	[[ $output = *revealed* && $output = *tried ]] || show
	for how in '' --no-pivot; do
		tries_to_mount
		run oci run $how --bundle box c
		[[ $output != *revealed* && $output = *tried ]] || show
	done
}

@test "T-NOPIVOT: the host keeps its mounts, whatever propagates" {
	local before propagation
	before=$(host_mounts)
	for propagation in private slave shared; do
		mkbundle box '.process.args = ["sh", "-c", "echo root; ls /"] | .linux.rootfsPropagation = $p' --arg p $propagation
		run -0 oci run --no-pivot --bundle box c
		[[ $output = root*bin* ]] || show
		[ "$before" = "$(host_mounts)" ]
	done
}

@test "T-NOPIVOT: with a user namespace, of which the host's mounts cannot be taken away" {
	mkbundle box '.process.args = ["sh", "-c", "cat /proc/self/uid_map; ls /; ls /proc | grep -c \"^[0-9]\""]
		| .linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chown -hR 100000:100000 box/rootfs
	run -0 oci run --no-pivot --bundle box c
	[[ $output = *100000*bin*proc* ]] || show
}
