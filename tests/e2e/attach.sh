#!/bin/sh
# tsprof record -p and -a: running processes are sampled with all that they
# start, left as they were, and what cannot be attached to is told in one line.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

workloads=$BUILD/tests/workloads
profile=$work/profile.tsprof
mkdir -m 777 "$work/open"
chmod 755 "$work"

record()
{
	run "$TSPROF" record -q -o "$profile" "$@"
}

# PATTERN…: the ticks of stacks that match.
ticks()
{
	"$TSPROF" fold --threads -i "$profile" | grep -E -- "$1" | awk '{ n += $NF } END { print n + 0 }'
}

# The C library's two frames below a thread's function, which have names only where
# its debug file is installed.
below='^[^;]*;([^;]*;)?[^;[]*(\[libc[^;]*)?;[^;[]*(\[libc[^;]*)?'

# All threads, in equal parts; the program prints and returns what it always does.
"$workloads/threads" 3 1.5 >"$work/out.target" &
target=$!
record -p "$target"
check "a process that runs already: status 0" is_status 0
check "nothing is printed with -q" holds "$(wc -c <"$work/err") == 0"
status=0
wait "$target" || status=$?
check "the process ends as it would have" is_status 0
check "and prints what it would have" grep -q '^total 4\.[45]' "$work/out.target"
all=$(ticks 'burner-')
check "it was sampled" holds "$all > 1000"
for i in 0 1 2; do
	# Five standard errors of a third at 2,000 samples are 5 points; attaching
	# late takes from all threads, and at 10 ms a thread not the same.
	check "thread burner-$i has a third" holds "($(ticks "burner-$i") / $all - 1 / 3) ^ 2 < 0.06 ^ 2"
done
check "stacks reach their roots" holds "$(ticks "$below;burner_main") > 0.95 * $all"

# Children and programs that it starts from then on.
mkfifo "$work/gate"
sh -c "read -r _ <'$work/gate'; '$workloads/forks' 2 0.3" >/dev/null &
target=$!
"$TSPROF" record -q -o "$profile" -p "$target" &
recorder=$!
sleep 0.5
echo >"$work/gate"
status=0
wait "$recorder" || status=$?
check "the recording ends with the process" is_status 0
wait "$target"
check "children are followed" holds "$(ticks '^forks;.*child_work') > 100"

# Several, each once however often it is named, until the last has ended.
"$workloads/split" 0.4 >/dev/null &
first=$!
"$workloads/threads" 1 1.2 >/dev/null &
second=$!
record -p "$first,$second" -p "$first"
check "several processes: status 0" is_status 0
check "the recording outlasts the first" holds "$(ticks burner_work) > 500"
check "the first is there, but not twice" holds "$(ticks '^split') > 50 && $(ticks '^split') < 450"
wait

# A main thread that has ended is no process that has.
"$workloads/leaderless" 1.5 &
target=$!
sleep 0.3
record -p "$target"
check "no main thread any more: status 0" is_status 0
check "the others are sampled, with their names" \
	holds "$(ticks "$below;survivor_main;survivor_work") > 300"
wait "$target"

# A thread's number stands for its process.
"$workloads/threads" 2 1 >/dev/null &
target=$!
sleep 0.2
for tid in /proc/$target/task/*; do
	tid=${tid##*/}
done
record -p "$tid"
check "a thread's number: status 0" is_status 0
check "all threads of its process are there" \
	holds "$(ticks 'burner-0') > 50 && $(ticks 'burner-1') > 50"
wait "$target"

# What ends the recording and not the process.
"$workloads/split" 600 >/dev/null &
target=$!
record -p "$target" --duration 300ms
check "--duration ends the recording" is_status 0
check "and the profile is whole" "$TSPROF" fold -i "$profile" -o "$work/folded"

# A server that waits, whose children do the work: it is told.
# shellcheck disable=SC2016
sh -c '"$1" 600 >/dev/null & echo $! >"$2"; wait' - "$workloads/split" "$work/child" &
parent=$!
until [ -s "$work/child" ]; do sleep 0.05; done
run "$TSPROF" record -o "$profile" -p "$parent" --duration 200ms
check "no sample: there are children" grep -q "1 of its children ran already" "$work/err"
kill "$(cat "$work/child")"
wait "$parent" || true

