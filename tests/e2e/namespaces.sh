#!/bin/sh
# Programs that are somewhere else than their path says, seen from here: in a
# chroot, in mount namespaces, deleted, replaced, without a path at all.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record

split=$BUILD/tests/workloads/split
split_static=$BUILD/tests/workloads/split_static
cd "$work" || exit 99

# NAME COMMAND…: burn_half, as a function of its program, has half of COMMAND's samples.
check_named()
{
	named=$1
	shift
	run "$TSPROF" record -o "$work/run.tsprof" -- "$@"
	check "$named: recorded" is_status 0
	check "$named: no mapped file unreadable" sh -c '! grep "could not be read" "$0"' "$work/err"
	run "$TSPROF" fold -i "$work/run.tsprof"
	share=$(awk '{ all += $NF } /;burn_half[; ]/ { n += $NF } END { print n / (all + !all) }' \
		"$work/out")
	# 600 samples: 2 points of sampling error, and some ms for the shells.
	check "$named: burn_half has $share of 0.5" holds "$share > 0.4 && $share < 0.6"
}

# Another program at the same path, whose functions have other names.
decoy()
{
	cp "$BUILD/tests/workloads/jit_code" "$1"
}

# PROGRAM COMMAND…: run PROGRAM, and COMMAND as soon as PROGRAM is what runs.
cat >start_then.sh <<'SCRIPT'
program=$1
shift
"$program" 0.6 &
n=0
until readlink "/proc/$!/exe" | grep -q "/${program##*/}\$" || [ "$n" -ge 200 ]; do
	n=$((n + 1))
done
"$@"
wait
SCRIPT

cp "$split" gone
check_named "deleted" sh start_then.sh ./gone rm gone
decoy decoy
cp "$split" app
check_named "replaced" sh start_then.sh ./app mv decoy app
check_named "without a path" "$BUILD/tests/workloads/memfd_exec" "$split" 0.6

# Without the right to look into map_files: what runs is still to be had.
as_nobody="setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all"
mkdir nobody && chmod 777 nobody && chmod 755 "$work"
if [ "$(id -u)" -eq 0 ] &&
	$as_nobody "$TSPROF" record -q -o nobody/probe.tsprof -- "$split" 0 >/dev/null 2>&1; then
	run $as_nobody "$TSPROF" record -o nobody/run.tsprof -- \
		"$BUILD/tests/workloads/memfd_exec" "$split" 0.6
	check "unprivileged, without a path: recorded" is_status 0
	run "$TSPROF" fold -i nobody/run.tsprof
	check "unprivileged, without a path: named" grep -q 'burn_half' "$work/out"
else
	echo "not checked: cannot record as nobody here"
fi

# The file without a build-id is known by its inode alone.
if objcopy --remove-section .note.gnu.build-id "$split" anonymous 2>/dev/null; then
	cp anonymous bare
	check_named "replaced, no build-id" sh start_then.sh ./bare mv app bare
	no_id=$work/anonymous
else
	echo "not checked: objcopy is missing"
	no_id=
fi

if ! chroot / true 2>/dev/null; then
	echo "not checked: chroot is not permitted here"
else
	mkdir -p root/usr/lib/debug root/bin
	cp "$split_static" root/bin/split
	decoy bin_split
	check_named "chroot" chroot root /bin/split 0.6
	if readelf -n root/bin/split 2>/dev/null | grep -q 'Build ID'; then
		id=$(readelf -n root/bin/split | sed -n 's/.*Build ID: //p')
		folder=root/usr/lib/debug/.build-id/$(echo "$id" | cut -c1-2)
		mkdir -p "$folder"
		objcopy --only-keep-debug root/bin/split "$folder/$(echo "$id" | cut -c3-).debug"
		strip root/bin/split
		check_named "debug file in the chroot" chroot root /bin/split 0.6
	fi
fi

if ! unshare --mount true 2>/dev/null; then
	echo "not checked: unshare --mount is not permitted here"
	finish
fi
mkdir -p place
decoy place/app
for binary in "$split" ${no_id:+"$no_id"}; do
	label=$([ "$binary" = "$split" ] && echo "" || echo ", no build-id")
	check_named "inside only$label" unshare --mount sh -c \
		'exec 3<"$0" && mount -t tmpfs own place && cat <&3 >place/inner &&
		chmod +x place/inner && place/inner 0.6' "$binary"
	check_named "another one outside$label" unshare --mount sh -c \
		'exec 3<"$0" && mount -t tmpfs own place && cat <&3 >place/app &&
		chmod +x place/app && place/app 0.6' "$binary"
	check_named "mounted over$label" unshare --mount sh -c \
		'mount --bind "$0" place/app && place/app 0.6' "$binary"
done

# overlayfs tells perf of other inodes than it tells stat.
if unshare --mount sh -c 'mount -t tmpfs own place && mkdir place/a place/b place/c place/d &&
	mount -t overlay -o lowerdir=place/a,upperdir=place/b,workdir=place/c overlay place/d' \
	2>/dev/null; then
	for binary in "$split" ${no_id:+"$no_id"}; do
		label=$([ "$binary" = "$split" ] && echo "" || echo ", no build-id")
		check_named "overlay$label" unshare --mount sh -c \
			'exec 3<"$0" && mount -t tmpfs own place &&
			mkdir place/a place/b place/c place/d && cat <&3 >place/a/app &&
			chmod +x place/a/app &&
			mount -t overlay -o lowerdir=place/a,upperdir=place/b,workdir=place/c \
			overlay place/d && place/d/app 0.6' "$binary"
	done
else
	echo "not checked: overlayfs cannot be mounted here"
fi
finish
