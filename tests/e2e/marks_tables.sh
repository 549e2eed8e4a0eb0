#!/bin/sh
# The tables of marks against what the program measured itself.  It measured from
# just inside and from just outside of every scope: the truth lies between the two,
# however busy the machine is.  The slack is for the clocks, which agree to a microsecond,
# and for the rounding of what it printed.
# check calls the functions.
# shellcheck disable=SC2317
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

# COLUMN ROW KEY: of the last CSV, the cell where the first column or `scope` is ROW.
cell()
{
	awk -F, -v column="$1" -v row="$2" -v key="$3" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at[key] == row { print $at[column]; exit }' "$work/csv"
}

# OPTION…: the report of the last recording as CSV.
csv()
{
	"$TSPROF" report -i "$work/p" --csv "$@" >"$work/csv" 2>"$work/err" || cat "$work/err"
}

# NS INNER OUTER CALLS: is it between, all but a microsecond a call?
is_between()
{
	holds "$1 / 1e9 >= $2 - $4 * 1e-6 && $1 / 1e9 <= $3 + $4 * 1e-6"
}

# The recording must have every mark: a machine so busy that rings fill up proves nothing.
record_marks()
{
	for attempt in 1 2 3; do
		record_with "$1" -q --keep-events -o "$work/p" -- \
			"$BUILD/tests/workloads/marking" 60 >"$work/truth" 2>"$work/log" || return 1
		"$TSPROF" report -i "$work/p" | head -3 | grep -q "lost marks" || return 0
		echo "attempt $attempt lost marks"
	done
	return 1
}

check_scopes()
{
	csv --scopes
	while read -r kind name n_calls inner outer _; do
		[ "$kind" = scope ] || continue
		check "$1: $name has $n_calls calls" test "$(cell calls "$name" scope)" = "$n_calls"
		check "$1: $name took what it took" \
			is_between "$(cell total_ns "$name" scope)" "$inner" "$outer" "$n_calls"
	done <"$work/truth"
	check "$1: one request in ten failed" test "$(cell errors request scope)" = 12
	self=$(cell self_ns request scope)
	inside=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
		$1 ~ /parse|render|wait/ { sum += $at["total_ns"] } END { printf "%.0f\n", sum }' "$work/csv")
	check "$1: self is total without what is inside" \
		test "$((self + inside))" = "$(cell total_ns request scope)"
	cp "$work/csv" "$work/whole"
}

# All calls together are the statistics that were counted while the program ran.
check_parts()
{
	csv --scopes --from 0.000000001
	check "$1: counted anew from single calls it is the same" \
		test "$(cut -d, -f 1-4,6,7 "$work/whole")" = "$(cut -d, -f 1-4,6,7 "$work/csv")"
	csv --slowest 0
	n_calls=$(($(wc -l <"$work/csv") - 1))
	check "$1: single calls are all there" test "$n_calls" = 480
	slowest=$(sed -n 2p "$work/csv" | cut -d, -f 2)
	check "$1: the slowest is the longest of its scope" grep -q ",$slowest," "$work/whole"
	tids=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		{ print $at["tid"] }' "$work/csv" | sort -u)
	sum=0
	for tid in $tids; do
		csv --scopes --thread "$tid"
		sum=$((sum + $(cell total_ns parse scope)))
	done
	cp "$work/whole" "$work/csv"
	check "$1: threads add up" test "$sum" = "$(cell total_ns parse scope)"
}

check_phases()
{
	"$TSPROF" report -i "$work/p" --milestones --json >"$work/json"
	between=$(sed -n '/"phase": "loaded → ready"/,/}/p' "$work/json")
	wall=$(echo "$between" | sed -n 's/.*"total_ns": \([0-9]*\).*/\1/p')
	cpu=$(echo "$between" | sed -n 's/.*"cpu_ns": \([0-9]*\).*/\1/p')
	read -r _ inner outer <<EOT
$(grep ^between "$work/truth")
EOT
	check "$1: the phase took what it took" is_between "$wall" "$inner" "$outer" 2
	# A tick is missed or found once too often at each end of each thread.
	truth=$(awk '$1 == "scope" && $2 == "request" { print $6 }' "$work/truth")
	check "$1: CPU time sampled in the phase is that of the requests" \
		holds "$cpu / 1e9 > 0.85 * $truth - 0.004 && $cpu / 1e9 < 1.15 * $truth + 0.004"
}

check_errors()
{
	csv --errors
	check "$1: failed calls are told one by one" test "$(wc -l <"$work/csv")" = 13
	check "$1: with arguments and reasons" \
		test "$(grep -c ',request,,i=13,three of 13,' "$work/csv")" = 2
	"$TSPROF" report -i "$work/p" --timeline --max 0 --csv >"$work/csv"
	check "$1: the timeline has all marks" test "$(grep -c ',scope,' "$work/csv") \
$(grep -c ',milestone,' "$work/csv") $(grep -c ',counter,' "$work/csv")" = "480 2 120"
	csv --counters
	check "$1: counters are summed up" test "$(cell values requests counter) \
$(cell min requests counter) $(cell mean requests counter) $(cell max requests counter)" = \
		"120 0 29.5 59"
}

find_engines "perf sigprof"
for engine in $engines; do
	check "$engine: it records" record_marks "$engine"
	check_scopes "$engine"
	check_parts "$engine"
	check_phases "$engine"
	check_errors "$engine"
done

record_with "${engines##* }" -q -o "$work/p" -- "$BUILD/tests/workloads/marking" names \
	>"$work/out" 2>&1
run "$TSPROF" report -i "$work/p" --scopes --milestones --timeline
check "names of all kinds are told" is_status 0
check "in 80 columns" holds "$(wc -L <"$work/out") <= 80"
finish
