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

# NAME TRUTH MEASURED PARTS: the tick at each end of a part may belong to its neighbour.
agrees()
{
	check "$1: $3 s of $2 s" \
		holds "$3 > 0.97 * $2 - $tick * $4 && $3 < 1.03 * $2 + $tick * $4"
}

for engine in perf sigprof; do
	# sigprof may have nothing finer than the kernel's own tick.
	tick=0.001
	[ "$engine" = perf ] || tick=0.004
	run "$TSPROF" record --engine "$engine" -o "$work/p.tsprof" -- "$program" "$rounds"
	if [ "$status" -ne 0 ] && [ "$engine" = perf ]; then
		echo "no perf engine here: $(head -1 "$work/err")"
		continue
	fi
	check "$engine: recorded" is_status 0
	cp "$work/out" "$work/truth"
	agrees "$engine: --phase work..rest" "$(truth work 2)" \
		"$(seconds --phase work..rest --thread phases)" "$rounds"
	agrees "$engine: --in-scope inner" "$(truth inner 2)" "$(seconds --in-scope inner)" "$rounds"
	agrees "$engine: --in-scope outer" "$(truth outer 2)" "$(seconds --in-scope outer)" "$rounds"
	agrees "$engine: --category numbers" "$(truth inner 2)" "$(seconds --category numbers)" "$rounds"
	check "$engine: scopes are frames in order" sh -c \
		"'$TSPROF' fold -i '$work/p.tsprof' --by scope | grep -q '^scope:outer;scope:inner;phases;'"
	"$TSPROF" report -i "$work/p.tsprof" --by phase >"$work/phases"
	check "$engine: phases are in order of time" test \
		"$(grep -o '[a-z]* → [a-z]*$' "$work/phases" | grep -v '^start' | tr '\n' ,)" = \
		"work → rest,rest → work,rest → over,over → end,"
done

run "$TSPROF" record -q --off-cpu -o "$work/p.tsprof" -- "$program" "$rounds"
tick=0.001
[ "$status" -eq 0 ] || skip_test "cannot record switches here: $(head -1 "$work/err")"
cp "$work/out" "$work/truth"
# It waits all the time: in a phase as long as the phase is.
agrees "the sleeper's wait in work..rest" "$(truth work 3)" \
	"$(seconds --phase work..rest --state waiting --thread sleeper)" "$rounds"
for phase in "work → rest" "rest → work"; do
	"$TSPROF" fold -i "$work/p.tsprof" --time --by phase --state waiting --thread sleeper |
		awk -v phase="$phase;" 'index($0, phase) == 1 { n += $NF } END { printf "%.6f\n", n / 1e6 }' \
			>"$work/by"
	from=${phase% → *}
	agrees "--by phase has the same: $phase" \
		"$(seconds --phase "$from..${phase#* → }" --state waiting --thread sleeper)" \
		"$(cat "$work/by")" 0
done
all=$(seconds --state all)
parts=$("$TSPROF" fold -i "$work/p.tsprof" --time --by phase --state all |
	awk '{ n += $NF } END { printf "%.6f\n", n / 1e6 }')
check "--by phase loses nothing: $parts s of $all s" \
	holds "$parts > $all - 0.001 && $parts < $all + 0.001"

finish
