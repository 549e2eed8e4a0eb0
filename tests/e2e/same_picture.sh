#!/bin/sh
# Whoever records sees the same: xz as root, as an ordinary user with
# kernel.perf_event_paranoid raised, and as the root of a new user, mount and PID
# namespace in which seccomp refuses perf_event_open.  Functions above 5 % and
# the boxes of the flame graph are compared.
#
# What root sees is recorded around the others, of the same run of xz: two runs
# differ by what else the machine does, up to 4 points were seen.  Two shares p and
# q of m and n samples differ by sqrt(p (1 - p) / m + q (1 - q) / n); allowed are four
# of them, for some fifteen functions in each of two comparisons, and 1.5 points
# for what each recorder adds to what the other sees.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
[ -z "${IS_SANITIZED:-}" ] || skip_test "with sanitizers the recorder loses samples"
require_record
command -v xz >/dev/null || skip_test "xz is not installed"
[ "$(id -u)" -eq 0 ] || skip_test "needs root, to become others"
setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$TSPROF" 2>/dev/null ||
	skip_test "an ordinary user cannot reach $BUILD"
chmod 755 "$work"
mkdir -m 777 "$work/open"
cd "$work/open" || exit 99
seq 1 900000 >data
chmod 644 data

paranoid=/proc/sys/kernel/perf_event_paranoid
level=$(cat $paranoid)
# Whatever ends the test.
trap 'echo "$level" >$paranoid 2>/dev/null; rm -rf "$work"' EXIT

# NAME: what NAME.tsprof shows, as "FRAME SHARE" of all frames above 5 %, kernel parts apart.
shares_of()
{
	"$TSPROF" fold -i "$1.tsprof" --thread xz >"$1.folded" || return 1
	"$TSPROF" report -i "$1.tsprof" --thread xz --json --top 1 >"$1.json" || return 1
	# Ticks, not what they count for.
	awk -v n_ticks="$(json_number "$1.json" samples)" '
	/not sampled/ { next }
	{
		count = $NF
		sub(/ [0-9]+$/, "")
		n = split($0, frame, ";")
		while (n > 1 && frame[n] ~ /_\[k\]$/)
			n--
		total += count
		split("", seen)
		for (i = 2; i <= n; i++)
			if (!(frame[i] in seen)) {
				seen[frame[i]]
				all[frame[i]] += count
			}
	}
	END {
		print "samples", n_ticks
		for (name in all)
			if (all[name] > 0.05 * total)
				print name, all[name] / total
	}' "$1.folded" >"$1.shares"
}

# NAME: the same as root saw of it, within the statistics.
is_same_picture()
{
	awk '
	$1 == "samples" { n[FILENAME] = $2; next }
	{ share[$1, FILENAME] = $NF; names[$1] }
	END {
		a = ARGV[1]
		b = ARGV[2]
		for (name in names) {
			p = share[name, a] + 0
			q = share[name, b] + 0
			# What is just under 5 % on one side is not listed there.
			if (p == 0)
				p = 0.05
			if (q == 0)
				q = 0.05
			allowed = 4 * sqrt(p * (1 - p) / n[a] + q * (1 - q) / n[b]) + 0.015
			difference = p > q ? p - q : q - p
			n_compared++
			if (difference > most)
				most = difference
			if (difference > allowed) {
				printf "    %s: %.3f and %.3f\n", name, p, q
				is_other = 1
			}
		}
		printf "    %d and %d samples, %d functions, %.1f points apart at most\n",
			n[a], n[b], n_compared, 100 * most
		exit is_other || n_compared < 4
	}' "root-of-$1.shares" "$1.shares"
}

# NAME: names, shares and a picture.
check_picture()
{
	check "$1: names and shares" shares_of "$1"
	run "$TSPROF" flame -i "$1.tsprof" -o "$1.svg"
	check "$1: drawn" is_status 0
	check "$1: the encoder is in the picture" grep -q 'lzma' "$1.svg"
}

# NAME COMMAND…: record xz by way of COMMAND, root looking on, and compare.
picture_of()
{
	name=$1
	shift
	run "$TSPROF" record -o "root-of-$name.tsprof" --engine perf -- \
		"$@" "$TSPROF" record -o "$name.tsprof" -- xz -T1 -k -c data
	check "$name: recorded" is_status 0
	grep -i 'engine\|perf' "$work/err" | head -2
	check_picture "root-of-$name"
	check_picture "$name"
	check "$name: the same picture" is_same_picture "$name"
}

if echo 4 2>/dev/null >$paranoid; then
	picture_of user setpriv --reuid=65534 --regid=65534 --clear-groups
	echo "$level" >$paranoid
else
	echo "skipped: kernel.perf_event_paranoid cannot be changed here"
fi
if unshare -Ur --mount --pid --fork true 2>/dev/null; then
	picture_of container unshare -Ur --mount --pid --fork "$BUILD/tests/workloads/without_perf"
	check "container: by the engine sigprof" sh -c \
		"'$TSPROF' report -i container.tsprof --json | grep -q '\"engine\": \"sigprof\"'"
else
	echo "skipped: no user namespaces here"
fi
finish
