#!/bin/sh
# report --milestones, --scopes, --timeline, --counters and --snapshots.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

make_profile()
{
	"$BUILD/tests/cli/make_profile" "$1" || exit 99
}

make_profile "$work/p" <<'EOT'
@command server --port 80
@duration 60
!site scope handle category=request file=server.c line=10
!site scope hash file=hash.c line=7 rate=3
!milestone 2 server/10 server/10 loaded rows=3 file=a b.csv
!milestone 8 server/10 server/10 ready
!milestone 30 - - deploy version=7
!milestone 40 server/10 worker/11 loaded rows=9
!milestone 50 server/10 worker/11 ready
server/10 server/10 main;load 1
server/10 server/10 main;load;read 4
server/10 server/10 main;loop;handle 3 handle
server/10 worker/11 start;handle;parse 6 handle/parse
server/10 worker/11 start;handle;parse;hash 2 handle/parse/hash
helper/20 helper/20 main;compress 8 compress
!call 9 12 server/10 server/10 handle inside=8 args=id=1+path=/a
!call 10 6 server/10 server/10 handle/parse args=bytes=100
!call 17 2 server/10 server/10 handle/write
!call 10 20 server/10 worker/11 handle inside=16 args=id=2+path=/b error=no+such+file
!call 11 9 server/10 worker/11 handle/parse inside=2
!call 12 2 server/10 worker/11 handle/parse/hash
!call 21 7 server/10 worker/11 handle/write error=disk+full
!call 35 5 server/10 server/10 handle inside=2.5 cpu=0.75 allocated=4096 faults=2
!call 35.25 2.5 server/10 server/10 handle/handle cut= cpu=0.25 allocated=0 faults=0
!call 12 11 helper/20 helper/20 compress
!call 52 8 server/10 worker/11 handle open= args=id=4
!counter 5 server/10 server/10 queue 0
!counter 10 server/10 server/10 queue 2.5
!counter 20 server/10 worker/11 queue 7
!counter 25 helper/20 helper/20 ratio 0.31
!counter 45 server/10 worker/11 queue 1
!text 9 server/10 server/10 config port=80 threads=2
!snapshot 21 server/10 worker/11 header GIF89a
!text 41 server/10 worker/11 config port=80 threads=4
!resource 0 10 rss=1000 heap=200 anonymous=400
!resource 20 10 rss=4000 heap=2900 anonymous=3400
!resource 20 20 rss=800 anonymous=400
EOT

(
	cd "$work" || exit 1
	for options in --milestones "--milestones --from ready --to deploy" \
		"--milestones --thread worker" "--milestones --max 3 --top 2" "--milestones --csv" \
		"--milestones --max 1 --json" --scopes "--scopes --tree" "--scopes --top 2" \
		"--hot 2" "--scopes --category request" "--scopes --phase deploy..loaded" \
		"--scopes --csv" "--tree --csv" "--slowest 3" "--slowest 2 --thread server" \
		"--errors" "--errors --csv" --timeline "--timeline --max 9" \
		"--timeline --process helper" "--timeline --csv --max 7" --counters \
		"--counters --json" --snapshots "--snapshots --csv" "--slowest 1 --modules"; do
		echo "### $options"
		# shellcheck disable=SC2086
		"$TSPROF" report -i p $options 2>&1
	done
	echo "### COLUMNS=200 --scopes"
	COLUMNS=200 "$TSPROF" report -i p --scopes
	echo "### LC_ALL=C --tree"
	LC_ALL=C "$TSPROF" report -i p --tree
) | sed '/^  "quality": {/,/^  },/d' >"$work/tables"
check "all tables are as they were" diff -u "$TOP/tests/cli/marks_report.golden" "$work/tables"

report()
{
	run "$TSPROF" report -i "$work/p" "$@"
}

# Bytes leave as they came.
report --snapshot 2
check "a snapshot is its bytes" test "$(cat "$work/out")" = GIF89a
check "and nothing else" holds "$(wc -c <"$work/out") == 6 && $(wc -c <"$work/err") == 0"
report --snapshot config
check "a name is that of the last one" test "$(cat "$work/out")" = "port=80 threads=4"
report --snapshot 1 -o "$work/snapshot"
check "-o names a file" test "$(cat "$work/snapshot")" = "port=80 threads=2"
for which in 0 4 99999999999999999999 nobody; do
	report --snapshot $which
	check "there is no snapshot $which" is_refusal 1 "ids go from 1 to 3"
