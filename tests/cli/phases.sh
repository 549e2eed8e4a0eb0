#!/bin/sh
# Asking report, fold and flame about milestones, scopes and categories.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

grep -v '^!quality' "$TOP/tests/cli/marks.lines" | "$BUILD/tests/cli/make_profile" "$work/p" || exit 99

# Names that read like something else; a scope inside itself; two cycles of a phase.
"$BUILD/tests/cli/make_profile" "$work/odd" <<'EOT' || exit 99
@command odd
!milestone 0.5 - - start
!milestone 1.5 - - 5ms
!milestone 2.5 - - a..b
!milestone 3.5 - - c#2
!milestone 4.5 - - x
!milestone 5.5 - - y
!milestone 6.5 - - x
!milestone 7.5 - - y
app/1 app/1 main;one 1
app/1 app/1 main;two 1 walk
app/1 app/1 main;three 1 walk/walk
app/1 app/1 main;four 1 walk/walk/a;b
app/1 app/1 main;five 1 walk/other
app/1 app/1 main;six 1
app/1 app/1 main;seven 1 other
app/1 app/1 main;eight 1
!call 1 5 app/1 app/1 walk inside=4
!call 2 3 app/1 app/1 walk/walk inside=1
EOT

show()
{
	echo "### $*"
	"$TSPROF" "$@" 2>&1
}

(
	cd "$work" || exit 1
	for choice in "--from loaded" "--to ready" "--from ready --to deploy" "--from ready#1 --to end" \
		"--phase loaded..ready" "--phase deploy#1..end --to 20s" "--phase ..loaded" \
		"--phase 5ms..ready" "--phase ready..deploy --from 10ms" "--in-scope parse" \
		"--in-scope w*e --thread worker" "--in-scope hash" "--category cpu" "--category io --in-scope handle" \
		"--by phase" "--by scope" "--by category" "--by scope --phase ready.. --threads"; do
		# shellcheck disable=SC2086
		show fold -i p $choice
	done
	for options in "--phase loaded..ready" "--in-scope write --breakdown" "--by phase --top 2" \
		"--by scope --callers hash" "--by category --modules --csv" \
		"--from loaded --processes --threads" "--in-scope hash --top 1" \
		"--phase loaded..ready --category cpu --json --top 1" "--in-scope handle --json --top 1"; do
		# shellcheck disable=SC2086
		show report -i p $options
	done | sed '/^  "quality": {/,/^  },/d'
	show fold -i odd --from start
	show fold -i odd --from milestone:5ms --to a..b
	show fold -i odd --phase a..b..c#2
	show fold -i odd --phase x..y
	show fold -i odd --phase x#2..y
	show fold -i odd --from x --to x
	show fold -i odd --by scope
	show report -i odd --in-scope walk --top 1
	show fold -i odd --in-scope 'a;b'
) >"$work/answers"
check "all answers are as they were" diff -u "$TOP/tests/cli/phases.golden" "$work/answers"

# What is split, and what a choice and its opposite have, adds up to the whole.
sum()
{
	"$TSPROF" fold -i "$work/p" "$@" | awk '{ n += $NF } END { print n + 0 }'
}
whole=$(sum)
for by in phase scope category; do
	check "--by $by loses nothing" test "$(sum --by "$by")" -eq "$whole"
	run "$TSPROF" flame -i "$work/p" --by "$by" -o "$work/by.svg"
	check "flame --by $by draws" is_status 0
	check "flame --by $by has its own colour" grep -q '<rect class="s' "$work/by.svg"
done
check "before and after add up" \
	test "$(($(sum --to ready) + $(sum --from ready)))" -eq "$whole"
run "$TSPROF" flame -i "$work/p" --phase loaded..ready -o "$work/phase.svg"
check "flame tells what it shows" \
	grep -q '>server --port 80; phase loaded..ready: 22 samples, 22.0 ms of CPU time in 16.0 ms<' \
	"$work/phase.svg"

refuse()
{
	expected=$1
	shift
	for command in report fold flame; do
		run "$TSPROF" "$command" -i "$input" "$@"
		check "$command $*" is_refusal 1 "$expected"
	done
}
input=$work/p
refuse "no milestone is called 'laoded' (did you mean loaded?); there are loaded, ready, deploy" \
	--from laoded
refuse "--phase: no milestone is called 'b'" --phase loaded..b
refuse "is not a phase: expected A..B" --phase loaded
refuse "'loaded' occurs 2 times" --to loaded#3
refuse "starts at 0.008 s (ready) and ends at 0.002 s (loaded#1)" --from ready --to loaded#1
refuse "no phase 'ready#2..deploy'" --phase ready#2..deploy
refuse "in the time that --from and --to leave" --phase loaded..ready --from deploy --to 39ms
refuse "no scope is called 'prase' (did you mean parse?); there are" --in-scope prase
refuse "(did you mean cpu?); there are cpu, io, request" --category cpux
refuse "no scope 'compress' has the category" --in-scope compress --category cpu
refuse "no sample was taken there: phase loaded#2.., in 20.0 ms" --phase loaded#2..
refuse "no sample was taken there: from 1.00 s, in 0 ns" --from 1
input=$work/plain
"$BUILD/tests/cli/make_profile" "$input" <<'EOT' || exit 99
app/1 app/1 main 5
EOT
refuse "the profile has no milestones" --from loaded
refuse "the profile has no milestones" --by phase
refuse "the profile has no scopes" --in-scope parse
refuse "the profile has no scopes" --by scope
refuse "the profile has no scopes" --by category
input=$work/folded
echo "a;b 3" >"$input"
refuse "no times" --from loaded
refuse "no times" --phase a..b
refuse "no times" --by phase
refuse "no scopes" --in-scope a

# Each run of a merged profile is cut by its own milestones, whoever set them.
for run in 2 5; do
	"$BUILD/tests/cli/make_profile" "$work/run$run" <<EOT || exit 99
!milestone 0.5 - - begin
!milestone $run.5 - - end-of-run-$run
!milestone $run.5 - - half
app/1 app/1 main;a 1
app/1 app/1 main;b 1
app/1 app/1 main;c 1
app/1 app/1 main;d 1
app/1 app/1 main;e 1
app/1 app/1 main;f 1
EOT
done
run "$TSPROF" merge -o "$work/merged" "$work/run2" "$work/run5"
check "runs with milestones merge" is_status 0
"$TSPROF" fold -i "$work/merged" --phase begin..half >"$work/halves"
check "each run has its own phase" \
	test "$(tr '\n' ' ' <"$work/halves")" = "app;main;a 2 app;main;b 2 app;main;c 1 app;main;d 1 app;main;e 1 "
"$TSPROF" fold -i "$work/merged" --from end-of-run-5 >"$work/rest"
check "a run without the milestone has no part in it" \
	test "$(cat "$work/rest")" = "app;main;f 1"
run "$TSPROF" fold -i "$work/merged" --from end-of-run-5 --to end-of-run-2
check "no run has both" is_refusal 1 "no run has both"

check "the head fits 40 columns" fits_40_columns report -i "$work/p" --by phase --phase loaded..ready --in-scope handle
check "JSON is well-formed" \
	is_json report -i "$work/p" --by phase --in-scope handle --from loaded --json --top 0

finish