for signal in INT TERM HUP; do
	rm -f "$profile"
	# Under nohup SIGHUP would be ignored, as it should be.
	env --default-signal="$signal" "$TSPROF" record -q -o "$profile" -p "$target" &
	recorder=$!
	sleep 0.4
	kill -s "$signal" "$recorder"
	status=0
	wait "$recorder" || status=$?
	check "SIG$signal ends the recording with status 0" is_status 0
	check "and the profile is whole" test "$(ticks '^split')" -gt 0
done
"$TSPROF" record -q -o "$profile" -p "$target" &
recorder=$!
sleep 0.4
kill -KILL "$recorder"
wait "$recorder" 2>/dev/null
check "the process outlives all of that" kill -0 "$target"
kill "$target"
wait "$target" 2>/dev/null

# What cannot be attached to.
rm -f "$profile"
absent=4194304
record -p "$absent"
check "a process that does not exist" is_refusal 1 "there is no process $absent"
sh -c 'sleep 0 & exec sleep 3' &
parent=$!
sleep 0.5
zombie=$(ps -o pid=,stat= --ppid "$parent" 2>/dev/null | awk '$2 ~ /Z/ { print $1; exit }')
if [ -n "$zombie" ]; then
	record -p "$zombie"
	check "a zombie" is_refusal 1 "zombie"
else
	echo "not tried: a zombie (there is none, or no ps)"
fi
kill "$parent"
is_tidy=yes
for i in 1 2 3 4 5 6 7 8 9 10; do
	sleep "0.0$i" &
	target=$!
	record -p "$target"
	if [ "$status" -gt 1 ] || [ "$(wc -l <"$work/err")" -ne "$status" ]; then
		echo "status $status and:" && cat "$work/err"
		is_tidy=no
	fi
	wait "$target" 2>/dev/null
done
check "processes that exit at once are recorded or refused in one line" test "$is_tidy" = yes
rm -f "$profile"
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	sleep 10 &
	target=$!
	if $nobody "$TSPROF" record -q -o "$work/open/p" true 2>/dev/null; then
		# shellcheck disable=SC2086 # words
		run $nobody "$TSPROF" record -o "$work/open/q" -p "$target"
		check "a process of another user" is_refusal 1 "process $target belongs to another user"
		check "leaves no file" test ! -e "$work/open/q" -a ! -e "$work/open/q.part"
		$nobody "$workloads/split" 1 >/dev/null &
		own=$!
		sleep 0.5
		# shellcheck disable=SC2086 # words
		run $nobody "$TSPROF" record -q -o "$work/open/q" -p "$own" --duration 400ms
		check "one's own, as an ordinary user" is_status 0
		check "is sampled" test "$("$TSPROF" fold -i "$work/open/q" | grep -c '^split;')" -gt 0
	else
		echo "not tried: attaching as an ordinary user (perf is not permitted to one)"
	fi
	if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 0 ]; then
		# shellcheck disable=SC2086 # words
		run $nobody "$TSPROF" record -o "$work/open/q" -a --duration 100ms
		check "-a as an ordinary user" is_refusal 1 "perf_event_paranoid"
	fi
	kill "$target"
fi
run "$workloads/without_perf" "$TSPROF" record -o "$profile" -p $$
check "no perf_event_open: -p says why" is_refusal 1 "perf_event"
check "and leaves no file" test ! -e "$profile" -a ! -e "$profile.part"
record -p 1x
check "not a number" is_refusal 2 "'1x' is not the number of a process"
record -p 0
check "no process 0" is_refusal 2 "'0'"
record -p 99999999999999999999
check "a number too large" is_refusal 2 "99999999999999999999"
record -p $$ -- true
check "a command besides -p" is_refusal 2 "either it or a command"
record -a -- true
check "a command besides -a" is_refusal 2 "either it or a command"
record -a -p $$
check "-a and -p" is_refusal 2 "makes no sense"
record -p $$ --engine sigprof
check "-p with the engine sigprof" is_refusal 2 "sigprof"

# The whole system.
"$workloads/split" 2 >/dev/null &
target=$!
record -a --duration 800ms
if [ "$(id -u)" -eq 0 ]; then
	check "-a: status 0" is_status 0
	check "a process that runs already is in it" test "$(ticks '^split;.*burn_half')" -gt 10
	check "idling is not" holds "$(ticks '^swapper') == 0"
fi
wait "$target"
if [ "$(id -u)" -eq 0 ] && [ "$(cat /proc/2/comm)" = kthreadd ]; then
	record -p 2 --duration 100ms
	check "a kernel thread" is_status 0
fi
finish
