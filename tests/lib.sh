# What the shell tests share.  A test sources this file, calls check for each
# thing that it promises, and ends with finish.  `make check` sets TOP (the
# sources), BUILD (the build tree), TSPROF (the program) and CC.
# shellcheck shell=sh

TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$TOP}
TSPROF=${TSPROF:-$BUILD/tsprof}
LC_ALL=C.UTF-8
export LC_ALL
unset COLUMNS DEBUGINFOD_URLS

n_checks=0
n_failed=0
work=$(mktemp -d) || exit 99
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT

# NAME COMMAND…: the command succeeds.
check()
{
	check_name=$1
	shift
	n_checks=$((n_checks + 1))
	if "$@"; then
		echo "ok: $check_name"
	else
		echo "FAILED: $check_name"
		n_failed=$((n_failed + 1))
	fi
}

skip_test()
{
	echo "skipped: $*"
	exit 77
}

# Whole runs take minutes: distcheck, which is about the archive, leaves them out.
case ${TSPROF_TESTS:-all}:$0 in
brief:*/e2e/* | brief:*/torture/*) skip_test "TSPROF_TESTS is brief" ;;
esac

finish()
{
	echo "$n_checks checks, $n_failed failed"
	[ "$n_failed" -eq 0 ]
	exit
}

# COMMAND…: its output is in $work/out and $work/err, its exit status in $status.
run()
{
	status=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

# STATUS TEXT: what the last run left, exactly one line with TEXT on standard error.
is_refusal()
{
	if [ "$status" -eq "$1" ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
		grep -qF -- "$2" "$work/err"; then
		return 0
	fi
	echo "expected exit status $1 and one line with '$2'; got $status and:"
	head -5 "$work/err"
	return 1
}

# STATUS: the last run's exit status.
is_status()
{
	[ "$status" -eq "$1" ] && return 0
	echo "expected exit status $1; got $status and:"
	head -5 "$work/err"
	return 1
}

# Does the kernel let us sample?  Tests that record are skipped where it does not.
require_record()
{
	"$TSPROF" help record >/dev/null 2>&1 || skip_test "no tsprof record"
	"$TSPROF" record -o "$work/probe.tsprof" -- true >"$work/probe.log" 2>&1 ||
		skip_test "cannot record here: $(head -1 "$work/probe.log")"
	rm -f "$work/probe.tsprof"
}

# VIEW…: what tsprof prints on a terminal of 40 columns has no longer line.
fits_40_columns()
{
	run env COLUMNS=40 "$TSPROF" "$@"
	holds "$status == 0 && $(wc -L <"$work/out") <= 40"
}

# VIEW…: JSON, as far as there is python3 to tell.
is_json()
{
	run "$TSPROF" "$@"
	if command -v python3 >/dev/null; then
		python3 -m json.tool "$work/out" "$work/json"
	else
		is_status 0
	fi
}

# FILE KEY: the number behind "KEY": in a JSON file, first occurrence.
json_number()
{
	grep -oE "\"$2\": *-?[0-9.eE+-]+" "$1" | head -1 | sed 's/.*: *//'
}

# What interrupts and a hypervisor took of all CPUs so far, where the kernel knows.
stolen_ns()
{
	awk -v hz="$(getconf CLK_TCK)" '/^cpu / { printf "%.0f\n", ($7 + $8 + $9) * 1e9 / hz }' /proc/stat
}

# COMMAND…: until it succeeds, for at most 20 s.
await()
{
	for _ in $(seq 200); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# Probes of recorders that are gone; others may run beside this test.
left_in_kernel()
{
	sed -n 's/^[pr]:\(tsprof_\([0-9]*\)_[^ ]*\).*/\2 \1/p' \
		/sys/kernel/tracing/uprobe_events 2>/dev/null |
		while read -r pid probe; do
			kill -0 "$pid" 2>/dev/null || echo "$probe"
		done | sort
}

# Is what was left so a moment ago gone?
is_kernel_clean()
{
	left_in_kernel >"$work/left"
	sleep 0.5
	left_in_kernel | comm -12 "$work/left" - >"$work/left_for_long"
	cmp /dev/null "$work/left_for_long"
}

# awk as a calculator: is EXPRESSION true?
holds()
{
	awk "BEGIN { exit !($1) }" && return 0
	echo "does not hold: $1"
	return 1
}

# /usr as often as makes find busy for a while: small installations have few files.
paths_to_find()
{
	n_files=$(find /usr -xdev 2>/dev/null | wc -l)
	n_seen=0
	while [ "$n_seen" -lt 200000 ]; do
		echo /usr
		n_seen=$((n_seen + n_files + 1000))
	done
}

# ENGINE ARG…: tsprof record with it.  "perf" and "sigprof" are as --engine has
# them; "sigprof-tick" is sigprof where perf_event_open is refused, so that
# it has nothing but the kernel's CPU timers; "sigprof-wall" measures waiting too.
record_with()
{
	engine=$1
	shift
	case $engine in
	sigprof-tick)
		"$BUILD/tests/workloads/without_perf" "$TSPROF" record --engine sigprof "$@"
		;;
	sigprof-wall)
		"$TSPROF" record --engine sigprof --event wall "$@"
		;;
	perf)
		if "$TSPROF" record -h 2>/dev/null | grep -q -- --engine; then
			"$TSPROF" record --engine perf "$@"
		else
			"$TSPROF" record "$@"
		fi
		;;
	*)
		"$TSPROF" record --engine "$engine" "$@"
		;;
	esac
}

# Sets $engines to those that can record here; tells why the others cannot.
find_engines()
{
	engines=
	for candidate in ${1:-perf sigprof sigprof-tick}; do
		if record_with "$candidate" -q -o "$work/probe.tsprof" -- true \
			>"$work/probe.log" 2>&1; then
			engines="$engines $candidate"
		else
			echo "not here: engine $candidate: $(head -1 "$work/probe.log")"
		fi
		rm -f "$work/probe.tsprof"
	done
	[ -n "$engines" ] || skip_test "no engine can record here"
}
