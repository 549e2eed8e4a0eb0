#!/bin/sh
# The torture programs of this project for a second each, two at a time, with each engine;
# `make check-torture` gives each of them, and servers under load, a minute.
TORTURE_SECONDS=1 TORTURE_ONLY=own TORTURE_STREAMS=2
export TORTURE_SECONDS TORTURE_ONLY TORTURE_STREAMS
exec "${SHELL:-/bin/sh}" "$(dirname "$0")/torture.sh"
