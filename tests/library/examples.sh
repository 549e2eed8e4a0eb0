#!/bin/sh
# The examples: they compile without a warning, do their work when nothing records, and
# under `tsprof record` their marks are there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
examples=$TOP/examples
unset TSPROF_MARKS

# shellcheck disable=SC2086 # several words
build_c()
{
	$CC -std=c11 $warnings -O2 -g -pthread -I"$TOP/include" "$examples/marks.c" \
		-o "$work/marks" &&
		$CC -std=c11 $warnings -O2 -g -I"$TOP/include" "$examples/self_record.c" \
			-o "$work/self_record" -L"$BUILD" -ltsprof -Wl,-rpath,"$BUILD"
}

# shellcheck disable=SC2086
build_cxx()
{
	"${CXX:-c++}" -std=c++11 $warnings -O2 -g -I"$TOP/include" "$examples/scopes.cc" \
		-o "$work/scopes" >"$work/log" 2>&1 && return 0
	head -5 "$work/log"
	return 1
}

check "C compiles" build_c
check "C runs unrecorded" "$work/marks"
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
	check "C++ compiles, without the library" build_cxx
	check "C++ runs unrecorded" "$work/scopes" 3 x 14
fi
# Nothing may be written beside the sources.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
if command -v python3 >/dev/null 2>&1; then
	has_python=1
	check "Python runs unrecorded" python3 "$examples/python/word_count.py" "$examples/marks.c"
fi

# NAME WHAT…: the report has it.
tells()
{
	report=$1
	shift
	"$TSPROF" report -i "$work/p.tsprof" --"$report" >"$work/report" 2>&1
	for what in "$@"; do
		grep -qE "$what" "$work/report" && continue
		echo "nothing of $what in:"
		head -30 "$work/report"
		return 1
	done
}

# COMMAND…: recorded, it does the same.
record()
{
	"$TSPROF" record -q -o "$work/p.tsprof" -- "$@" >"$work/out" 2>"$work/err" && return 0
	head -5 "$work/err"
	return 1
}

if ! "$TSPROF" record -q -o "$work/probe.tsprof" -- true >"$work/log" 2>&1; then
	echo "not here: $(head -1 "$work/log")"
	finish
fi
check "C runs recorded" record "$work/marks"
check "C: its milestones" tells milestones 'started +blocks=20' sorted
check "C: its scopes" tells scopes '(block|sort|make) +20 '
check "C: what the sort cost" tells scopes 'CPU/call'
check "C: its snapshot" tells snapshots summary
if [ -x "$work/scopes" ]; then
	check "C++ runs recorded" record "$work/scopes" 3 x 14
	check "C++: its scopes" tells scopes 'add +3 ' 'parse +3 +1 '
	check "C++: an exception is an error" tells errors 'parse +an exception'
	check "C++: its milestone" tells milestones 'finished +sum=17'
fi
if [ -n "${has_python-}" ]; then
	check "Python runs recorded" record python3 "$examples/python/word_count.py" \
		"$examples/marks.c" /no/such/file
	check "Python: scopes by decorator and with" tells scopes 'count +1 ' 'file +2 +1 '
	check "Python: errors" tells errors 'FileNotFoundError'
	check "Python: a milestone" tells milestones 'counted +words='
fi
if "$TSPROF" record -q --engine perf -o "$work/probe.tsprof" -- true 2>/dev/null; then
	record_itself()
	{
		(cd "$work" && ./self_record >/dev/null &&
			"$TSPROF" report --scopes -i self_record.tsprof |
			grep -qE 'series +50 ')
	}
	check "a program records itself" record_itself
fi
finish
