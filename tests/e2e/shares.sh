#!/bin/sh
# The profile of a program that knows its own shares agrees with it, for a
# plain, a static and a stripped build.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

# BINARY: 5,000 samples of it; its own figures are in $work/truth.
record_split()
{
	"$TSPROF" record -q -F 997 -o "$work/split.tsprof" -- \
		"$BUILD/tests/workloads/$1" 5 >"$work/truth" 2>"$work/err"
	status=$?
	check "$1: recorded" is_status 0
	run "$TSPROF" report -i "$work/split.tsprof" --json --top 0 --children
	check "$1: reported" is_status 0
	cp "$work/out" "$work/report.json"
}

# FUNCTION: its total share, callees (the clock, the kernel) included.
measured_share()
{
	awk -v name="\"$1\"" '
	/"total_share":/ { share = $2 + 0 }
	/"function":/ && index($0, name) { print share; exit }' "$work/report.json"
}

# At most one stack in a thousand ends before the thread's outermost frame.
check_complete()
{
	samples=$(json_number "$work/report.json" samples)
	complete=$(json_number "$work/report.json" complete)
	check "$1: ${complete:-0} of $samples stacks complete" \
		holds "$samples > 1000 && ${complete:-0} >= 0.999 * $samples"
}

# The tolerance of 2 points is 2.8 standard errors of a half share at 5,000
# independent samples, sqrt(0.5 * 0.5 / 5000) = 0.7 points; ticks at a prime
# rate over work in turns of 2 ms spread more evenly than that.
for binary in split split_static; do
	record_split "$binary"
	check_complete "$binary"
	for name in burn_half burn_third burn_fifth; do
		truth=$(sed -n "s/^$name //p" "$work/truth")
		share=$(measured_share "$name")
		check "$binary: $name has ${share:-no} of $truth" \
			holds "${share:-9} - $truth < 0.02 && $truth - ${share:-9} < 0.02"
	done
	sampled=$(json_number "$work/report.json" sampled_ns)
	cpu=$(json_number "$work/report.json" target_cpu_ns)
	check "$binary: $sampled ns sampled of $cpu ns by getrusage" \
		holds "$sampled > 0.97 * $cpu && $sampled < 1.03 * $cpu"
done

# Without symbols the functions have no names, but every stack is whole.
record_split split_stripped
check_complete split_stripped
finish
