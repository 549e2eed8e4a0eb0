#!/bin/sh
# Waiting time is what the program measured for itself: by function, reason and
# thread; idle threads cost nothing, floods of switches lose stacks at most.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record
"$TSPROF" record -q --off-cpu -o "$work/probe.tsprof" -- true >"$work/probe.log" 2>&1 ||
	skip_test "cannot record switches here: $(head -1 "$work/probe.log")"
# shellcheck source=tests/e2e/waiting_views.sh
. "$(dirname "$0")/waiting_views.sh"

run "$TSPROF" record --event wall -o "$work/p.tsprof" -- "$program" 50
check "recorded" is_status 0
cp "$work/out" "$work/truth"
report all --children
report waiting --children --state waiting
report threads --threads
report reasons --by state
for name in sleep_here lock_here read_here poll_here burn_here; do
	truth=$(sed -n "s/^$name //p" "$work/truth")
	agrees "$name, running and waiting" "$truth" "$(total_of $name)"
	agrees "life of thread $name" "$truth" \
		"$(row_of "$work/threads.json" thread "$name/" total_ns)"
done

# A thread can also have waited for a CPU in between, so that it is at least nearly all.
for pair in "sleep_here sleep" "lock_here lock" "read_here pipe" "poll_here poll"; do
	name=${pair% *}
	reason=${pair#* }
	report "$name" --state "$reason" --children --thread "$name"
	truth=$(sed -n "s/^$name //p" "$work/truth")
	waited=$(row_of "$work/$name.json" function "$name\"" total_ns)
	check "$name waits for $reason: $waited ns of $truth s" \
		holds "$waited / 1e9 > 0.7 * $truth && $waited / 1e9 < $truth + 0.003"
done
burned=$(row_of "$work/waiting.json" function 'burn_here"' total_ns)
report running --state running --children
ran=$(row_of "$work/running.json" function 'burn_here"' total_ns)
check "burn_here runs for half a second: $ran ns" holds "$ran > 0.47e9 && $ran < 0.53e9"
report preempted --state preempted --children
preempted=$(row_of "$work/preempted.json" function 'burn_here"' total_ns)
check "burn_here waits for nothing but a CPU: $burned, $preempted ns" \
	holds "$burned == $preempted"
sampled=$(json_number "$work/all.json" sampled_ns)
cpu=$(json_number "$work/all.json" target_cpu_ns)
check "CPU time is compared with running alone: $sampled ns of $cpu ns" \
	holds "$sampled > 0.95 * $cpu && $sampled < 1.05 * $cpu"

# Nothing is mixed unasked: --off-cpu shows what ran, and says so.
run "$TSPROF" record --off-cpu -o "$work/p.tsprof" -- "$program" 10
check "recorded with --off-cpu" is_status 0
report usual
check "what ran is shown" grep -q '"state": "running"' "$work/usual.json"
run "$TSPROF" report -i "$work/p.tsprof"
check "what is left out is told" grep -q "of waiting is left out" "$work/out"
run "$TSPROF" fold -i "$work/p.tsprof" --state all
check "waits end in what they are" grep -q 'sleep_here.*;\[waiting: sleep\] ' "$work/out"
run "$TSPROF" fold -i "$work/p.tsprof" --state waiting
check "no mark where all waits" sh -c "! grep -q '\[waiting' '$work/out'"
run "$TSPROF" fold -i "$work/p.tsprof" --by state
check "split by state" grep -q '^waiting: sleep;waiting;' "$work/out"
run "$TSPROF" flame -i "$work/p.tsprof" --state waiting -o "$work/f.svg"
check "drawn" is_status 0
check "in cold colours" grep -q '<rect class="w' "$work/f.svg"

# What cannot be done is refused, and nothing else done instead.
run "$TSPROF" report -i "$work/p.tsprof" --state dancing
check "an unknown state" is_status 2
level=$(cat /proc/sys/kernel/perf_event_paranoid)
if [ "$(id -u)" -eq 0 ] && [ "$level" -ge 2 ] && command -v setpriv >/dev/null; then
	cp "$TSPROF" "$work/tsprof"
	mkdir "$work/own"
	chmod 755 "$work" "$work/tsprof"
	chown 65534 "$work/own"
	for option in --off-cpu "--event wall"; do
		# shellcheck disable=SC2086
		run setpriv --reuid 65534 --regid 65534 --clear-groups "$work/tsprof" record \
			--engine perf $option -o "$work/own/p.tsprof" -- true
		check "$option without rights" is_refusal 1 "kernel.perf_event_paranoid=1"
	done
fi

# Attached to, pausing or not: each thread has the time of the recording, and
# what it waited for when that began is known, though not where.
attach_for()
{
	"$program" idle 3 20 >/dev/null &
	target=$!
	sleep 0.3
	"$TSPROF" record -q --event wall -p "$target" --duration "$1" -o "$work/p.tsprof" \
		>"$work/out" 2>"$work/err" &
	recorder=$!
}
attach_for 1.5s
status=0
wait "$recorder" || status=$?
check "attached: recorded" is_status "$status"
kill "$target"
report all --threads
duration=$(json_number "$work/all.json" duration_ns)
total=$(json_number "$work/all.json" total)
check "attached: four threads have 4 times $duration ns: $total" \
	holds "$total > 3.96 * $duration && $total < 4.04 * $duration"
report sleep --state sleep
asleep=$(json_number "$work/sleep.json" total)
check "attached: three of them slept: $asleep ns" holds "$asleep > 2.9 * $duration"
attach_for 4s
sleep 1.5
kill -USR2 "$recorder"
sleep 1
kill -USR2 "$recorder"
wait "$recorder"
kill "$target"
report all --threads
paused=$(json_number "$work/all.json" total)
duration=$(json_number "$work/all.json" duration_ns)
check "a pause of a second is left out: $paused of 4 times $duration ns" \
	holds "4 * $duration - $paused > 3.2e9"

# 1,000 threads that sleep.
check_idle_threads 0.99 --event wall

# A convoy: one of eight runs, seven wait for the lock.
run "$TSPROF" record --event wall -o "$work/p.tsprof" -- "$program" convoy 8 40
check "convoy: recorded" is_status 0
lives=$(sed -n 's/^lives //p' "$work/out")
report all --children
agrees "convoy: eight threads" "$lives" "$(total_of convoy_main)"
report lock --state lock --children
locked=$(row_of "$work/lock.json" function 'convoy_main"' total_ns)
check "convoy: $locked ns wait for the lock" holds "$locked > 0.5e9 * $lives"

# A flood of 60,000 switches, whose stacks may not all find room: no time is
# missing.  Time may be there twice: while the kernel switches its events the
# thread counts as running, and has not come back yet; 15 us a switch in a
# nested virtual machine, a tenth of that on hardware.
run "$TSPROF" record --event wall -o "$work/p.tsprof" -- "$program" switch 30000
check "flood: recorded" is_status 0
seconds=$(sed -n 's/^seconds //p' "$work/out")
report threads --threads
total=$(json_number "$work/threads.json" total)
waited=$(json_number "$work/threads.json" waited_ns)
check "flood: $total ns of two threads that lived for $seconds s" \
	holds "$total > 1.97e9 * $seconds && $total < 2e9 * $seconds + 60000 * 40000"
check "flood: $waited ns of it waiting" holds "$waited < 2.03e9 * $seconds"
finish
