#!/bin/sh
# Hits of probes are written down by programs in the kernel, or where these are not permitted
# by perf; either way all of them are told that happened in the processes that are
# watched, in no other and at no other time, and what found no room is counted.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

require_record
probed=$BUILD/tests/workloads/probed
program=$TSPROF
without_bpf=$BUILD/tests/workloads/without_bpf
"$TSPROF" record -q -o "$work/p.tsprof" --mark-function main -- "$probed" threads 1 \
	>"$work/out" 2>&1 || skip_test "no probes here: $(head -1 "$work/out")"

many='char *many(int a, char b, unsigned char c, short d, long e, char *f, char *g, int h,
	char *bad, unsigned short i)'

# SCOPE: its calls.
calls()
{
	"$program" report -i "$work/p.tsprof" --scopes --csv 2>"$work/err" |
		awk -F, -v scope="$1" '$1 == scope { n = $2 } END { print n + 0 }'
}

n_rounds_are()
{
	[ "$(grep -c round "$work/out.target")" = "$1" ]
}

# The shell that becomes it opens the gate before.
is_the_program()
{
	[ "$(readlink "/proc/$target/exe")" = "$(readlink -f "$probed")" ]
}

# N: a program that waits for lines, each of which is 4 * N calls of middle; and a recorder of it.
start_both()
{
	rm -f "$work/gate"
	mkfifo "$work/gate"
	"$probed" rounds "$1" <"$work/gate" >"$work/out.target" &
	target=$!
	exec 3>"$work/gate"
	await is_the_program
	rm -f "$work/ready"
	$way record -o "$work/p.tsprof" -p "$target" --ready-fd 4 --trace-function middle \
		--trace-function forking --trace-function inner 2>"$work/told" 3>&- \
		4>"$work/ready" &
	recorder=$!
	await test -s "$work/ready"
}

end_both()
{
	exec 3>&-
	wait "$target"
	status=0
	wait "$recorder" || status=$?
}

for name in programs records; do
	way=$program
	[ $name = programs ] || way="$without_bpf $program"
	$way record -o "$work/p.tsprof" --mark-function main -- "$probed" threads 1 \
		2>"$work/told" || echo "not here: $name"
	if [ $name = programs ] && grep -q "bpf:\|container" "$work/told"; then
		echo "not here: programs: $(grep "bpf:\|container" "$work/told")"
		continue
	fi
	[ $name = programs ] || check "$name: told, with the cause" \
		grep -q "write hits down fast (bpf: Operation not permitted" "$work/told"

	start_both 50
	kill -USR2 "$recorder"
	sleep 0.5
	echo >&3
	await n_rounds_are 1
	kill -USR2 "$recorder"
	sleep 0.5
	"$probed" threads 50 3>&-
	echo >&3
	await n_rounds_are 2
	end_both
	check "$name: a process that runs already" is_status 0
	check "$name: threads and children that it starts" holds "$(calls middle) == 200"
	check "$name: inside the child" holds "$(calls inner) == 203"
	check "$name: one fork" holds "$(calls forking) == 1"

	# Three hundred thousand hits while nobody reads.
	start_both 20000
	kill -STOP "$recorder"
	echo >&3
	await n_rounds_are 1
	kill -CONT "$recorder"
	echo >&3
	await n_rounds_are 2
	end_both
	check "$name: a full ring is no end" is_status 0
	check "$name: and what all hits have cost" grep -q 'hit .* times, which took some' "$work/told"
	check "$name: what found no room is counted" grep -q 'hits of probes were lost' "$work/told"
	check "$name: the others are told" holds "$(calls middle) > 5000 && $(calls middle) < 160000"
	cat "$work/told"

	$way record -q -o "$work/p.tsprof" --mark-function "$many" --mark-function 'char *many%return' \
		-- "$probed" many 2>"$work/err" || cat "$work/err"
	"$program" report -i "$work/p.tsprof" --milestones --json | grep -o '"a=.*\|"→.*' \
		>"$work/many.$name"
	check "$name: arguments and results of all kinds" holds "$(grep -c \
		"a=-1 b='b' c=255 d=-4 e=-5000000000 f=.\"six.\" g=.\"x.*h=-8 bad=0x40 (not readable) i=65535" \
		"$work/many.$name") == 15 && $(grep -c '^"→ .*"x' "$work/many.$name") == 16"
done

[ ! -s "$work/many.programs" ] || check "both tell the same of them" \
	diff "$work/many.programs" "$work/many.records"
check "nothing is left in the kernel" is_kernel_clean
finish
