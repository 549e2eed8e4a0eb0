#!/bin/sh
# symbolize.sh [UNITS [FUNCTIONS]]: time to name 100,000 addresses of a large C++
# program with debug information, by tsprof, llvm-symbolizer and addr2line in
# turns.  Prints "name value" lines: program_bytes, addresses, and for each tool
# the median of its seconds.
#
# One unit is compiled; the others are its assembly with another name for the
# namespace, so every unit has names, types and code of its own and the whole is
# made in a minute or two.  The program is kept in the build tree.
set -eu
units=${1:-30}
functions=${2:-100}
rounds=${BENCH_ROUNDS:-3}
n_addresses=${BENCH_ADDRESSES:-100000}
bench=$(pwd)/bench/bench_symbolize
program=$(pwd)/bench/symbolize_${units}_$functions
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# Objects are made by as many processes as there are CPUs.
make_program()
{
	awk -v n="$functions" 'BEGIN {
		print "#include <algorithm>\n#include <map>\n#include <string>\n#include <vector>"
		print "namespace n0000 {"
		for (i = 0; i < n; i++) {
			print "struct s" i " { int key; std::string text; };"
			print "int f" i "(int x) { std::vector<s" i "> v; std::map<int, s" i "> m;"
			print "for (int k = 0; k < x; k++) { v.push_back({k ^ x, \"t\"}); m[k % 7] = v.back(); }"
			print "std::sort(v.begin(), v.end(), [](const s" i " &a, const s" i " &b)"
			print "{ return a.key < b.key; }); return (int)(v.size() + m.size()); }"
		}
		print "int unit(int x) { int sum = 0;"
		for (i = 0; i < n; i++) print "sum += f" i "(x);"
		print "return sum; } }"
	}' >"$work/unit.cc"
	awk -v n="$units" 'BEGIN {
		for (i = 1; i <= n; i++) printf "namespace n%04d { int unit(int); }\n", i
		print "int main(int argc, char **) { int sum = 0;"
		for (i = 1; i <= n; i++) printf "sum += n%04d::unit(argc);\n", i
		print "return sum & 1; }"
	}' >"$work/main.cc"
	(
		cd "$work"
		"${CXX:-c++}" -g -O2 -S unit.cc
		"${CXX:-c++}" -g -O2 -c main.cc
		# shellcheck disable=SC2016 # the inner shell's
		seq "$units" | xargs -P "$(nproc)" -n 1 sh -c \
			'name=$(printf "n%04d" "$1") && sed "s/n0000/$name/g" unit.s | as -o "$name.o" -' sh
		"${CXX:-c++}" -o program ./*.o
		rm -f ./*.o unit.s
	)
	mv "$work/program" "$program"
}

# NAME COMMAND…: appends the seconds that it took to NAME's times.
time_tool()
{
	name=$1
	shift
	start=$(date +%s.%N)
	"$@" <"$work/addresses" >"$work/output"
	end=$(date +%s.%N)
	echo "$start $end" | awk '{ printf "%.3f\n", $2 - $1 }' >>"$work/$name.times"
}

median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

[ -x "$program" ] || make_program
[ "$units" -gt 0 ] || exit 0
"$bench" "$program" "$n_addresses" "$work/addresses" >"$work/first"
for _ in $(seq "$rounds"); do
	"$bench" "$program" "$n_addresses" |
		sed -n 's/.*unresolved: \([0-9.]*\) s.*/\1/p' >>"$work/tsprof.times"
	if command -v llvm-symbolizer >/dev/null 2>&1; then
		time_tool llvm_symbolizer llvm-symbolizer --obj="$program" --inlining
	fi
	if command -v addr2line >/dev/null 2>&1; then
		time_tool addr2line addr2line -e "$program" -i -f -C
	fi
done
echo "program_bytes $(wc -c <"$program")"
echo "addresses $(sort -u "$work/addresses" | wc -l)"
for times in "$work"/*.times; do
	echo "$(basename "$times" .times) $(median "$times")"
done
