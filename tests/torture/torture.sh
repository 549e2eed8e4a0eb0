#!/bin/sh
# What profilers break at, under `tsprof record` at 10 kHz with each engine:
# nothing may hang, crash, end with another status or print anything else than
# it does without tsprof, and the profile has to be readable.
#
#	TORTURE_SECONDS=60	for each program and engine; parts of one for "own" only
#	TORTURE_ONLY="NAME…"	some of them; "own": the programs of this folder
#	TORTURE_ENGINES="…"	of perf, sigprof, sigprof-tick, sigprof-wall
#	TORTURE_STREAMS=1	so many at a time, which is harder and takes less long
#
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

seconds=${TORTURE_SECONDS:-60}
limit_s=$((${seconds%.*} * 2 + 120))
only=${TORTURE_ONLY:-}
programs=$BUILD/tests/torture
folder=$TOP/tests/torture
min_samples=1
find_engines "${TORTURE_ENGINES:-perf sigprof sigprof-tick sigprof-wall}"
own_names="malloc_threads plugin_loop fork_loop thread_churn alternate_stacks
	coroutines left_waits long_jumps own_timers spawn_loop system_calls exceptions"
hostile_words="descriptors user chroot seccomp memory signals limits environment"
other_names="sqlite3 python3 node java redis nginx postgres"

# NAME: is it to run?
is_wanted()
{
	[ -z "$only" ] && return 0
	case " $only " in
	*" $1 "*) return 0 ;;
	*) return 1 ;;
	esac
}

# NAME: one of this folder.
is_own_wanted()
{
	is_wanted own || is_wanted "$1"
}

# One line about the profile just written; fails when it cannot be read or is empty.
read_profile()
{
	"$TSPROF" report -i "$work/torture.tsprof" --json --top 1 >"$work/report.json" \
		2>"$work/report.err" || {
		head -3 "$work/report.err"
		return 1
	}
	samples=$(json_number "$work/report.json" samples)
	lost=$(json_number "$work/report.json" lost)
	complete=$(json_number "$work/report.json" complete)
	kernel=$(json_number "$work/report.json" "kernel thread")
	complete=$((${complete:-0} + ${kernel:-0}))
	echo "    ${samples:-0} samples, ${lost:-0} lost, $complete complete"
	[ "${samples:-0}" -ge "$min_samples" ]
}

same_text()
{
	cmp -s "$1" "$2" && return 0
	echo "expected and found:"
	diff "$1" "$2" | head -10
	return 1
}

# NAME STATUS: $status of what ran under tsprof; its standard error is in $work/err.
check_status()
{
	check "$1: exit status $2" test "$status" -eq "$2"
	[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || echo "    it did not end in time"
	[ "$status" -eq "$2" ] || tail -3 "$work/err"
}

# NAME COMMAND…: a program that takes the seconds as its last argument; first
# without tsprof, then with each engine.  Its own failures end with other
# statuses than 23.
torture()
{
	name=$1
	shift
	status=0
	timeout -k 5 300 "$@" 0.2 >"$work/expected" 2>"$work/err" </dev/null || status=$?
	if [ "$status" -eq 77 ]; then
		echo "skipped: $name: not permitted here"
		return
	fi
	check "$name: by itself" test "$status" -eq 23
	[ "$status" -eq 23 ] || tail -3 "$work/err"
	for engine in $engines; do
		rm -f "$work/torture.tsprof"
		status=0
		record_with "$engine" -q -F 10k -o "$work/torture.tsprof" -- \
			timeout -k 5 "$limit_s" "$@" "$seconds" \
			>"$work/found" 2>"$work/err" </dev/null || status=$?
		check_status "$name, $engine" 23
		check "$name, $engine: the same output" same_text "$work/expected" "$work/found"
		# Some take away what samples need, perhaps before there was one.
		case $name in
		hostile*) min_samples=0 ;;
		*) min_samples=1 ;;
		esac
		check "$name, $engine: a profile" read_profile
	done
}

# The programs of this folder.
torture_own()
{
	for program in $own_names; do
		[ "$program" != exceptions ] && is_own_wanted "$program" &&
			torture "$program" "$programs/$program"
	done
	for word in $hostile_words; do
		is_own_wanted "hostile-$word" &&
			torture "hostile $word" "$programs/hostile" "$word"
	done
	is_own_wanted exceptions || return 0
	if ${CXX:-g++} -O2 -g -pthread -o "$work/exceptions" "$folder/exceptions.cc" \
		2>"$work/err"; then
		torture exceptions "$work/exceptions"
	else
		echo "skipped: exceptions: no C++ compiler: $(head -1 "$work/err")"
	fi
}

# NAME PROGRAM COMMAND…: a round that is repeated, all its processes profiled.
torture_rounds()
{
	name=$1
	is_wanted "$name" || return 0
	if ! command -v "$2" >/dev/null 2>&1; then
		echo "skipped: $name: $2 is not installed (script/install torture)"
		return 0
	fi
	shift 2
	torture "$name" sh "$folder/repeat.sh" "$work" "$@"
}

torture_runtimes()
{
	torture_rounds sqlite3 sqlite3 sqlite3 :memory: ".read $folder/round.sql"
	torture_rounds python3 python3 python3 "$folder/round.py"
	torture_rounds node node node "$folder/round.js"
	if command -v javac >/dev/null 2>&1 && is_wanted java; then
		javac -d "$work" "$folder/Round.java"
		torture_rounds java java java -cp "$work" Round
	else
		torture_rounds java java java "$folder/Round.java"
	fi
}

# All names that are wanted, one in a line.
wanted_names()
{
	for name in $own_names $(printf 'hostile-%s ' $hostile_words); do
		is_own_wanted "$name" && echo "$name"
	done
	for name in $other_names; do
		is_wanted "$name" && echo "$name"
	done
}

# N: what is wanted, dealt out to N runs of this script side by side.
torture_in_streams()
{
	wanted_names >"$work/names"
	unset TORTURE_STREAMS
	for stream in $(seq "$1"); do
		awk -v n="$1" -v i="$stream" 'NR % n == i % n' "$work/names" >"$work/names.$stream"
		[ -s "$work/names.$stream" ] || continue
		TORTURE_ONLY=$(tr '\n' ' ' <"$work/names.$stream") "${SHELL:-/bin/sh}" "$0" \
			>"$work/stream.$stream" 2>&1 || touch "$work/failed.$stream" &
	done
	wait
	for stream in $(seq "$1"); do
		[ -s "$work/names.$stream" ] || continue
		echo "stream $stream: $(tr '\n' ' ' <"$work/names.$stream")"
		cat "$work/stream.$stream"
		check "stream $stream" test ! -e "$work/failed.$stream"
		n_of_stream=$(sed -n 's/^\([0-9]*\) checks, .*/\1/p' "$work/stream.$stream")
		n_inner=$((n_inner + ${n_of_stream:-0}))
	done
	echo "$n_inner checks in them"
}

if [ "${TORTURE_STREAMS:-1}" -gt 1 ]; then
	n_inner=0
	torture_in_streams "$TORTURE_STREAMS"
	finish
fi
torture_own
torture_runtimes
# shellcheck source=tests/torture/servers.sh
. "$folder/servers.sh"
torture_servers
finish
