#!/bin/sh
# tsprof merge: sums, names, what is refused, and that nothing valid is lost.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# FILE: make_profile's lines are on standard input.
make_profile()
{
	"$BUILD/tests/cli/make_profile" "$1" || exit 99
}

make_profile "$work/a" <<'EOT'
@command xz a
@host red
app/10 app/10 main;work 3
app/10 pool/11 start;work 2
EOT
make_profile "$work/b" <<'EOT'
@command xz b
@host blue
app/10 app/10 main;work 4
app/10 app/10 main;rest 5
EOT
make_profile "$work/c" <<'EOT'
@command xz a
@event cycles
@period 5000
sh/7 sh/7 main 1
EOT
make_profile "$work/arm" <<'EOT'
@arch 2
app/1 app/1 main 1
EOT
make_profile "$work/wall" <<'EOT'
@event wall
app/1 app/1 main 1
EOT

run "$TSPROF" merge "$work/a" "$work/b" -o "$work/ab"
check "two profiles are merged" is_status 0
check "it says what it did" grep -q '4 samples of 2 runs in ' "$work/err"
"$TSPROF" fold -i "$work/ab" >"$work/out"
printf 'app;main;rest 5\napp;main;work 7\napp;start;work 2\n' >"$work/expected"
check "counts are sums" diff "$work/expected" "$work/out"
"$TSPROF" fold -i "$work/ab" --by process >"$work/out"
check "processes stay apart by run" \
	holds "$(grep -c '^app/10 \[1\];' "$work/out") == 2 && $(grep -c '^app/10 \[2\];' "$work/out") == 2"
run "$TSPROF" report -i "$work/ab"
check "the report says how many runs" grep -q '^4 samples of 2 runs' "$work/out"
check "the report lists the runs" grep -q '^Run \[2\]: xz b on blue' "$work/out"
run "$TSPROF" report -i "$work/ab" --json
check "JSON has the runs" grep -q '"command": "xz b"' "$work/out"

make_profile "$work/marks" <"$TOP/tests/cli/marks.lines"
run "$TSPROF" merge "$work/marks" "$work/a" "$work/marks" -o "$work/marks2"
check "profiles with marks are merged with others" is_status 0
"$TSPROF" fold -i "$work/marks" | sed -E 's/ [0-9]+$//' | sort >"$work/expected"
"$TSPROF" fold -i "$work/marks2" | sed -E 's/ [0-9]+$//' | grep -v '^app;' | sort >"$work/out"
check "and hold what both do" diff "$work/expected" "$work/out"

run "$TSPROF" merge "$work/ab" "$work/c" -o "$work/ab_c"
check "other settings are merged" is_status 0
check "and told: the event" grep -q "differ in their event, '' and 'cycles'" "$work/err"
check "and told: the rate" grep -q 'differ in their sampling rate' "$work/err"
run "$TSPROF" merge -o "$work/bc" "$work/b" "$work/c"
run "$TSPROF" merge -o "$work/a_bc" "$work/a" "$work/bc"
"$TSPROF" fold -i "$work/ab_c" --threads >"$work/left"
"$TSPROF" fold -i "$work/a_bc" --threads >"$work/right"
check "(A+B)+C is A+(B+C)" diff "$work/left" "$work/right"
run "$TSPROF" merge "$work/a" "$work/a" -o "$work/aa"
"$TSPROF" fold -i "$work/a" | awk '{ $NF *= 2; print }' >"$work/doubled"
"$TSPROF" fold -i "$work/aa" >"$work/out"
check "a profile with itself counts double" diff "$work/doubled" "$work/out"
run "$TSPROF" merge "$work/aa" "$work/a" -o "$work/aa"
check "an input may be the output" is_status 0
"$TSPROF" fold -i "$work/a" | awk '{ $NF *= 3; print }' >"$work/tripled"
"$TSPROF" fold -i "$work/aa" >"$work/out"
check "and is taken in first" diff "$work/tripled" "$work/out"

size=$(wc -c <"$work/b")
head -c $((size - 30)) "$work/b" >"$work/cut"
run "$TSPROF" merge "$work/a" "$work/cut" -o "$work/with_cut"
check "a cut profile is merged" is_status 0
check "it is told" grep -q "$work/cut: was cut" "$work/err"
run "$TSPROF" report -i "$work/with_cut"
check "the mark stays" grep -q 'a file of one run was cut' "$work/out"
check "and says which" grep -q '^Run \[2\].*, was cut$' "$work/out"

cp "$work/ab" "$work/before"
for bad in arm wall none folded dir; do
	case $bad in
	arm) reason="was recorded on aarch64, what is before it on x86-64" ;;
	wall) reason="is of wall time, what is before it of CPU time" ;;
	none) reason="$work/none" ;;
	folded)
		reason="has counts only"
		echo "a;b 1" >"$work/folded"
		;;
	dir)
		reason="$work/dir"
		mkdir "$work/dir"
		;;
	esac
	run "$TSPROF" merge "$work/a" "$work/$bad" -o "$work/ab"
	check "merging with $bad is refused" is_refusal 1 "$reason"
	check "and leaves what was there" cmp "$work/before" "$work/ab"
done
run "$TSPROF" merge "$work/a" "$work/b" -o "$work/no/such/folder"
check "a folder that is not there is refused" is_refusal 1 "$work/no/such/folder"
if [ -w /dev/full ]; then
	run "$TSPROF" merge "$work/a" "$work/b" -o /dev/full
	check "a full disk is told" is_status 1
fi
run "$TSPROF" merge "$work/a"
check "an output is needed" is_refusal 2 "-o FILE"
run "$TSPROF" merge -o "$work/x"
check "an input is needed" is_refusal 2 "name the profiles to merge"
check "the result is for its owner only" \
	test "$(stat -c %a "$work/ab")" = 600

finish
