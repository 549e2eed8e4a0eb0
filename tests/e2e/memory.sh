#!/bin/sh
# Memory over time: programs that leak, free, warm up or stay as they are, with their
# children, attached to, and with a file kept small.
#
# The workload takes what is due by the clock, so its rate is 100 KiB in 10 ms however
# busy the machine is; 10 % is for the first and the last steps.  Readings come when the
# recorder runs, and less often where they cost more; where there are few of them, it
# runs for longer: a leak shows in 20.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record
memory=$BUILD/tests/workloads/memory
least=25

record_all()
{
	pids=
	for way in leak stable free warm fork; do
		"$TSPROF" record -q -o "$work/$way" -- "$memory" "$way" "$seconds" \
			2>"$work/$way.err" &
		pids="$pids $!"
	done
	for pid in $pids; do
		check "a run is recorded" wait "$pid"
	done
}

# PROFILE KEY [ROW]: the column of a row, 1 for the largest process.
column()
{
	"$TSPROF" report --memory -i "$work/$1" --csv |
		awk -F, -v key="$2" -v row="${3:-1}" '
			NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			NR == row + 1 { print $at[key] }'
}

has_enough()
{
	for way in leak stable free warm; do
		[ "$(column "$way" readings)" -ge "$least" ] || return 1
	done
}

for seconds in 4 8 16; do
	record_all
	has_enough && break
done
for way in leak stable free warm; do
	n=$(column "$way" readings)
	echo "$way: $n readings, peak $(column "$way" peak_rss_bytes) bytes," \
		"$(column "$way" growth_bytes_per_s) bytes/s," \
		"r2 of the second half $(column "$way" second_half_r2)"
	check "$way: it was read again and again" holds "$n >= $least && $n < $seconds * 11"
done
check "faults were counted" holds "$(column leak minor_faults) > $seconds * 1000"
rate=$(column leak growth_bytes_per_s)
check "the leak is as large as it is" holds "$rate > 9216000 && $rate < 11264000"
check "the leak is told" [ "$(column leak leak_suspected)" = yes ]
check "what is taken once is seen" \
	holds "$(column stable peak_rss_bytes) > 16777216 && $(column stable peak_rss_bytes) < 26000000"
check "warming up is seen" holds "$(column warm peak_rss_bytes) > $seconds * 2300000"
for way in stable free warm; do
	check "$way is no leak" [ "$(column "$way" leak_suspected)" = no ]
done
"$TSPROF" report --memory -i "$work/leak" >"$work/out"
check "the hint is in words" grep -q 'grows steadily' "$work/out"

check "children have rows of their own, and all together" holds "$("$TSPROF" report \
	--memory -i "$work/fork" --csv | wc -l) == 5"
check "the child that leaks" [ "$(column fork leak_suspected)" = yes ]
check "the child that does not" [ "$(column fork leak_suspected 2)" = no ]
check "all together is the sum" holds "$(column fork peak_rss_bytes 4) > \
	$(column fork peak_rss_bytes) + $(column fork peak_rss_bytes 2) * 0.8"

"$memory" leak "$seconds" &
pid=$!
run "$TSPROF" record -q --resources 50 -p "$pid" --max-size 64k --duration $((seconds - 1))s \
	-o "$work/attached"
check "attached to" is_status 0
check "more often when asked" holds "$(column attached readings) > 30"
check "also there the leak is told" [ "$(column attached leak_suspected)" = yes ]
wait "$pid"

run "$TSPROF" record -q --resources 0 -o "$work/without" -- "$memory" stable 0.5
run "$TSPROF" report --memory -i "$work/without"
check "--resources 0 reads nothing" is_refusal 1 "no memory was recorded"
finish
