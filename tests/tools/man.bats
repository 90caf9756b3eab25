# The man pages: one for each command, with the options that it has, and examples that work.

load ../lib/common
load ../lib/examples

MAN=$REPO/man
examples=$REPO/tests/lib/examples.awk

commands() {
	local file
	for file in "$OCI_BUILD"/oci "$OCI_BUILD"/oci-*; do
		[[ ! -L $file && ${file##*/} != oci ]] || echo "${file##*/}"
	done
}

# The options as "LETTER NAME VALUE", "-" for what is not there: of a part of --help ...
help_options() {
	"$OCI_BUILD/$1" --help | sed -nE "/^$2:/,/^\$/"'s/^  (-(.), |    )--([a-z-]+)( ([A-Z]+))? .*/\2 \3 \5/p' |
		sed 's/^ /- /; s/ $/ -/' | sort
}

# ... and of a page.
page_options() {
	sed -nE 's/^\.It Fl ((.) , )?-([a-z-]+)( Ar ([A-Z]+))?$/\2 \3 \5/p' "$MAN/$1.1" |
		sed 's/^ /- /; s/ $/ -/' | sort
}

@test "every command has a page, and every page a command" {
	diff <(commands | sort) <(cd "$MAN" && printf '%s\n' *.1 | sed 's/\.1$//' | sort)
}

@test "a page has the options that --help has, and no other" {
	local command bad=''
	for command in $(commands); do
		[[ $command != oci ]] || continue
		diff <(help_options "$command" Options) <(page_options "$command") || bad+=" $command"
	done
	diff <(help_options oci 'Global options') <(page_options oci) || bad+=' oci'
	[[ ! $bad ]] || fail "help and page differ:$bad"
}

@test "oci.1 lists every command" {
	diff <(commands | grep -v '^oci$' | sort) \
		<(sed -nE 's/^\.It Xr (oci-[a-z-]+) 1$/\1/p' "$MAN/oci.1" | sort -u)
}

@test "oci --help lists every command, and none that is not there" {
	diff <(commands | sed -n 's/^oci-//p' | sort) \
		<("$OCI" --help | sed -nE '/^Global/,/^$/d; s/^  ([a-z-]+)  .*/\1/p' | sort -u)
}

@test "oci.1 lists the exit codes that errors have" {
	diff <(sed -nE 's/.*FAULT_[A-Z]+ = ([1-9][0-9]+).*/\1/p' "$REPO/lib/base/err.h") \
		<(sed -nE 's/^\.It ([0-9]+)$/\1/p' "$MAN/oci.1")
}

@test "oci-config.json(5) has every property, and says of each who applies it" {
	diff <(oci-validate --properties | awk '{print ($1)}') \
		<(sed -n 's/^\.It Pa //p' "$OCI_BUILD/man/oci-config.json.5")
	diff <(oci-validate --properties --json | jq -r '.[] | .pointer | select(. != "")' | wc -l) \
		<(grep -c '^\.It Pa /.' "$OCI_BUILD/man/oci-config.json.5")
	grep -A3 '^\.It Pa /linux/timeOffsets$' "$OCI_BUILD/man/oci-config.json.5" |
		grep -qx 'applied by oci-nsenter-setup'
}

@test "the pages are valid mdoc" {
	require command:mandoc
	run -0 mandoc -Tlint -W warning "$MAN"/*.[1-9] "$OCI_BUILD"/man/*.[1-9]
	[ -z "$output" ] || show
}

@test "the pages refer to pages that exist" {
	local name section bad=''
	while read -r name section; do
		[[ -e $MAN/$name.$section || -e $OCI_BUILD/man/$name.$section ]] || bad+=" $name($section)"
	done < <(sed -nE 's/.*Xr (oci[a-z.-]*) ([1-9]).*/\1 \2/p' "$MAN"/*.[1-9] | sort -u)
	[[ ! $bad ]] || fail "no such page:$bad"
}

@test "the pages of commands have the same sections in the same order" {
	local page sections
	local order='NAME SYNOPSIS DESCRIPTION OPTIONS (FILES )?EXIT STATUS EXAMPLES SEE ALSO '
	for page in "$MAN"/*.1; do
		sections=$(sed -n 's/^\.Sh //p' "$page" | tr '\n' ' ')
		[[ $sections =~ ^$order(STANDARDS |CAVEATS |'SECURITY CONSIDERATIONS ')*$ ]] ||
			fail "${page##*/}: $sections"
	done
}

# ---- Examples --------------------------------------------------------------------------------
#
# Each literal block in EXAMPLES has a comment before it: '.\" test: WHAT', where WHAT is what the
# example begins with, or '.\" no test: WHY'.

# The bundle ./web, and the container web made until a stage, created, or running.
prepare() {
	mkbundle web
	case $1 in
	bundle) ;;
	created) oci create web web ;;
	running) oci create web web && oci start web ;;
	hook) oci-create --until 'hook createContainer' web web ;;
	*) oci-create --until "$1" web web ;;
	esac </dev/null >out 2>&1 || fail "cannot prepare \"$1\":" "$(<out)"
}

run_example() {
	local page=$1 number=$2 what=$3
	prepare "$what" || return
	awk -v block="$number" -f "$examples" "$MAN/$page" | sed "s|/run/oci|$ROOT|" >example
	PATH=$PWD/bin:$PATH timeout 20 sh -e example </dev/null >out 2>&1 ||
		fail "example $number of $page fails:" "$(<example)" "$(<out)"
}

@test "the examples of the pages work" {
	local page number what bad=0
	require root
	as_installed bin
	while read -r page number what; do
		run_example "$page" "$number" "$what" || bad=1
		delete_all
		rm -rf web
	done < <(cd "$MAN" && awk -f "$examples" ./*.[1-9])
	((bad == 0))
}

@test "each example says how it is tested" {
	run -0 sh -c "cd '$MAN' && awk -v undeclared=1 -f '$examples' ./*.[1-9]"
	[ -z "$output" ] || show
}
