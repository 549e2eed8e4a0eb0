#!/bin/sh
# Work in step with the kernel's tick.  The clocks of perf do not know the tick
# and have to be right; CPU timers are looked at by the tick only, cannot be,
# and have to say so.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
find_engines

# ENGINE MODE
record_phase()
{
	status=0
	record_with "$1" -o "$work/phase.tsprof" -- \
		"$BUILD/tests/workloads/tick_phase" "$2" 3 >"$work/truth" 2>"$work/err" ||
		status=$?
	check "$2, $1: recorded" is_status 0
	"$TSPROF" fold -i "$work/phase.tsprof" --time >"$work/folded"
	"$TSPROF" report -i "$work/phase.tsprof" --json --top 0 >"$work/report.json"
}

# The share of tick_near in both.
near_share()
{
	awk '
	/;tick_near/ { near += $NF }
	/;tick_far/ { far += $NF }
	END { printf "%.4f\n", (near + far > 0 ? near / (near + far) : -1) }' "$work/folded"
}

for engine in $engines; do
	record_phase "$engine" between
	total=$(sed -n 's/^total //p' "$work/truth")
	sampled=$(json_number "$work/report.json" sampled_ns)
	not_sampled=$(json_number "$work/report.json" not_sampled_ns)
	if [ "$engine" = sigprof-tick ]; then
		check "between, $engine: a warning about the tick" \
			grep -q "kernel's own timer" "$work/err"
		# What no tick fell into is told; how much that is depends on the machine.
		check "between, $engine: $sampled ns sampled, $not_sampled not, of $total s" \
			holds "$not_sampled > 0 && $sampled + $not_sampled > 0.95e9 * $total &&
			       $sampled + $not_sampled < 1.05e9 * $total"
	else
		# One tick in 1,000 more or less, and the start of it.  The clock of perf is the
		# counter's, which is ahead of the CPU clock where a hypervisor takes the CPU away.
		counted=$(sed -n 's/^counted //p' "$work/truth")
		check "between, $engine: $sampled ns sampled of $total s, $counted s counted" \
			holds "$sampled > 0.95e9 * $total &&
			       ($sampled < 1.05e9 * $total || $sampled < 1.05e9 * $counted)"
	fi

	record_phase "$engine" in-step
	truth=$(sed -n 's/^tick_near //p' "$work/truth")
	share=$(near_share)
	samples=$(json_number "$work/report.json" samples)
	if [ "$engine" = sigprof-tick ]; then
		echo "    in-step, $engine: tick_near has $share of $truth"
		check "in-step, $engine: a warning about the tick" \
			grep -q "kernel's own timer" "$work/err"
	else
		# Three standard errors of independent samples: in step, they would all
		# be the same.
		check "in-step, $engine: tick_near has $share of $truth by $samples samples" \
			holds "$samples > 500 &&
			       ($share - $truth) ^ 2 < 9 * $truth * (1 - $truth) / $samples"
		check "in-step, $engine: no warning about the tick" holds \
			"$(grep -c "kernel's own timer" "$work/err") == 0"
	fi
done
finish
