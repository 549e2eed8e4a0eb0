#!/bin/sh
# The completion scripts parse, and bash's gives the right words.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

run "$TSPROF" completion bash
check "completion bash succeeds" is_status 0
cp "$work/out" "$work/tsprof.bash"
run "$TSPROF" completion zsh
check "completion zsh succeeds" is_status 0
check "zsh script declares itself" grep -q '^#compdef tsprof$' "$work/out"
cp "$work/out" "$work/_tsprof"
run "$TSPROF" completion fish
check "another shell is refused" is_refusal 2 "bash or zsh"
run "$TSPROF" completion
check "no shell is refused" is_refusal 2 "bash or zsh"

if command -v zsh >/dev/null 2>&1; then
	check "zsh parses it" zsh -f -n "$work/_tsprof"
else
	echo "not tried: zsh, which is not installed"
fi

# WORD…: what bash would offer for the last word.
complete_words()
{
	# shellcheck disable=SC2016 # for bash to expand
	bash --norc -c '. "$1"; shift; COMP_WORDS=(tsprof "$@"); COMP_CWORD=$#
		_tsprof; printf "%s\n" "${COMPREPLY[@]}"' bash "$work/tsprof.bash" "$@" \
		2>&1 | sort -u >"$work/words"
}

if command -v bash >/dev/null 2>&1; then
	check "bash parses it" bash -n "$work/tsprof.bash"
	complete_words comp
	check "a command completes" grep -qx completion "$work/words"
	complete_words completion ""
	check "the shells complete" grep -qx zsh "$work/words"
	for command in $("$TSPROF" --help | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'); do
		[ "$command" = tsprof ] && continue
		complete_words "$command" --
		"$TSPROF" "$command" -h | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' |
			sort -u >"$work/options"
		check "every option of $command completes" cmp -s "$work/options" "$work/words"
	done
fi
finish
