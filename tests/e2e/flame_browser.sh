#!/bin/sh
# The flame graph in a real browser: what its script does on clicks, keys and
# addresses (flame_browser.js), and that it fits labels as the program did.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

for browser in chromium chromium-browser google-chrome none; do
	command -v "$browser" >/dev/null && break
done
[ "$browser" != none ] || skip_test "no chromium"

cat >"$work/in.folded" <<'EOF'
app;main;parse;lex 30
app;main;parse 20
app;main;eval;parse;lex 10
app;main;eval;std::vector<int, std::allocator<int> >::push_back(int const&) 10
app;main;eval;one::two::three::four(std::string const&, std::vector<std::string> const&) 2
app;main;eval 23
app;main;<script>alert(1)</script> 5
EOF

# NAME OPTION…: NAME.svg with the test's script put behind its own.
draw()
{
	name=$1
	shift
	"$TSPROF" flame "$work/in.folded" "$@" >"$work/drawn" || exit 1
	sed '$d' "$work/drawn" >"$work/$name.svg"
	{
		echo '<script><![CDATA['
		cat "$TOP/tests/e2e/flame_browser.js"
		echo ']]></script></svg>'
	} >>"$work/$name.svg"
}

# NAME ADDRESS: opens it, prints what the script found.
browse()
{
	timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
		--disable-background-networking --disable-dev-shm-usage --no-first-run \
		--user-data-dir="$work/chromium" --window-size=1200,800 --dump-dom \
		"file://$work/$1.svg$2" >"$work/dom" 2>"$work/log"
	sed -n '/<text id="results"/,/<\/text>/p' "$work/dom" |
		sed -e 's/.*<text id="results"[^>]*>//' -e 's/<\/text>.*//' >"$work/results"
	grep '^FAILED' "$work/results"
	check "$1$2: all of $(grep -c '^ok' "$work/results") hold" \
		holds "$(grep -c '^FAILED' "$work/results") == 0"
	check "$1$2: ran to its end" grep -q '^done$' "$work/results"
}

draw plain
browse plain ''
grep -q . "$work/results" || skip_test "$browser does not run here: $(tail -1 "$work/log")"
browse plain '#x=50&y=3&s=lex'
browse plain '#s=%28'
browse plain '?s=parse'
browse plain '#x=7&y=99&s='
draw inverted --inverted
browse inverted ''
draw fixed --width 800
browse fixed ''
# The script's rules for labels, by the table of test_function_label.c.
{
	echo '<svg xmlns="http://www.w3.org/2000/svg"><text id="results"></text><script><![CDATA['
	cat "$TOP/flamegraph/flame_label.js"
	echo 'const results = [""];'
	echo 'for (const line of String.raw`'
	cat "$TOP/tests/unit/function_label.tsv"
	cat <<'EOF'
`.trim().split("\n")) {
	const [columns, name, expected] = line.split("\t");
	const found = fit(name, Number(columns));

	results.push(found === expected ? "ok: " + name :
		"FAILED: " + name + " in " + columns + ": expected " + expected + ", found " + found);
}
results.push("done", "");
document.getElementById("results").textContent = results.join("\n");
]]></script></svg>
EOF
} >"$work/labels.svg"
browse labels ''

awk 'BEGIN { for (i = 0; i < 300; i++) printf "f%d;", i; print "leaf 10" }' >"$work/in.folded"
draw tall
browse tall ''
finish
