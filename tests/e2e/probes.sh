#!/bin/sh
# Functions that are traced from outside: their calls are those that happened, their
# durations those that the program itself measured, and stacks sampled inside them are whole
# although the kernel has taken their return addresses away.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

command -v python3 >/dev/null 2>&1 || skip_test "no python3"
require_record
probed=$BUILD/tests/workloads/probed
"$TSPROF" record -q -o "$work/p.tsprof" --mark-function main -- "$probed" threads 1 \
	>"$work/out" 2>&1 || skip_test "no probes here: $(head -1 "$work/out")"

# ARG…: record the workload with these options; -- and its arguments at the end.
probe()
{
	run "$TSPROF" record -F 4999 -o "$work/p.tsprof" "$@"
	cp "$work/out" "$work/said"
	cp "$work/err" "$work/told"
	"$TSPROF" report -i "$work/p.tsprof" --scopes --json >"$work/scopes" 2>"$work/err"
	"$TSPROF" fold -i "$work/p.tsprof" >"$work/folded" 2>"$work/err"
}

# SCOPE FIELD: of its row.
field()
{
	python3 - "$work/scopes" "$1" "$2" <<-'END'
		import json, sys
		def rows(value):
		    if isinstance(value, dict):
		        if value.get("scope") == sys.argv[2] or value.get("name") == sys.argv[2]:
		            yield value
		        for v in value.values():
		            yield from rows(v)
		    elif isinstance(value, list):
		        for v in value:
		            yield from rows(v)
		found = list(rows(json.load(open(sys.argv[1]))))
		print(sum(row.get(sys.argv[3], 0) or 0 for row in found))
	END
}

# STACK: how many samples have it in their folded line.
samples_with()
{
	awk -v want="$1" 'index($0, want) { n += $NF } END { print n + 0 }' "$work/folded"
}

# WHOLE PART: of the samples with PART, all but one in 200 have WHOLE: those
# that came before the first hit of a probe was told are few.
all_within()
{
	n_part=$(samples_with "$2")
	n_whole=$(samples_with "$1")
	echo "$n_whole of $n_part samples in $2 are in $1"
	[ "$n_part" -ge 50 ] && [ $((n_whole * 200)) -ge $((n_part * 199)) ]
}

calls_are()
{
	calls_found=$(field "$1" calls)
	[ "$calls_found" = "$2" ] || { echo "$1: $calls_found calls, expected $2"; return 1; }
}

start="main;"
probe --trace-function 'long outer(int ms, char *text)' --trace-function middle \
	--trace-function inner -- "$probed" chain
check "chain: the program is as ever" grep -qx "result -4" "$work/said"
check "chain: callers of what is traced" all_within "${start}outer;middle;inner" ";inner"
check "chain: one call each" calls_are outer 1
check "chain: nested" calls_are inner 1
"$TSPROF" report -i "$work/p.tsprof" --scopes --slowest 3 >"$work/slowest" 2>&1
check "chain: arguments and result" grep -qF 'ms=400 text="four" → -4' "$work/slowest"
check "chain: the cost is told" grep -q "probes were hit 3 times" "$work/told"
check "chain: every sample is in a scope" holds \
	"$(field inner total) >= 390000000 || $(field inner total_ns) >= 390000000"

for unwinder in fp libunwind libdw; do
	"$TSPROF" record -h | grep -q "$unwinder" || continue
	[ "$unwinder" = fp ] && continue # the workload keeps no frame pointers
	probe --unwinder "$unwinder" --trace-function outer --trace-function middle \
		--trace-function inner -- "$probed" chain
	check "chain: with $unwinder" all_within "${start}outer;middle;inner" ";inner"
done

probe --trace-function 'int recurse(int depth)' -- "$probed" recurse 100
check "recursion: the program is as ever" grep -qx "result 100" "$work/said"
check "recursion: beyond the kernel's depth the stacks are whole" all_within "${start}recurse;recurse;" ";inner"
check "recursion: the calls that have returns" holds "$(field recurse calls) == 64"
check "recursion: the others are told" grep -q "37 calls were more than 64 deep" "$work/told"

probe --trace-function before_jump --trace-function jump_out --trace-function inner \
	-- "$probed" jumps 50
check "jumps: the program is as ever" grep -qx "jumps 50" "$work/said"
check "jumps: each call ends" calls_are jump_out 50
check "jumps: they have no return" holds "$(field jump_out errors) == 50"
check "jumps: nothing is left open" all_within "main;run_jumps;inner" ";inner"

probe --trace-function 'int tail_first(int n)' --trace-function 'int tail_second(int n)' \
	-- "$probed" tail
check "tail calls: the program is as ever" grep -qx "result 401" "$work/said"
check "tail calls: both return" holds "$(field tail_first calls) + $(field tail_second calls) == 2"
check "tail calls: stacks" all_within "main;tail_second;inner" ";inner"

probe --trace-function middle -- "$probed" threads 500
check "threads: all calls" calls_are middle 2000

probe --trace-function forking --trace-function inner -- "$probed" fork
check "fork: the child goes on" is_status 0
check "fork: entered once" calls_are forking 1
check "fork: called in both" calls_are inner 3
check "fork: stacks of both" all_within "main;" ";inner"

probe --trace-function compare --trace-function libc:qsort -- "$probed" sort 5000
check "libraries: their functions" calls_are qsort 1
check "libraries: what they call back" holds "$(field compare calls) > 1000"
check "libraries: stacks" all_within "main;" ";compare"

probe --mark-function inner --mark-function 'int main%return' -- "$probed" timed 7
"$TSPROF" report -i "$work/p.tsprof" --milestones >"$work/milestones" 2>&1
check "milestones: entries" holds "$(grep -c ' inner *$' "$work/milestones") >= 7"
check "milestones: returns, with the result" grep -q 'main%return *→ 0' "$work/milestones"

# A scope begins before the first instruction of the function and ends behind
# its last; the program reads its clock outside both, so it has the break points' time on top:
# less than 200 µs a call, also on a machine that has other things to do.
probe --trace-function inner -- "$probed" timed 100
inside_ns=$(sed -n 's/^ns //p' "$work/said")
traced_ns=$(field inner total_ns)
[ "$traced_ns" = 0 ] && traced_ns=$(field inner total)
check "durations: the program's own ($traced_ns of $inside_ns ns)" holds \
	"$traced_ns <= $inside_ns && $traced_ns >= $inside_ns - 100 * 200000 - $inside_ns * 0.05"

# Of a file whose folder is called like what a tsprof that was killed left behind.
events=/sys/kernel/tracing/uprobe_events
strange=$work/d:tsprof_4194399_x
if [ -w $events ] && mkdir "$strange" && cp "$probed" "$strange/probed" &&
	echo "p:others_$$/probe $strange/probed:0x1000" >>$events; then
	run "$TSPROF" record -q -o "$work/p.tsprof" --mark-function main -- "$probed" threads 1
	check "probes of others stay" grep -q "others_$$/probe" $events
	echo "-:others_$$/probe" >>$events
fi

check "nothing is left in the kernel" is_kernel_clean
finish
