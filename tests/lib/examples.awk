# The examples of man pages: literal blocks in the section EXAMPLES, counted from 1 on each page.
#
#	awk -f examples.awk PAGE...			"PAGE NUMBER WHAT" for each '.\" test: WHAT'
#	awk -v block=NUMBER -f examples.awk PAGE	the text of one
#	awk -v undeclared=1 -f examples.awk PAGE...	"PAGE:LINE" for each that says nothing

FNR == 1 { inside = 0; number = 0 }
/^\.Sh / { inside = /EXAMPLES/; said = "" }
!inside { next }
/^\.\\" (no )?test: / { said = $0 }
/^\.Bd / {
	literal = 1
	number++
	if (undeclared && !said)
		print FILENAME ":" FNR
	else if (!block && !undeclared && sub(/^\.\\" test: /, "", said))
		print FILENAME, number, said
	said = ""
	next
}
/^\.Ed/ { literal = 0 }
literal && number == block { gsub(/\\e/, "\\"); print }
