#!/bin/sh
# What is between milestones and inside scopes is what the program measured
# there, running and waiting, with each engine; a wait over many phases is cut at all of them.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record
program=$BUILD/tests/workloads/phases
rounds=5

# NAME FIELD: what the program said.
truth()
{
	awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$work/truth"
}

# ARG…: seconds in what is shown.
seconds()
{
	"$TSPROF" fold -i "$work/p.tsprof" --time "$@" | awk '{ n += $NF } END { printf "%.6f\n", n / 1e6 }'
}

# MEASURED TRUTH PARTS: the tick at each end of a part may belong to its neighbour.
is_near()
{
	echo "$1 s of $2 s"
	awk "BEGIN { exit !($1 > 0.97 * $2 - $tick * $3 && $1 < 1.03 * $2 + $tick * $3) }"
}

running_agrees()
{
	is_near "$(seconds --phase work..rest --thread phases)" "$(truth work 2)" "$rounds" &&
		is_near "$(seconds --in-scope inner)" "$(truth inner 2)" "$rounds" &&
		is_near "$(seconds --in-scope outer)" "$(truth outer 2)" "$rounds" &&
		is_near "$(seconds --category numbers)" "$(truth inner 2)" "$rounds"
}

# It waits all the time: in a phase as long as the phase is.
waiting_agrees()
{
	is_near "$(seconds --phase work..rest --state waiting --thread sleeper)" \
		"$(truth work 3)" "$rounds"
}

# FIGURES OPTION…: record until they agree, three times at most: a hypervisor that takes
# the CPU away makes the thread's clock and the sampler's differ.
record_agrees()
{
	figures=$1
	shift
	for _ in 1 2 3; do
		run "$TSPROF" record "$@" -o "$work/p.tsprof" -- "$program" "$rounds"
		[ "$status" -eq 0 ] || return 1
		cp "$work/out" "$work/truth"
		"$figures" && return 0
	done
	return 1
}

for engine in perf sigprof; do
	# sigprof may have nothing finer than the kernel's own tick.
	tick=0.001
	[ "$engine" = perf ] || tick=0.004
	if [ "$engine" = perf ] && ! "$TSPROF" record -q --engine perf -o "$work/probe" -- true; then
		continue
	fi
	check "$engine: CPU time in phases, scopes and categories" \
		record_agrees running_agrees --engine "$engine"
	check "$engine: scopes are frames in order" sh -c \
		"'$TSPROF' fold -i '$work/p.tsprof' --by scope | grep -q '^scope:outer;scope:inner;phases;'"
	"$TSPROF" report -i "$work/p.tsprof" --by phase >"$work/phases"
	check "$engine: phases are in order of time" test \
		"$(grep -o '[a-z]* → [a-z]*$' "$work/phases" | grep -v '^start' | tr '\n' ,)" = \
		"work → rest,rest → work,rest → over,over → end,"
done

tick=0.001
run "$TSPROF" record -q --off-cpu -o "$work/probe" -- true
[ "$status" -eq 0 ] || skip_test "cannot record switches here: $(head -1 "$work/err")"
check "waiting in phases" record_agrees waiting_agrees --off-cpu
for phase in "work → rest" "rest → work"; do
	"$TSPROF" fold -i "$work/p.tsprof" --time --by phase --state waiting --thread sleeper |
		awk -v phase="$phase;" 'index($0, phase) == 1 { n += $NF } END { printf "%.6f\n", n / 1e6 }' \
			>"$work/by"
	from=${phase% → *}
	whole=$(seconds --phase "$from..${phase#* → }" --state waiting --thread sleeper)
	check "--by phase has the same: $phase: $(cat "$work/by") s of $whole s" \
		holds "$(cat "$work/by") > $whole - 0.001 && $(cat "$work/by") < $whole + 0.001"
done
all=$(seconds --state all)
parts=$("$TSPROF" fold -i "$work/p.tsprof" --time --by phase --state all |
	awk '{ n += $NF } END { printf "%.6f\n", n / 1e6 }')
check "--by phase loses nothing: $parts s of $all s" \
	holds "$parts > $all - 0.001 && $parts < $all + 0.001"

finish
