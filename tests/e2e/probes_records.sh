#!/bin/sh
# All that tests/e2e/probes.sh promises holds without BPF programs, too: perf writes the hits down.
if [ -n "${IS_SANITIZED:-}" ]; then
	echo "skipped: probes_ways.sh has perf's records with sanitizers"
	exit 77
fi
BUILD=${BUILD:?}
as_ever=${TSPROF:?}
wrapped=$(mktemp) || exit 99
trap 'rm -f "$wrapped"' EXIT
printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$BUILD/tests/workloads/without_bpf" "$as_ever" >"$wrapped"
chmod 755 "$wrapped"
TSPROF=$wrapped sh "$(dirname "$0")/probes.sh"
