# Makes oci-config.json(5) of "oci-validate --properties": the table that validation goes by.

function flush_list() { if (open) print ".El"; open = 0 }

BEGIN {
	print ".Dd November 28, 2026\n.Dt OCI-CONFIG.JSON 5\n.Os\n.Sh NAME\n.Nm oci-config.json"
	print ".Nd the properties of config.json, and who applies them\n.Sh DESCRIPTION"
	print "All properties that the OCI runtime specification 1.3 has, from the table that"
	print ".Xr oci-validate 1\ngoes by:"
	print "the type, what may stand there, the version of the specification that had it first,"
	print "and the command that applies it."
	print ".Sq * \nstands for any index or key."
	print "Properties of other platforms are ignored; one that is not supported is an error."
}
{
	stage = $5
	first = 6
	if (stage == "not") {
		stage = "not supported"
		first = 7
	} else if (stage == "ignored")
		stage = "ignored: of another platform"
	else
		stage = "applied by oci-" stage
	constraint = ""
	for (i = first; i <= NF; i++)
		constraint = constraint (i > first ? " " : "") $i
	split($1, part, "/")
	# /linux is long: a list for each of its members.
	section = "/" part[2] (part[2] == "linux" && part[3] != "" ? "/" part[3] : "")
	if (section != last) {
		flush_list()
		print ".Ss " section "\n.Bl -tag -width Ds -compact"
		open = 1
		last = section
	}
	print ".It Pa " $1
	print $2 ($3 == "required" ? ", required" : "") (constraint != "" ? ", " constraint : "") ";"
	print "since " $4 ";"
	print stage
}
END {
	flush_list()
	print ".Sh SEE ALSO\n.Xr oci-features 1 ,\n.Xr oci-validate 1"
	print ".Sh STANDARDS\nOCI Runtime Specification 1.3.0, config.md and config-linux.md."
}
