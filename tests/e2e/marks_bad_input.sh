#!/bin/sh
# What programs do wrong with their marks, and what happens to them meanwhile:
# nothing of it harms the program, and what was marked is there.
# check calls the functions.
# What sh -c gets is for it to expand.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

cc="${CC:-gcc} -O1 -I$TOP/include"
program=$BUILD/tests/workloads/bad_marks
library=$BUILD/libtsprof.so

# CASE…: record the program, which succeeds.
record_case()
{
	run "$TSPROF" record -q -o "$work/p" -- "${program:?}" "$@"
	check "$1: the program is not harmed" is_status 0
}

# What views say of the last recording, as CSV.
view()
{
	"$TSPROF" report -i "$work/p" --csv --max 0 "$@" 2>&1
}

# NAME N CALLS: N calls of the scope in the statistics.
has_calls()
{
	n=$(view --scopes | awk -F, -v name="$1" '$1 == name { n += $2 } END { print n + 0 }')
	[ "$n" -eq "$2" ] && return 0
	echo "expected $2 calls of $1, got $n:"
	view --scopes | cut -d, -f1,2
	return 1
}

# NAME N: N milestones of that name.
has_milestones()
{
	n=$(view --milestones | awk -F, -v name="$1" '$5 == name { n++ } END { print n + 0 }')
	[ "$n" -eq "$2" ] && return 0
	echo "expected $2 milestones $1, got $n:"
	view --milestones
	return 1
}

# FIGURE: of the quality of marks.
quality_of()
{
	"$TSPROF" report -i "$work/p" --json >"$work/json"
	sed -n '/"marks": {/,/}/p' "$work/json" >"$work/marks"
	json_number "$work/marks" "$1"
}

record_case unbalanced
check "an end without a begin is counted" test "$(quality_of unmatched_ends)" = 2
check "an end closes what is inside" has_calls inner 1
check "what never ends is no call" has_calls stray 0
check "and shown as open" test "$(view --scopes | awk -F, '$1 == "stray" { print $13 }')" = 1

record_case other_thread
check "an end on another thread closes nothing" has_calls outer 1
check "and is counted" test "$(quality_of unmatched_ends)" = 1

record_case fork
check "a scope around a fork is the parent's" has_calls "around the fork" 1
check "the child has its own" has_calls "in the child" 1
check "the parent's milestones are there" has_milestones parent 1
check "the child's too" has_milestones child 1

record_case exec
check "what was before an exec stays" has_milestones "before the exec" 1
check "what comes after it marks anew" has_milestones after 1

record_case names
view --scopes >"$work/scopes"
check "NULL and nothing are no name" grep -q '^\[no name\],2,' "$work/scopes"
check "what is long is cut to 255 bytes" grep -qE '^h{255},1,' "$work/scopes"
check "what is not text stays" grep -qaE 'not text' "$work/scopes"
"$TSPROF" report -i "$work/p" --scopes --json >"$work/json"
check "and JSON is UTF-8 all the same" iconv -f UTF-8 -t UTF-8 -o /dev/null "$work/json"

record_case many_sites
check "all calls are counted" test "$(quality_of records)" = 10001
check "those without a place together" test "$(view --scopes |
	awk -F, '$1 == "[other sites]" { print ($2 > 900) }')" = 1
check "and it is told" holds "$(quality_of sites_dropped) > 900"

record_case huge_snapshot
check "a snapshot of 1 GB is cut, and said to be" test "$(view --snapshots |
	awk -F, '$5 == "huge" { print $3, $7 }')" = "65536 cut"

# Of each the recorder keeps a descriptor; the soft limit is the command's.
run sh -c 'ulimit -Sn 60; exec "$@"' - "$TSPROF" record -q -o "$work/p" -- "$program" many_programs
check "many programs at once: they are not harmed" is_status 0
check "many programs at once: each mark is there" has_milestones "one of many" 200

record_case close_all
check "marks do not need descriptors" has_milestones after 1
record_case close_all_first
check "nor anything that was open before" has_milestones after 1
record_case errno
check "errno is kept, and known to the text" has_milestones after 1

record_case memory 0
check "without address space there are no marks" sh -c "$TSPROF report -i $work/p --milestones 2>&1 |
	grep -q 'no milestones'"
record_case memory 16000000
check "with little there are small rings" has_milestones after 1

record_case file_size 4096
check "a limit on the size of files ends nobody" sh -c "$TSPROF report -i $work/p --milestones 2>&1 |
	grep -q 'no milestones'"
record_case file_size 16000000
check "within it there are small rings" has_milestones after 1
run "$TSPROF" record -q --engine sigprof -o "$work/p" -- sh -c 'ulimit -f 8; exec "$0" names' "$program"
check "nor does it when ticks are taken" is_status 0

for how in kill:137 abort:134 exit:3; do
	run "$TSPROF" record -q -o "$work/p" -- "$program" "${how%:*}"
	check "${how%:*}: the status passes" is_status "${how#*:}"
	check "${how%:*} loses nothing" has_calls recorded 100000
	check "${how%:*} leaves the last words" has_milestones "last words" 1
	check "${how%:*}: nothing was dropped" test "$(quality_of lost)" = 0
done

# CPU time, as others may keep the CPU; a mark that waits has none, but the loop would hang.
run timeout 120 "$TSPROF" record -q --strict -o "$work/p" -- "$program" stopped_recorder
check "a stopped recorder stops nobody, and --strict says what is lost" is_refusal 1 "lost marks"
check "no mark takes long" holds "$(tail -1 "$work/out") < 20"
check "what found no room is counted" \
	holds "$(quality_of records) + $(quality_of lost) == 1200001 && $(quality_of lost) > 0"

cp "$library" "$work/libtsprof.so"
cp "$library" "$work/libtsprof.so.1"
if ! $cc -shared -fPIC -o "$work/plugin.so" "$TOP/tests/workloads/marks_plugin.c" ||
	! $cc -o "$work/linked" "$TOP/tests/workloads/bad_marks.c" -L"$work" -ltsprof \
		-Wl,-rpath,"$work" -lpthread; then
	echo "no compiler: nothing is linked"
	finish
fi
record_case plugin "$work/plugin.so"
check "an object that is loaded marks" has_milestones "in the plugin" 2
check "also when it comes again" has_calls plugin 2
check "beside the program" has_milestones after 1

for engine in perf sigprof; do
	program=$work/linked
	run "$TSPROF" record -q --engine $engine -o "$work/p" -- "$program" plugin "$work/plugin.so"
	check "$engine: a second copy of the library does no harm" is_status 0
	check "$engine: and each mark comes once" has_milestones after 1
	check "$engine: those of others too" has_milestones "in the plugin" 2
done
sed 's/^#include "tsprof.h"/#define TSPROF_STATIC\n&/' "$TOP/tests/workloads/bad_marks.c" \
	>"$work/own.c"
if $cc -o "$work/own" "$work/own.c" "$BUILD/libtsprof.a" -lpthread 2>"$work/err"; then
	program=$work/own
	record_case plugin "$work/plugin.so"
	check "two libraries in one program both mark" has_milestones "in the plugin" 2
	check "and the program's is its own" has_milestones after 1
fi
finish
