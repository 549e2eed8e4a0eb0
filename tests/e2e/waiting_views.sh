# What the tests of waiting ask of $work/p.tsprof; sourced by them.
# shellcheck shell=sh
program=$BUILD/tests/workloads/waiting

# NAME VIEW…: the JSON report of a view of $work/p.tsprof in $work/NAME.json.
report()
{
	name=$1
	shift
	run "$TSPROF" report -i "$work/p.tsprof" --json --top 0 "$@"
	check "report $name" is_status 0
	cp "$work/out" "$work/$name.json"
}

# FILE KEY VALUE FIELD: FIELD of the row whose KEY is VALUE or starts with it; 0 when there is none.
row_of()
{
	awk -v key="\"$2\":" -v value="\"$3" -v field="\"$4\":" '
	/\{/ { number = 0; is_row = 0 }
	index($0, field) { text = $0; sub(".*" field " *", "", text); number = text + 0; has = 1 }
	index($0, key) && index($0, value) { is_row = 1 }
	/\}/ { if (is_row && has) { sum += number; is_row = has = 0 } }
	END { printf "%.0f\n", sum }' "$1"
}

# WHAT SECONDS NS: apart by at most 3 % and 3 ms.  Waits are measured, not
# sampled; what is allowed for are the steps into and out of the call, and the
# time between the program's two looks at the clock and the switches, when
# other programs have the CPU meanwhile.
agrees()
{
	check "$1: $3 ns of $2 s" holds "$3 / 1e9 - $2 < 0.03 * $2 + 0.003 &&
		$2 - $3 / 1e9 < 0.03 * $2 + 0.003"
}

# What happens within `$1` in $work/all.json, running or waiting.
total_of()
{
	row_of "$work/all.json" function "$1\"" total_ns
}

# THREADS SECONDS RECORD-OPTION…: what threads that sleep cost the recorder, and how long they
# slept, in ns, as $cost and $waited; the program's own sum in $lives.
record_idle()
{
	n_idle=$1
	idle_seconds=$2
	shift 2
	run "$TSPROF" record "$@" -o "$work/p.tsprof" -- "$program" idle "$n_idle" "$idle_seconds"
	check "$n_idle idle threads for $idle_seconds s: recorded" is_status 0
	lives=$(sed -n 's/^lives //p' "$work/out")
	report idle
	cost=$(json_number "$work/idle.json" recorder_cpu_ns)
	waited=$(json_number "$work/idle.json" waited_ns)
}

# SHARE RECORD-OPTION…: 1,000 threads that sleep add under 1 % of a core: what four more
# seconds of them cost the recorder, so that births, names and the file are left out.
# At least that share of their lives is told as waiting.
check_idle_threads()
{
	least_share=$1
	shift
	record_idle 1000 1 "$@"
	short=$cost
	record_idle 1000 5 "$@"
	check "4 more seconds of 1,000 idle threads: $cost ns of CPU instead of $short" \
		holds "$cost - $short < 0.01 * 4e9"
	check "they slept for $lives s together: $waited ns" \
		holds "$waited > $least_share * 1e9 * $lives && $waited < 1.05e9 * $lives"
}
