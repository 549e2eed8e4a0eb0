#!/bin/sh
# The torture programs of this project for a second each; `make check-torture`
# gives each of them, and servers under load, a minute.  With sanitizers, which are
# in tsprof and not in the library, the engine whose other end that is will do.
TORTURE_SECONDS=1 TORTURE_ONLY=own TORTURE_ENGINES="perf sigprof sigprof-wall"
[ -z "${IS_SANITIZED:-}" ] || TORTURE_ENGINES=sigprof-wall
export TORTURE_SECONDS TORTURE_ONLY TORTURE_ENGINES
exec "${SHELL:-/bin/sh}" "$(dirname "$0")/torture.sh"
