# Reads "factors", prints bundles: NAME FILTER. First the usual one, then each value alone, then rows
# in which each pair of values of different factors is at least once. The same every time; the first of
# these rows, of which `pairs` are printed, have the most.
/^#/ || NF < 3 { next }
{
	if (!($1 in count)) factor[++n] = $1
	k = ++count[$1]
	name[$1, k] = $2
	text = $0
	sub(/^[^ ]+ +[^ ]+ +/, "", text)
	filter[$1, k] = text
}
function row(label,   i, f, all) {
	all = "."
	for (i = 1; i <= n; i++) {
		f = factor[i]
		# Namespaces last: they take away what others need.
		if (f != "namespaces") all = all " | " filter[f, chosen[i]]
	}
	print label, all " | " filter["namespaces", chosen[1]]
}
# How many pairs, not seen yet, the value k of factor i makes with those chosen before.
function gain(i, k,   j, new) {
	for (j = 1; j <= n; j++)
		if (chosen[j] && j != i && !((i, k, j, chosen[j]) in seen)) new++
	return new + 0
}
END {
	for (i = 1; i <= n; i++) chosen[i] = 1
	row("usual")
	for (i = 1; i <= n; i++)
		for (k = 2; k <= count[factor[i]]; k++) {
			chosen[i] = k
			row(factor[i] "-" name[factor[i], k])
			chosen[i] = 1
		}
	for (rows = 1; rows <= pairs; rows++) {
		for (i = 1; i <= n; i++) chosen[i] = 0
		# Begin with a pair that is missing.
		found = 0
		for (i = 1; i <= n && !found; i++)
			for (j = i + 1; j <= n && !found; j++)
				for (k = 1; k <= count[factor[i]] && !found; k++)
					for (l = 1; l <= count[factor[j]] && !found; l++)
						if (!((i, k, j, l) in seen)) {
							chosen[i] = k; chosen[j] = l; found = 1
						}
		if (!found) break
		for (i = 1; i <= n; i++) {
			if (chosen[i]) continue
			best = -1
			for (t = 1; t <= count[factor[i]]; t++) {
				k = (t + rows) % count[factor[i]] + 1
				g = gain(i, k)
				if (g > best) { best = g; pick = k }
			}
			chosen[i] = pick
		}
		for (i = 1; i <= n; i++)
			for (j = 1; j <= n; j++) if (i != j) seen[i, chosen[i], j, chosen[j]] = 1
		row("pairs-" rows)
	}
}
