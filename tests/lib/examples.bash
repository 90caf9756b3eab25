# shellcheck shell=bash
#
# Documentation is run as it stands. After `load ../lib/common`: load ../lib/examples

# as_installed DIR: puts the commands in DIR so that they need no --root, and so that the
# config.json of oci-spec has a cgroup of the test's own.
as_installed() {
	local dir=$1 command
	mkdir -p "$dir"
	for command in "$OCI_BUILD"/oci "$OCI_BUILD"/oci-*; do
		[[ ! -L $command && ${command##*/} != oci ]] ||
			printf '#!/bin/sh\nexec "%s" --root "%s" "$@"\n' "$command" "$ROOT" >"$dir/${command##*/}"
	done
	cat >"$dir/oci-spec" <<-END
		#!/bin/sh
		"$OCI_BUILD/oci-spec" "\$@" || exit
		[ "\$1" = --bundle ] || exit 0
		config=\$(jq '.linux.cgroupsPath = "$CGROUP/'"\$2"'"' "\$2/config.json") && echo "\$config" >"\$2/config.json"
	END
	chmod +x "$dir"/oci*
}
