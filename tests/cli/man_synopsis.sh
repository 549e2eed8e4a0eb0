#!/bin/sh
# Each command has a page whose SYNOPSIS is what -h prints, and which describes
# every option of the table; the pages are clean where mandoc is there to say so.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# FILE: the SYNOPSIS as plain words.
man_synopsis()
{
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$1" |
		sed -e '/^\.SH/d' -e '/^\.\(nf\|fi\|ad\|nh\|hy\|PP\|br\|sp\)/d' \
			-e 's/^\.[BIR]\{1,2\} //' -e 's/\\f[BIRP]//g' -e 's/\\-/-/g' \
			-e 's/\\(bv/|/g' -e 's/"//g' -e 's/\\ / /g' -e 's/\\&//g' |
		tr -s ' \t\n' '   ' | sed -e 's/^ //' -e 's/ $//'
}

usage_text()
{
	"$TSPROF" "$1" -h | sed -n '1,/^$/p' | tr -s ' \t\n' '   ' |
		sed -e 's/^usage: //' -e 's/ $//'
}

# FILE: what its paragraphs describe, a line each.
tags()
{
	awk '/^\.T[PQ]/ { is_tag = 1; next } is_tag { print; is_tag = 0 }' "$1" |
		sed -e 's/^\.[BIR]\{1,2\} //' -e 's/\\f[BIRP]//g' -e 's/\\-/-/g'
}

for command in $("$TSPROF" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
	[ "$command" = tsprof ] && continue
	page=$TOP/man/tsprof-$command.1
	check "$command has a page" test -f "$page"
	[ -f "$page" ] || continue
	usage_text "$command" >"$work/usage"
	man_synopsis "$page" >"$work/synopsis"
	check "SYNOPSIS of $command is its -h" diff "$work/usage" "$work/synopsis"
	"$TSPROF" "$command" -h | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' |
		while read -r option; do
			tags "$page" | grep -qE -- "(^| )$option( |,|\[|$)" || echo "$option"
		done >"$work/missing"
	check "every option of $command is described" cmp -s /dev/null "$work/missing"
	[ -s "$work/missing" ] && cat "$work/missing"
	check "tsprof(1) names $command" grep -q "tsprof.-$command" "$TOP/man/tsprof.1"
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
		check "page of $command has $section" grep -q "^\.SH \"\{0,1\}$section" "$page"
	done
done

if command -v mandoc >/dev/null 2>&1; then
	for page in "$TOP"/man/*.1; do
		check "$(basename "$page") is clean" mandoc -T lint -W warning "$page"
	done
fi
finish
