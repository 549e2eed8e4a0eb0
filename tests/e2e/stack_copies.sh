#!/bin/sh
# User stacks are copied by a program in the kernel, or where that is not permitted by
# perf, or by the program itself.  Each way all of them are there: of threads that come and go, of
# programs that take the place of others, deeper than what is copied, and on stacks of one's own.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
require_record
workloads=$BUILD/tests/workloads

has_program()
{
	"$@" "$TSPROF" doctor --json 2>/dev/null | grep -q "as much as is in use (BPF)"
}

has_no_program()
{
	! has_program "$@"
}

# NAME COMMAND…: its report is in $work/report.json, its stacks are in $work/out.
record_workload()
{
	name=$1
	shift
	status=0
	$way "$TSPROF" record $engine -q -F 3989 -o "$work/$name.tsprof" -- "$@" >"$work/truth" \
		2>"$work/err" || status=$?
	check "$kind, $name: recorded" is_status 0
	"$TSPROF" report -i "$work/$name.tsprof" --json --top 0 >"$work/report.json"
	run "$TSPROF" fold -i "$work/$name.tsprof"
	samples=$(json_number "$work/report.json" samples)
	lost=$(json_number "$work/report.json" lost)
	check "$kind, $name: none of $samples lost" holds "${samples:-0} > 500 && ${lost:-1} == 0"
}

# While a process execs or exits it has no stack to be cut.
is_complete()
{
	n_cut=$(awk '/\[truncated/ { n += $NF } END { print n + 0 }' "$work/out")
	check "$kind, $name: $n_cut of $samples are cut" holds "$n_cut <= 0.001 * $samples + 1"
}

# Deep from its first moment on: until the program is told where the stack ends, which takes the
# recorder a moment with a CPU, it is cut.  10 ms of 500.
is_complete_soon()
{
	n_cut=$(awk '/\[truncated/ { n += $NF } END { print n + 0 }' "$work/out")
	check "$kind, $name: $n_cut of $samples are cut" holds "$n_cut <= 0.02 * $samples"
}

# Hundreds of threads that leave the recorder no CPU, until it has noticed; all of them deep.  What
# is lost until then, some 50 ms beside other tests, is no share of a longer run.
record_crowd()
{
	if [ "$(nice -n -20 nice 2>/dev/null)" != -20 ] || ! chrt -r 1 true 2>/dev/null; then
		echo "not here: threads that come before others"
		return
	fi
	status=0
	"$TSPROF" record $engine -q -o "$work/crowd.tsprof" -- "$workloads/crowd" 300 100000 2 \
		2>"$work/err" || status=$?
	check "$kind, crowd: recorded" is_status 0
	"$TSPROF" report -i "$work/crowd.tsprof" --json --top 0 >"$work/report.json"
	samples=$(json_number "$work/report.json" samples)
	lost=$(json_number "$work/report.json" lost)
	complete=$(json_number "$work/report.json" complete)
	check "$kind, crowd: $lost of $samples lost, $complete complete" \
		holds "$samples > 1000 && $lost <= 0.02 * $samples && $complete >= 0.9 * $samples"
}

# LEAST: as a share.
is_over_array()
{
	awk -v least="$1" '
		{ total += $NF }
		/;main;deep_array;deep_call;deep_call;/ { whole += $NF }
		END { print whole + 0, "of", total + 0; exit !(whole >= least * total) }' "$work/out"
}

# The thread that came first has told where its stack ends; the next program's is elsewhere.
exec_again='i=0; while [ $i -lt 2 ]; do "$1" 0.1 >/dev/null; i=$((i + 1)); done; exec "$1" 0.3'

