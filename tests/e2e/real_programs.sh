#!/bin/sh
# Programs from packages, built without frame pointers and stripped, and node, whose
# own code is made as it runs and has frame pointers: at least 99.9 % of the stacks
# that fit the dump end at the thread's outermost frame.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

# Half a million lines to work on, the same every time.
awk 'BEGIN { srand(7); for (i = 0; i < 300000; i++) print int(rand() * 1e9), i, rand() }' \
	>"$work/input"

# NAME COMMAND…: skipped where the program is not installed.
record_program()
{
	name=$1
	shift
	if ! command -v "$1" >/dev/null 2>&1; then
		echo "not installed: $1"
		return
	fi
	"$TSPROF" record -q -F 997 -o "$work/$name.tsprof" -- "$@" >/dev/null 2>"$work/err" \
		<"$work/input"
	status=$?
	check "$name: recorded, and it succeeded" is_status 0
	run "$TSPROF" report -i "$work/$name.tsprof" --json --top 0
	samples=$(json_number "$work/out" samples)
	complete=$(json_number "$work/out" complete)
	kernel=$(json_number "$work/out" "kernel thread")
	truncated=$(json_number "$work/out" "stack dump")
	check "$name: ${complete:-0} of ${samples:-0} stacks complete, ${truncated:-0} did not fit" \
		holds "${samples:-0} > 50 &&
		       ${complete:-0} + ${kernel:-0} >= 0.999 * ($samples - ${truncated:-0}) - 1"
}

cat >"$work/query.sql" <<'EOF'
create table t(a, b, c);
insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
	select i, i * 7919 % 1000003, printf('%x', i * 31337) from n;
create index ti on t(b);
select count(*), sum(b) from (select a, b from t where c like '%a%' order by b);
EOF
cat >"$work/program.py" <<'EOF'
import json, re
words = ["%x" % (i * 7919 % 1000003) for i in range(150000)]
for turn in range(2):
    text = json.dumps(sorted(words))
    found = re.findall("[0-9]+[a-f]", text)
    json.loads(text)
EOF
cat >"$work/program.pl" <<'EOF'
my %n;
for my $i (1 .. 1500000) { $n{$i * 7919 % 10007} .= chr(65 + $i % 26) if $i =~ /[2468]$/; }
print scalar(keys %n), "\n";
EOF
# Half of its time is in code that the program made itself, which has no unwind information.
cat >"$work/program.js" <<'EOF'
const words = [];
for (let i = 0; i < 200000; i++) words.push((i * 7919 % 1000003).toString(16));
function collatz(n) { let steps = 0; for (; n !== 1; steps++) n = n % 2 ? 3 * n + 1 : n / 2; return steps; }
let longest = 0;
for (let turn = 0; turn < 3; turn++) {
	const text = JSON.stringify([...words].sort());
	longest += text.match(/[0-9]+[a-f]/g).length + JSON.parse(text).length;
	for (let i = 1; i < 200000; i++) longest = Math.max(longest, collatz(i));
}
console.log(longest);
EOF
{
	echo 'struct node { struct node *next; int value; };'
	i=0
	while [ "$i" -lt 1500 ]; do
		echo "int f$i(struct node *n, int k) { int s = 0; for (; n; n = n->next)"
		echo "if (n->value > k) s += n->value * $i; else s -= k / (n->value | 1); return s; }"
		i=$((i + 1))
	done
} >"$work/source.c"
{
	echo '#include <map>'
	echo '#include <string>'
	echo '#include <vector>'
	echo '#include <algorithm>'
	i=0
	while [ "$i" -lt 40 ]; do
		echo "int g$i(std::map<int, std::vector<std::string>> &m) { auto &v = m[$i];"
		echo "std::sort(v.begin(), v.end()); return (int)v.size(); }"
		i=$((i + 1))
	done
} >"$work/source.cc"

record_program xz xz -1 -T1 -c
record_program gzip gzip -9 -c
record_program bzip2 bzip2 -9 -c
record_program sqlite3 sqlite3 "$work/test.db" ".read $work/query.sql"
record_program python3 python3 "$work/program.py"
record_program perl perl "$work/program.pl"
record_program node node "$work/program.js"
record_program cc1 gcc -O2 -c -o "$work/c.o" "$work/source.c"
record_program cc1plus g++ -O2 -c -o "$work/cc.o" "$work/source.cc"
record_program clang clang -O2 -c -o "$work/clang.o" "$work/source.c"
# shellcheck disable=SC2046 # words
record_program find find $(paths_to_find) /proc/self -xdev -name '*no-such*[a-z]*name*' -newer "$work/input"
finish
