#!/bin/sh
# The installed headers: without a warning in C and C++, each alone, and with
# -DTSPROF_DISABLE as if they were not there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'

# COMPILER…: it is there.
has()
{
	echo 'int main(void) { return 0; }' >"$work/probe.$1"
	shift
	"$@" -o "$work/probe" "$work/probe.$kind" >/dev/null 2>&1
}

# COMPILER STANDARD ARG… FILE: into $work/out.o.
compile()
{
	compiler=$1
	standard=$2
	shift 2
	# shellcheck disable=SC2086 # several words
	"$compiler" -std="$standard" $warnings -I"$TOP/include" -c -o "$work/out.o" "$@" \
		>"$work/log" 2>&1 && return 0
	head -5 "$work/log"
	return 1
}

# Sections that are loaded have these bytes, and these symbols are there.  Without
# optimisation clang has a jump for each empty statement, so code is left out then.
left_of()
{
	sections='text|data|bss|rodata|init_array|fini_array|tbss'
	case " $* " in
	*" -O0 "*) sections=${sections#text|} ;;
	esac
	size -A "$work/out.o" | awk -v sections="^[.]($sections)" '$1 ~ sections &&
		$2 > 0 { print $1, $2 }' | sort
	nm "$work/out.o" | awk '{ print $NF }' | sort
}

# COMPILER STANDARD ARG… FILE: disabled is as plain.
is_nothing()
{
	compile "$@" -DPLAIN || return 1
	left_of "$@" >"$work/plain"
	compile "$@" -DTSPROF_DISABLE || return 1
	left_of "$@" | grep -v named_classes >"$work/disabled"
	cmp -s "$work/plain" "$work/disabled" && return 0
	diff "$work/plain" "$work/disabled" | head -5
	return 1
}

kind=c
for compiler in gcc clang; do
	has c "$compiler" || continue
	for standard in c11 c17 gnu17; do
		check "$compiler -std=$standard" \
			compile "$compiler" "$standard" "$TOP/tests/library/all_marks.c"
	done
	check "$compiler, static" compile "$compiler" c11 -DTSPROF_STATIC \
		"$TOP/tests/library/all_marks.c"
	check "$compiler -O2: nothing is left" is_nothing "$compiler" c11 -O2 \
		"$TOP/tests/library/all_marks.c"
	# Arguments of functions are composed there.
	check "$compiler -O0: nothing is left of macros" is_nothing "$compiler" c11 -O0 \
		-DONLY_MACROS "$TOP/tests/library/all_marks.c"
done

# A library that the disabled program does not need.
disabled_links()
{
	compile "$CC" c11 -DTSPROF_DISABLE "$TOP/tests/library/all_marks.c" &&
		echo 'int all_marks(int n, char **texts);
		int main(int argc, char **argv) { return all_marks(argc, argv); }' \
			>"$work/main.c" &&
		"$CC" -o "$work/main" "$work/main.c" "$work/out.o" && "$work/main" a b
}
check "a disabled program links without the library" disabled_links

# Without optimisation empty member functions may stay; names from outside may not.
disabled_classes_are_gone()
{
	for level in 0 2; do
		compile "$1" c++17 -O$level -DTSPROF_DISABLE "$TOP/tests/library/all_classes.cc" ||
			return 1
		if nm -u "$work/out.o" | grep tsprof; then
			return 1
		fi
	done
	! nm "$work/out.o" | grep -v named_classes | grep tsprof
}

kind=cc
for compiler in g++ clang++; do
	has cc "$compiler" || continue
	for standard in c++11 c++14 c++17 c++20; do
		check "$compiler -std=$standard" \
			compile "$compiler" "$standard" "$TOP/tests/library/all_classes.cc"
		check "$compiler -std=$standard, C's macros" \
			compile "$compiler" "$standard" -x c++ "$TOP/tests/library/all_marks.c"
	done
	check "$compiler -O2: C's macros leave nothing" is_nothing "$compiler" c++17 -O2 -x c++ \
		"$TOP/tests/library/all_marks.c"
	check "$compiler -O0: C's macros leave nothing" is_nothing "$compiler" c++17 -O0 \
		-DONLY_MACROS -x c++ "$TOP/tests/library/all_marks.c"
	check "$compiler: classes leave no symbols" disabled_classes_are_gone "$compiler"
done
finish
