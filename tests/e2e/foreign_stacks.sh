#!/bin/sh
# A stack is never wrong in silence: coroutines and handlers on alternate stacks
# end where their stack does, with the right reason, or where the interrupted one does, and
# never with callers that were not.  The programs' functions have one true caller each.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
find_engines

# ENGINE PROGRAM…: sampled at 2 kHz; the chains of this program's own functions,
# outermost first, are in $work/chains: "whole|cut CHAIN COUNT".
record_chains()
{
	chains_engine=$1
	shift
	status=0
	record_with "$chains_engine" -q -F 1999 -o "$work/foreign.tsprof" -- "$@" \
		>"$work/truth" 2>"$work/err" || status=$?
	"$TSPROF" fold -i "$work/foreign.tsprof" >"$work/folded" 2>>"$work/err"
	awk -v own="$own" '
	{
		count = $NF
		sub(/ [0-9]+$/, "")
		gsub(/ \[clone [^]]*\]/, "")
		kind = /\[truncated/ ? "cut" : "whole"
		n = split($0, frame, ";")
		chain = ""
		for (i = 2; i <= n; i++)
			if (frame[i] ~ ("^(" own ")$"))
				chain = chain (chain == "" ? "" : ";") frame[i]
		if (chain != "")
			total[kind " " chain] += count
	}
	END { for (key in total) print key, total[key] }' "$work/folded" >"$work/chains"
}

# TRUE-CHAIN…: a whole chain is one of these from its root; a cut one a piece of one.
no_invented_callers()
{
	printf '%s\n' "$@" | awk '
	NR == FNR { true_chain[NR] = ";" $0 ";"; n = NR; next }
	{
		is_true = 0
		for (i = 1; i <= n; i++) {
			at = index(true_chain[i], ";" $2 ";")
			if (at == 1 || ($1 == "cut" && at > 0))
				is_true = 1
		}
		if (!is_true) {
			print "never called so:", $0
			n_wrong++
		}
	}
	END { exit n_wrong > 0 || FNR == 0 }' - "$work/chains"
}

# KIND CHAIN SHARE: that share of the samples at least has just this chain.
has_chain()
{
	awk -v key="$1 $2" -v share="$3" '
	{ total += $3 }
	$1 " " $2 == key { mine = $3 }
	END { print mine + 0, "of", total + 0; exit !(total > 500 && mine >= share * total) }' \
		"$work/chains"
}

# CHAIN: all samples that end where it does have all of it, but one in a hundred, which may be
# on the way to a handler on the other stack and back.  How many there are is the machine's to
# say: a busy one leaves more of the time to the handlers.
is_always_whole()
{
	awk -v chain="$1" '
	{ total += $3 }
	substr(";" chain, length(";" chain) - length($2)) == ";" $2 {
		if ($1 == "whole" && $2 == chain)
			whole += $3
		else
			other += $3
	}
	END {
		print whole + 0, "whole and", other + 0, "others of", total + 0
		exit !(total > 500 && whole >= 0.02 * total && other <= 0.01 * whole + 1)
	}' "$work/chains"
}

has_both_ends()
{
	[ "$1" != perf ] ||
		"$TSPROF" doctor --json 2>/dev/null | grep -q "as much as is in use (BPF)"
}

# The addresses in glibc's swapcontext between the load of the other stack's pointer and the
# push of its return address, as fold writes them.  Its call frame information tells of a return
# address on the stack all the way, but there it is in neither stack: a walk can only end and say so.
between_stacks()
{
	libc=$(ldd "$BUILD/tests/workloads/coroutine_stacks" | awk '/libc\.so/ { print $3 }')
	objdump -d --no-show-raw-insn --disassemble=swapcontext "$libc" |
		awk -v name="${libc##*/}" '
		is_between && /^ / { at = $1; sub(/:.*/, "", at); print "[" name "+0x" at "]" }
		/\(%rdx\),%rsp/ { is_between = 1 }
		/[ \t](push|ret)/ { is_between = 0 }'
}
between_stacks >"$work/between"

