#!/bin/sh
# doctor says the same as record finds, to root and to ordinary users, behind a
# seccomp filter and in namespaces of its own.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# NAME COMMAND…: doctor under COMMAND and record under it agree.
agrees()
{
	agrees_name=$1
	shift
	run "$@" "$TSPROF" record -o /dev/null -- true
	record_status=$status
	record_engine=$(sed -n 's/.*with the engine \([a-z]*\):.*/\1/p' "$work/err")
	run "$@" "$TSPROF" doctor
	cp "$work/out" "$work/text"
	check "$agrees_name: doctor agrees with record" is_status "$record_status"
	check "$agrees_name: and says nothing on standard error" test ! -s "$work/err"
	check "$agrees_name: in 80 columns" holds \
		"$(grep -v '^ *> ' "$work/text" | wc -L) <= 80"
	if [ "$record_status" -eq 0 ]; then
		check "$agrees_name: names the engine that record takes" grep -q \
			"^tsprof record takes the engine ${record_engine:-perf} here: " "$work/text"
	else
		check "$agrees_name: says why not" grep -q \
			"^tsprof record cannot work here: " "$work/text"
		check "$agrees_name: has a remedy" grep -q "^    > " "$work/text"
	fi
	run "$@" "$TSPROF" doctor --json
	check "$agrees_name: the JSON agrees" is_status "$record_status"
	cp "$work/out" "$work/json"
	if command -v python3 >/dev/null 2>&1; then
		check "$agrees_name: it is JSON" python3 -c \
			'import json, sys; json.load(open(sys.argv[1]))' "$work/json"
	fi
	can=true
	[ "$record_status" -eq 0 ] || can=false
	check "$agrees_name: it tells" grep -q "\"can_record\": $can" "$work/json"
}

agrees "this user" env
run "$TSPROF" doctor extra
check "operands are refused" is_refusal 2 "takes no operands"
if [ -w /dev/full ]; then
	status=0
	"$TSPROF" doctor >/dev/full 2>"$work/err" || status=$?
	check "a full standard output is a failure" is_refusal 1 "cannot write standard output"
fi
run env LC_ALL=C "$TSPROF" doctor
check "ASCII where the terminal knows only that" holds \
	"$(LC_ALL=C tr -d '\000-\177' <"$work/out" | wc -c) == 0"
run env COLUMNS=150 "$TSPROF" doctor
check "wider terminals are used" holds "$(wc -L <"$work/out") > 80"
run env COLUMNS=40 "$TSPROF" doctor
check "narrow terminals too" holds "$(grep -v '^    > ' "$work/out" | wc -L) <= 80"

agrees "seccomp" "$BUILD/tests/workloads/without_perf"
check "seccomp: the filter is named" grep -q "seccomp filter" "$work/json"
check "seccomp: a remedy for containers" grep -q -- "--cap-add PERFMON\|securityContext" \
	"$work/json"

# What record refuses it explains with the words and the first command of doctor.
run "$BUILD/tests/workloads/without_perf" "$TSPROF" record --engine perf -q -o "$work/p" -- true
cause=$(sed -n 's/^ *"why": "\(.*\)",$/\1/p' "$work/json" | head -1)
check "seccomp: record gives the reason of doctor" is_refusal 1 "$cause"
check "seccomp: and names doctor" grep -q "tsprof doctor" "$work/err"

# Others may have to be able to run the program and write beside it.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1 &&
	setpriv --reuid 65534 --regid 65534 --clear-groups "$TSPROF" --version >/dev/null 2>&1; then
	agrees "ordinary user" setpriv --reuid 65534 --regid 65534 --clear-groups \
		--bounding-set -all
	check "ordinary user: is one" grep -q "an ordinary user" "$work/json"
	check "ordinary user: has no capabilities" grep -q '"value": "none"' "$work/json"
else
	echo "no ordinary user to be: needs root and setpriv"
fi

if unshare -Ur --mount --pid --fork true 2>/dev/null; then
	agrees "namespaces" unshare -Ur --mount --pid --fork
	check "namespaces: are seen" grep -q '"value": "user, pid"' "$work/json"
	check "namespaces: capabilities do not count" grep -q "do not count" "$work/json"
	check "namespaces: and are not advised" holds "$(grep -c setcap "$work/json") == 0"
	agrees "namespaces and seccomp" unshare -Ur --mount --pid --fork \
		"$BUILD/tests/workloads/without_perf"
else
	echo "no namespaces to be had here"
fi
finish