for kind in program dump sigprof; do
	way=
	engine=--engine=auto
	case $kind in
	dump) way=$workloads/without_bpf ;;
	sigprof) engine=--engine=sigprof ;;
	esac
	if [ $kind = program ] && ! has_program; then
		echo "not here: a program for stacks"
		continue
	fi
	[ $kind != dump ] || check "$kind: doctor tells that there is no program" \
		has_no_program "$workloads/without_bpf"

	record_workload deep "$workloads/deep" 400 0.5
	is_complete
	check "$kind, deep: all 400 calls" awk -v wanted="$(awk '{ print $4 }' "$work/truth")" '
		{ if (gsub(/deep_call/, "") == 400) deep += $NF / 3989 }
		END { print deep, "of", wanted, "s"; exit !(wanted > 0 && deep >= 0.97 * wanted) }' "$work/out"

	# More of them than perf can copy, some 160 KiB.
	if [ $kind != dump ]; then
		record_workload deeper "$workloads/deep" 1800 0.5
		is_complete_soon
		record_workload array "$workloads/deep" 100 0.5 array
		is_complete_soon
		check "$kind, array: calls from main over the array" is_over_array 0.9
		record_workload gaps "$workloads/gaps" 4 0.1
		is_complete
		check "$kind, gaps: all of their calls" awk '
			/;gap_burn/ { n += $NF }
			/;run;gap_outer;gap_middle;gap_inner;gap_burn/ { whole += $NF }
			END { print whole + 0, "of", n + 0; exit !(n > 500 && whole == n) }' \
			"$work/out"
		# Of these, 200 KiB, the end has to be known as well: a tenth of a second of each.
		record_workload "more gaps" "$workloads/gaps" 2 1 20
		check "$kind, more gaps: nearly all of their calls" awk '
			/;gap_burn/ { n += $NF }
			/;run;gap_more;.*;gap_more;gap_outer;gap_middle;gap_inner;gap_burn/ {
				whole += $NF
			}
			END { print whole + 0, "of", n + 0; exit !(n > 500 && whole >= 0.85 * n) }' \
			"$work/out"
		record_workload untouched "$workloads/crowd" 10 24000 0.3 untouched
		is_complete
		# New and deeper than 128 KiB, when the recorder does not look often any more: it is
		# woken for each.  1.2 % were cut, and 5 to 7 when it was not woken.
		record_workload late sh -c 'sleep 0.6; exec "$@"' sh "$workloads/crowd" 4 200000 0.4
		n_cut=$(awk '/\[truncated/ { n += $NF } END { print n + 0 }' "$work/out")
		check "$kind, late: $n_cut of $samples are cut" holds "$n_cut <= 0.03 * $samples"
		record_crowd
		# Threads have other numbers there than the kernel's program knows.
		if unshare -pf --mount-proc true 2>/dev/null; then
			way="unshare -pf --mount-proc"
			record_workload container "$workloads/crowd" 20 100000 0.4
			is_complete_soon
			way=
		fi
	fi

	# 55 KiB with gaps, in threads that are over before the recorder looks.
	if [ $kind = program ]; then
		record_workload "short gaps" "$workloads/gaps" 60 0.01 3
		check "$kind, short gaps: all of their calls" awk '
			/;gap_burn/ { n += $NF }
			/;run;gap_more;gap_more;gap_more;gap_outer;gap_middle;gap_inner;gap_burn/ {
				whole += $NF
			}
			END { print whole + 0, "of", n + 0; exit !(n > 500 && whole >= 0.99 * n) }' \
			"$work/out"
	fi

	# 64 KiB of them, which is some 700 calls, and told to be cut.
	record_workload cut "$workloads/deep" 8000 0.5
	check "$kind, cut: the inner calls, and that they are cut" awk '
		{ n = gsub(/deep_call/, ""); total += $NF }
		/\[truncated: stack dump\]/ && n > 300 { cut += $NF }
		END { print cut + 0, "of", total + 0; exit !(total > 0 && cut >= 0.9 * total) }' \
		"$work/out"

	if [ $kind = dump ]; then
		run $way "$TSPROF" record -o "$work/told.tsprof" -- "$workloads/deep" 4000 0.2
		check "$kind, cut: told, with what copies more" \
			grep -q "stacks are longer than .*--engine sigprof" "$work/err"
	else
		run "$TSPROF" record $engine -o "$work/told.tsprof" -- "$workloads/deep" 8000 0.2
		check "$kind, cut: told" grep -q "stacks are deeper than what is copied" "$work/err"
	fi

	record_workload short "$workloads/short_lived" threads 2000
	is_complete
	record_workload exec sh -c "$exec_again" sh "$workloads/split"
	is_complete
	record_workload coroutines "$workloads/coroutine_stacks" 0.5
	# They know their share themselves: the kernel's part in switching depends on the machine.
	# Of 2,000 samples a share is known to 0.011; five times that.
	check "$kind, coroutines: whole" awk -v wanted="$(awk '
		/^(even|odd)_burn/ { n += $2 } END { print n }' "$work/truth")" '
		{ total += $NF }
		/(even|odd)_burn/ { burnt += $NF }
		/even_main;even_outer;even_inner;even_burn|odd_main;odd_outer;odd_burn/ {
			whole += $NF
		}
		END {
			print whole + 0, "of", burnt + 0, "of", total + 0 ", should be", wanted
			exit !(wanted > 0.2 && whole >= 0.999 * burnt - 1 &&
				whole >= (wanted - 0.055) * total)
		}' "$work/out"
	if command -v xz >/dev/null; then
		record_workload xz xz -9 -T2 -c "$TSPROF"
		is_complete
	fi
done
finish
