#!/bin/sh
# Which function is meant: found, ambiguous, missing, stripped, not allowed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

require_record
probed=$BUILD/tests/workloads/probed

refuse()
{
	run "$TSPROF" record -q -o "$work/p.tsprof" "$@"
}

refuse --trace-function iner -- "$probed" chain
check "a name that is nearly one" is_refusal 1 "did you mean inner?"
refuse --trace-function no_such_function_at_all -- "$probed" chain
check "a name that is none" is_refusal 1 "has no function no_such_function_at_all"
check "nothing was run" test ! -s "$work/out"
refuse --trace-function qsort -- "$probed" chain
check "a function of a library" is_refusal 1 "write libc.so.6:qsort"
refuse --trace-function nolib:qsort -- "$probed" chain
check "a library that is none" is_refusal 1 "no such library"
refuse --trace-function libc:memcpy -- "$probed" chain
check "an ifunc" is_refusal 1 "chosen among several functions"
refuse --trace-function 'inner(double x)' -- "$probed" chain
check "a type that cannot be had" is_refusal 1 "floating-point"
refuse --trace-function 'inner(foo x)' -- "$probed" chain
check "a type that is none" is_refusal 1 "is not a type"
refuse --trace-function 'inner%return' -- "$probed" chain
check "a scope at a return" is_refusal 1 "leave out %return"
refuse --trace-function inner -- "$TOP/tests/e2e/probes_find.sh"
check "a script" is_refusal 1 "is a script"
refuse --engine sigprof --mark-function inner -- "$probed" chain
check "an engine without probes" is_refusal 1 "has no probes"
refuse --trace-function inner -- no_such_command_at_all
check "no command" is_refusal 1 "command not found"

if strip -o "$work/stripped" "$probed" 2>/dev/null; then
	refuse --trace-function inner -- "$work/stripped" chain
	check "a stripped program" is_refusal 1 "stripped of its symbols"
fi

"$TSPROF" record -q -o "$work/p.tsprof" --mark-function main -- "$probed" threads 1 \
	>"$work/out" 2>&1 || skip_test "no probes here: $(head -1 "$work/out")"

cat >"$work/names.cc" <<'END'
#include <cstdlib>
namespace app {
struct thing { int value; int load(int n); };
__attribute__((noinline)) int thing::load(int n) { return value += n; }
__attribute__((noinline)) int parse(const char *text) { return std::atoi(text); }
__attribute__((noinline)) int parse(int n) { asm volatile(""); return n; }
__attribute__((noinline)) void fail(int n) { if (n > 0) throw n; }
__attribute__((noinline)) int guarded(int n)
{
	try { fail(n); } catch (int caught) { return caught; }
	return 0;
}
}
int main()
{
	app::thing thing = { 1 };
	int caught = 0;
	for (int i = 0; i < 10; i++) {
		caught += app::guarded(i % 2);
		thing.load(app::parse("3") + app::parse(4));
	}
	return thing.value == 71 && caught == 5 ? 0 : 1;
}
END
if ${CXX:-c++} -O2 -g -o "$work/names" "$work/names.cc" 2>"$work/err"; then
	run "$TSPROF" record -q -o "$work/p.tsprof" --trace-function 'app::thing::load(void *self, int n)' \
		--trace-function 'app::parse(char const*)' --trace-function 'int app::guarded(int n)' -- "$work/names"
	check "C++: exceptions inside, and methods" is_status 0
	run "$TSPROF" report -i "$work/p.tsprof" --scopes --slowest 30
	check "C++: a method" grep -qE 'app::thing::load +10 ' "$work/out"
	check "C++: an argument" grep -q 'self=0x[0-9a-f]* n=7' "$work/out"
	check "C++: one of two functions" grep -qE 'app::parse +10 ' "$work/out"
	check "C++: a result" grep -q 'n=1 → 1' "$work/out"
	refuse --trace-function app::parse -- "$work/names"
	check "C++: several of a name" is_refusal 1 "means several functions"
	run "$TSPROF" record -o "$work/p.tsprof" --mark-function 'app::*' \
		--trace-function 'app::thing::*' -- "$work/names"
	check "C++: patterns; exceptions may pass where no return is asked for" is_status 0
	check "C++: what they must not do is told" grep -q "an exception that leaves it" "$work/err"
fi
finish
