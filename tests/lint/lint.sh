#!/bin/sh
# The sources keep the rules of script/lint, layout and shell style apart:
# those depend on tools that `make lint` wants in one version.
top=${TOP:-$(dirname "$0")/../..}
exec "$top/script/lint" "$top" ranks bans doors names sizes words guards lists headers
