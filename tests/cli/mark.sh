#!/bin/sh
# tsprof mark where nobody listens, and what it takes for a name.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

token=000102030405060708090a0b0c0d0e0f
unset TSPROF_MARKS

run "$TSPROF" mark
check "a name is needed" is_refusal 2 "name the milestone"
run "$TSPROF" mark ""
check "an empty one is none" is_refusal 2 "name the milestone"
run "$TSPROF" mark --bad
check "there are no options" is_refusal 2 "--bad"
run "$TSPROF" mark loaded
check "outside a recording it says what helps" is_refusal 1 "call it from what 'tsprof record' runs"
TSPROF_MARKS=
export TSPROF_MARKS
run "$TSPROF" mark loaded
check "an empty variable is none" is_refusal 1 "TSPROF_MARKS is not set"
for bad in x ":::" "name:$token" "name:00:1048576:/lib.so" "name:$token:x:/lib.so"; do
	TSPROF_MARKS=$bad
	run "$TSPROF" mark loaded
	check "the variable is read with care: $bad" is_refusal 1 "is not what 'tsprof record' sets"
done
TSPROF_MARKS=tsprof-nobody-$$:$token:1048576:/lib.so
run "$TSPROF" mark loaded rows=3
check "a recording that is over is told of" is_refusal 1 "is over"
long=$(printf '%255s' '' | tr ' ' n)
run "$TSPROF" mark "$long"
check "names may be long" is_refusal 1 "is over"
run "$TSPROF" mark "${long}n"
check "but not longer than the library's" is_refusal 2 "at most 255 bytes, not 256"
run "$TSPROF" mark loaded "$long" "$long" "$long" "$long" "123"
check "there is a limit to data" is_refusal 2 "room for 1023 bytes of data, not for 1027"
run "$TSPROF" mark -- --name key=value
check "a name may begin with a dash" is_refusal 1 "is over"
finish