# REASON SHARE: no other reason is there for more than that share of the samples, but between two
# stacks for one in a hundred: those are ten instructions, of which some wait for memory.
ends_by_reason()
{
	"$TSPROF" fold --addresses -i "$work/foreign.tsprof" >"$work/addresses" || return 1
	awk -v reason="[truncated: $1" -v share="$2" '
	FILENAME == ARGV[1] { is_between[$1]; next }
	{ total += $NF }
	/\[truncated: bad memory\];swapcontext / && $(NF - 1) in is_between { between += $NF; next }
	/\[truncated/ && !index($0, reason) { other += $NF; print }
	END {
		print between + 0, "between two stacks"
		exit !(total > 500 && other + 0 <= share * total + 1 && between <= 0.01 * total)
	}' "$work/between" "$work/addresses"
}

for engine in $engines; do
	own='main|(even|odd|raw)_(main|outer|inner|burn)|scheduler_(turn|burn|raw)'
	record_chains "$engine" "$BUILD/tests/workloads/coroutine_stacks" 2
	check "coroutines, $engine: recorded" is_status 0
	check "coroutines, $engine: no invented callers" no_invented_callers \
		"even_main;even_outer;even_inner;even_burn" "odd_main;odd_outer;odd_burn" \
		"raw_main;raw_outer;raw_inner;raw_burn" "main;scheduler_turn;scheduler_burn" \
		"main;scheduler_turn;scheduler_raw"
	# Of ten turns four are even, four odd, one the scheduler, one raw.
	check "coroutines, $engine: even ones are whole" \
		has_chain whole "even_main;even_outer;even_inner;even_burn" 0.3
	check "coroutines, $engine: odd ones are whole" \
		has_chain whole "odd_main;odd_outer;odd_burn" 0.3
	check "coroutines, $engine: the scheduler is there" \
		has_chain whole "main;scheduler_turn;scheduler_burn" 0.05
	[ "$(uname -m)" != x86_64 ] || check "coroutines, $engine: raw ones are there" \
		has_chain whole "raw_main;raw_outer;raw_inner;raw_burn" 0.05
	check "coroutines, $engine: 99.9 % are complete" ends_by_reason none 0.001

	own='main|spin_(outer|inner)|on_(plain|alternate|nested)|(plain|alternate)_outer|(plain|alternate|nested)_burn'
	record_chains "$engine" "$BUILD/tests/workloads/signal_stacks" 2
	spin="main;spin_outer;spin_inner"
	check "signals, $engine: recorded" is_status 0
	# The timer can hit the loop, what calls it, and main between two of its turns.
	check "signals, $engine: no invented callers" no_invented_callers \
		"main;on_plain;plain_outer;plain_burn" \
		"main;on_alternate;alternate_outer;alternate_burn" \
		"main;on_alternate;alternate_outer;on_nested;nested_burn" \
		"$spin" "$spin;on_plain;plain_outer;plain_burn" \
		"$spin;on_alternate;alternate_outer;alternate_burn" \
		"$spin;on_alternate;alternate_outer;on_nested;nested_burn" \
		"main;spin_outer;on_plain;plain_outer;plain_burn" \
		"main;spin_outer;on_alternate;alternate_outer;on_nested;nested_burn" \
		"main;spin_outer;on_alternate;alternate_outer;alternate_burn"
	check "signals, $engine: the loop is whole" is_always_whole "$spin"
	check "signals, $engine: handlers on the same stack are whole" \
		has_chain whole "$spin;on_plain;plain_outer;plain_burn" 0.02
	# What copies the stack's outermost end too has the interrupted frames; others do not.
	if has_both_ends "$engine"; then
		check "signals, $engine: those on the other one are whole" \
			has_chain whole "$spin;on_alternate;alternate_outer;alternate_burn" 0.02
		check "signals, $engine: and so are nested ones" has_chain whole \
			"$spin;on_alternate;alternate_outer;on_nested;nested_burn" 0.02
	else
		check "signals, $engine: those on the other one are cut behind the interrupted frame" \
			has_chain cut "spin_inner;on_alternate;alternate_outer;alternate_burn" 0.02
		check "signals, $engine: and so are nested ones" has_chain cut \
			"spin_inner;on_alternate;alternate_outer;on_nested;nested_burn" 0.02
	fi
	check "signals, $engine: cut by the dump" ends_by_reason "stack dump" 0.001
done
finish
