#!/bin/sh
# The front door: help, version, exit statuses, and what typos get.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

run "$TSPROF" --version
check "--version prints name and number" grep -qE '^tsprof [0-9]+\.[0-9]+\.[0-9]+$' "$work/out"
run "$TSPROF" --help
check "--help succeeds" is_status 0
check "--help stays within 80 columns" holds "$(wc -L <"$work/out") <= 80"
check "--help names completion" grep -q '^  completion ' "$work/out"
run "$TSPROF"
check "no command is a usage error" is_status 2
run "$TSPROF" completon
check "a misspelt command gets a suggestion" is_refusal 2 "did you mean 'completion'"
run "$TSPROF" xyzzy
check "an unknown command is refused" is_refusal 2 "'xyzzy' is not a command"
run "$TSPROF" --xyzzy
check "an unknown option is refused" is_refusal 2 "unknown option '--xyzzy'"
run "$TSPROF" "$(printf 'a\033[31m\n')"
check "control characters do not reach the terminal" is_refusal 2 "is not a command"
run "$TSPROF" help xyzzy
check "help on an unknown command is refused" is_refusal 2 "'xyzzy' is not a command"

for command in $("$TSPROF" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
	[ "$command" = tsprof ] && continue
	run "$TSPROF" "$command" -h
	check "$command -h succeeds" is_status 0
	check "$command -h starts with its usage" \
		grep -q "^usage: tsprof $command" "$work/out"
	check "$command -h stays within 80 columns" holds "$(wc -L <"$work/out") <= 80"
	cp "$work/out" "$work/help"
	run "$TSPROF" help "$command"
	check "help $command says the same" cmp -s "$work/help" "$work/out"
	run "$TSPROF" "$command" --no-such-option
	check "$command refuses an unknown option" is_refusal 2 "--no-such-option"
done

if [ -w /dev/full ]; then
	status=0
	"$TSPROF" --help >/dev/full 2>"$work/err" || status=$?
	check "a full standard output is a failure" is_refusal 1 "cannot write standard output"
fi
finish
