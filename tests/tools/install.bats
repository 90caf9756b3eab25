#!/usr/bin/env bats
# make install: one program, a link for each command, pages, examples.

load ../lib/common

BUILD_DIR=$(realpath "$OCI_BUILD")

setup() {
	common_setup
	require command:make
	[[ ${BUILD_DIR##*/} != *-* ]] || skip "a build with sanitizers is not installed"
	make -s -C "$REPO" BUILD="${BUILD_DIR%/*}" LINK="$(basename "$BUILD_DIR" | cut -d- -f1)" \
		DESTDIR="$BATS_TEST_TMPDIR/to" PREFIX=/usr install
}

@test "every command is installed, and works there" {
	local command
	for command in "$OCI_BUILD"/oci-*; do
		[[ -L $command ]] || continue
		"$BATS_TEST_TMPDIR/to/usr/bin/${command##*/}" --help | grep -q "${command##*/}"
	done
	"$BATS_TEST_TMPDIR/to/usr/bin/oci" --version | grep -q spec
}

@test "manual pages, the licence, the pipelines and the examples are installed" {
	local page
	for page in "$REPO"/man/*.[1-9] "$OCI_BUILD"/man/*.[1-9]; do
		[[ -e $page ]] || continue
		test -s "$BATS_TEST_TMPDIR/to/usr/share/man/man${page##*.}/${page##*/}"
	done
	test -s "$BATS_TEST_TMPDIR/to/usr/share/doc/oci-tools/LICENSE"
	test -s "$BATS_TEST_TMPDIR/to/usr/share/doc/oci-tools/examples/default.pipeline"
}

@test "completions are installed, for each command" {
	local share=$BATS_TEST_TMPDIR/to/usr/share
	diff "$share/bash-completion/completions/oci-kill" "$OCI_BUILD/completions/oci.bash"
	diff "$share/zsh/vendor-completions/_oci" "$OCI_BUILD/completions/oci.zsh"
	diff "$share/fish/vendor_completions.d/oci-start.fish" "$OCI_BUILD/completions/oci.fish"
}

@test "uninstall takes everything away" {
	make -s -C "$REPO" BUILD="${BUILD_DIR%/*}" DESTDIR="$BATS_TEST_TMPDIR/to" PREFIX=/usr uninstall
	[[ ! $(find "$BATS_TEST_TMPDIR/to" -type f -o -type l) ]]
}

@test "engines' drop-ins are installed, with the installed path" {
	local file
	for file in containers/containers.conf.d crio/crio.conf.d; do
		grep -q '"/usr/bin/oci"' "$BATS_TEST_TMPDIR/to/etc/$file/oci.conf"
	done
	for file in containerd/oci.toml docker/daemon.json; do
		grep -q '"/usr/bin/oci"' "$BATS_TEST_TMPDIR/to/usr/share/oci-tools/$file"
	done
	test -s "$BATS_TEST_TMPDIR/to/usr/share/oci-tools/kubernetes/runtimeclass.yaml"
	! grep -r '@[A-Z]*@' "$BATS_TEST_TMPDIR/to/etc" "$BATS_TEST_TMPDIR/to/usr/share/oci-tools"
}
