#!/usr/bin/env bats
# alone: it makes a package in build/, and rootfs.bats may be making the Debian that it needs
# make deb: the package, and what it does on a Debian that has nothing.

load ../lib/common
load debian

setup() {
	common_setup
	require root command:dpkg-shlibdeps
	[[ $(realpath "$OCI_BUILD") = */static ]] || skip 'requires a static build'
}

# Makes it, once for all tests; the file's name is in DEB.
package() {
	[[ -s $BATS_FILE_TMPDIR/deb ]] || make -s -C "$REPO" deb >"$BATS_FILE_TMPDIR/deb"
	DEB=$(tail -1 "$BATS_FILE_TMPDIR/deb")
	[ -s "$DEB" ]
}

@test "make deb leaves the source tree as it was" {
	local before
	before=$(cd "$REPO" && find . -path ./build -prune -o -path ./.git -prune -o -type f -print | sort | xargs sha1sum)
	package
	diff <(echo "$before") \
		<(cd "$REPO" && find . -path ./build -prune -o -path ./.git -prune -o -type f -print | sort | xargs sha1sum)
}

@test "lintian has nothing to say about it" {
	require command:lintian
	package
	run -0 lintian --allow-root --fail-on error,warning,info "$DEB"
	[ -z "$output" ] || show
}

@test "made twice it is the same" {
	package
	sha1sum "$DEB" >first
	make -s -C "$REPO" deb
	sha1sum -c first
}

# Runs a command in the Debian as its /, where there are a procfs, the host's cgroups and devices.
inside() {
	unshare --mount --pid --fork --propagation private sh -ec '
		root=$1; shift
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --bind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/run"
		cd "$root"
		pivot_root . mnt
		exec chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "OCI_TEST=$OCI_TEST" sh -ec "umount -l /mnt
			exec \"\$@\"" - "$@"' - "$PWD/debian" "$@"
}

@test "on a bare Debian: commands, pages, completions, a container; and nothing is left when it is removed" {
	local command page
	package
	debian_root debian
	(cd debian && find . -path ./var -prune -o -print | sort) >before
	cp "$DEB" debian/tmp/oci-tools.deb
	inside dpkg -i /tmp/oci-tools.deb >out 2>&1 || fail "$(<out)"
	rm debian/tmp/oci-tools.deb

	for command in "$OCI_BUILD"/oci-*; do
		[[ -L $command ]] || continue
		inside "${command##*/}" --help | grep -q "^Usage: ${command##*/}" || fail "$command"
	done
	inside oci --version | grep -q '^spec: '
	for page in "$REPO"/man/*.[1-9] "$OCI_BUILD"/man/*.[1-9]; do
		gzip -dc "debian/usr/share/man/man${page##*.}/${page##*/}.gz" | cmp - "$page"
	done
	[ "$(inside bash -c 'source /usr/share/bash-completion/completions/oci-kill
		COMP_WORDS=(oci kil) COMP_CWORD=1; _oci oci kil oci; echo "${COMPREPLY[@]}"')" = kill ]

	mkbundle box '.process.args = ["sh", "-c", "echo here; hostname"] | .hostname = "inner"'
	mv "$BUNDLE" debian/srv/box
	inside sh -ec 'oci create box /srv/box >/tmp/out 2>&1 </dev/null || { cat /tmp/out; exit 1; }
		oci start box
		n=0
		while oci state box | grep -q running && [ $((n += 1)) -le 600 ]; do sleep 0.1; done
		cat /tmp/out
		rm /tmp/out
		oci delete --force box' >out 2>&1 || fail "$(<out)"
	[ "$(<out)" = $'here\ninner' ] || fail "$(<out)"
	rm -r debian/srv/box

	inside dpkg --purge oci-tools >out 2>&1 || fail "$(<out)"
	(cd debian && find . -path ./var -prune -o -print | sort) >after
	diff before after
}
