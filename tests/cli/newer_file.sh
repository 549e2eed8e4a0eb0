#!/bin/sh
# Files of other format versions, as docs/file-format.md promises: another major
# version is refused by name, what a newer minor one adds is passed over.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v python3 >/dev/null 2>&1 || skip_test "python3 is not installed"
require_record

cat >"$work/edit.py" <<'EOF'
# edit.py FROM TO MAJOR MINOR [ADDITION]: the profile with another version, its
# checksums made good, and with what a newer minor version may add.
import struct, sys, zlib

def seal(kind, payload):
    head = struct.pack("<4sII", kind, len(payload), zlib.crc32(payload))
    return head + struct.pack("<I", zlib.crc32(head)) + payload

source, target, major, minor = sys.argv[1:5]
addition = sys.argv[5] if len(sys.argv) > 5 else ""
data = open(source, "rb").read()
head = data[:8] + struct.pack("<HH", int(major), int(minor))
out = head + struct.pack("<I", zlib.crc32(head))
at = 16
while at < len(data):
    kind, size = struct.unpack_from("<4sI", data, at)
    payload = data[at + 16:at + 16 + size]
    at += 16 + size
    if addition == "chunks":
        out += seal(b"NEWS", b"of another time")
    if addition == "fields" and kind in (b"INFO", b"QUAL", b"END\0"):
        payload += b"\1\2\3"
    out += seal(kind, payload)
open(target, "wb").write(out)
EOF
old=$work/old
"$TSPROF" record -q -o "$old" -- sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done' \
	2>"$work/err"
minor=$(od -An -tu2 -j10 -N2 "$old" | tr -d ' ')
edit()
{
	python3 "$work/edit.py" "$old" "$work/new" "$@"
}

for command in report fold flame; do
	edit 2 0
	run "$TSPROF" "$command" -i "$work/new"
	check "$command: another major version is refused by name" is_refusal 1 "version 2.0"
	check "$command: with the remedy" grep -q "use the tsprof that wrote it" "$work/err"
	check "$command: and nothing is written" holds "$(wc -c <"$work/out") == 0"

	"$TSPROF" "$command" -i "$old" >"$work/wanted" 2>/dev/null
	for addition in nothing chunks fields; do
		edit 1 999 "$addition"
		run "$TSPROF" "$command" -i "$work/new"
		check "$command: a newer minor version with new $addition opens" is_status 0
		check "$command: and says the same" cmp "$work/wanted" "$work/out"
	done
	edit 1 "$minor" chunks
	run "$TSPROF" "$command" -i "$work/new"
	check "$command: today's version with new chunks is damaged" is_refusal 1 "NEWS"
done
finish
