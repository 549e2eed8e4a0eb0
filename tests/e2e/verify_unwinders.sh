#!/bin/sh
# Real programs, every sample walked by cfi, libunwind and libdw.
#
# Passes when at least 99.9 % of the stacks that fit the dump reach their root
# (or all but three that end in code without unwind information: of a thousand
# samples one is 0.1 %, and cc1 spends a few in libgmp's assembly), and when
# every disagreement has one of these proven reasons, which the verifier decides
# from the file's bytes (src/unwind/verify_reason.h):
#
#   code-without-cfi  an ip before it has no FDE: the others follow a frame pointer
#                     that nobody set up
#   popped-register   between a pop and its ret the others read the slot below
#                     the stack pointer, or give the register up
#   unmentioned-rbx   libdw takes a register that a row does not mention as lost
#   no-search-table   the file has no .eh_frame_hdr, which libunwind needs
#   return-at-start   libunwind goes by the function that begins behind the last call of one
#   cut-earlier       nobody reached the root, and one stopped before the other
#
# usage: verify_unwinders.sh [PROGRAM…]	(all that are installed by default)

. "${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib.sh"

# Input that takes about a second each.
write_inputs()
{
	head -c 6000000 "$(command -v "${CC:-gcc}")" >"$work/data"
	cat /usr/lib/*/libc.so.6 >>"$work/data"
	cat >"$work/code.c" <<-'END'
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#define F(n) int f##n(int *a, int k) { int s = 0; for (int i = 0; i < k; i++) { \
		for (int j = i; j < k; j += n + 1) { s += a[i] * a[j] + n; a[j] ^= s; \
		if (s & 64) s -= a[k - i - 1]; } } switch (s & 15) { case 1: s++; break; \
		case 2: s *= 3; break; case 7: s /= 3; break; case 9: puts("x"); } return s; }
	#define G(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
	G(1) G(2) G(3) G(4) G(5) G(6) G(7) G(8) G(9) G(10) G(11) G(12)
	END
	cat >"$work/code.cc" <<-'END'
	#include <algorithm>
	#include <functional>
	#include <map>
	#include <regex>
	#include <string>
	#include <vector>
	int main(int n, char **v) {
		std::map<std::string, std::vector<std::function<int(int)>>> m;
		for (int i = 0; i < n; i++) m[v[i]].push_back([i](int x) { return x + i; });
		std::regex r("a+(b|c)*"); std::vector<int> s;
		for (auto &p : m) { std::smatch k; if (std::regex_match(p.first, k, r)) s.push_back(p.second[0](1)); }
		std::sort(s.begin(), s.end()); return s.size() ? s[0] : 0;
	}
	END
}

# What one program's statement says: "verify: N samples, …; libunwind: …; libdw: …".
is_verified()
{
	awk -v name="$1" '
	/^verify: / || /verify: [0-9]+ samples/ {
		sub(/^.*verify: /, "")
		n_engines = split($0, engine, "; ")
		n = split(engine[1], part, ", ")
		for (i = 1; i <= n; i++) {
			split(part[i], word, " ")
			count[substr(part[i], length(word[1]) + 2)] = word[1]
		}
		samples = count["samples"]
		user = samples - count["kernel thread"] - count["no registers"]
		fits = user - count["stack dump"]
		for (e = 2; e <= n_engines; e++) {
			n = split(engine[e], part, ", ")
			for (i = 1; i <= n; i++)
				if (part[i] ~ / unexplained$/)
					unexplained += part[i]
		}
		is_seen = 1
		printf "%s: %s\n", name, $0
		next
	}
	/: unexplained: |^cfi: / { print "  " $0 }
	END {
		if (!is_seen) { print name ": no statement of the verifier"; exit 1 }
		without_cfi = count["no unwind info"] < 3 ? count["no unwind info"] : 3
		if (fits > 0 && count["complete"] + without_cfi < fits * 0.999) {
			printf "%s: only %d of %d stacks that fit the dump are complete\n", name, \
				count["complete"], fits
			exit 1
		}
		if (unexplained) { printf "%s: %d disagreements without a reason\n", name, unexplained; exit 1 }
		if (samples < 50) { printf "%s: only %d samples\n", name, samples; exit 1 }
	}' "$work/messages"
}

verify()
{
	name=$1
	shift
	if ! command -v "$1" >/dev/null 2>&1; then
		echo "$name: not installed, skipped"
		return
	fi
	"$TSPROF" record -o "$work/profile" --no-symbols --unwinder verify -- "$@" \
		>/dev/null 2>"$work/messages" </dev/null
	check "$name" is_verified "$name"
}

run_program()
{
	case $1 in
	xz) verify xz xz -6 -c "$work/data" ;;
	gzip) verify gzip gzip -9 -c "$work/data" ;;
	sqlite3) verify sqlite3 sqlite3 :memory: "with recursive n(i) as (select 1 union all \
		select i + 1 from n where i < 600000) select count(distinct i % 1000), \
		sum(length(hex(i))) from n;" ;;
	python3) verify python3 python3 -c 'import json, re
for i in range(60):
    d = json.loads(json.dumps({str(k): [k] * 9 for k in range(2000)}))
    s = sorted(re.sub("1", "x", k) for k in d)' ;;
	perl) verify perl perl -e 'for (1 .. 300000) { $s = "a$_" x 3; $s =~ s/(\d+)a/<$1>/g;
		$h{$s % 1000} .= reverse $_ } print length join "", sort values %h' ;;
	find)
		# shellcheck disable=SC2046 # words
		verify find find $(paths_to_find) /etc -name '*.so*' -size +1k ;;
	cc1) verify cc1 gcc -O2 -c -o "$work/code.o" "$work/code.c" ;;
	cc1plus) verify cc1plus g++ -O1 -c -o "$work/code.o" "$work/code.cc" ;;
	clang) verify clang clang-14 -O2 -c -o "$work/code.o" "$work/code.c" ;;
	node) verify node node -e 'let s = 0; for (let i = 0; i < 300; i++)
		s += JSON.stringify([...Array(2000).keys()].map(k => ({k, v: [k]})).sort((a, b) =>
		b.k - a.k)).length; console.log(s)' ;;
	*) check "$1: there is no such workload" false ;;
	esac
}

run "$TSPROF" record -o "$work/profile" true
[ "$status" -eq 0 ] || skip_test "nothing can be recorded here: $(cat "$work/err")"
write_inputs
[ $# -gt 0 ] || set -- xz gzip sqlite3 python3 perl find cc1 cc1plus clang node
for program; do
	run_program "$program"
done
finish
