#!/bin/sh
# tsprof report: its tables of a small input as they were, and what bad input gets.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cat >"$work/small.folded" <<'EOT'
xz;main;coder_run;lzma_code;lzma_mf_bt4_find 500
xz;main;coder_run;lzma_code;rc_encode(unsigned int, std::vector<int, std::allocator<int> > const&) const 300
xz;main;coder_run;io_read;read_[k] 150
xz;main;fib;fib;fib 20
xz;[truncated: stack dump];[unknown] 15
xz;main 15
EOT
cat >"$work/small.rules" <<'EOT'
Compression:
	func: lzma_*
	Match finder:
		lzma_mf_*
	Range coder:
		rc_encode
Files:
	io_*
Nothing:
	nope
EOT

report()
{
	"$TSPROF" report -i "$work/small.folded" "$@" 2>&1
}

(
	cd "$work" || exit 1
	for options in "" --children "--top 2" --breakdown "--breakdown --top 1" \
		"--components small.rules" "--callers fib" "--callees main" \
		"--modules --lines" --csv "--csv --components small.rules" \
		"--json --top 1" "--json --components small.rules"; do
		echo "### $options"
		# shellcheck disable=SC2086
		report $options
	done
	echo "### LC_ALL=C"
	LC_ALL=C report --components small.rules
) >"$work/tables"
check "all tables are as they were" diff -u "$TOP/tests/cli/report.golden" "$work/tables"

name=$(printf '%010000d' 7)
printf 'a<b>;"c\047&\001\002\377\033[31m;%s;\346\274\242\345\255\227%s 5\nb 1000000007\n' \
	"$name" "$name" >"$work/hostile.folded"
for options in "" --breakdown --lines --modules "--callers $name" "--callees $name"; do
	# shellcheck disable=SC2086
	run "$TSPROF" report -i "$work/hostile.folded" $options
	check "hostile names are reported by '$(echo "$options" | cut -c 1-12)'" is_status 0
	check "it fits 80 columns" holds "$(wc -L <"$work/out") <= 80"
	check "no control byte is left" holds "$(tr -d '\12\40-\377' <"$work/out" | wc -c) == 0"
done
run env COLUMNS=40 "$TSPROF" report -i "$work/hostile.folded"
check "it fits 40 columns" holds "$(wc -L <"$work/out") <= 40"
run env COLUMNS=200 "$TSPROF" report -i "$work/small.folded"
check "a wide terminal is used" grep -q 'std::allocator<int> > const&) const' "$work/out"
if command -v python3 >/dev/null; then
	run "$TSPROF" report -i "$work/hostile.folded" --json --breakdown --lines --top 0
	check "JSON is well-formed" python3 -m json.tool "$work/out" "$work/json"
fi

run "$TSPROF" report -i "$work/small.folded" --thread nobody
check "an unknown thread is named" is_refusal 1 "no thread is called 'nobody'"
run "$TSPROF" report -i "$work/small.folded" --from 1
check "a window without times is refused" is_refusal 1 "no times"
run "$TSPROF" report -i "$work/small.folded" --callers lzma_cod3
check "an unknown function gets the nearest" is_refusal 1 "the nearest are 'lzma_code'"
run "$TSPROF" report -i "$work/small.folded" --callers "$(printf 'a\033[31m\nb')"
check "control bytes stay out of the message" \
	holds "$(tr -d '\12\40-\377' <"$work/err" | wc -c) == 0 && $(wc -l <"$work/err") == 1"
run "$TSPROF" report -i "$work/small.folded" --callees lzma
check "an ambiguous function gets the candidates" is_refusal 1 "'lzma_code', 'lzma_mf_bt4_find'"
run "$TSPROF" report -i "$work/small.folded" --json --csv
check "--json and --csv exclude each other" is_refusal 2 "exclude each other"
run "$TSPROF" report -i "$work/small.folded" --csv --modules --lines
check "--csv takes one table" is_refusal 2 "one table at a time"
run "$TSPROF" report "$work/small.folded"
check "operands are refused" is_refusal 2 "takes no operands"
run "$TSPROF" report -i "$work/none"
check "a missing file is refused" is_refusal 1 "none"
printf 'A:\n\tf\nB:\n\tfunc:\n' >"$work/bad.rules"
run "$TSPROF" report -i "$work/small.folded" --components "$work/bad.rules"
check "a bad rule is named by file and line" \
	is_refusal 1 "$work/bad.rules:4: expected a pattern after 'func:'"
run "$TSPROF" report -i "$work/small.folded" --components "$work"
check "a folder of rules is refused" is_refusal 1 "$work"
if [ -w /dev/full ]; then
	status=0
	"$TSPROF" report -i "$work/small.folded" >/dev/full 2>"$work/err" || status=$?
	check "a full disk is told" is_refusal 1 "cannot write standard output"
fi

finish
