#!/bin/sh
# Stacks are whole: 500 frames with alloca, threads, children, and the samples
# of all of them add up to the CPU time that the programs say they took.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

# NAME COMMAND…
record_workload()
{
	name=$1
	shift
	stolen_before=$(stolen_ns)
	"$TSPROF" record -q -o "$work/$name.tsprof" -- "$@" >"$work/truth" 2>"$work/err"
	status=$?
	check "$name: recorded" is_status 0
	run "$TSPROF" report -i "$work/$name.tsprof" --json --top 0
	check "$name: reported" is_status 0
	cp "$work/out" "$work/report.json"
	samples=$(json_number "$work/report.json" samples)
	complete=$(json_number "$work/report.json" complete)
	check "$name: ${complete:-0} of $samples stacks complete" \
		holds "${samples:-0} > 100 && ${complete:-0} >= 0.999 * $samples"
}

# Weights against the program's own clock.  3 % holds at 5,000 samples; these
# runs are shorter, and a sampled clock is off by up to a tick a thread.  What the
# hypervisor took meanwhile is in perf's clock, and not in the program's.
check_total()
{
	truth=$(sed -n 's/^total //p' "$work/truth")
	sampled=$(json_number "$work/report.json" sampled_ns)
	stolen=$(($(stolen_ns) - stolen_before))
	check "$1: $sampled ns sampled of $truth s, $stolen ns stolen" \
		holds "$sampled > 0.95e9 * $truth && $sampled < 1.05e9 * $truth + $stolen"
}

# With call frame information and without.
for kind in '' _bare; do
	# Two seconds, so that 99.9 % is more than one sample.
	record_workload "deep$kind" "$BUILD/tests/workloads/deep$kind" 500 2
	run "$TSPROF" fold -i "$work/deep$kind.tsprof"
	check "deep$kind: nine in ten stacks have 500 calls of deep_call" awk '
		{ n = gsub(/deep_call/, ""); total += $NF; if (n == 500) deep += $NF }
		END { print deep + 0, "of", total + 0; exit !(total > 0 && deep >= 0.9 * total) }' \
		"$work/out"

	record_workload "threads$kind" "$BUILD/tests/workloads/threads$kind" 4 0.5
	check_total "threads$kind"
	run "$TSPROF" fold -i "$work/threads$kind.tsprof" --threads
	for i in 0 1 2 3; do
		# A quarter each; 5 points are 5 standard errors of a quarter of 2,000 samples.
		check "threads$kind: burner-$i has its quarter" awk -v name="burner-$i/" '
			{ total += $NF } index($0, name) { mine += $NF }
			END {
				print mine / total
				exit !(mine / total > 0.20 && mine / total < 0.30)
			}' "$work/out"
	done
done

# What begins and ends programs and threads never returns, and has no information either.
if [ "$(uname -m)" = x86_64 ]; then
	record_workload endless "$BUILD/tests/workloads/endless"
	run "$TSPROF" fold -i "$work/endless.tsprof"
	for chain in '_start;begin;program;main_part;burn' '_start;begin;last_part;burn' \
		'start_thread;begin_thread;thread_part;burn'; do
		# A third each of what is burnt, 400 samples; the rest is calls of the kernel.
		check "endless: $chain" awk -v chain=";$chain" '
			{ total += /;burn/ ? $NF : 0 } index($0, chain) { mine += $NF }
			END { print mine / total; exit !(mine / total > 0.28 && mine / total < 0.39) }' \
			"$work/out"
	done
	record_workload endless_stripped "$BUILD/tests/workloads/endless_stripped"
	record_workload endless_main "$BUILD/tests/workloads/endless_main"
fi

record_workload forks "$BUILD/tests/workloads/forks" 4 0.4
check_total forks
run "$TSPROF" fold -i "$work/forks.tsprof"
check "forks: children are in it, run anew or not" awk '
	/child_work/ { n += $NF } { total += $NF }
	END { print n + 0, "of", total + 0; exit !(n >= 0.95 * total) }' "$work/out"
finish
