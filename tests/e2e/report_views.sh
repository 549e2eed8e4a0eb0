#!/bin/sh
# tsprof report on a recorded run: times, threads, windows, and sums that hold.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

require_record
run "$TSPROF" record -o "$work/p" -- "$BUILD/tests/workloads/threads"
check "the run is recorded" is_status 0

run "$TSPROF" report -i "$work/p" --json --threads --top 0
cp "$work/out" "$work/threads.json"
check "there are four burners" holds "$(grep -c '"thread": "burner-' "$work/out") == 4"
run "$TSPROF" report -i "$work/p" --json --thread burner-1
check "one of them has a quarter of the time" \
	holds "$(json_number "$work/out" total) / $(json_number "$work/threads.json" total) < 0.35"
run "$TSPROF" report -i "$work/p" --from 100ms --to 200ms
check "a window says what it shows" grep -q '^Shown: from 100 ms, to 200 ms: ' "$work/out"
run "$TSPROF" report -i "$work/p" --lines
check "lines are named" grep -q 'threads\.c:[0-9]' "$work/out"

run "$TSPROF" report -i "$work/p" --breakdown
check "the breakdown has its columns" \
	grep -qE '^│ Component +│ +Time │ +Avg \(μs\) │ % Total │ +± │$' "$work/out"
check "its footers are there" holds "$(grep -cE '^│ (UNEXPLAINED|TOTAL) ' "$work/out") == 2"
check "it fits 80 columns" holds "$(wc -L <"$work/out") <= 80"
run "$TSPROF" report -i "$work/p" --breakdown --csv
awk -F, '$10 == 0 && $1 != "TOTAL" { sum += $2 } $1 == "TOTAL" { total = $2 }
	END { printf "%.0f %.0f\n", sum, total }' "$work/out" >"$work/sums"
read -r sum total <"$work/sums"
check "its rows add up to TOTAL exactly" test "$sum" = "$total"
check "TOTAL is not nothing" holds "$total > 1e9"

finish
