#!/bin/sh
# Waiting time with the engine sigprof, which measures the calls that wait: the same
# truth as with perf, by function, reason and thread.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/e2e/waiting_views.sh
. "$(dirname "$0")/waiting_views.sh"

run "$TSPROF" record --engine sigprof --event wall -o "$work/p.tsprof" -- "$program" 50
check "recorded" is_status 0
cp "$work/out" "$work/truth"
report all --children
report threads --threads
for name in sleep_here lock_here read_here poll_here; do
	truth=$(sed -n "s/^$name //p" "$work/truth")
	agrees "$name, running and waiting" "$truth" "$(total_of $name)"
done
for pair in "sleep_here sleep" "lock_here lock" "read_here pipe" "poll_here poll"; do
	name=${pair% *}
	reason=${pair#* }
	report "$name" --state "$reason" --children --thread "$name"
	truth=$(sed -n "s/^$name //p" "$work/truth")
	agrees "$name waits for $reason" "$truth" \
		"$(row_of "$work/$name.json" function "$name\"" total_ns)"
done
# A thread without a CPU is known to exist, but not where it is.
truth=$(sed -n "s/^burn_here //p" "$work/truth")
agrees "life of thread burn_here" "$truth" \
	"$(row_of "$work/threads.json" thread "burn_here/" total_ns)"
report running --state running --children
ran=$(row_of "$work/running.json" function 'burn_here"' total_ns)
check "burn_here runs for half a second: $ran ns" holds "$ran > 0.47e9 && $ran < 0.53e9"
# The library shows the real functions, not itself.
run "$TSPROF" fold -i "$work/p.tsprof" --state waiting
check "nothing of the library's in a wait" sh -c "! grep -q 'wait_around\|libtsprof' '$work/out'"
check "the real function is where it waits" grep -q ';sleep_here;.*nanosleep' "$work/out"

# Cancelled, interrupted and left by a jump; also where nothing had to be waited for.
run timeout 120 "$TSPROF" record -q --engine sigprof --off-cpu -o "$work/p.tsprof" -- \
	"$BUILD/tests/torture/left_waits" 0.5
check "waits end in other ways than by returning" is_status 23

# 1,000 threads that sleep for all of the run: told, though their waits never end.
check_idle_threads 0.97 --engine sigprof --event wall

# A convoy: one of eight runs, seven wait for the lock.
run "$TSPROF" record --engine sigprof --event wall -o "$work/p.tsprof" -- "$program" convoy 8 40
check "convoy: recorded" is_status 0
lives=$(sed -n 's/^lives //p' "$work/out")
report lock --state lock --children
locked=$(row_of "$work/lock.json" function 'convoy_main"' total_ns)
check "convoy: $locked ns of $lives s wait for the lock" \
	holds "$locked > 0.5e9 * $lives && $locked < 1e9 * $lives"

# --off-cpu records the same, and shows what ran.
run "$TSPROF" record --engine sigprof --off-cpu -o "$work/p.tsprof" -- "$program" 5
check "recorded with --off-cpu" is_status 0
report usual
check "what ran is shown" grep -q '"state": "running"' "$work/usual.json"
finish
