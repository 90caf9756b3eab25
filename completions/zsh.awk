# Makes the completion for zsh of what the commands say with --dump-options (lib/base/opt.h).
# -v stages='...' -v kinds='...': what stands for STAGE and KIND.

function quote(text) { gsub(/'/, "'\\''", text); return "'" text "'" }

# In a specification of _arguments.
function plain(text) { gsub(/[\[\]:]/, "\\\\&", text); return text }

function action(kind) {
	if (kind == "CONTAINER-ID")
		return "_oci_ids"
	if (kind == "BUNDLE" || kind == "DIR")
		return "_files -/"
	if (kind == "FILE" || kind == "PATH")
		return "_files"
	if (kind == "FORMAT")
		return "(json table text)"
	if (kind == "SIGNAL")
		return "_signals -s"
	if (kind == "STAGE")
		return "(" stages ")"
	if (kind == "KIND...")
		return "(" kinds ")"
	return " "
}

function option(letter, long, value, help,   spec) {
	spec = "[" plain(help) "]" (value == "-" ? "" : ":" value ":" action(value))
	if (letter == "-")
		return "\t\t" quote("--" long spec) " \\\n"
	return "\t\t" quote("(-" letter " --" long ")") "{-" letter ",--" long "}" quote(spec) " \\\n"
}

# "A | B [C]": the first that is no option is enough, and what follows it.
function operands(text,   words, n, i, place, specs) {
	gsub(/[][|]/, "", text)
	n = split(text, words, / +/)
	for (i = 1; i <= n; i++)
		if (words[i] ~ /^[A-Z]/ && words[i] !~ /^(COMMAND|ARGUMENT)/ && ++place)
			specs = specs "\t\t" quote((words[i] ~ /\.\.\.$/ ? "*" : place) ":" words[i] ":" \
				(made && words[i] == "CONTAINER-ID" ? " " : action(words[i]))) " \\\n"
	if (text ~ /COMMAND/)
		specs = specs "\t\t" quote("*::command:_normal") " \\\n"
	return specs
}

function finish() {
	if (name && name != "oci")
		functions = functions "_" name "() {\n\t_arguments -s -S \\\n" globals options operands(text) "\t\t&& return 0\n}\n\n"
	options = ""
}

BEGIN { FS = "\t" }
$1 == "command" {
	finish()
	name = $2
	text = $3
	made = text == "CONTAINER-ID [BUNDLE]"
	names = names " " name
	if (name != "oci")
		commands = commands "\t\t" quote(plain(substr(name, 5)) ":" $4) "\n"
}
$1 == "option" { options = options option($2, $3, $4, $5) }
$1 == "global" && name == "oci" { globals = globals option($2, $3, $4, $5) }
END {
	finish()
	print "#compdef" names
	print "# zsh completion for oci and its commands. Made of their option tables.\n"
	printf "%s", functions
	print "_oci_ids() {\n\tlocal -a ids root"
	print "\t(( ${+opt_args[--root]} )) && root=(--root ${opt_args[--root]})"
	print "\tids=(${(f)\"$(oci $root list -q 2>/dev/null)\"})\n\tcompadd -a ids\n}\n"
	print "_oci_commands() {\n\tlocal -a commands=(\n" commands "\t)\n\t_describe command commands\n}\n"
	print "_oci() {\n\tlocal curcontext=$curcontext state\n\ttypeset -A opt_args"
	print "\tif [[ $service != oci ]]; then\n\t\t_$service\n\t\treturn\n\tfi"
	print "\t_arguments -s -S -C \\\n" globals "\t\t'1:command:_oci_commands' '*::argument:->argument' && return 0"
	print "\t[[ $state = argument && ${+functions[_oci-$words[1]]} = 1 ]] && _oci-$words[1]\n}\n"
	print "_oci \"$@\""
}