done
report --snapshot 1 --scopes
check "--snapshot writes no tables" is_refusal 2 "no tables"
report --scopes -o "$work/x"
check "-o is for --snapshot" is_refusal 2 "goes with --snapshot"
report --milestones --scopes --csv
check "--csv takes one table" is_refusal 2 "one table at a time"
report --scopes --by thread
check "--by is for samples" is_refusal 2 "does not split tables of marks"
report --scopes --in-scope nobody
check "an unknown scope is told" is_refusal 1 "nobody"
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	script -qec "'$TSPROF' report -i '$work/p' --snapshot 2" /dev/null </dev/null >"$work/out"
	check "bytes are kept from a terminal" grep -q "may spoil a terminal" "$work/out"
	script -qec "'$TSPROF' report -i '$work/p' --snapshot 2 --force" /dev/null \
		</dev/null >"$work/out"
	check "unless one insists" grep -q GIF89a "$work/out"
else
	echo "skipped: no script(1), or no terminals for it"
fi

# Names and texts are anybody's.
long=$(printf '%0255d' 7)
hostile=$(printf '\033[31m\001\377\342\200\256\346\274\242\345\255\227<b>"x",%s' "$long")
make_profile "$work/hostile" <<EOT
@duration 10
!milestone 1 a/1 $hostile/1 $hostile $hostile
!milestone 2 a/1 b/2 $hostile
!call 1 2 a/1 b/2 $hostile args=$hostile error=$hostile
!call 1 1 a/1 b/2 $hostile/$hostile
!counter 1 a/1 b/2 $hostile 1e300
!text 1 a/1 b/2 $hostile $hostile
a/1 b/2 main 1
EOT
for options in --milestones --scopes --tree "--hot 3" "--slowest 3" --errors --timeline \
	--counters --snapshots; do
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/hostile" $options
	check "hostile names are reported by '$options'" is_status 0
	check "it fits 80 columns" holds "$(wc -L <"$work/out") <= 80"
	check "no control byte is left" holds "$(tr -d '\12\40-\377' <"$work/out" | wc -c) == 0"
	# shellcheck disable=SC2086
	run env COLUMNS=40 "$TSPROF" report -i "$work/hostile" $options
	check "it fits 40 columns" holds "$(wc -L <"$work/out") <= 40"
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/hostile" $options --csv
	check "CSV has it" is_status 0
	check "no control byte is left in CSV" \
		holds "$(tr -d '\12\40-\377' <"$work/out" | wc -c) == 0"
done
if command -v python3 >/dev/null 2>&1; then
	run "$TSPROF" report -i "$work/hostile" --json --milestones --tree --slowest 0 --errors \
		--timeline --counters --snapshots
	check "JSON is well-formed" python3 -m json.tool "$work/out" "$work/json"
	check "and has every table" holds "$(grep -cE '^    "(milestones|phases|scope_tree|slowest|failures|errors|timeline|counters|snapshots)"' "$work/json") == 9"
fi

# A long run is cut, and says so.
{
	echo "@duration 20000"
	seq 1 10000 | sed 's/.*/!milestone & a\/1 a\/1 step/'
	seq 1 1000 | sed 's/.*/!counter & a\/1 a\/1 queue &/'
	seq 1 500 | sed 's/.*/!call & 0.5 a\/1 a\/1 scope&/'
	echo "a/1 a/1 main 1"
} | make_profile "$work/many"
run "$TSPROF" report -i "$work/many" --milestones
check "10,000 milestones are 50 lines and a word" \
	grep -q "^9,950 of 10,000 milestones are left out" "$work/out"
