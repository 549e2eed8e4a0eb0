#!/bin/sh
# The two engines see the same: all functions above 5 %, called and calling ones,
# have the same share within 2 points, on every workload that does the same in
# every run.
#
# Two shares p of n = 12,000 samples each differ by sqrt(2 p (1 - p) / n), 0.65 points
# for a half, if samples are independent: 2 points are three of them.  Samples of a
# clock are spread more evenly than that.
#
# Two runs of sqlite3 on a busy machine differ by up to 2 points with one engine
# too, because its functions do not suffer alike from what else uses the cache.  So both
# are run again, twice at most, when they differ: an engine's bias would stay.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
[ -z "${IS_SANITIZED:-}" ] || skip_test "with sanitizers the recorder loses samples at this rate"
find_engines "perf sigprof"
[ "$engines" = " perf sigprof" ] || skip_test "there are not two engines here"

# ENGINE COMMAND…: once more where samples were lost, because the machine had no
# time for the recorder: what is not there cannot be compared.
record_without_loss()
{
	engine=$1
	shift
	for attempt in 1 2 3; do
		status=0
		record_with "$engine" -q -F 3989 -o "$work/agree.tsprof" -- "$@" \
			>"$work/out" 2>"$work/err" </dev/null || status=$?
		[ "$status" -eq 23 ] && status=0
		"$TSPROF" report -i "$work/agree.tsprof" --json --top 1 >"$work/report.json"
		lost=$(json_number "$work/report.json" lost)
		[ "${lost:-0}" -eq 0 ] && break
		echo "    $name, $engine, attempt $attempt: $lost lost"
	done
	check "$name, $engine: recorded" is_status 0
}

# What the kernel did belongs to the function that called it: only perf sees it.
have_same_shares()
{
	awk '
	/not sampled/ { next }
	{
		count = $NF
		sub(/ [0-9]+$/, "")
		gsub(/ \[clone [^]]*\]/, "")
		n = split($0, frame, ";")
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
		if (a - b > 0.02 || b - a > 0.02) {
			printf "    %s %s: %.4f by perf, %.4f by sigprof\n", name, kind, a, b
			n_wrong++
		}
	}
	END {
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
		for engine in perf sigprof; do
			record_without_loss "$engine" "$@"
			"$TSPROF" fold -i "$work/agree.tsprof" >"$work/$engine.folded"
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
