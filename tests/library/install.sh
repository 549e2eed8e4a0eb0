#!/bin/sh
# What `make install` leaves: a program of others compiles with what pkg-config says,
# and the installed tsprof finds its library.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

[ -z "$IS_SANITIZED" ] || skip_test 'what is installed has no sanitizer'
command -v pkg-config >/dev/null 2>&1 || skip_test 'no pkg-config'
prefix=$(sed -n 's/^prefix=//p' "$BUILD/lib/tsprof.pc")
root=$work/root
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -C "$BUILD" install DESTDIR="$root" \
	>"$work/log" 2>&1 || {
	tail -5 "$work/log"
	exit 1
}
libdir=$(find "$root$prefix" -name libtsprof.a -exec dirname {} \;)
tsprof=$(find "$root$prefix" -type f -name tsprof -perm -u+x)

check "the library's link is one" [ "$(readlink "$libdir/libtsprof.so")" = libtsprof.so.1 ]
soname_is_right()
{
	readelf -d "$libdir/libtsprof.so.1" | grep -q 'SONAME.*\[libtsprof.so.1\]'
}
check "its name is libtsprof.so.1" soname_is_right
# Nothing but the functions of the headers and what stands before the C library's, of which
# syscall is in assembly.
exports_are_right()
{
	nm -D --defined-only "$libdir/libtsprof.so.1" | awk '{ print $NF }' |
		grep -vE '^(tsprof_[a-z_]+|tsprof_link_1|syscall)$' >"$work/others"
	cat "$TOP"/lib/wrap_*.c >"$work/wrappers"
	for name in $(cat "$work/others"); do
		tr '\n' ' ' <"$work/wrappers" |
			grep -qE "WRAPPER [a-z0-9_ *]*$name\(|WAITS_FOR\($name," && continue
		echo "exported: $name"
		return 1
	done
}
check "it exports what it says" exports_are_right
headers_are_whole()
{
	for header in "$TOP"/include/*; do
		cmp -s "$header" "$root$prefix/include/${header##*/}" || return 1
	done
}
check "the headers are there" headers_are_whole

PKG_CONFIG_LIBDIR=$libdir/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
printf '#include <tsprof.h>\n#include <tsprof_library.h>\n%s\n' \
	'int main(void) { TSPROF_MILESTONE("macro"); tsprof_mark("name", 0); return 0; }' \
	>"$work/main.c"
# shellcheck disable=SC2046 # several words
compile()
{
	$CC "$work/main.c" -o "$work/main" "$@"
}
# shellcheck disable=SC2046
check "a program compiles" compile $(pkg-config --cflags --libs tsprof)
check "it runs" env LD_LIBRARY_PATH="$libdir" "$work/main"
echo 'int main(void) { return 0; }' >"$work/empty.c"
if $CC -static "$work/empty.c" -o "$work/empty" 2>/dev/null; then
	# shellcheck disable=SC2046
	check "a static one compiles" compile -static -DTSPROF_STATIC \
		$(pkg-config --static --cflags --libs tsprof)
	check "the static one runs" "$work/main"
	is_static=1
fi
if "$tsprof" record -q -o "$work/p.tsprof" -- true >"$work/log" 2>&1; then
	marks_arrive()
	{
		LD_LIBRARY_PATH=$libdir "$tsprof" record -q -o "$work/p.tsprof" -- "$work/main" &&
			"$tsprof" report --milestones -i "$work/p.tsprof" >"$work/report" &&
			grep -q macro "$work/report" && grep -q name "$work/report"
	}
	[ -n "${is_static-}" ] && check "marks of the static one arrive" marks_arrive
	# shellcheck disable=SC2046
	compile $(pkg-config --cflags --libs tsprof)
	check "marks of the shared one arrive" marks_arrive
	sampled_by_signals()
	{
		"$tsprof" record -q --engine sigprof -o "$work/p.tsprof" -- "$BUILD/tsprof" help \
			>/dev/null
	}
	check "the engine sigprof finds the library" sampled_by_signals
fi
for page in tsprof.3 tsprof_start.3 TSPROF_SCOPE.3 TSPROF_MILESTONE.3; do
	check "man page $page" [ -s "$root$prefix/share/man/man3/$page" ]
done
finish
