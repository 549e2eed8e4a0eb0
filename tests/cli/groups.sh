#!/bin/sh
# --by and --process in report, fold and flame, and the tables of processes and threads.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$BUILD/tests/cli/make_profile" "$work/p" <<'EOT' || exit 99
@command make
make/10 make/10 main;spawn 2
cc/20 cc/20 main;parse 30
cc/20 cc/20 main;emit 10
cc/21 cc/21 main;parse 20
cc/21 writer/22 start;emit 15
cc/20 writer/23 start;emit 5
ld/30 ld/30 main;link 18
EOT

(
	cd "$work" || exit 1
	for command in "report --by process" "report --by thread --top 2" \
		"report --by comm --modules" "report --by comm --callers emit" \
		"report --by process --breakdown --top 1" "report --processes --threads" \
		"report --by process --csv" "report --processes --csv" \
		"report --by comm --json --top 1" "report --process cc --by thread --top 1" \
		"report --process 21 --threads" "fold" "fold --by process" \
		"fold --by thread" "fold --by comm" "fold --by process --threads" \
		"fold --by thread --threads" "fold --process 20 --thread writer"; do
		echo "### $command"
		# shellcheck disable=SC2086
		"$TSPROF" $command -i p 2>&1
	done | sed '/^  "quality": {/,/^  },/d'
) >"$work/tables"
check "all groups are as they were" diff -u "$TOP/tests/cli/groups.golden" "$work/tables"

# What is split adds up to what is not.
for by in process thread comm; do
	"$TSPROF" fold -i "$work/p" --by "$by" | sed -E 's/^[^;]*;//; s/ ([0-9]+)$/\t\1/' |
		awk -F'\t' '{ sum[$1] += $2 } END { for (s in sum) print s, sum[s] }' |
		sort >"$work/summed"
	"$TSPROF" fold -i "$work/p" | sed -E 's/^[^;]*;//; s/ ([0-9]+)$/\t\1/' |
		awk -F'\t' '{ sum[$1] += $2 } END { for (s in sum) print s, sum[s] }' |
		sort >"$work/whole"
	check "fold --by $by has something" test -s "$work/whole"
	check "fold --by $by loses nothing" cmp "$work/whole" "$work/summed"
	"$TSPROF" report -i "$work/p" --by "$by" --csv --top 0 |
		awk -F, 'NR > 1 { self += $1; if (!($(NF - 3) in seen)) groups += $(NF - 2)
			seen[$(NF - 3)] = 1 } END { print self, groups }' >"$work/sums"
	read -r self groups <"$work/sums"
	check "report --by $by: rows add up to the whole" test "$self" = 100000000
	check "report --by $by: groups add up to the whole" test "$groups" = 100000000
	run "$TSPROF" flame -i "$work/p" --by "$by" -o "$work/by.svg"
	check "flame --by $by draws" is_status 0
	"$TSPROF" fold -i "$work/p" --by "$by" | sed 's/;.*//' | sort -u |
		while read -r group; do
			grep -qF "$group" "$work/by.svg" || echo "$group"
		done >"$work/missing"
	check "flame --by $by has a box a group" cmp -s /dev/null "$work/missing"
done

run "$TSPROF" report -i "$work/p" --by tread
check "an unknown group gets the nearest" is_refusal 2 "did you mean thread?"
run "$TSPROF" fold -i "$work/p" --process cx
check "an unknown process gets the list" is_refusal 1 "there are make/10, cc/20, cc/21, ld/30"
echo "a;b 3" >"$work/folded"
run "$TSPROF" fold -i "$work/folded" --by process
check "imports know no processes" is_refusal 1 "does not tell them apart"
check "groups fit 40 columns" fits_40_columns report -i "$work/p" --by process
check "JSON with groups is well-formed" \
	is_json report -i "$work/p" --by thread --json --lines --modules --threads --top 0

finish
