#!/bin/sh
# Who did it: threads by the names that they had, processes of one name apart and
# together, when they lived, and what two runs are as one.
#
# Each thread works until its own CPU clock says so, so shares are known: 40 %
# alpha, 20 % beta and each of the twins.  At some 1,250 samples a share of 40 %
# has a standard error of 1.4 points; 6 points are more than four of them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

run "$TSPROF" record -q -o "$work/p" -- "$BUILD/tests/workloads/groups"
check "the run is recorded" is_status 0
main=$(sed -n 's/^main //p' "$work/out")
twins=$(sed -n 's/^twin //p' "$work/out")

# GROUP NAME PERCENT: the share of the samples folded below names that begin so.
has_share()
{
	"$TSPROF" fold --time -i "$work/p" --by "$1" >"$work/folded"
	measured=$(awk -v name="$2" '{ all += $NF } index($0, name) == 1 { sum += $NF }
		END { print 100 * sum / all }' "$work/folded")
	echo "$1 $2: $measured % of $3 %"
	holds "$measured > $3 - 6 && $measured < $3 + 6"
}

check "alpha by thread" has_share thread "alpha/" 40
check "beta by comm" has_share comm "beta;" 20
check "twins are one name" has_share comm "twin;" 40
for twin in $twins; do
	check "twin $twin is a process" has_share process "twin/$twin;" 20
done
check "the threads are the main process" has_share process "groups/$main;" 60

run "$TSPROF" report -i "$work/p" --processes --csv --top 0
cp "$work/out" "$work/processes"
column()
{
	awk -F, -v key="$1" -v row="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["process"] == row { print $at[key] }' "$work/processes"
}
for twin in $twins; do
	check "twin $twin: its parent is known" test "$(column parent_pid "twin/$twin")" = "$main"
	check "twin $twin: it lived for as long as it worked" \
		holds "$(column end_ns "twin/$twin") - $(column start_ns "twin/$twin") >= 0.24e9"
	check "twin $twin: it started after the threads' work" \
		holds "$(column start_ns "twin/$twin") >= 0.49e9"
done
run "$TSPROF" report -i "$work/p" --process "$main" --threads
check "the threads of one process" \
	holds "$(grep -cE '(alpha|beta)/' "$work/out") == 2 && $(grep -c twin "$work/out") == 0"

"$TSPROF" merge "$work/p" "$work/p" -o "$work/pp" 2>/dev/null
"$TSPROF" fold -i "$work/p" | awk '{ $NF *= 2; print }' >"$work/doubled"
"$TSPROF" fold -i "$work/pp" | awk '{ $1 = $1; print }' >"$work/merged"
check "a run merged with itself counts double" cmp "$work/doubled" "$work/merged"

finish
