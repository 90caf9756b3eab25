# Makes the completion for bash of what the commands say with --dump-options (lib/base/opt.h).
# -v stages='...' -v kinds='...': what stands for STAGE and KIND.

function quote(text) { gsub(/'/, "'\\''", text); return "'" text "'" }

# What stands at place n of the operands "A | B [C]": words of all alternatives.
function operand(text, n,   parts, words, i, k, place, found) {
	gsub(/[][]/, "", text)
	for (i = split(text, parts, / *\| */); i > 0; i--) {
		place = 0
		split(parts[i], words, / +/)
		for (k = 1; k in words; k++)
			if (words[k] !~ /^-/ && words[k] != "" && ++place == n)
				found = found (found ? " " : "") words[k]
	}
	return found
}

BEGIN { FS = "\t" }
$1 == "command" {
	name = $2
	names = names (names ? " " : "") name
	if (name != "oci")
		commands = commands (commands ? " " : "") substr(name, 5)
	# The id of a container that is to be made is anybody's guess.
	operands = $3
	if (operands == "CONTAINER-ID [BUNDLE]")
		sub(/CONTAINER-ID/, "NEW-ID", operands)
	for (i = 1; i <= 2; i++)
		if ((what = operand(operands, i)) != "")
			values = values "\t" name ":" i ") echo " quote(what) " ;;\n"
}
$1 == "option" || ($1 == "global" && name == "oci") {
	key = $1 == "global" ? "global" : name
	flags[key] = flags[key] " --" $3 ($2 == "-" ? "" : " -" $2)
	if ($4 != "-")
		values = values "\t" (key == "global" ? "*" : key) ":--" $3 \
			($2 == "-" ? "" : "|" (key == "global" ? "*" : key) ":-" $2) ") echo " $4 " ;;\n"
}
END {
	print "# bash completion for oci and its commands. Made of their option tables.\n"
	print "_oci_flags() {\n\tcase $1 in"
	n = split(names, list, " ")
	for (i = 1; i <= n; i++)
		if (list[i] in flags)
			print "\t" list[i] ") echo" flags[list[i]] flags["global"] " ;;"
	print "\t*) echo" flags["global"] " ;;\n\tesac\n}\n"
	print "# What the value of an option is, or the operand at a place: COMMAND:--OPTION, COMMAND:2."
	print "_oci_kind() {\n\tcase $1 in\n" values "\tesac\n}\n"
	print "_oci_commands=" quote(commands)
	print "_oci_stages=" quote(stages)
	print "_oci_kinds=" quote(kinds)
	while ((getline line < "completions/oci.bash") > 0)
		if (line !~ /^# shellcheck/)
			print line
	print "\ncomplete -F _oci " names
}
