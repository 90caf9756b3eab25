# Makes the completion for fish of what the commands say with --dump-options (lib/base/opt.h).
# -v stages='...' -v kinds='...': what stands for STAGE and KIND.

function quote(text) { gsub(/[\\']/, "\\\\&", text); return "'" text "'" }

function action(kind) {
	if (kind == "CONTAINER-ID")
		return "(__oci_ids)"
	if (kind == "DIR" || kind == "BUNDLE")
		return "(__fish_complete_directories)"
	if (kind == "FORMAT")
		return "json table text"
	if (kind == "SIGNAL")
		return "(kill -l)"
	if (kind == "STAGE")
		return stages
	if (kind == "KIND...")
		return kinds
	return ""
}

# For "oci COMMAND", and for "oci-COMMAND".
function say(what) {
	if (name == "oci")
		print "complete -c oci " what
	else {
		print "complete -c oci -n '__fish_seen_subcommand_from " substr(name, 5) "' " what
		print "complete -c " name " " what
	}
}

BEGIN {
	FS = "\t"
	print "# fish completion for oci and its commands. Made of their option tables.\n"
	print "function __oci_ids\n\toci list -q 2>/dev/null\nend\n"
}
$1 == "command" {
	name = $2
	if (name == "oci")
		next
	print "complete -c oci -f -n __fish_use_subcommand -a " substr(name, 5) " -d " quote($4)
	text = $3
	made = text == "CONTAINER-ID [BUNDLE]"
	gsub(/[][|]/, "", text)
	n = split(text, words, / +/)
	for (i = 1; i <= n; i++)
		if (words[i] ~ /^[A-Z]/ && action(words[i]) != "" && !(made && words[i] == "CONTAINER-ID"))
			say("-f -a " quote(action(words[i])))
}
$1 == "option" || $1 == "global" {
	if ($1 == "global" && name != "oci") {
		# Those of "oci" hold for "oci COMMAND" too.
		print "complete -c " name " -l " $3 ($2 == "-" ? "" : " -s " $2) ($4 == "-" ? "" : " -r") " -d " quote($5)
		next
	}
	values = $4 == "-" ? "" : action($4)
	say("-l " $3 ($2 == "-" ? "" : " -s " $2) ($4 == "-" ? "" : " -r") \
		(values == "" ? "" : " -f -a " quote(values)) " -d " quote($5))
}
