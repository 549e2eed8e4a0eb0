#!/bin/sh
# The two engines see the same: all functions above 5 %, called and calling ones,
# have the same share within 2 points, on every workload that does the same in
# every run.
#
# Two shares p of n = 12,000 samples each differ by sqrt(2 p (1 - p) / n), 0.65 points
# for a half, if samples are independent: 2 points are three of them.  Samples of a
# clock are spread more evenly than that.
#
# Both look at the same run, perf from outside of tsprof with the engine sigprof, because
# two runs on a busy machine differ more than two engines do: what else uses the caches and
# the processors does not slow all functions alike.  It is run again, twice at most, when
# they differ: an engine's bias would stay.  Fewer samples, where the machine had no time for
# as many, are further apart.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
[ -z "${IS_SANITIZED:-}" ] || skip_test "with sanitizers the recorder loses samples at this rate"
find_engines "perf sigprof"
[ "$engines" = " perf sigprof" ] || skip_test "there are not two engines here"

# ENGINE: samples that its profile lacks, because the machine had no time for the recorder.
lost_by()
{
	"$TSPROF" report -i "$work/$1.tsprof" --json --top 1 >"$work/report.json"
	json_number "$work/report.json" lost
}

# COMMAND…: once more where samples were lost, at half the rate: what is not there cannot
# be compared, and stacks that are small find room when large ones do not.
record_without_loss()
{
	for rate in 3989 1999 997 499; do
		status=0
		record_with perf -q -F "$rate" -o "$work/perf.tsprof" -- \
			"$TSPROF" record --engine sigprof -q -F "$rate" -o "$work/sigprof.tsprof" -- \
			"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
		[ "$status" -eq 23 ] && status=0
		lost_by_perf=$(lost_by perf)
		lost_by_sigprof=$(lost_by sigprof)
		[ "${lost_by_perf:-0}${lost_by_sigprof:-0}" = 00 ] && break
		echo "    $name, $rate Hz: $lost_by_perf and $lost_by_sigprof lost"
	done
	check "$name: recorded" is_status 0
}

# What the kernel did belongs to the function that called it, and the inner recorder
# to none: only perf sees them.
have_same_shares()
{
	awk -v rate="$rate" '
	/not sampled/ { next }
	{
		count = $NF
		sub(/ [0-9]+$/, "")
		gsub(/ \[clone [^]]*\]/, "")
		n = split($0, frame, ";")
		if (frame[1] == "tsprof")
			next
		while (n > 1 && frame[n] ~ /_\[k\]$/)
			n--
		engine = FILENAME == ARGV[1] ? 1 : 2
		total[engine] += count
		self[frame[n], engine] += count
		names[frame[n]]
		split("", seen)
		for (i = 2; i <= n; i++)
			if (!(frame[i] in seen)) {
				seen[frame[i]]
				names[frame[i]]
				all[frame[i], engine] += count
			}
	}
	function compare(kind, name, a, b) {
		a /= total[1]
		b /= total[2]
		if (a < 0.05 && b < 0.05)
			return
		n_compared++
		if (a - b > worst) worst = a - b
		if (b - a > worst) worst = b - a
		if (a - b > most || b - a > most) {
			printf "    %s %s: %.4f by perf, %.4f by sigprof\n", name, kind, a, b
			n_wrong++
		}
	}
	END {
		most = 0.02 * sqrt(3989 / rate)
		if (total[1] < 1000 || total[2] < 1000) {
			print "    too few samples:", total[1] + 0, total[2] + 0
			exit 1
		}
		for (name in names) {
			compare("itself", name, self[name, 1], self[name, 2])
			compare("in all", name, all[name, 1], all[name, 2])
		}
		printf "    %d and %d samples, %d shares, %.2f points apart at most\n", \
			total[1], total[2], n_compared, 100 * worst
		exit n_wrong > 0 || n_compared == 0
	}' "$work/perf.folded" "$work/sigprof.folded"
}

# NAME COMMAND…
check_agreement()
{
	name=$1
	shift
	for turn in 1 2 3; do
		record_without_loss "$@"
		for engine in perf sigprof; do
			"$TSPROF" fold -i "$work/$engine.tsprof" >"$work/$engine.folded"
		done
		have_same_shares && break
	done
	check "$name: the same shares in turn $turn" have_same_shares
}

workloads=$BUILD/tests/workloads
check_agreement split "$workloads/split" 3
check_agreement threads "$workloads/thread_shares" 3 3 2 1
check_agreement deep "$workloads/deep" 100 3
check_agreement forks "$workloads/forks" 3 1
check_agreement coroutines "$workloads/coroutine_stacks" 3
check_agreement plugins "$BUILD/tests/torture/plugin_loop" 3 10000000
if command -v sqlite3 >/dev/null 2>&1; then
	# Little memory: what waits for it takes another time in every run.
	cat >"$work/query.sql" <<'EOF'
with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000000)
	select count(*), sum(length(printf('%x', i * 31337))), max(i * 7919 % 1000003)
	from n where printf('%d', i) like '%7%';
EOF
	check_agreement sqlite3 sqlite3 :memory: ".read $work/query.sql"
fi
if command -v gzip >/dev/null 2>&1; then
	awk 'BEGIN { srand(7); for (i = 0; i < 900000; i++) print int(rand() * 1e9), i }' \
		>"$work/input"
	check_agreement gzip gzip -9 -c "$work/input"
fi
finish
