#!/bin/sh
# tsprof report --breakdown --per SCOPE, and components that are scopes.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

"$BUILD/tests/cli/make_profile" "$work/p" <"$TOP/tests/cli/marks.lines" || exit 99

# Waits, a scope that records one call in ten, and one inside itself that never ended.
"$BUILD/tests/cli/make_profile" "$work/odd" <<'EOT' || exit 99
@command odd
@duration 100
!site scope hot rate=10
!call 0 2 app/1 app/1 hot
!call 4 4 app/1 app/1 hot
!call 10 20 app/1 app/1 walk
!call 11 10 app/1 app/1 walk/walk
!call 40 60 app/1 app/1 walk open=1
app/1 app/1 main;hash 2 hot
app/1 app/1 main;hash 1 hot
app/1 app/1 main;find 6 walk
app/1 app/1 main;find 5 walk/walk
app/1 app/1 main;find 30 walk
EOT
cat >"$work/rules" <<'EOT'
Requests:
	scope: handle
	Parsing:
		scope: parse
Hashing:
	hash
Writing:
	scope: wr*
EOT

report()
{
	echo "### $*"
	"$TSPROF" report "$@" 2>&1 | sed '/^  "quality": {/,/^  },/d'
}

(
	cd "$work" || exit 1
	for options in "" "--per handle" "--per handle --csv" "--per parse" "--per w*" "--by thread" \
		"--by scope --csv"; do
		# shellcheck disable=SC2086
		report -i p --components rules $options
	done
	report -i p --per handle --thread worker
	report -i p --per handle --from 20ms
	report -i p --per handle --json
	report -i odd --per hot
	report -i odd --per walk --top 1
	LC_ALL=C report -i odd --per walk
	COLUMNS=40 report -i odd --per walk
) >"$work/tables"
check "all tables are as they were" diff -u "$TOP/tests/cli/per_call.golden" "$work/tables"

# In every table the topmost rows add up to TOTAL, and every part to what it is a part of.
for scope in handle parse write hash compress; do
	run "$TSPROF" report -i "$work/p" --per $scope --top 0 --csv
	check "there is a table per call of $scope" is_status 0
	awk -F, 'NR > 1 {
			row[$1] += $2
			if ($NF == 0 && $1 != "TOTAL")
				sum += $2
			else if ($NF > 0)
				parts[$(NF - 1)] += $2
		}
		END {
			bad = (sum - row["TOTAL"]) ^ 2 > 1
			for (name in parts)
				bad += (parts[name] - row[name]) ^ 2 > 1
			exit bad || row["TOTAL"] <= 0
		}' "$work/out"
	check "… whose rows add up" test $? -eq 0
done

run "$TSPROF" report -i "$work/p" --per handel
check "an unknown scope gets the nearest" is_refusal 1 "no scope is called 'handel' (did you mean handle?)"
run "$TSPROF" report -i "$work/p" --per ''
check "an empty name is refused" is_refusal 1 "no scope is called ''"
printf 'main;f 3\n' >"$work/folded"
run "$TSPROF" report -i "$work/folded" --per f
check "folded text has no scopes" is_refusal 1 "the profile has no scopes"
for option in "--by thread" "--state all" "--in-scope parse" "--category cpu"; do
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/p" --per handle $option
	check "--per and $option exclude each other" is_refusal 2 "leave ${option%% *} out"
done
run "$TSPROF" report -i "$work/p" --per handle --modules
check "--per is a table of its own" is_refusal 2 "leave other tables out"
run "$TSPROF" report -i "$work/p" --per handle --to 5ms
check "a window without a call is refused" is_refusal 1 "no call of 'handle' ended"
printf 'A:\n\tscope:\n' >"$work/bad.rules"
run "$TSPROF" report -i "$work/p" --components "$work/bad.rules"
check "a scope rule without a name is named by file and line" \
	is_refusal 1 "$work/bad.rules:2: expected a pattern after 'scope:'"

finish
