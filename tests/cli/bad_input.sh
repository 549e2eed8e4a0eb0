#!/bin/sh
# What bad input gets: one clear line, the documented exit status, and nothing
# valid overwritten.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# Files that are not profiles.
: >"$work/empty"
echo "this is not a profile" >"$work/text"
head -c 4096 /dev/urandom >"$work/random"
cd "$work" || exit 99

for command in report fold flame; do
	run "$TSPROF" "$command"
	check "$command: no profile.tsprof" is_refusal 1 "profile.tsprof"
	run "$TSPROF" "$command" -i "$work/none"
	check "$command: a missing file" is_refusal 1 "No such file or directory"
	run "$TSPROF" "$command" -i "$work"
	check "$command: a directory" is_refusal 1 "directory"
	run "$TSPROF" "$command" -i "$work/empty"
	check "$command: an empty file" is_refusal 1 "empty"
	run "$TSPROF" "$command" -i "$work/text"
	check "$command: no profile at all" is_refusal 1 "$work/text"
	run "$TSPROF" "$command" -i "$work/random"
	check "$command: random bytes" is_refusal 1 "$work/random"
	run "$TSPROF" "$command" --thread
	check "$command: an option without its value" is_refusal 2 "--thread"
done

# Names that bite: in folded text, through every renderer.
long=$(head -c 10000 /dev/zero | tr '\0' n)
printf 'a;<script>alert(1)</script>;"q'\''&uot;\033[31mred;\377\376bad;%s 7\nb 3\n' "$long" >"$work/nasty"
for command in report fold flame 'report --json' 'report --csv' 'report --breakdown'; do
	# shellcheck disable=SC2086 # words
	run "$TSPROF" $command -i "$work/nasty"
	check "$command: hostile names are rendered" is_status 0
	if LC_ALL=C grep -q "$(printf '\033')" "$work/out"; then
		check "$command: no escape sequences" false
	fi
	check "$command: valid UTF-8" iconv -f UTF-8 -t UTF-8 -o /dev/null "$work/out"
done
run "$TSPROF" flame -i "$work/nasty"
check "flame: no script element of others" holds "$(grep -c '<script>alert' "$work/out") == 0"
if command -v xmllint >/dev/null 2>&1; then
	check "flame: well-formed" xmllint --noout --huge "$work/out"
elif command -v python3 >/dev/null 2>&1; then
	check "flame: well-formed" python3 -c \
		'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$work/out"
fi

# Rules files.
printf 'a;b 7\n' >"$work/folded"
printf 'One:\n\tfoo*\nTwo\n' >"$work/orphan"
printf '\tfoo*\n' >"$work/headless"
printf 'One:\n\tfoo\001bar\n' >"$work/control"
: >"$work/norules"
printf 'One:\n\tmodul: libc*\n' >"$work/keyword"
for bad in orphan:3 headless:1 keyword:2; do
	run "$TSPROF" report --breakdown --components "$work/${bad%:*}" -i "$work/folded"
	check "rules: ${bad%:*} is named with its line" is_refusal 1 "${bad%:*}:${bad#*:}"
done
run "$TSPROF" report --breakdown --components "$work/none" -i "$work/folded"
check "rules: a missing file" is_refusal 1 "No such file or directory"
run "$TSPROF" report --breakdown --components "$work" -i "$work/folded"
check "rules: a directory" is_refusal 1 "directory"

# Output files.
echo valid >"$work/keep"
run "$TSPROF" flame -i "$work/random" -o "$work/keep"
check "flame: bad input leaves the output alone" grep -qx valid "$work/keep"
run "$TSPROF" flame -i "$work/folded" -o "$work/none/out.svg"
check "flame: no such directory" is_refusal 1 "No such file or directory"
run "$TSPROF" flame -i "$work/folded" -o "$work"
check "flame: the output is a directory" is_refusal 1 "irectory"
if [ -w /dev/full ]; then
	status=0
	"$TSPROF" fold -i "$work/folded" >/dev/full 2>"$work/err" || status=$?
	check "fold: a full disk" is_refusal 1 "No space left on device"
fi

# Recording: what is refused before anything runs.
"$TSPROF" help record >/dev/null 2>&1 || finish
run "$TSPROF" record
check "record: no command" is_refusal 2 "expected a command"
run "$TSPROF" record --stack-size 12 -- true
check "record: a stack too small" is_refusal 2 "--stack-size"
run "$TSPROF" record --event no-such-event -- true
check "record: an unknown event" is_refusal 2 "no-such-event"
run "$TSPROF" record -F 0 -- true
check "record: no samples a second" is_refusal 2 "0 Hz"
require_record

run "$TSPROF" record -q -o "$work/p.tsprof" -- "$work/no-such-command"
check "record: command not found" is_refusal 127 "no-such-command"
run "$TSPROF" record -q -o "$work/p.tsprof" -- "$work/text"
check "record: command not executable" is_refusal 126 "$work/text"
check "record: nothing is left of either" test ! -e "$work/p.tsprof" -a ! -e "$work/p.tsprof.part"
run "$TSPROF" record -q -o "$work/p.tsprof" -- sh -c 'exit 7'
check "record: the status is the command's" is_status 7
run "$TSPROF" record -q -o "$work/p.tsprof" -- sh -c 'kill -TERM $$'
check "record: 128 + n for a signal" is_status 143
check "record: a killed command leaves a profile" test -s "$work/p.tsprof"
run "$TSPROF" report -i "$work/p.tsprof"
check "record: and it opens" holds "$status <= 1"
run "$TSPROF" record -q -o "$work/forked.tsprof" -- sh -c 'sleep 20 >/dev/null 2>&1 & exit 3'
check "record: a child left behind does not hold it" is_status 3
run "$TSPROF" record -q -o "$work/none/p.tsprof" -- touch "$work/ran"
check "record: output directory missing" is_refusal 1 "No such file or directory"
check "record: and the command did not run" test ! -e "$work/ran"
run "$TSPROF" record -q -F 100000k -- touch "$work/ran"
check "record: above the kernel's limit" is_refusal 1 "perf_event_max_sample_rate"
echo valid >"$work/keep.tsprof"
run "$TSPROF" record -q -o "$work/keep.tsprof" -- "$work/no-such-command"
check "record: a failed run overwrites nothing" grep -qx valid "$work/keep.tsprof"
# /sys lets not even root create files.
mkdir "$work/locked" && chmod 500 "$work/locked"
locked=$work/locked
[ "$(id -u)" -ne 0 ] || locked=/sys
run "$TSPROF" record -q -o "$locked/p.tsprof" -- touch "$work/ran"
check "record: output directory not writable" is_refusal 1 "$locked/p.tsprof"
check "record: and the command did not run" test ! -e "$work/ran"
check "record: mode 0600" test "$(stat -c %a "$work/p.tsprof")" = 600

# The kernel says no, as in a container with a seccomp filter.
run "$BUILD/tests/workloads/without_perf" "$TSPROF" record -q --engine perf -o "$work/no.tsprof" -- touch "$work/ran"
check "record: perf_event_open refused" is_refusal 1 "perf_event"
check "record: and the command did not run" test ! -e "$work/ran"

# A disk that fills up while recording: what fitted can be read.
mkdir "$work/small"
if mount -t tmpfs -o size=16k none "$work/small" 2>/dev/null; then
	run "$TSPROF" record -q -F 4000 -o "$work/small/p.tsprof" -- \
		sh -c 'i=0; while [ $i -lt 400000 ]; do i=$((i + 1)); done; ls -R /usr/share'
	check "record: a full disk fails" is_status 1
	check "record: and says so" grep -q "No space left on device" "$work/err"
	check "record: and leaves no profile under its name" test ! -e "$work/small/p.tsprof"
	run "$TSPROF" fold -i "$work/small/p.tsprof.part"
	check "record: what fitted can be read" is_status 0
	umount "$work/small"
else
	echo "not tried: a full disk (no permission to mount)"
fi

# A profile cut or damaged anywhere opens up to there, or says what is wrong.
"$TSPROF" record -q -o "$work/whole.tsprof" -- \
	sh -c 'i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); done' 2>"$work/err"
size=$(stat -c %s "$work/whole.tsprof")
is_survived=yes
at=0
while [ "$at" -lt "$size" ]; do
	head -c "$at" "$work/whole.tsprof" >"$work/cut"
	run "$TSPROF" fold -i "$work/cut"
	if [ "$status" -gt 1 ] || { [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -ne 1 ]; }; then
		echo "cut at $at of $size: status $status" && head -3 "$work/err"
		is_survived=no
	fi
	at=$((at + size / 60 + 1))
done
check "a profile cut at 60 places" test "$is_survived" = yes
is_survived=yes
at=0
while [ "$at" -lt "$size" ]; do
	cp "$work/whole.tsprof" "$work/damaged"
	printf '\252' | dd of="$work/damaged" bs=1 seek="$at" conv=notrunc 2>/dev/null
	run "$TSPROF" fold -i "$work/damaged"
	if [ "$status" -gt 1 ] || { [ "$status" -eq 1 ] && [ "$(wc -l <"$work/err")" -ne 1 ]; }; then
		echo "damaged at $at of $size: status $status" && head -3 "$work/err"
		is_survived=no
	fi
	at=$((at + size / 60 + 1))
done
check "a profile damaged at 60 places" test "$is_survived" = yes

# A binary that goes away while it runs.
cp "$BUILD/tests/workloads/split" "$work/fleeting" 2>/dev/null &&
	run "$TSPROF" record -q -o "$work/fleeting.tsprof" -- \
		sh -c "$work/fleeting 0.5 & sleep 0.2; rm $work/fleeting; wait" &&
	check "a deleted binary: recorded" is_status 0 &&
	run "$TSPROF" fold -i "$work/fleeting.tsprof" &&
	check "a deleted binary: still has its names" grep -q 'main;burn_half' "$work/out"
cp "$BUILD/tests/workloads/split" "$work/fleeting" 2>/dev/null &&
	run "$TSPROF" record -q -o "$work/fleeting.tsprof" -- \
		sh -c "$work/fleeting 0.5 & sleep 0.2; cp /bin/ls $work/new; mv $work/new $work/fleeting; wait" &&
	check "a replaced binary: recorded" is_status 0 &&
	run "$TSPROF" fold -i "$work/fleeting.tsprof" &&
	check "a replaced binary: still has its names" grep -q 'main;burn_half' "$work/out"
finish
