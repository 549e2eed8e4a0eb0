#!/bin/sh
# record --mark-output: lines become milestones, and nothing else changes for the
# command or for who reads what it prints.
# What sh -c gets is for it to expand; check calls the functions.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

record_marked()
{
	"$TSPROF" record -q -o "$work/p" --mark-output "$@"
}

# NAMES: of the milestones of the last recording, in alphabetic order.
has_names()
{
	"$TSPROF" report -i "$work/p" --from 'no such milestone' >"$work/known" 2>&1
	known=$(sed 's/.*there \(are\|is\) //; s/, /\n/g' "$work/known" | sort | tr '\n' ' ')
	[ "$known" = "$1 " ] && return 0
	echo "expected milestones $1, got $known"
	return 1
}

record_marked '^phase ([a-z]+)|done$' -- sh -c '
	echo phase one of two; echo no phase; echo phase two >&2; printf done' \
	>"$work/out" 2>"$work/err"
check "the command's status passes" test $? -eq 0
printf 'phase one of two\nno phase\ndone' >"$work/expected"
check "output is passed on, a last line without its end too" cmp "$work/expected" "$work/out"
check "so is what goes to standard error" test "$(cat "$work/err")" = "phase two"
check "lines of both are milestones" has_names "done one two"

# The relay may be at its end when it is asked whether this was all: one of seven, once.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	record_marked 'ended$' -- printf ended >"$work/out"
	"$TSPROF" report -i "$work/p" --milestones >"$work/milestones" 2>&1
	grep -q ended "$work/milestones" || break
done
check "none is lost at the end" grep -q ended "$work/milestones"

head -c 3000000 /dev/urandom >"$work/bytes"
record_marked 'tsprof' -- cat "$work/bytes" >"$work/out"
check "any bytes pass unchanged" cmp "$work/bytes" "$work/out"

head -c 20000000 /dev/zero | tr '\0' x >"$work/long"
echo loaded >>"$work/long"
echo loaded >>"$work/long"
record_marked 'loaded' -- cat "$work/long" >"$work/out"
check "a line of 20 MB passes unchanged" cmp "$work/long" "$work/out"
check "and hides nothing but itself" has_names loaded

record_marked 'zzz' -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo $i >&2; done' \
	>"$work/out" 2>&1
printf '1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 ' >"$work/expected"
tr '\n' ' ' <"$work/out" >"$work/line"
check "one file for both keeps their order" cmp "$work/expected" "$work/line"

record_marked 'zzz' -- sh -c 'yes; echo $? >"$1"' - "$work/status" | head -1 >"$work/out"
check "a reader that leaves ends a writer" test "$(cat "$work/status")" = 141
check "and had its line" test "$(cat "$work/out")" = y

# The first line has to come while the command still waits for the fifo.
mkfifo "$work/fifo" "$work/lines"
record_marked 'zzz' -- sh -c 'echo first; cat "$1"' - "$work/fifo" >"$work/lines" &
recorder=$!
read -r line <"$work/lines"
check "nothing is held back" test "$line" = first
echo go >"$work/fifo"
wait "$recorder"

record_marked 'zzz' -- sh -c '(sleep 1; echo late) & echo early' >"$work/pipe" 2>&1
check "who waits for tsprof sees what was printed" grep -q early "$work/pipe"
out=$(record_marked 'zzz' -- sh -c '(sleep 1; echo late) & echo early')
check "what is left behind may print on" test "$out" = "early
late"

# CPU time of its own ends it, should nobody else.
record_marked 'loaded' -- sh -c '(ulimit -t 60; yes loaded) & echo $! >"$1"; sleep 0.2' - \
	"$work/left" >/dev/null
check "nor is it waited for who prints for ever" kill "$(cat "$work/left")"

record_marked 'zzz' -- sh -c '[ -e /proc/$$/fd/1 ] || echo shut >&2' >&- 2>"$work/err"
check "a closed output stays closed" grep -q shut "$work/err"
record_marked 'loaded' -- sh -c 'echo loaded; kill -9 $$' >"$work/out"
check "a killed command has its status" test $? -eq 137
check "and its lines" has_names loaded

run "$TSPROF" record -o "$work/p" --mark-output '(' -- true
check "a bad expression is refused" is_refusal 2 "--mark-output: '(' is no regular expression"
run "$TSPROF" record -o "$work/p" --mark-output 'a' -p $$
check "there must be a command" is_refusal 2 "--mark-output reads what a command prints"

if ! python3 -c 'import pty; pty.openpty()' 2>/dev/null; then
	echo "skipped: no python3, or no terminals for it"
	finish
fi
cat >"$work/terminal.py" <<'EOT'
import fcntl, os, pty, struct, subprocess, sys, termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 77, 0, 0))
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave)
os.close(slave)
while True:
    try:
        data = os.read(master, 4096)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(child.wait())
EOT
python3 "$work/terminal.py" "$TSPROF" record -q -o "$work/p" --mark-output '^loa(d)ed' -- sh -c '
	test -t 1 && test -t 2 && echo both
	stty size <&1
	printf "\033[31mloaded\033[0m\n"
	printf end' >"$work/out"
check "a terminal's status passes" test $? -eq 0
printf 'both\r\n33 77\r\n\033[31mloaded\033[0m\r\nend' >"$work/expected"
check "a terminal stays one, with its size and its colours" cmp "$work/expected" "$work/out"
check "colours are not in the way of the expression" has_names d
finish
