#!/bin/sh
# report --memory: tables of known readings, what is a leak and what is none, and
# what is refused.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# A process for each way to use memory, read every 100 ms for 4 s, sizes in KiB.
awk 'BEGIN {
	print "@duration 4000"
	names[1] = "leak"; names[2] = "warm"; names[3] = "saw"; names[4] = "late"
	names[5] = "still"; names[6] = "short"
	for (p = 1; p <= 6; p++)
		printf "%s/%d %s/%d main;work 1\n", names[p], 10 * p, names[p], 10 * p
	print "!milestone 1000 leak/10 leak/10 loaded"
	print "!milestone 3000 leak/10 leak/10 ready"
	for (i = 0; i <= 40; i++) {
		kib[1] = 5000 + 100 * i
		kib[2] = 3000 + (i < 25 ? 200 * i : 5000)
		kib[3] = 2000 + 300 * (i % 10)
		kib[4] = i < 30 ? 1000 : 1000 + 500 * (i - 30)
		kib[5] = 800
		kib[6] = 600 + 40 * i
		for (p = 1; p <= 6; p++)
			if (p < 6 || i < 8)
				printf "!resource %d %d rss=%d anonymous=%d minor=%d voluntary=%d\n",
					100 * i, 10 * p, kib[p] + 500, kib[p], 10 * i + p, i
	}
	print "!resource 4000 10 rss=9500 anonymous=9000 pss=9100 heap=8000 minor=500 voluntary=50"
}' >"$work/lines"
"$BUILD/tests/cli/make_profile" "$work/p" <"$work/lines" || exit 99
"$BUILD/tests/cli/make_profile" "$work/marks" <"$TOP/tests/cli/marks.lines" || exit 99
echo 'a/1 a/1 main 1' | "$BUILD/tests/cli/make_profile" "$work/none" || exit 99
run "$TSPROF" merge "$work/p" "$work/marks" -o "$work/merged"

(
	cd "$work" || exit 1
	for command in "-i p" "-i p --top 2" "-i p --process saw" "-i p --from loaded --to ready" \
		"-i p --phase ..loaded --process leak" "-i p --csv" "-i p --json --top 1" \
		"-i marks" "-i merged --top 3"; do
		echo "### $command"
		# shellcheck disable=SC2086
		"$TSPROF" report --memory $command 2>&1
	done | sed '/^  "quality": {/,/^  },/d'
	echo "### LC_ALL=C"
	LC_ALL=C "$TSPROF" report --memory -i p --process leak
) >"$work/tables"
check "the tables are as they were" diff -u "$TOP/tests/cli/memory.golden" "$work/tables"

# PROCESS yes|no
has_hint()
{
	"$TSPROF" report --memory -i "$work/p" --csv |
		awk -F, -v process="$1/" -v wanted="$2" '
			NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
			index($1, process) == 1 { is_right = $at["leak_suspected"] == wanted }
			END { exit !is_right }'
}
check "steady growth is a leak" has_hint leak yes
for process in warm saw late still short; do
	check "$process is none" has_hint "$process" no
done
"$TSPROF" report --memory -i "$work/p" --csv | awk -F, '
	NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$1 == "leak/10" { print $at["growth_bytes_per_s"] }' >"$work/rate"
check "the rate is that of the readings" holds "$(cat "$work/rate") == 1024000"

run "$TSPROF" report -i "$work/p" --memory --modules --json
check "JSON takes it beside other tables" is_status 0
check "both are there" holds "$(grep -c '"memory": \[\|"modules": \[' "$work/out") == 2"
run "$TSPROF" report -i "$work/none" --memory
check "a profile without readings says how to get them" is_refusal 1 "record --resources"
for option in "--thread leak" "--in-scope parse" "--category io"; do
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/p" --memory $option
	check "not with $option" is_refusal 2 "leave ${option%% *} out"
done
run "$TSPROF" record --resources 10 -a -o "$work/x" --duration 1s
check "not for the whole system" is_refusal 2 "--resources"
run "$TSPROF" record --resources 1001 -o "$work/x" -- true
check "not too often" is_refusal 2 "at most 1000"
finish
