#!/bin/sh
# tsprof record around a command: what the command sees, what the caller gets,
# what the file holds, and what bad situations get.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

workloads=$BUILD/tests/workloads
profile=$work/profile.tsprof

record()
{
	"$TSPROF" record -q -o "$profile" "$@"
}

# The command's own world.
status=0
echo "from outside" | record cat >"$work/out" 2>"$work/err" || status=$?
check "standard input and output are the command's" grep -qx "from outside" "$work/out"
check "nothing is added to standard error" holds "$(wc -c <"$work/err") == 0"
run record sh -c 'echo to stderr >&2'
check "standard error is the command's" grep -qx "to stderr" "$work/err"
run record printf '%s|' -o x --help 'two words'
check "arguments reach the command as they are" grep -qxF -- '-o|x|--help|two words|' "$work/out"

# Exit statuses.
run record true
check "status 0 is passed on" is_status 0
run record sh -c 'exit 3'
check "status 3 is passed on" is_status 3
run record sh -c 'kill -9 $$'
check "a killed command gives 128 + 9" is_status 137
check "and a profile all the same" test -s "$profile"
rm -f "$profile"
run record no-such-command-anywhere
check "a command that is not there is 127" is_refusal 127 "no-such-command-anywhere"
run record /etc/passwd
check "one that cannot be executed is 126" is_refusal 126 "/etc/passwd"
check "neither leaves a file" test ! -e "$profile" -a ! -e "$profile.part"
run "$TSPROF" record
check "no command is a usage error" is_refusal 2 "expected a command"

# What is asked wrongly; the command must not run then.
run "$TSPROF" record -o "$work/missing/p.tsprof" touch "$work/ran"
check "a missing output directory is told" is_refusal 1 "missing"
check "before the command runs" test ! -e "$work/ran"
run "$TSPROF" record -o "$work" touch "$work/ran"
check "a directory as output is told" is_status 1
check "before the command runs" test ! -e "$work/ran"
run record -F 1000000 touch "$work/ran"
check "a rate above the limit names the sysctl" is_refusal 1 "perf_event_max_sample_rate"
run record -F 0 touch "$work/ran"
check "a rate of zero is refused" test "$status" -ne 0
# What the processor counts, where it does; else time, with one remark.
run record -q --event cycles --strict -- true
if [ "$status" -eq 0 ]; then
	run record -q --event cycles -- true
	check "an event that is counted here needs no remark" holds "$(wc -l <"$work/err") == 0"
else
	check "an event that is not counted here is an error for --strict" \
		is_refusal 1 "use --event cpu-clock"
	for engine in auto perf; do
		run record -q --event cycles --engine "$engine" -- "$workloads/split" 0.1
		check "without --strict time is sampled (--engine $engine)" is_status 0
		check "and one line says so" is_refusal 0 "sampling by cpu-clock"
		check "and why" grep -q "event cycles: " "$work/err"
		check "the profile has samples" holds "$("$TSPROF" fold -i "$profile" | wc -l) > 0"
		check "the profile says what was counted" grep -aq "cpu-clock" "$profile"
	done
fi
run record --event no-such-event touch "$work/ran"
check "an unknown event is a usage error" is_status 2
run record --stack-size 1M touch "$work/ran"
check "an impossible dump is a usage error" is_refusal 2 "stack-size"
check "none of them ran the command" test ! -e "$work/ran"
echo "valid" >"$profile"
run record no-such-command-anywhere
check "a failed run leaves the file of that name alone" grep -qx valid "$profile"
rm -f "$profile"

# A full disk.
if [ "$(id -u)" -eq 0 ] && mkdir "$work/small" &&
	mount -t tmpfs -o size=32k tmpfs "$work/small" 2>/dev/null; then
	run "$TSPROF" record -q -F 5000 -o "$work/small/p.tsprof" "$workloads/threads" 2 1
	cp "$work/small/p.tsprof.part" "$work/part" 2>/dev/null
	umount "$work/small"
	check "a full disk is a failure" is_status 1
	check "and says so" grep -q "No space left" "$work/err"
	check "the command ran to its end" grep -q "^total" "$work/out"
	"$TSPROF" fold -i "$work/part" >"$work/folded" 2>"$work/err"
	check "what was recorded is readable" grep -q "^threads;" "$work/folded"
fi

# Threads and children, by name, and all of their time.
micros()
{
	"$TSPROF" fold --time -i "$profile" | awk '{ n += $NF } END { print n + 0 }'
}
run record "$workloads/threads" 3 0.5
total=$(sed -n 's/^total *//p' "$work/out")
check "weights of threads add up to their CPU time within 3 %" \
	holds "($(micros) / 1e6 - $total) ^ 2 <= (0.03 * $total) ^ 2"
"$TSPROF" fold --threads -i "$profile" >"$work/folded"
for i in 0 1 2; do
	check "thread burner-$i is there by name" grep -q "burner-$i" "$work/folded"
done
run record "$workloads/forks" 4 0.3
total=$(sed -n 's/^total *//p' "$work/out")
check "weights of children add up to their CPU time within 3 %" \
	holds "($(micros) / 1e6 - $total) ^ 2 <= (0.03 * $total) ^ 2"
"$TSPROF" fold -i "$profile" >"$work/folded"
check "children resolve in their own mappings" grep -q "main;.*child_work" "$work/folded"
cp "$workloads/forks" "$work/other"
run record sh -c "'$work/other' 1 0.2"
"$TSPROF" fold -i "$profile" >"$work/folded"
check "exec gives its name to the process" grep -q "^other;" "$work/folded"

run record sh -c '"$1" 0.1
	true' sh "$workloads/split"
"$TSPROF" flame -i "$profile" -o "$work/f.svg"
check "a command of two lines is one in its picture" grep -q "sh -c .* 0.1 true.*, 20" "$work/f.svg"

# What the command left behind.
start=$(date +%s)
run record sh -c 'sleep 5 >/dev/null 2>&1 & exit 4'
check "children left behind are not waited for" holds "$(date +%s) - $start < 4"
check "and do not change the status" is_status 4
run record sh -c "('$workloads/split' 0.6 >'$work/truth' &)
	until grep -q '^total' '$work/truth'; do sleep 0.1; done"
"$TSPROF" report -i "$profile" --json >"$work/json"
cpu=$(json_number "$work/json" target_cpu_ns)
check "a process that nobody waits for has its CPU time: $(micros) us of $cpu ns" \
	holds "$cpu > 0.5e9 && $(micros) * 1e3 < 1.05 * $cpu"

# Signals.
"$TSPROF" record -q -o "$profile" sleep 10 &
recorder=$!
sleep 0.5
kill -TERM "$recorder"
status=0
wait "$recorder" || status=$?
check "SIGTERM ends the command, and the status tells" is_status 143
check "and the profile is whole" "$TSPROF" fold -i "$profile" -o "$work/folded"

# A program that is deleted and replaced while it runs.
cp "$workloads/split" "$work/gone"
run record sh -c "'$work/gone' 0.5 & sleep 0.1; rm '$work/gone'; cp /bin/true '$work/gone'; wait"
"$TSPROF" fold -i "$profile" >"$work/folded"
check "a replaced program keeps its names" grep -q "^gone;.*main" "$work/folded"
finish
