#!/bin/sh
# examples/hot_path, five times: the table per call adds up, explains, and is the
# same each time.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -z "${IS_SANITIZED:-}" ] || skip_test "a recorder with sanitizers loses marks"
require_record
rules=$TOP/examples/hot_path/hot_path.rules
program=$BUILD/examples/hot_path/hot_path

# A machine that is busy with other things takes the CPU away in the middle of
# calls, so that wall time is not what is compared, but shares of CPU time.
for i in 1 2 3 4 5; do
	run "$TSPROF" record -q -F 4000 -o "$work/p" -- "$program" 1.5
	check "run $i is recorded" is_status 0
	run "$TSPROF" report -i "$work/p" --components "$rules" --per log --json
	check "run $i is reported" is_status 0
	cp "$work/out" "$work/$i.json"
	run "$TSPROF" report -i "$work/p" --components "$rules" --per log --csv
	cp "$work/out" "$work/$i.csv"
	run "$TSPROF" report -i "$work/p" --scopes --json
	cp "$work/out" "$work/scopes.json"
done

# FILE: rows of depth 0 add up to TOTAL, which is not nothing; half a nanosecond is rounding.
adds_up()
{
	awk -F, 'NR > 1 && $1 == "TOTAL" { total = $2 } NR > 1 && $1 != "TOTAL" && $10 == 0 { sum += $2 }
		END { exit !(total > 100 && (sum - total) ^ 2 < 0.25) }' "$1"
}

# FILE: how much of the CPU time belongs to a component.
explained()
{
	awk -F, '$8 == "component" && $10 == 0 { known += $2 } $8 == "unexplained" && $10 == 0 { rest = $2 }
		END { print known / (known + rest) }' "$1"
}

for i in 1 2 3 4 5; do
	check "the rows of run $i add up to TOTAL" adds_up "$work/$i.csv"
	check "more than 90 % of run $i's CPU time is explained" holds "$(explained "$work/$i.csv") > 0.9"
	# Samples and the scope's clock measure the same calls in two ways.  What is lost
	# of either on a busy machine is a few percent.
	check "run $i has no more CPU time than time" \
		holds "$(json_number "$work/$i.json" cpu_low_ns) < 1.1 * $(json_number "$work/$i.json" mean_ns)"
done

# Each component's share of the CPU time is within 10 % of the mean of five runs,
# apart from what chance does to counts: three standard errors of a Poisson count.
# Not of small ones (under 10 %), of which 1.5 s have too few samples.  Reading the clock and
# what comes behind it count as one: a tick that is due within such an instruction is taken at it
# or behind it, as the machine sees fit, and on some that changes from one minute to the next.
awk -F, '
	$8 == "component" && $10 == 0 {
		name = $1 == "Call itself" ? "Timestamp" : $1
		mean[FILENAME, name] += $2; samples[FILENAME, name] += $7; sum[FILENAME] += $2
		files[FILENAME]; names[name]
	}
	END {
		for (name in names) {
			n = average = 0
			for (file in files) {
				average += mean[file, name] / sum[file]
				n++
			}
			average /= n
			for (file in files) {
				share = mean[file, name] / sum[file]
				chance = samples[file, name] ? 3 / sqrt(samples[file, name]) : 3
				if (average < 0.1)
					continue
				n_compared++
				printf "%s %s: %.3f, mean %.3f\n", file, name, share, average
				if (share > average * (1.1 + chance) || share < average * (0.9 - chance)) {
					print "that is not within 10 %"
					bad = 1
				}
			}
		}
		exit bad || n_compared < 10
	}' "$work"/?.csv >"$work/spread"
check "five runs say the same" test $? -eq 0 || sed "s|$work/||" "$work/spread"

# The least that a scope can cost is what one with nothing in it says of itself.
floor=$(sed -n '/"scope": "empty"/,/}/p' "$work/scopes.json" >"$work/empty" && json_number "$work/empty" median_ns)
log=$(sed -n '/"scope": "log"/,/}/p' "$work/scopes.json" >"$work/log" && json_number "$work/log" median_ns)
check "an empty scope is far below a call" holds "${floor:-1e9} < 0.25 * ${log:-0}"

finish
