#!/bin/sh
# tsprof fold: what it prints, and what it says about input that it cannot use.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$work" || exit 99

# TEXT: standard output is just that.
prints()
{
	printf "$1" | diff -u - "$work/out"
}

printf 'b;x 2\na;y 1\na;y 2\na;f 12;g 4\n' >in.folded
run "$TSPROF" fold -i in.folded
check "folded text is sorted and merged" prints 'a;f_12;g 4\na;y 3\nb;x 2\n'
check "nothing is said about good input" holds "$(wc -c <"$work/err") == 0"
run "$TSPROF" fold -i in.folded -o out.folded
check "-o writes the file" cmp -s out.folded "$TOP/tests/cli/fold.golden"
check "-o leaves standard output alone" holds "$(wc -c <"$work/out") == 0"
status=0
"$TSPROF" fold -i - <in.folded >"$work/out" 2>"$work/err" || status=$?
check "- reads standard input" cmp -s "$work/out" "$TOP/tests/cli/fold.golden"

printf 'a;b 1\nnonsense\na 3x\nc 2\n' >bad.folded
run "$TSPROF" fold -i bad.folded
check "bad lines do not stop it" is_status 0
check "bad lines are counted and the first is named" is_refusal 0 "2 lines"
check "its number is told" is_refusal 0 "line 2"

run "$TSPROF" fold
check "without a profile the remedy is told" is_refusal 1 "run 'tsprof record COMMAND' first"
run "$TSPROF" fold -i nowhere
check "a missing file is named" is_refusal 1 "nowhere: cannot open: No such file"
run "$TSPROF" fold -i .
check "a directory is refused" is_refusal 1 ".: is a directory"
: >empty
run "$TSPROF" fold -i empty
check "an empty file is refused" is_refusal 1 "empty: is empty"
printf 'hello\nthere are 12\nwords\n' >text
run "$TSPROF" fold -i text
check "other text is not folded stacks" is_refusal 1 "neither a profile file nor folded stacks"
run "$TSPROF" fold -i "$TSPROF"
check "a program is not a profile" is_refusal 1 "is neither a profile file nor folded stacks"
run "$TSPROF" fold extra
check "operands are a usage error" is_refusal 2 "takes no operands"
run "$TSPROF" fold -i in.folded --time
check "counts have no times" is_refusal 1 "counts only"
run "$TSPROF" fold -i in.folded --from 1s
check "counts cannot be cut by time" is_refusal 1 "no times"
run "$TSPROF" fold -i in.folded --thread worker
check "an unknown thread is refused" is_refusal 1 "worker"
run "$TSPROF" fold -i in.folded -o nowhere/out
check "an output folder that is missing is told" is_refusal 1 "nowhere/out"
echo keep >kept
run "$TSPROF" fold -i empty -o kept
check "a failed run overwrites nothing" grep -q keep kept

whole=$TOP/tests/fuzz/corpus/profile/whole
run "$TSPROF" fold -i "$whole"
check "a profile file is folded" is_status 0
check "its samples are all there" \
	holds "$(awk '{ n += $NF } END { print n }' "$work/out") > 8"
head -c 900 "$whole" >cut_here
run "$TSPROF" fold -i cut_here
check "a cut profile is shown up to there" is_refusal 0 "cut_here: was cut"
run "$TSPROF" fold -i "$TOP/tests/fuzz/corpus/profile/damaged"
check "a damaged profile is refused" is_refusal 1 "is damaged"
run "$TSPROF" fold -i "$TOP/tests/fuzz/corpus/profile/newer_major"
check "a newer profile is refused" is_refusal 1 "has format version 2.0"
if [ -w /dev/full ]; then
	status=0
	"$TSPROF" fold -i in.folded >/dev/full 2>"$work/err" || status=$?
	check "a full standard output is a failure" is_refusal 1 "standard output"
	run "$TSPROF" fold -i in.folded -o /dev/full
	check "a full disk is a failure" is_refusal 1 "No space left"
fi

# The readers of others, where there are any: not a word of complaint.
for reader in flamegraph.pl inferno-flamegraph; do
	command -v "$reader" >/dev/null || continue
	"$reader" out.folded >"$work/svg" 2>"$work/err"
	check "$reader reads it without a warning" \
		holds "$(grep -cv 'Stack count is low' "$work/err") == 0"
done
finish
