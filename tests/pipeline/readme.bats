# The tour of README.md, typed as it stands: its commands say what it says that they say.

load ../lib/common
load ../lib/examples

# What differs from one machine and run to another: numbers, and the width of what is drawn.
normalise() {
	sed -E "s|$CGROUP||g; s|$ROOT|/run/oci|g; s|$PWD|/root|g; s/[0-9.]+/N/g; s/[▏█─├└│ ~-]+/ /g; s/ +\$//" "$1"
}

@test "the commands of README.md do what it says" {
	require root hybrid command:findmnt
	as_installed oci/build/current
	ln -s "$REPO/pipeline" oci/pipeline
	sed "s|/run/oci/|$ROOT/|" "$REPO/README.md" >README.md
	timeout 120 "$REPO/tests/lib/retype" README.md >retyped
	diff <(normalise README.md) <(normalise retyped)
}

@test "README.md, CONTRIBUTING.md and SECURITY.md name files that exist" {
	local file name bad=''
	for file in README CONTRIBUTING SECURITY; do
		for name in $(grep -oP '(?<![\w-])(lib|tools|init|pipeline|tests|man)/[a-z0-9_./-]+\.[a-z0-9]+\b' "$REPO/$file.md"); do
			[[ -e $REPO/$name ]] || bad+=" $file.md: $name"
		done
	done
	[[ ! $bad ]] || fail "not there:$bad"
}

@test "README.md says which properties are refused" {
	local pointer bad=''
	for pointer in $(sed -nE 's/^PROPERTY\("([^"]+)",.* NOBODY\)/\1/p' "$REPO/lib/oci/spec.def" | grep -vE '^/.*/.*/'); do
		grep -E '^\| refused ' "$REPO/README.md" | grep -qF "\`$(tr / . <<<"${pointer#/}")\`" || bad+=" $pointer"
	done
	[[ ! $bad ]] || fail "not said:$bad"
}