check "the first is there" grep -qE '^ *0\.001000 ' "$work/out"
check "the last is there" grep -qE '^ *10\.000000 ' "$work/out"
check "they are few" holds "$(wc -l <"$work/out") < 75"
run "$TSPROF" report -i "$work/many" --milestones --max 0
check "--max 0 shows all" holds "$(grep -c ' step$' "$work/out") == 10000"
run "$TSPROF" report -i "$work/many" --timeline
check "a timeline says what it leaves out" grep -q "^Left out: 9,983 milestones, 48" "$work/out"
run "$TSPROF" report -i "$work/many" --scopes
check "scopes are the largest twenty" grep -q "and 480 more (--top 0 shows all)" "$work/out"
run "$TSPROF" report -i "$work/many" --milestones --json
check "JSON says how many it leaves out" grep -q '"milestones": 9950' "$work/out"

# What was marked inside of a scope, or of one of a category, or not.
make_profile "$work/scopes" <<'EOT'
@duration 60
!site scope parse category=cpu
!call 5 20 a/1 a/1 handle
!call 6 4 a/1 a/1 handle/parse
!call 40 5 a/1 a/1 parse
!milestone 1 a/1 a/1 outside
!in handle !milestone 5 a/1 a/1 in_handle
!in handle/parse !milestone 6 a/1 a/1 in_both
!milestone 30 - - by_command
!in parse !counter 41 a/1 a/1 queue 7
!in handle !counter 8 a/1 a/1 queue 3
!counter 50 a/1 a/1 queue 11
!in handle/parse !text 7 a/1 a/1 config in both
!snapshot 55 a/1 a/1 state outside
!resource 10 1 rss=1000
a/1 a/1 main 9
EOT
# COLUMN OPTION…: what the column says, of the only table.
column()
{
	column_name=$1
	shift
	"$TSPROF" report -i "$work/scopes" --csv "$@" 2>&1 | awk -F, -v name="$column_name" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
		{ printf "%s%s", sep, $at; sep = " " }'
}
check "milestones of a scope are those marked in it" \
	test "$(column name --milestones --in-scope handle)" = "in_handle in_both"
check "what lies between them is since the last of these" \
	test "$(column delta_ns --milestones --in-scope parse)" = 6000000
check "a category has its milestones" \
	test "$(column name --milestones --category cpu)" = in_both
check "a scope has its counters" test "$(column last --counters --in-scope handle)" = 3
check "another has others" test "$(column last --counters --in-scope parse)" = 7
check "all have all" test "$(column values --counters)" = 3
check "a scope has its snapshots" test "$(column name --snapshots --category cpu)" = config
check "its timeline has nothing else" test "$(column kind --timeline --in-scope handle)" = \
	"milestone scope milestone scope snapshot counter"
check "everything is in that of all" test "$(column kind --timeline | wc -w)" = 13
"$TSPROF" merge -o "$work/twice" "$work/scopes" "$work/scopes" 2>/dev/null
check "merged ones are found in both" test "$(
	"$TSPROF" report -i "$work/twice" --csv --timeline --category cpu | wc -l)" = 11

# What is in no row is told below.
make_profile "$work/missing" <<'EOT'
@duration 60
!call 5 20 a/1 a/1 handle
!quality too_deep=45 unmatched_ends=1
a/1 a/1 main 9
EOT
run "$TSPROF" report -i "$work/missing" --scopes
tr '\n' ' ' <"$work/out" >"$work/line"
check "calls that were too deep are told" grep -q "45 more calls were nested too deep" "$work/line"
check "and ends without a beginning" grep -q "1 end of a scope had no beginning" "$work/line"
run "$TSPROF" report -i "$work/scopes" --scopes
check "where there are none, nothing is told" holds "$(grep -cE 'too deep|beginning' "$work/out") == 0"

# Nothing was marked.
echo "a/1 a/1 main 1" | make_profile "$work/none"
for options in --milestones --scopes --tree "--hot 1" "--slowest 1" --errors --timeline \
	--counters --snapshots "--snapshot 1" "--milestones --scopes --json"; do
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/none" $options
	check "without marks '$options' tells how to mark" is_refusal 1 "TSPROF_"
	check "and prints nothing" test ! -s "$work/out"
done
echo "main 1" >"$work/folded"
run "$TSPROF" report -i "$work/folded" --milestones
check "folded text has none" is_refusal 1 "no milestones were marked"

finish
