#!/bin/sh
# The torture programs of this project for a second each; `make check-torture`
# gives each of them, and servers under load, a minute.
TORTURE_SECONDS=1 TORTURE_ONLY=own
export TORTURE_SECONDS TORTURE_ONLY
exec "${SHELL:-/bin/sh}" "$(dirname "$0")/torture.sh"
