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

# Calls that are none: of one function all in a place, of another its beginning.
cat >"$work/inlined.c" <<'END'
#include <stdio.h>
#define NOINLINE __attribute__((noinline))
volatile int sink;
static int always(int n)
{
	int sum = 0;
	for (volatile int i = 0; i < 500; i++)
		sum += n;
	return sum;
}
NOINLINE int whole(int n)
{
	for (volatile int i = 0; i < 500; i++)
		n++;
	return n;
}
struct list { int is_empty; int a[100]; } empty = { 1, { 0 } };
int split(struct list *list)
{
	if (list->is_empty)
		return 0;
	for (int i = 0; i < 100; i++) {
		sink += list->a[i];
		fprintf(stderr, "%d", list->a[i]);
		for (volatile int k = 0; k < 10; k++)
			list->a[i] ^= k;
	}
	fputs("x", stderr), fputs("y", stderr), fputs("z", stderr);
	return 1;
}
NOINLINE int user_1(int n) { return always(n) + split(&empty); }
NOINLINE int user_2(int n) { return always(n) * 2 - split(&empty); }
int (*volatile by_pointer)(int) = always;
int (*volatile split_by_pointer)(struct list *) = split;
int main(void)
{
	int sum = 0;
	for (int i = 0; i < 100000; i++) {
		sum += user_1(i);
		if (i % 1000 == 0)
			sum += by_pointer(i) + split_by_pointer(&empty) + user_2(i) + whole(i);
	}
	return sum == 1;
}
END
if ${CC:-gcc} -O2 -g -o "$work/inlined" "$work/inlined.c" 2>"$work/err"; then
	run "$TSPROF" record -F 9999 -o "$work/p.tsprof" --trace-function always \
		--trace-function whole -- "$work/inlined"
	check "what was inlined is told where samples were in it" \
		grep -q "always: calls that were inlined into others were not seen" "$work/err"
	check "and nothing of what was not" holds "$(grep -c "whole:" "$work/err") == 0"
	if nm "$work/inlined" 2>/dev/null | grep -q 'split\.part\.0$'; then
		run "$TSPROF" record -o "$work/p.tsprof" --trace-function split -- "$work/inlined"
		check "a beginning that is inlined is told before" grep -q \
			"some functions have its beginning inlined and go on in split.part.0" "$work/err"
		run "$TSPROF" record -o "$work/p.tsprof" --trace-function split.part.0 -- "$work/inlined"
		check "and its rest can be traced" is_status 0
	fi
fi

# A function is called in the scopes that the program opens itself.
cat >"$work/scoped.c" <<'END'
#include "tsprof.h"
__attribute__((noinline)) int called(int n)
{
	TSPROF_COUNTER("count", n);
	return n + 1;
}
int main(void)
{
	int n = 0;
	for (int i = 0; i < 50; i++) {
		{
			TSPROF_SCOPE("outer");
			n = called(n);
		}
		n = called(n);
	}
	return n != 100;
}
END
if ${CC:-gcc} -O1 -I"$TOP/include" -o "$work/scoped" "$work/scoped.c" 2>"$work/err"; then
	run "$TSPROF" record -q -o "$work/p.tsprof" --mark-function called -- "$work/scoped"
	"$TSPROF" report -i "$work/p.tsprof" --milestones --max 0 --in-scope outer --csv >"$work/out"
	check "milestones of functions are in scopes" holds "$(grep -c ,called, "$work/out") == 50"
	"$TSPROF" report -i "$work/p.tsprof" --counters --in-scope outer --csv >"$work/out"
	check "and counters beside them" grep -q '^count,,50,0,49,98,98,' "$work/out"
fi

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
