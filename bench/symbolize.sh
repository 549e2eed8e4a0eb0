#!/bin/sh
# symbolize.sh [UNITS] [FUNCTIONS]: generate a large C++ program with debug
# information and time tsprof, llvm-symbolizer and addr2line on 100,000 of its
# addresses.  40 units of 400 functions take some minutes and make some hundred MB.
set -eu
units=${1:-40}
functions=${2:-400}
bench=$(pwd)/bench/bench_symbolize
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work"
for unit in $(seq "$units"); do
	awk -v unit="$unit" -v n="$functions" 'BEGIN {
		print "#include <algorithm>\n#include <map>\n#include <string>\n#include <vector>"
		for (i = 0; i < n; i++) {
			f = "u" unit "_" i
			print "namespace n" unit " { struct s" i " { int key; std::string text; };"
			print "int " f "(int x) { std::vector<s" i "> v; std::map<int, s" i "> m;"
			print "for (int k = 0; k < x; k++) { v.push_back({k ^ x, \"t\"}); m[k % 7] = v.back(); }"
			print "std::sort(v.begin(), v.end(), [](const s" i " &a, const s" i " &b)"
			print "{ return a.key < b.key; }); return (int)(v.size() + m.size()); } }"
		}
		print "int unit" unit "(int x) { int sum = 0;"
		for (i = 0; i < n; i++) print "sum += n" unit "::u" unit "_" i "(x);"
		print "return sum; }"
	}' >"unit$unit.cc"
done
awk -v n="$units" 'BEGIN {
	for (i = 1; i <= n; i++) print "int unit" i "(int);"
	print "int main(int argc, char **) { int sum = 0;"
	for (i = 1; i <= n; i++) print "sum += unit" i "(argc);"
	print "return sum & 1; }"
}' >main.cc
printf '%s\n' *.cc | xargs -P "$(nproc)" -n 1 "${CXX:-c++}" -g -O2 -c
"${CXX:-c++}" -o program ./*.o
rm -f ./*.o
ls -l program | awk '{ printf "program: %.0f MB\n", $5 / 1e6 }'
"$bench" program 100000 addresses
"$bench" program 1000
compare() {
	name=$1
	shift
	command -v "$1" >/dev/null 2>&1 || return 0
	start=$(date +%s.%N)
	"$@" <addresses >output
	end=$(date +%s.%N)
	echo "$start $end" | awk -v name="$name" '{ printf "%s: %.2f s\n", name, $2 - $1 }'
}
compare llvm-symbolizer llvm-symbolizer --obj=program --inlining
compare addr2line addr2line -e program -i -f -C
