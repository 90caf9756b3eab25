# shellcheck shell=bash
#
# debian_root DIR: unpacks a minimal Debian there, as debootstrap makes it. Made once for all tests and
# kept in build/: it takes a minute. Skips the test where there is no mirror.
debian_root() {
	local cache=$REPO/build/accept mirror
	[[ -s $cache/debian.tar ]] || {
		require command:debootstrap
		mirror=$(apt-get indextargets --format "\$(SITE)" 'Created-By: Packages' 'Origin: Debian' |
			grep -v security | head -1)
		[[ $mirror ]] || skip 'requires a Debian mirror that apt knows'
		mkdir -p "$cache"
		debootstrap --variant=minbase --merged-usr stable "$BATS_TEST_TMPDIR/debian.new" "$mirror" >"$cache/log" 2>&1 ||
			skip "requires debootstrap to work: $(tail -1 "$cache/log")"
		tar -C "$BATS_TEST_TMPDIR/debian.new" --numeric-owner -cf "$cache/new.tar" .
		mv "$cache/new.tar" "$cache/debian.tar"
		rm -rf "$BATS_TEST_TMPDIR/debian.new"
	}
	mkdir -p "$1"
	tar -C "$1" -xpf "$cache/debian.tar"
}
