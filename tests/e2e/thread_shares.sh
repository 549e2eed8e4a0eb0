#!/bin/sh
# What each thread is given is what its own CPU clock says, with each engine:
# two equal ones, one with half the work, four on two processors.
#
# 3 points at 2,000 samples are 2.7 standard errors of a half and 3.4 of a fifth for
# independent samples.  Ticks are not: each thread has one for each period of its
# own CPU time, so its count is off by one or two at most.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
find_engines

# NAME ENGINE ARGUMENT…: of thread_shares; all its threads within 3 points.
check_shares()
{
	shares_name=$1
	shares_engine=$2
	shift 2
	status=0
	record_with "$shares_engine" -q -o "$work/shares.tsprof" -- \
		"$BUILD/tests/workloads/thread_shares" "$@" >"$work/truth" 2>"$work/err" ||
		status=$?
	check "$shares_name, $shares_engine: recorded" is_status 0
	"$TSPROF" fold -i "$work/shares.tsprof" --threads --time >"$work/folded"
	check "$shares_name, $shares_engine: threads have their shares" awk '
	FILENAME == ARGV[1] { truth[$1] = $2; next }
	{
		for (name in truth)
			if (index($0, ";" name "/")) {
				us[name] += $NF
				total += $NF
			}
	}
	END {
		for (name in truth) {
			if (name == "total")
				continue
			share = total > 0 ? us[name] / total : -1
			printf "    %s has %.4f of %.4f\n", name, share, truth[name]
			if (share - truth[name] > 0.03 || truth[name] - share > 0.03)
				wrong = 1
		}
		printf "    %.3f s sampled of %.3f s\n", total / 1e6, truth["total"]
		if (total <= 0 || total / 1e6 < 0.95 * truth["total"] ||
		    total / 1e6 > 1.05 * truth["total"])
			wrong = 1
		exit wrong
	}' "$work/truth" "$work/folded"
	check "$shares_name, $shares_engine: each thread ran its own function" awk -F ';' '
	match($0, /;worker-[0-9]/) {
		i = substr($0, RSTART + 8, 1)
		for (k = 1; k <= NF; k++)
			if ($k ~ /^worker_[0-9]/ && substr($k, 8, 1) != i) {
				print
				exit 1
			}
	}' "$work/folded"
}

for engine in $engines; do
	check_shares "two equal threads" "$engine" 2 1 1
	check_shares "a third with half the work" "$engine" 2 2 2 1
	check_shares "four threads on two processors" "$engine" --wall 2 0 0 5 10
done
finish
