#!/bin/sh
# When tsprof record takes samples, and which engine takes them: --delay,
# --duration, --start-paused, SIGUSR2, --engine.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

workloads=$BUILD/tests/workloads
profile=$work/profile.tsprof
# The same program under two names, for two times.
cp "$workloads/split" "$work/early"
cp "$workloads/split" "$work/late"

# NAME: ticks of the process of that name.
ticks()
{
	"$TSPROF" fold -i "$profile" | grep -E "^$1;" | awk '{ n += $NF } END { print n + 0 }'
}

# Command lines that wait for the test: "early" runs, says so, and waits for a go.
two_times="'$work/early' 0.2 >/dev/null; touch '$work/first'
	until [ -e '$work/go' ]; do sleep 0.05; done; '$work/late' 0.2 >/dev/null; exit 6"
clean()
{
	rm -f "$work/first" "$work/go" "$profile"
}

# RECORD…: "early" is over before the end of --delay, which is longer the next time where
# the machine was too busy for that; "late" begins after it.
record_delayed()
{
	for delay in 2 8 30; do
		begun_ns=$(date +%s%N)
		run "$@" -q -o "$profile" --delay "${delay}s" -- \
			sh -c "'$work/early' 0.1 >/dev/null; date +%s%N >'$work/early-end'
			sleep $((delay + 1)); '$work/late' 0.2 >/dev/null; exit 3"
		took_ns=$(($(cat "$work/early-end") - begun_ns))
		[ "$took_ns" -lt $((delay * 1000000000)) ] && return
		echo "    what runs before took $took_ns ns"
	done
}

# --delay: nothing from before.
record_delayed "$TSPROF" record
check "--delay: the command's status" is_status 3
check "--delay: what runs before is not sampled" holds "$(ticks early) == 0"
check "--delay: what runs after is" holds "$(ticks late) > 100"

# --duration: the profile is written while the command goes on.
clean
"$TSPROF" record -q -o "$profile" --duration 1500ms -- sh -c "$two_times" &
recorder=$!
check "--duration: the profile is there while the command runs" await test -s "$profile"
check "--duration: tsprof waits for the command" kill -0 "$recorder"
touch "$work/go"
status=0
wait "$recorder" || status=$?
check "--duration: the status is still the command's" is_status 6
check "--duration: what runs before is sampled" holds "$(ticks early) > 100"
check "--duration: what runs after is not" holds "$(ticks late) == 0"

# --start-paused, and SIGUSR2 back and forth.
clean
"$TSPROF" record -q -o "$profile" --start-paused -- sh -c "$two_times" &
recorder=$!
await test -e "$work/first"
kill -USR2 "$recorder"
sleep 0.5
touch "$work/go"
status=0
wait "$recorder" || status=$?
check "--start-paused: the status is the command's" is_status 6
check "--start-paused: nothing before SIGUSR2" holds "$(ticks early) == 0"
check "--start-paused: everything after" holds "$(ticks late) > 100"
check "--start-paused: mappings were followed meanwhile" \
	holds "$("$TSPROF" fold -i "$profile" | grep -c '^late;.*main;burn') > 0"

clean
"$TSPROF" record -q -o "$profile" -- sh -c "$two_times" &
recorder=$!
await test -e "$work/first"
kill -USR2 "$recorder"
sleep 0.5
touch "$work/go"
status=0
wait "$recorder" || status=$?
check "SIGUSR2: the status is the command's" is_status 6
check "SIGUSR2: everything before it" holds "$(ticks early) > 100"
check "SIGUSR2: nothing after" holds "$(ticks late) == 0"

run "$TSPROF" record -q -o "$profile" --start-paused -- "$work/early" 0.1
check "never resumed: status 0 and an empty profile" is_status 0
check "which opens" "$TSPROF" fold -i "$profile" -o "$work/folded"

# --max-size: the newest stay, and it is told.
run "$TSPROF" record -F 10000 -o "$profile" --max-size 64k -- \
	sh -c "'$work/early' 1; '$work/late' 1.5"
