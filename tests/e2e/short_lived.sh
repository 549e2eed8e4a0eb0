#!/bin/sh
# Processes and threads that end before their first tick: the total is true, and
# what no tick fell into is there to be seen.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

# COMMAND…: profiled; its own figure is $total, the profile's $sum in seconds.  What was
# stolen meanwhile, $stolen, makes ticks come late, into pieces that would have had none.
record()
{
	stolen=$(stolen_ns)
	"$TSPROF" record -q -o "$work/p.tsprof" "$@" >"$work/truth" 2>"$work/err"
	status=$?
	stolen=$(($(stolen_ns) - stolen))
	check "recorded: $*" is_status 0
	run "$TSPROF" report -i "$work/p.tsprof" --json
	cp "$work/out" "$work/report.json"
	total=$(sed -n 's/^total //p' "$work/truth")
	sum=$("$TSPROF" fold --time -i "$work/p.tsprof" | awk '{ n += $NF } END { print n / 1e6 }')
}

# The tolerance is what the sums promise; the program's own start and end, which
# it cannot see itself, are below 2 ms.
for kind in processes threads; do
	record "$BUILD/tests/workloads/short_lived" "$kind" 400
	check "$kind: $sum s in the profile of $total s" \
		holds "$sum > 0.97 * $total && $sum < 1.03 * $total + 0.002"
	check "$kind: pieces are not sampled" \
		holds "$(json_number "$work/report.json" not_sampled_ns) > 0.3e9 * $total - $stolen"
	run "$TSPROF" report --breakdown -i "$work/p.tsprof"
	check "$kind: the breakdown says so" grep -q "not sampled" "$work/out"
	run "$TSPROF" report -i "$work/p.tsprof"
	check "$kind: and the quality line" grep -q "% not sampled" "$work/out"
	"$TSPROF" fold -i "$work/p.tsprof" >"$work/folded"
	check "$kind: no sample is made up" holds "$(grep -c 'not sampled' "$work/folded") == 0"
done

record sh -c 'for i in $(seq 200); do /bin/true; done'
cpu=$(json_number "$work/report.json" target_cpu_ns)
check "a loop of true: $sum s in the profile of $cpu ns" \
	holds "$sum * 1e9 > 0.97 * $cpu && $sum * 1e9 < 1.03 * $cpu"
"$TSPROF" fold --time -i "$work/p.tsprof" >"$work/folded"
check "nobody is blamed for what is not known" \
	grep -q '^\[all processes\];\[not sampled: no tick fell into it\] ' "$work/folded"
record "$BUILD/tests/workloads/split" 1
check "a long run hardly has any" \
	holds "$(json_number "$work/report.json" not_sampled_ns) < 0.02e9"

# Samples that a stopped recorder leaves no room for are lost, and their time is
# the next one's, also of threads whose event is not the command's own.  What was
# lost at a thread's end has no next one, and is told as not sampled.
stolen=$(stolen_ns)
"$TSPROF" record -q --engine perf -F 4000 -o "$work/p.tsprof" -- \
	sh -c "'$BUILD/tests/workloads/threads' 4 1; true" >"$work/truth" 2>"$work/err" &
recorder=$!
for _ in 1 2; do
	sleep 0.3
	kill -STOP "$recorder"
	sleep 1.5
	kill -CONT "$recorder"
done
status=0
wait "$recorder" || status=$?
check "a recorder that was stopped: status 0" is_status 0
"$TSPROF" report -i "$work/p.tsprof" --json >"$work/report.json"
lost=$(json_number "$work/report.json" lost)
cpu=$(json_number "$work/report.json" target_cpu_ns)
sampled=$(json_number "$work/report.json" sampled_ns)
all=$(($(json_number "$work/report.json" not_sampled_ns) + sampled))
stolen=$(($(stolen_ns) - stolen))
check "$lost samples were lost, $sampled ns are in the profile of $cpu ns, $all with the rest, $stolen stolen" \
	holds "$sampled > 0 && $all > 0.97 * $cpu && $all < 1.03 * $cpu + $stolen"
[ "$lost" -gt 0 ] || echo "not tested here: the rings held all samples of the stopped time"
finish
