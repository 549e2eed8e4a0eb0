#!/bin/sh
# Code that a program made itself has the names that the program gave it: from a
# perf map and from a jitdump, both removed before the program ends, also in
# namespaces of its own; and from node.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

jit_code=$BUILD/tests/workloads/jit_code

# NAME COMMAND…: the profile of COMMAND as $work/NAME.folded.
record_jit()
{
	record_name=$1
	shift
	run "$TSPROF" record -q -F 997 -o "$work/jit.tsprof" -- "$@"
	check "$record_name: recorded" is_status 0
	run "$TSPROF" fold -i "$work/jit.tsprof"
	check "$record_name: folded" is_status 0
	cp "$work/out" "$work/$record_name.folded"
}

# NAME FUNCTION: its share of the samples in made code, as the innermost function;
# 0 when less than half of all are in such code.
leaf_share()
{
	awk -v name="$2" '
	{
		n = $NF; all += n
		sub(/ [0-9]+$/, "")
		depth = split($0, frames, ";")
		if (frames[depth] ~ /_\[j\]$/) made += n
		if (frames[depth] == name) found += n
	}
	END { print (made > all / 2) ? found / made : 0 }' "$work/$1.folded"
}

# The sampling error is 1.3 points at 1,500 samples; the kernel and the start of
# the program, which a busy machine makes longer, are not in these shares.
# NAME FUNCTION SHARE
check_share()
{
	share=$(leaf_share "$1" "$2")
	check "$1: $2 has $share of $3" \
		holds "$share - $3 < 0.05 && $3 - $share < 0.05"
}

# All of the way from the made code to the root of the thread.
check_callers()
{
	check "$1: made code has its callers" \
		grep -q ';main;.*;jit_first(a b)_\[j\] [0-9]' "$work/$1.folded"
}

# Made code that no tick falls into, as a caller: 10 ms until it is known are let pass.
# ENGINE
check_callback()
{
	run "$TSPROF" record --engine "$1" -F 997 -o "$work/jit.tsprof" -- "$jit_code" callback 0.5
	check "callback, $1: recorded" is_status 0
	check "callback, $1: nothing is said of its code" holds "$(grep -c 'made while' "$work/err") == 0"
	run "$TSPROF" fold -i "$work/jit.tsprof"
	check "callback, $1: nearly all of the stacks lead through made code to main" awk '
		/called_back/ { all += $NF }
		/;main;(run_with_callback;)?[^;]*anon[^;]*;called_back/ { whole += $NF }
		END { print whole + 0, "of", all + 0; exit !(all > 300 && whole >= all - 10) }' "$work/out"
}

cd "$work" || exit 99
check_callback auto
check_callback sigprof
run "$TSPROF" record -o "$work/jit.tsprof" -- "$jit_code" frameless 0.3
check "without frame pointers: told" grep -q "stacks are cut in code made while running" "$work/err"
record_jit map "$jit_code" map 1.5
check_share map 'jit_first(a b)_[j]' 0.6
check_share map 'jit_second_[j]' 0.4
check_callers map

record_jit memfd "$jit_code" memfd 1.5
check_share memfd 'jit_first(a b)_[j]' 0.6
check_share memfd 'jit_second_[j]' 0.4

# A map has no times: who was last at an address has all of its samples.
record_jit map-reuse "$jit_code" map-reuse 1.5
check_share map-reuse 'jit_second_[j]' 1

# A child has its parent's functions and its own, at an address where its parent
# has another one.
record_jit fork "$jit_code" fork 1.5
check_share fork 'jit_first(a b)_[j]' 0.6
check_share fork 'jit_second_[j]' 0.4

# A jitdump has times: the same address, and the samples of each.
record_jit dump "$jit_code" dump 1.5
check_share dump 'jit_first(a b)_[j]' 0.6
check_share dump 'jit_second_[j]' 0.4
check_callers dump
run "$TSPROF" report -i "$work/jit.tsprof" --lines
check "dump: lines" grep -q 'made.lang:11' "$work/out"
check "dump: lines of code that was moved" grep -q 'made.lang:22' "$work/out"

# Its own /tmp, its own process numbers, and a program that is in that /tmp only.
if unshare --mount --pid --fork --mount-proc true 2>/dev/null; then
	record_jit unshared unshare --mount --pid --fork --mount-proc sh -c \
		'exec 3<"$0" && mount -t tmpfs own /tmp && cat <&3 >/tmp/app &&
		chmod +x /tmp/app && cd / && exec /tmp/app map 1.5' "$jit_code"
	check_share unshared 'jit_first(a b)_[j]' 0.6
	check_share unshared 'jit_second_[j]' 0.4
	check "unshared: no map outside" test ! -e /tmp/perf-1.map
else
	echo "not checked: unshare --mount --pid is not permitted here"
fi

# Attached when the code was made and told already.
"$jit_code" map 4 &
target=$!
sleep 0.5
run "$TSPROF" record -q -o "$work/jit.tsprof" -p "$target" --duration 1s
check "attach: recorded" is_status 0
run "$TSPROF" fold -i "$work/jit.tsprof"
cp "$work/out" "$work/attach.folded"
check_share attach 'jit_first(a b)_[j]' 1
wait "$target"

if command -v node >/dev/null 2>&1; then
	cat >"$work/burn.js" <<'JS'
function burnInJs(n) { return n < 2 ? n : burnInJs(n - 1) + burnInJs(n - 2); }
let sum = 0;
while (process.cpuUsage().user < 2000000) sum += burnInJs(22);
JS
	for flag in --perf-basic-prof --perf-prof; do
		record_jit "node$flag" node "$flag" "$work/burn.js"
		share=$(awk '{ n = $NF; all += n } /burnInJs[^;]*_\[j\]/ { found += n }
		END { print all ? found / all : 0 }' "$work/node$flag.folded")
		# node itself takes 0.1 to 0.3 s of the 2 s to start.
		check "node $flag: burnInJs has $share" holds "$share > 0.7"
	done
	rm -f jit-*.dump isolate-*.log
else
	echo "not checked: there is no node here"
fi
finish