check "--max-size: status 0" is_status 0
check "--max-size: is kept" holds "$(stat -c %s "$profile") <= 65536"
check "--max-size: says what was dropped" grep -q "the oldest .* samples.* were dropped" "$work/err"
check "--max-size: the newest are there" holds "$(ticks late) > 1000"
check "--max-size: the oldest are not" holds "$(ticks early) == 0"
"$TSPROF" report -i "$profile" >"$work/out"
check "--max-size: the report says so too" grep -q "dropped" "$work/out"
n_ticks=$("$TSPROF" fold -i "$profile" | awk '{ n += $NF } END { print n + 0 }')
"$TSPROF" report --json -i "$profile" >"$work/json"
# A sample that the kernel took late stands for several ticks.
check "--max-size: the figures are those of what is left" \
	holds "$(json_number "$work/json" samples) > 0.7 * $n_ticks && $(json_number "$work/json" samples) <= $n_ticks"
run "$TSPROF" record --max-size 1k -- touch "$work/ran"
check "--max-size: too small" is_refusal 2 "--max-size"
run "$TSPROF" record -o /dev/null --max-size 1M -- touch "$work/ran"
check "--max-size: not a regular file" is_refusal 1 "regular file"

# What makes no sense.
run "$TSPROF" record --delay 1s --start-paused -- touch "$work/ran"
check "--delay and --start-paused" is_refusal 2 "exclude each other"
run "$TSPROF" record --duration soon -- touch "$work/ran"
check "--duration: not a time" is_refusal 2 "--duration"
run "$TSPROF" record --engine fast -- touch "$work/ran"
check "--engine: an unknown one" is_refusal 2 "fast"

# Engines.
run "$TSPROF" record -o "$profile" -- "$work/early" 0.05
check "perf where it is permitted" holds "$(grep -c 'engine' "$work/err") == 0"
"$TSPROF" report --json -i "$profile" >"$work/json"
check "the profile names it" grep -q '"engine": *"perf"' "$work/json"
run "$TSPROF" record -q -o "$profile" --engine perf -- "$work/early" 0.05
check "--engine perf" is_status 0
"$TSPROF" report --json -i "$profile" >"$work/json"
check "the profile tells that it was asked for" grep -q 'asked for' "$work/json"
rm -f "$profile"
run "$workloads/without_perf" "$TSPROF" record -o "$profile" --engine perf -- touch "$work/ran"
check "--engine perf where it is forbidden" is_refusal 1 "perf_event_open"
check "leaves no file" test ! -e "$profile" -a ! -e "$profile.part"
run "$workloads/without_perf" "$TSPROF" record -o "$profile" -- "$work/early" 0.2
if [ "$status" -eq 0 ]; then
	check "auto falls back to sigprof, and says why" \
		grep -q "engine sigprof.*perf_event_open" "$work/err"
	"$TSPROF" report --json -i "$profile" >"$work/json"
	check "the profile names sigprof" grep -q '"engine": *"sigprof"' "$work/json"
	check "and the reason" grep -q '"engine_reason": *".*perf_event_open' "$work/json"
	check "with the same picture" holds "$(ticks early) > 30"
	record_delayed "$workloads/without_perf" "$TSPROF" record
	check "--delay with sigprof: the command's status" is_status 3
	check "--delay with sigprof: nothing from before" holds "$(ticks early) == 0"
	check "--delay with sigprof: what runs after" holds "$(ticks late) > 10"
	clean
	"$workloads/without_perf" "$TSPROF" record -q -o "$profile" --duration 1500ms -- \
		sh -c "$two_times" &
	recorder=$!
	check "--duration with sigprof: the profile is there while the command runs" \
		await test -s "$profile"
	touch "$work/go"
	status=0
	wait "$recorder" || status=$?
	check "--duration with sigprof: the command's status" is_status 6
	check "--duration with sigprof: what runs after is not there" holds "$(ticks late) == 0"
else
	check "sigprof where perf is forbidden" is_status 0
fi
check "none of these ran the command" test ! -e "$work/ran"
finish
