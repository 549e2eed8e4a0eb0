#!/bin/sh
# As an ordinary user, with as little locked memory as there may be: rings and
# stack dumps shrink, or the other engine takes over; nothing fails.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ "$(id -u)" -eq 0 ] || skip_test "needs root, to become another user"
setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null ||
	skip_test "needs setpriv"
workloads=$BUILD/tests/workloads
setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$TSPROF" -a -x "$workloads/split" ||
	skip_test "an ordinary user cannot reach $BUILD"
chmod 755 "$work"
mkdir -m 777 "$work/open"
cd "$work/open" || exit 99

# KIB COMMAND…: as nobody, who may lock KIB of memory.
as_nobody()
{
	(
		# shellcheck disable=SC3045 # dash and bash both have it
		ulimit -l "$1" || exit 99
		shift
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	)
}

# FUNCTION FILE: its part of all ticks.
share()
{
	"$TSPROF" fold -i "$2" | awk -v name="$1" \
		'{ n += $NF } $0 ~ name { m += $NF } END { print n ? m / n : 0 }'
}

for kib in 8192 64 0; do
	run as_nobody "$kib" "$TSPROF" record -o "p$kib" -- "$workloads/split" 1
	check "ulimit -l $kib: status 0" is_status 0
	# Small rings hold some 30 ms; a busy machine can keep tsprof away for longer.
	"$TSPROF" report --json -i "p$kib" >json
	check "ulimit -l $kib: hardly any lost" \
		holds "$(json_number json lost) <= 0.1 * $(json_number json samples)"
	check "ulimit -l $kib: whole stacks" grep -q ' 100.0 % complete stacks' "$work/err"
	# Five standard errors of a half at 200 samples, which even sigprof at 250 Hz takes.
	check "ulimit -l $kib: burn_half has its half" \
		holds "($(share burn_half "p$kib") - 0.5) ^ 2 < 0.17 ^ 2"
done

# COMMAND…: as nobody with what takes programs in the kernel, but not to lock more memory.
with_programs()
{
	(
		# shellcheck disable=SC3045
		ulimit -l 0 || exit 99
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \
			--inh-caps=+bpf,+perfmon --ambient-caps=+bpf,+perfmon "$@"
	)
}

# COMMAND…: so run, tsprof copies stacks by a program of its own.
has_stack_program()
{
	"$@" "$TSPROF" doctor --json 2>/dev/null | grep -q "as much as is in use (BPF)"
}

if has_stack_program env && with_programs true 2>/dev/null; then
	check "CAP_BPF and CAP_PERFMON: smaller rings, but the program" \
		has_stack_program with_programs
	run with_programs "$TSPROF" record -o programs -- "$workloads/deep" 400 0.5
	check "CAP_BPF and CAP_PERFMON: status 0" is_status 0
	check "CAP_BPF and CAP_PERFMON: whole stacks" grep -q ' 100.0 % complete stacks' "$work/err"
else
	echo "not here: a program for stacks"
fi

# What the first has taken of perf_event_mlock_kb, the second does not get.
as_nobody 0 "$TSPROF" record -q -o first -- "$workloads/split" 1.5 >/dev/null &
first=$!
run as_nobody 0 "$TSPROF" record -q -o second -- "$workloads/split" 0.5
check "two at once: the second" is_status 0
check "two at once: the second has its half" \
	holds "($(share burn_half second) - 0.5) ^ 2 < 0.2 ^ 2"
status=0
wait "$first" || status=$?
check "two at once: the first" is_status 0
finish
