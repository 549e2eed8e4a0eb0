#!/bin/sh
# tsprof flame: the picture of a small input, its options, and what bad input gets.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cat >"$work/small.folded" <<'EOF'
app;main;parse;lex 30
app;main;parse 20
app;main;eval;call;call 45
app;main;eval 4
app;main;read_[k] 1
EOF

# The part of an SVG that depends on the profile.
boxes()
{
	sed -n '/<svg id="frames"/,/<script>/p' "$1"
}

run "$TSPROF" flame "$work/small.folded"
check "folded text becomes an SVG" is_status 0
check "nothing is said on the way" holds "$(wc -c <"$work/err") == 0"
cp "$work/out" "$work/small.svg"
boxes "$work/small.svg" >"$work/boxes"
check "the picture is as it was" diff -u "$TOP/tests/cli/flame.golden" "$work/boxes"
run "$TSPROF" flame -i "$work/small.folded"
check "-i FILE is the same" cmp -s "$work/out" "$work/small.svg"
"$TSPROF" flame - <"$work/small.folded" >"$work/stdin.svg"
check "standard input is the same" cmp -s "$work/stdin.svg" "$work/small.svg"
run "$TSPROF" flame "$work/small.folded" -o "$work/o.svg"
check "-o writes the file and nothing else" holds "$status + $(wc -c <"$work/out") == 0"
check "-o writes the same" cmp -s "$work/o.svg" "$work/small.svg"
run "$TSPROF" flame --inverted --width 900 --height 20 --title 'A & B' --subtitle '<i>' \
	"$work/small.folded"
check "the title is escaped" grep -q '>A &amp; B</text>' "$work/out"
check "the subtitle is escaped" grep -q '>&lt;i&gt;</text>' "$work/out"
check "--width is kept" grep -q 'width="900" .*data-fixed=""' "$work/out"
check "--inverted has the root at the top" grep -q 'x="0%" y="0" width="100%" height="19"' \
	"$work/out"
run "$TSPROF" flame --minwidth 20 "$work/small.folded"
check "--minwidth leaves out and says so" grep -q '1 frame narrower than 20 px' "$work/out"

printf 'a<b>;"c\047&;\001\002\377;]]></style><script>;%010000d 5\n' 7 >"$work/hostile.folded"
run "$TSPROF" flame "$work/hostile.folded"
check "hostile names are drawn" is_status 0
check "there is one script" holds "$(grep -c '<script' "$work/out") == 1"
check "control bytes are gone" holds "$(tr -d '\11\12\40-\377' <"$work/out" | wc -c) == 0"
if command -v xmllint >/dev/null; then
	check "hostile names leave it well-formed" xmllint --noout --huge "$work/out"
	check "the small one is well-formed" xmllint --noout "$work/small.svg"
fi

: >"$work/empty"
run "$TSPROF" flame "$work/empty"
check "an empty file is refused" is_refusal 1 "is empty"
printf 'no stacks here\n' >"$work/text"
run "$TSPROF" flame "$work/text" -o "$work/o.svg"
check "text without stacks is refused" is_refusal 1 "neither a profile file nor folded"
check "what was there is kept" cmp -s "$work/o.svg" "$work/small.svg"
run "$TSPROF" flame "$work/missing"
check "a missing file is refused" is_refusal 1 "missing"
run "$TSPROF" flame "$work"
check "a directory is refused" is_refusal 1 "directory"
run "$TSPROF" flame "$work/small.folded" -o "$work/none/o.svg"
check "a missing output directory is refused" is_refusal 1 "none"
run "$TSPROF" flame "$work/small.folded" --time
check "--time without times is refused" is_refusal 1 "counts only"
run "$TSPROF" flame "$work/small.folded" --width 5
check "a width too small is a usage error" is_refusal 2 "300 to 100000"
run "$TSPROF" flame "$work/small.folded" --height 1000
check "boxes too high are a usage error" is_refusal 2 "12 to 100"
run "$TSPROF" flame -i "$work/small.folded" "$work/text"
check "two inputs are a usage error" is_refusal 2 "one profile"
run "$TSPROF" flame --from often "$work/small.folded"
check "a window without times is refused" is_refusal 1 "no times"
run "$TSPROF" flame --thread nobody "$work/small.folded"
check "an unknown thread is refused" is_refusal 1 "nobody"
if [ -w /dev/full ]; then
	status=0
	"$TSPROF" flame "$work/small.folded" >/dev/full 2>"$work/err" || status=$?
	check "a full disk is a failure" is_refusal 1 "cannot write standard output"
fi
finish
