#!/bin/sh
# Programs that have themselves recorded, with the shared library and the static one.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

require_record
unset TSPROF_MARKS
"$TSPROF" record -q --engine perf -o "$work/probe.tsprof" -- true 2>"$work/log" ||
	skip_test "attaching needs perf: $(head -1 "$work/log")"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
# shellcheck disable=SC2086 # several words
{
	$CC $warnings -O2 -g -I"$TOP/include" "$TOP/tests/library/self_recording.c" \
		-o "$work/shared" -L"$BUILD" -ltsprof -Wl,-rpath,"$BUILD" || exit 1
	$CC $warnings -O2 -g -DTSPROF_STATIC -static -I"$TOP/include" \
		"$TOP/tests/library/self_recording.c" -o "$work/static" "$BUILD/libtsprof.a" \
		2>"$work/log" || : # static libraries may not be installed
}

# The recorder goes on a moment after a program that was killed.
profile_is_complete()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -f "$work/p.tsprof" ] && return 0
		sleep 0.5
	done
	echo 'no profile after 10 s'
	return 1
}

# FILE NAME: how often the scope was called.
calls_of()
{
	"$TSPROF" report --scopes --csv -i "$1" |
		awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
			$column["scope"] == name { n += $column["calls"] } END { print n + 0 }'
}

# FILE FUNCTION: samples with it, in percent of all.
share_of()
{
	"$TSPROF" fold -i "$1" 2>/dev/null | awk -v name="$2" '
		{ all += $NF }
		index($0, name) { part += $NF }
		END { print all ? 100 * part / all : 0 }'
}

# PROGRAM: what lay between start and stop is there, without the pause.
whole_is_right()
{
	rm -f "$work/p.tsprof"
	"$1" whole "$work/p.tsprof" || return 1
	[ "$(calls_of "$work/p.tsprof" wanted)" -eq 2 ] || return 1
	[ "$(calls_of "$work/p.tsprof" unwanted)" -eq 0 ] || return 1
	# A tick or two may fall into the moments around the pause.
	holds "$(share_of "$work/p.tsprof" burn_wanted) > 90" &&
		holds "$(share_of "$work/p.tsprof" burn_unwanted) < 2" || return 1
	"$TSPROF" report --milestones -i "$work/p.tsprof" | grep -q 'over.*by name'
}

programs=$work/shared
[ -x "$work/static" ] && programs="$programs $work/static"
for program in $programs; do
	kind=${program##*/}
	TSPROF=$TSPROF
	export TSPROF
	check "$kind: from start to stop, but for a pause" whole_is_right "$program"
	check "$kind: children are the program's own" "$program" with_children "$work/p.tsprof"
	check "$kind: twice" "$program" twice "$work/p.tsprof"
	check "$kind: the second profile has its scope" \
		[ "$(calls_of "$work/p.tsprof.2" wanted)" = 1 ]
	check "$kind: low descriptors are free" "$program" closed "$work/p.tsprof"
	rm -f "$work/p.tsprof"
	"$program" ended "$work/p.tsprof" >/dev/null 2>&1
	check "$kind: killed, and the profile is complete" profile_is_complete
	last_is_there()
	{
		"$TSPROF" report --milestones -i "$work/p.tsprof" | grep -q last
	}
	check "$kind: killed, and the last mark is there" last_is_there
done

# What the recorder finds wrong is what the program is told.
run "$work/shared" refused "$work/no/such/folder/p.tsprof"
check "no folder" grep -q '^-2 .*no/such/folder' "$work/out"
run env TSPROF=/nowhere/tsprof "$work/shared" refused "$work/p.tsprof"
check "no tsprof" grep -q '^-2 tsprof was not found' "$work/out"
echo 'exit 3' >"$work/tsprof" && chmod +x "$work/tsprof"
run env TSPROF="$work/tsprof" "$work/shared" refused "$work/p.tsprof"
check "no such program" grep -q '^-8 tsprof could not be run' "$work/out"
printf '#!/bin/sh\necho what is wrong >&2\nexit 3\n' >"$work/tsprof"
run env TSPROF="$work/tsprof" "$work/shared" refused "$work/p.tsprof"
check "another program" grep -q '^-5 what is wrong' "$work/out"
printf '#!/bin/sh\nsleep 2\n' >"$work/tsprof"
run env TSPROF="$work/tsprof" "$work/shared" forked "$work/p.tsprof"
check "a child waits for no thread of its parent's" is_status 0
if [ -x "$BUILD/tests/workloads/without_perf" ]; then
	run "$BUILD/tests/workloads/without_perf" "$work/shared" refused "$work/p.tsprof"
	check "perf is refused: the number says so" grep -qE '^-(1|13|38) .' "$work/out"
	check "perf is refused: the program goes on" is_status 0
fi

# Launched by record, which can be paused as well.
resumed_is_right()
{
	"$TSPROF" record -q --start-paused -o "$work/p.tsprof" -- \
		"$work/shared" resumed "$work/p.tsprof" || return 1
	holds "$(share_of "$work/p.tsprof" burn_wanted) > 90" &&
		holds "$(share_of "$work/p.tsprof" burn_unwanted) < 2"
}
check "--start-paused, resumed and paused by the program" resumed_is_right
finish
